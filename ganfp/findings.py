"""Sentences about a run, made from its records: the prose says what was measured, whatever that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganfp import claims as ledger
from ganfp import paper
from ganfp.experiments.attribution import extractor_name
from ganfp.metrics import Accuracy
from ganfp.records import pick, readable
from ganfp.run import Run

CONTRAST = 1.3  # times chance: up to here a simple method "stays near chance", as the paper's kNN does


def banner(run: Run) -> str:
    """One line at the top of a page: what this run is."""
    real = run.profile.real
    text = (
        f"**This run:** profile `{run.profile.name}`, {run.profile.resolution} × {run.profile.resolution} pixels, "
        "real images "
        f"`{run.dataset}`, {run.profile.seeds} GAN seeds, {real.train:,} training and {real.test:,} test images per "
        "source, "
        f"seed {run.seed}, on `{run.device}`."
    )
    if run.profile.name == "smoke":
        text += " **Its numbers mean nothing:** every step runs in miniature, to test the machinery."
    return text


def shown_as(run: Run, row: str) -> str:
    """The name of a feature as a panel's title."""
    return {"Inception": f"by content: {extractor_name(run)}", "Our fingerprint": "by learned fingerprint"}[row]


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


def contrast(run: Run, records: Sequence[dict]) -> str:
    """What Table 3 of this run says about the paper's contrast, without flattery."""
    rows = {r["row"]: r for r in records if r["metric"] == "accuracy"}
    ours, knn = rows["Ours"], rows["kNN"]
    chance = 100 / ours["classes"]
    text = f"Chance is {chance:.0f} % with {ours['classes']} sources; {_times_chance(rows)}. "
    if ours["ci_low"] <= chance:
        return text + "Not even ours is above chance: **this run shows no fingerprint.**"
    rivals = {row: rows[row] for row in ("kNN", "Eigenface", "PRNU")}
    better = [row for row, r in rivals.items() if r["ci_low"] > ours["ci_high"]]
    equal = [row for row, r in rivals.items() if r["ci_low"] <= ours["ci_high"] and r["ci_high"] >= ours["ci_low"]]
    if knn["value"] <= CONTRAST * chance:
        text += "**The paper's contrast appears:** raw pixels stay near chance, and the learned fingerprint does not."
    else:
        text += (
            "**The paper's contrast does not appear in this run:** raw pixels are enough to tell these sources apart. "
            "The reason is the GANs, not the methods. Trained on "
            f"{run.profile.progan.total_images:,} images instead of {paper_images():,}, they differ in plain sight, in "
            "their colours, their smears and in what they never learned to draw, and any method can use that. What "
            "does carry over is the uniqueness: every seed leaves a source of its own."
        )
    if better:
        text += f" {' and '.join(better)} {'is' if len(better) == 1 else 'are'} even better than ours here."
    if equal:
        text += f" The intervals do not separate ours from {' and '.join(equal)}."
    return text


def _times_chance(rows: Mapping[str, dict]) -> str:
    """Each accuracy as a multiple of chance, beside the paper's, whose chance level is another."""
    parts = []
    for row, r in rows.items():
        published = "" if r["paper"] is None else f" (the paper: {r['paper'] / paper.chance('seeds'):.1f})"
        parts.append(f"{row} reaches {r['value'] * r['classes'] / 100:.1f} times chance{published}")
    return ", ".join(parts)


def paper_images() -> int:
    """Images that the paper's ProGAN is shown in training."""
    from ganfp.gans.progan import ProGANConfig

    return ProGANConfig().total_images


def caption3(run: Run) -> str:
    """The caption of Table 3."""
    stands_for = {"faces": "the paper's column is CelebA", "bedrooms": "the paper's column is LSUN"}
    beside = stands_for.get(paper.stands_for(run.dataset), "the paper has no numbers for these images")
    classes = run.profile.seeds + 1
    return (
        "The paper's Table 3: attribution to the real images and to ProGANs that differ in the seed. This run has "
        f"{classes} sources (chance {100 / classes:.1f} %), the paper 11 (9.1 %); {beside}. Small: 95 % interval. "
        "Bold: best accuracy."
    )


def critics(records: Sequence[dict], ours: Accuracy) -> str:
    """How far the GANs' own critics come, beside the attribution network on the same images."""
    best = max(records, key=lambda r: r["value"])
    chance = 100 / best["classes"]
    listed = ", ".join(f"{r['row'].removeprefix('Critics, ')} {r['value']:.1f} %" for r in records)
    text = (
        f"Attributed by critics, the generated test images go to the right generator this often: {listed}; chance is "
        f"{chance:.0f} %. The attribution network reaches {ours.value:.1f} % on the same images, although it may "
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
                if best["value"] < ours.low
                else "no classifier was needed here."
            )
        )
    else:
        text += "No reading beats guessing."
    return text


