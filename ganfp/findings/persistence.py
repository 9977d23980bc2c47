"""Bands, patches and the artifact-free subset (Section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganfp import claims
from ganfp.findings.attribution import _listed, p_words
from ganfp.paper import published as paper
from ganfp.paper.record import pick
from ganfp.runs.run import Run


def bands(records: Sequence[dict], resolution: int) -> str:
    """What Table 4 says: whether accuracy falls with the band, stays above chance, and which band carries more."""
    found = [r for r in pick(records, metric="accuracy") if not r["params"].get("variant")]
    chance = 100 / found[0]["classes"]
    text = ""
    for column, name in (("L-f", "low"), ("H-f", "high")):
        mine = [r for r in pick(found, column=column) if r["row"] != "1"]
        shown = ", ".join(f"{resolution // int(r['row'])} px: {r['value']:.1f} %" for r in mine)
        text += f"The {name} bands alone reach {shown}. "
    top = next(r for r in records if r["params"].get("variant") == "top band")
    whole = pick(found, row="1")[0]
    text += (
        f"The band that the paper leaves out, what {resolution} px hold and {resolution // 2} px do not, reaches "
        f"{top['value']:.1f} %, and the whole image {whole['value']:.1f} %. "
    )
    rises = [
        f"{b['column']} at {resolution // int(b['row'])} px over {resolution // int(a['row'])} px"
        for a in found
        for b in pick(found, column=a["column"])
        if int(b["row"]) > int(a["row"]) and _above(b, a)
    ]
    if _above(top, whole):
        rises.insert(0, f"the top band over the whole image ({top['value']:.1f} % against {whole['value']:.1f} %)")
    if rises:
        text += (
            f"**A narrower band is better in one place or more:** {_listed(rises)}. Where the wider one holds the "
            "narrower, as the whole image does, its network has not found all that is there in as much training: an "
            "accuracy is a lower bound of what a band carries. "
        )
    else:
        text += "No narrower band is better than a wider one by more than the intervals. "
    lost = [f"{r['column']} at {resolution // int(r['row'])} px" for r in found if r["ci_low"] <= chance]
    if lost:
        text += f"Not above chance ({chance:.0f} %): {_listed(lost)}. "
    else:
        text += f"Every band is above chance ({chance:.0f} %). "
    return text + _high_against_low(records, found, resolution)


def _high_against_low(records: Sequence[dict], found: Sequence[dict], resolution: int) -> str:
    tests = pick(records, metric="paired_p")
    parts = []
    for r in tests:
        low, high = (pick(found, row=r["row"], column=column)[0]["value"] for column in ("L-f", "H-f"))
        decided = len(tests) * r["value"] < claims.SIGNIFICANT
        word = "not decided" if not decided else "the high band is better" if high > low else "the low band is better"
        side = resolution // int(r["row"])
        parts.append(f"at {side} px {word} ({high:.1f} % against {low:.1f} %, {p_words(r['value'])})")
    return f"High against low on the same images: {'; '.join(parts)}." if parts else ""


def patches(records: Sequence[dict], resolution: int) -> str:
    """What Table 5 says, and how far it can be compared with the paper."""
    mine = {int(r["row"]): r for r in records}
    chance = 100 / records[0]["classes"]
    sides = sorted(mine)
    shown = [f"{side} px give {mine[side]['value']:.1f} %" for side in sides]
    text = f"Patches of {', '.join(shown)}. "
    rises = [f"{a} px over {b} px" for a, b in zip(sides, sides[1:], strict=False) if _above(mine[a], mine[b])]
    if rises:
        text += f"**Smaller patches are better here:** {_listed(rises)}. "
    elif _above(mine[sides[-1]], mine[sides[0]]):
        text += "Accuracy falls as patches shrink. "
    else:
        text += "Between the largest and the smallest patch there is no clear difference. "
    if mine[sides[0]]["ci_low"] > chance:
        text += f"Even {sides[0]} × {sides[0]} pixels, colours and their immediate neighbours, are above chance. "
    world = paper.stands_for(records[0]["dataset"]) or "faces"
    enough = int(claims.SUFFICIENT[world])
    if enough not in mine or enough == sides[-1]:
        return text + f"The {enough} px that the paper finds enough are no smaller than these images."
    short = mine[sides[-1]]["value"] - mine[enough]["value"]
    held = "enough here, too" if short <= claims.RESTORED else "not enough here"
    return text + (
        f"The {enough} px that the paper finds enough are {held} ({short:+.1f} points to the whole image). But they "
        f"are {100 * enough / resolution:.0f} % of the side of an image of {resolution} px, and "
        f"{100 * enough / paper.load()['resolution']:.0f} % of one of the paper's."
    ).replace("(-", "(−")


def _above(a: Mapping, b: Mapping) -> bool:
    return a["ci_low"] > b["ci_high"]


def selection(records: Sequence[dict], distance: str) -> str:
    """Whether the methods do as well on the selected tenth as on the rest, and what became of the real class."""
    accuracies = pick(records, metric="accuracy")
    same, changed = [], []
    for row in dict.fromkeys(r["row"] for r in accuracies):
        chosen, rest = (_variant(accuracies, row, variant) for variant in (None, "not selected"))
        if _above(chosen, rest) or _above(rest, chosen):
            direction = "better" if _above(chosen, rest) else "worse"
            changed.append(f"{row} is {direction} ({chosen['value']:.1f} % against {rest['value']:.1f} %)")
        else:
            same.append(f"{row} {chosen['value']:.1f} % against {rest['value']:.1f} %")
    text = f"By {distance}, selected against not selected: "
    if changed:
        text += f"{_listed(changed)} on the selected images. "
    if same:
        text += f"{'For the others no' if changed else 'no'} clear difference ({', '.join(same)}). "
    ours = _variant(accuracies, "Ours", None)
    by_class = {name: value for name, (value, *_) in ours["params"]["by_class"].items()}
    real = by_class.pop("real")
    return text + (
        f"Of the selected real images ours recognises {real:.0f} %, of the selected images of each GAN "
        f"{min(by_class.values()):.0f} % or more. With {ours['n'] // ours['classes']} images a source, intervals are "
        "wide."
    )


def _variant(records: Sequence[dict], row: str, variant: str | None) -> dict:
    return next(r for r in records if r["row"] == row and r["params"].get("variant") == variant)


def equal_n(records: Sequence[dict]) -> str:
    """How much of the fall of each FD ratio is owed to fewer images, and whether selection does anything besides."""
    texts = []
    for row in dict.fromkeys(r["row"] for r in records):
        every, random, chosen = (
            pick(records, row=row, metric=f"fd_ratio_{which}")[0] for which in ("all", "random", "selected")
        )
        name = "the fingerprint" if row == "Our fingerprint" else f"the {chosen['params']['features']}"
        text = (
            f"For {name} the ratio is {every['value']:.2f} on all test images, {random['value']:.2f} on a random tenth "
            f"and {chosen['value']:.2f} on the selected one. "
        )
        fall = every["value"] - chosen["value"]
        if fall > 0 and random["value"] < every["value"]:
            share = min(1.0, (every["value"] - random["value"]) / fall)
            text += f"Fewer images alone explain {100 * share:.0f} % of the fall. "
        p = chosen["params"]["p"]
        if p >= claims.SIGNIFICANT:
            text += f"What remains is no more than the choice of images explains ({p_words(p)})."
        else:
            between, within = (chosen["params"][k] / random["params"][k] for k in ("inter", "intra"))
            text += "Selection lowers" if chosen["value"] < random["value"] else "**Selection raises**"
            text += (
                f" the ratio beyond that ({p_words(p)}): the distance between sources is {between:.2f} times that of "
                f"random tenths, the distance within a source {within:.2f} times."
            )
        texts.append(text)
    return "\n\n".join(texts)


def persistence_cost(run: Run, seconds: float) -> str:
    """What the page's own artifacts cost."""
    return (
        f"The networks and distances of this page took {seconds / 60:.1f} minutes of one core (`{run.profile.name}`), "
        "beside what {doc}`s4_2_existence` had made already."
    )
