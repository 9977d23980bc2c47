"""Features: content against fingerprints, FD ratios, the GANs’ own critics."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.findings.attribution import CONTRAST
from ganfp.paper.record import pick


def purity(records: Sequence[dict]) -> str:
    """Same-source neighbours by both features, against what chance would give."""
    content, ours = (pick(records, row=row)[0] for row in ("Inception", "Our fingerprint"))
    chance = 100 / content["classes"]
    text = (
        f"Of the ten nearest neighbours, {content['value']:.0f} % come from the same source by content, and "
        f"{ours['value']:.0f} % by fingerprint; a feature that knows nothing would reach {chance:.0f} %. "
    )
    if content["value"] <= CONTRAST * chance:
        return text + "That is the paper's picture: content does not tell the sources apart, the fingerprint does."
    return text + (
        "Content is not blind here, as it should be for the paper's contrast: these GANs differ in what they show, "
        "too. "
        "They have been trained briefly, and each makes mistakes of its own."
    )


def ladder(records: Sequence[dict]) -> str:
    """FD ratios of this run at the smallest and the largest number of images."""
    low, high = (f(r["params"]["per_class"] for r in records) for f in (min, max))
    parts = []
    for row, name in (("Inception", None), ("Our fingerprint", "the fingerprint")):
        found = {(r["params"]["convention"], r["params"]["per_class"]): r["value"] for r in records if r["row"] == row}
        name = name or f"the {next(r for r in records if r['row'] == row)['params']['features']}"
        parts.append(
            f"for {name} from {found['matched', low]:.2f} to {found['matched', high]:.2f} with equal numbers, and from "
            f"{found['paper', low]:.2f} to {found['paper', high]:.2f} by the paper's convention"
        )
    return f"From {low} to {high:,} images per source the ratio goes {'; '.join(parts)}."


def content(report: Sequence[Sequence]) -> str:
    """How well the content networks know their worlds; rows as :func:`world.content_report`."""
    texts = []
    for name in dict.fromkeys(row[0] for row in report):
        degrees = sorted((row[2], row[1]) for row in report if row[0] == name and row[4].startswith("variance"))
        middle = degrees[len(degrees) // 2][0]
        texts.append(
            f"of the {len(degrees)} factors of degree of {name} it explains half to at least {middle:.0f} %, and least "
            f"of all {degrees[0][1]} ({degrees[0][0]:.0f} %)"
        )
    return f"On new drawings, {'; '.join(texts)}.".replace("(-", "(−") if texts else ""


def critics(records: Sequence[dict]) -> str:
    """How far the GANs' own critics come, beside the attribution network on the same images."""
    *records, ours = records
    best = max(records, key=lambda r: r["value"])
    chance = 100 / best["classes"]
    listed = ", ".join(f"{r['row'].removeprefix('Critics, ')} {r['value']:.1f} %" for r in records)
    text = (
        f"Attributed by critics, the generated test images go to the right generator this often: {listed}; chance is "
        f"{chance:.0f} %. The attribution network reaches {ours['value']:.1f} % on the same images, although it may "
        "also answer "
        "“real”. "
    )
    if best["ci_low"] > chance:
        text += (
            f"So the best reading, the {best['row'].removeprefix('Critics, ')}, is better than guessing, but it was "
            "picked "
            "after the fact and "
            + (
                "falls far short of a classifier that knows all sources."
                if best["value"] < ours["ci_low"]
                else "no classifier was needed here."
            )
        )
    else:
        text += "No reading beats guessing."
    return text