def diagonal(cosines: np.ndarray, classes: Sequence[str]) -> str:
    """Whether each source's images agree most with their own model fingerprint."""
    own = cosines.argmax(axis=1) == np.arange(len(cosines))
    off = cosines[~np.eye(len(cosines), dtype=bool)]
    text = f"On the diagonal the mean cosine is {np.diag(cosines).mean():.2f}, off it {off.mean():.2f}. "
    if own.all():
        return (
            text + "Every row has its largest value on the diagonal: on average, images agree best with the model that "
            "made them."
        )
    wrong = ", ".join(readable(name) for name, right in zip(classes, own, strict=True) if not right)
    return text + f"The diagonal is not the largest value of every row: it fails for {wrong}."


def twins(records: Sequence[dict]) -> str:
    """The outcome of the same-seed control."""
    equal = records[0]["params"]["equal_bytes"]
    bad = [r["row"] for r in records if not r["ci_low"] <= 50 <= r["ci_high"]]
    text = (
        "**The two generators are equal, byte for byte.** "
        if equal
        else "**The two generators differ**: the largest difference of a weight is "
        f"{records[0]['params']['largest_weight_difference']:.2g}, so this machine does not repeat its own "
        "arithmetic, and "
        "what follows tests a pair of nearly equal models. "
    )
    if not bad:
        return text + "Every method ends at chance: all four intervals cover 50 %. The control passes."
    return text + (
        f"The interval of {' and '.join(bad)} does not cover 50 %. With four intervals, one misses by accident in "
        "about "
        "one run of five; run the page with another seed before believing in a leak."
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


def claims(run: Run, records: Sequence[dict], table: str) -> list[list[str]]:
    """Rows (claim, verdict on the paper's numbers, on this run's and those) for the claims read from a table."""
    published = [r for r in paper.records() if r["dataset"] == (paper.stands_for(run.dataset) or "faces")]
    rows = []
    for row in ledger.ledger(published, list(records)):
        if table in row.claim.tables and row.run.holds is not None:
            rows.append([row.claim.text, str(row.paper), f"**{row.run}** <small>{row.run.detail}</small>"])
    return rows


def front_page(
    run: Run, table3: Sequence[dict], same_seed: Sequence[dict], cost: Mapping[str, float]
) -> dict[str, str]:
    """Short texts for the front page, by the names under which they are glued."""
    rows = {r["row"]: r for r in table3 if r["metric"] == "accuracy"}
    ratios = {r["row"]: r for r in table3 if r["metric"] == "fd_ratio" and not r["params"].get("variant")}
    passed = same_seed[0]["params"]["equal_bytes"] and all(r["ci_low"] <= 50 <= r["ci_high"] for r in same_seed)
    texts = {f"accuracy_{row.lower()}": f"{r['value']:.1f} %" for row, r in rows.items()}
    texts |= {f"paper_{row.lower()}": "–" if r["paper"] is None else f"{r['paper']:.1f} %" for row, r in rows.items()}
    return texts | {
        "profile": run.profile.name,
        "dataset": run.dataset,
        "classes": str(rows["Ours"]["classes"]),
        "chance": f"{100 / rows['Ours']['classes']:.1f} %",
        "fd_content": f"{ratios['Inception']['value']:.1f}",
        "fd_fingerprint": f"{ratios['Our fingerprint']['value']:.0f}",
        "extractor": extractor_name(run),
        "twins": "passes" if passed else "does not pass",
        "gan_images": f"{run.profile.progan.total_images:,}",
        "core_minutes": f"{sum(cost.values()) / 60:.0f}"
        if sum(cost.values()) >= 60
        else f"{sum(cost.values()) / 60:.1f}",
        "verdict": _verdict(rows),
    }


def _verdict(rows: Mapping[str, dict]) -> str:
    """The contrast of Table 3 in half a sentence."""
    chance = 100 / rows["Ours"]["classes"]
    if rows["Ours"]["value"] < CONTRAST * chance:
        return "the sources cannot be told apart"
    if rows["kNN"]["value"] <= CONTRAST * chance:
        return "only fingerprints tell the sources apart, as in the paper"
    return "the sources can be told apart, but, unlike in the paper, by simple methods too"


def _interval(r: dict) -> str:
    return f"{r['value']:.1f} % ({r['ci_low']:.1f}–{r['ci_high']:.1f})"
