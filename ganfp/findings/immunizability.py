"""Attacks and defences (Section 4.4), and formats (page x2): what was measured, whatever that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganfp.claims import NEAR_CHANCE, RESTORED
from ganfp.experiments.immunizability import LONGER, SECOND_READING
from ganfp.findings.attribution import _listed
from ganfp.paper.published import ATTACKS
from ganfp.paper.record import pick
from ganfp.runs.run import Run

Cells = Mapping[str, dict]
_RELIT = ("from the left", "relit, prior", "relit, true normals")


def relighting(records: Sequence[dict]) -> str:
    """How near relighting comes to the same faces under the other light."""
    before, prior, true = (pick(records, row=row)[0]["value"] for row in _RELIT)
    text = (
        f"The faces lit from the left differ from those lit from the right by {before:.1f} grey levels (root mean "
        f"square). Relit with the prior, the difference is {prior:.1f}, and with the true normals {true:.1f}. "
    )
    if true < prior < before:
        return text + "So the prior goes a part of the way, and who knows the shape goes further."
    return text + "**That is not the order that was expected:** it should come nearer, most of all with the truth."


def attack_caption(records: Sequence[dict]) -> str:
    """The caption of Tables 7 and 8."""
    classes = records[0]["classes"]
    paper = "; the paper has 11 sources (9.1 %)" if any(r["paper"] is not None for r in records) else ""
    return (
        "Accuracy in percent under each attack, before and after immunisation (the paper's Tables 7 and 8), and, in "
        "the last column, of the immunised method on images that nobody attacked. This run has "
        f"{classes} sources (chance {100 / classes:.1f} %){paper}. Small: 95 % interval. Bold: the better method."
    )


def cells(records: Sequence[dict], row: str, when: str, variant: str | None = None) -> Cells:
    """The records of a row of Table 7 or 8 by attack; ``variant`` names those beside the table."""
    return {
        r["column"].split()[0]: r
        for r in records
        if r["row"] == row and r["column"].endswith(f" {when}") and r["params"].get("variant") == variant
    }


def by_world(records: Sequence[dict], text) -> str:
    """A text for each data set, under its name where there are several."""
    worlds = list(dict.fromkeys(r["dataset"] for r in records))
    texts = [text(pick(records, dataset=world)) for world in worlds]
    if len(worlds) == 1:
        return texts[0]
    return "\n\n".join(f"**{w.capitalize()}.** {t}" for w, t in zip(worlds, texts, strict=True))


def attacks(run: Run, records: Sequence[dict]) -> str:
    """What the attacks do to our network, data set by data set."""
    return by_world(records, _attacks)


def _attacks(records: Sequence[dict]) -> str:
    clean = pick(records, table="3", row="Ours")[0]
    found = cells(records, "Ours", "atk")
    chance = 100 / clean["classes"]
    lower = [name for name in ATTACKS if found[name]["ci_high"] < clean["ci_low"]]
    fatal = [name for name in ATTACKS if found[name]["value"] <= NEAR_CHANCE * chance]
    worst, least = (f(ATTACKS, key=lambda name: found[name]["value"]) for f in (min, max))
    text = f"Without an attack ours names {clean['value']:.1f} % of the sources. "
    if not lower:
        text += "No attack lowers that by more than the intervals allow. "
    else:
        text += (
            f"{_capital(_listed(lower))} lower{'s' if len(lower) == 1 else ''} it beyond the intervals; the strongest "
            f"is {worst}, which leaves {found[worst]['value']:.1f} %, the weakest {least} with "
            f"{found[least]['value']:.1f} %. "
        )
    if not fatal:
        return text + (
            f"**None comes near chance** ({chance:.0f} %), where the paper finds noise and compression: this network "
            "does not rest on a faint pattern alone. What is coarse survives; {numref}`fig-attack-spectra` shows how "
            "little of it an attack takes."
        )
    if {"noise", "compression"} <= set(fatal):
        return text + "As in the paper, noise and compression end near chance."
    return text + f"Near chance end{'s' if len(fatal) == 1 else ''} {_listed(fatal)}."


def noise_readings(records: Sequence[dict]) -> str:
    """Which reading of the noise comes nearer to the paper's "completely fails"."""
    return by_world(records, _noise_readings)


def _noise_readings(records: Sequence[dict]) -> str:
    clean = pick(records, table="3", row="Ours")[0]
    as_written, other = (cells(records, "Ours", "atk", v)["noise"] for v in (None, SECOND_READING))
    chance = 100 / clean["classes"]
    text = (
        f"Read as a variance, noise leaves ours {as_written['value']:.1f} % of {clean['value']:.1f} %; read as a "
        f"standard deviation, {other['value']:.1f} %. "
    )
    near = [r for r in (as_written, other) if r["value"] <= NEAR_CHANCE * chance]
    if len(near) == 2:
        return text + "Both end near chance, as the paper's does."
    if near:
        which = "a variance, as written" if near[0] is as_written else "a standard deviation"
        return text + f"Only the reading as {which} ends near chance, as the paper's does."
    if other["ci_high"] < as_written["ci_low"]:
        return text + "Neither ends near chance; the standard deviation comes nearer to it."
    return text + "Neither ends near chance, and the intervals do not even separate them."


def defences(records: Sequence[dict]) -> str:
    """What immunisation wins back, and who gains by it."""
    return by_world(records, _defences)


def _defences(records: Sequence[dict]) -> str:
    clean = pick(records, table="3", row="Ours")[0]
    before, after = cells(records, "Ours", "atk"), cells(records, "Ours", "dfs")
    restored = [name for name in ATTACKS if after[name]["value"] >= clean["value"] - RESTORED]
    gained = [n for n in ATTACKS if n not in restored and after[n]["ci_low"] > before[n]["ci_high"]]
    rest = [name for name in ATTACKS if name not in (*restored, *gained)]
    parts = []
    if restored:
        parts.append(f"under {_listed(restored)} ours is back within {RESTORED:g} points of {clean['value']:.1f} %")
    if gained:
        parts.append(f"under {_listed(gained)} ours wins back a part")
    if rest:
        parts.append(f"under {_listed(rest)} the intervals show no gain")
    lowest = min(ATTACKS, key=lambda name: after[name]["value"])
    text = f"{_capital('; '.join(parts))}. Lowest ends {lowest}, {after[lowest]['value']:.1f} %"
    text += ", as in the paper. " if lowest == "combination" else ", where the paper has the combination. "
    prnu = cells(records, "PRNU", "dfs")
    better, worse = (
        [n for n in ATTACKS if sign * (after[n]["value"] - prnu[n]["value"]) > 0 and _apart(after[n], prnu[n])]
        for sign in (1, -1)
    )
    if len(better) == len(ATTACKS):
        return text + "It beats the immunised PRNU under every attack."
    text += f"It beats the immunised PRNU under {_listed(better)}" if better else "It beats the immunised PRNU nowhere"
    return text + (f", and PRNU beats it under {_listed(worse)}." if worse else ".")


def _apart(a: dict, b: dict) -> bool:
    return a["ci_low"] > b["ci_high"] or a["ci_high"] < b["ci_low"]


def clean_after(records: Sequence[dict]) -> str:
    """What immunisation costs on images that nobody attacked."""
    return by_world(records, _clean_after)


def _clean_after(records: Sequence[dict]) -> str:
    clean = pick(records, table="3", row="Ours")[0]
    after = cells(records, "Ours", "dfs", "clean")
    lost = [name for name in ATTACKS if after[name]["ci_high"] < clean["ci_low"]]
    won = [name for name in ATTACKS if after[name]["ci_low"] > clean["ci_high"]]
    worst = min(ATTACKS, key=lambda name: after[name]["value"])
    text = (
        f"On images that nobody attacked the immunised networks reach {after[worst]['value']:.1f} % ({worst}) or "
        f"more, against {clean['value']:.1f} % before. "
    )
    if lost:
        text += f"Immunity to {_listed(lost)} costs accuracy there. "
    if won:
        text += (
            f"Immunity to {_listed(won)} even raises it, for it is also a longer training: see {{numref}}`fig-matrix`."
        )
    return text if lost or won else text + "No difference is beyond the intervals: immunity costs nothing here."


def transfer(records: Sequence[dict]) -> str:
    """Whether immunity to one attack helps against another, beyond what longer training does by itself."""
    value = {(r["params"]["defence"], r["params"]["attack"]): r for r in records}
    text = []
    helps = {d: [a for a in ATTACKS if a != d and _above(value[d, a], value[LONGER, a])] for d in ATTACKS}
    hurts = {d: [a for a in ATTACKS if a != d and _above(value[LONGER, a], value[d, a])] for d in ATTACKS}
    own = [d for d in ATTACKS if max(ATTACKS, key=lambda other, d=d: value[other, d]["value"]) == d]
    text.append(
        f"Under {_listed(own)} the best network is the one that was immunised to it. "
        if own
        else "Under no attack is the best network the one that was immunised to it. "
    )
    for found, verb in ((helps, "helps"), (hurts, "hurts")):
        parts = [f"{d} {verb} against {_listed(others)}" for d, others in found.items() if others]
        if parts:
            text.append(f"Beyond longer training alone, immunity to {'; to '.join(parts)}. ")
        else:
            text.append(f"Nowhere does immunity to one attack {verb[:-1]} against another beyond the intervals. ")
    return "".join(text)


def _above(a: dict, b: dict) -> bool:
    return a["ci_low"] > b["ci_high"]


def leak(records: Sequence[dict]) -> str:
    """Whether the networks learned the format, and whether exchanging the formats shows it."""
    by = {(r["row"], r["column"], r["params"]["test"]): r for r in records}
    tasks = list(dict.fromkeys((r["row"], r["column"]) for r in records if r["params"]["leak"]))
    parts = []
    for task, formats in tasks:
        same, other = by[task, formats, "as trained"], by[task, formats, "exchanged"]
        honest = by[task, "all PNG", "as trained"]
        text = (
            f"*{task.capitalize()}*: with {formats} the network is right on {same['value']:.1f} % of the test images "
            f"(all PNG: {honest['value']:.1f} %). With the formats exchanged it is right on {other['value']:.1f} %: "
        )
        if same["ci_low"] > 50 and other["ci_high"] < 50:
            text += "**it tells formats, not sources.**"
        elif other["ci_high"] < same["ci_low"]:
            text += "the format is a part of what it has learned."
        else:
            text += "in this run it has not learned the format."
        parts.append(text)
    return "\n\n".join(parts)


def ghost_control(records: Sequence[dict]) -> str:
    """What the control says of our sources, and of those with a leak."""
    ours, leaky = (pick(records, column=column) for column in ("all PNG", "real JPEG"))
    worst = max(ours, key=lambda r: r["value"])
    real = pick(leaky, row="real")[0]
    text = (
        f"Of the sources of {{numref}}`tab-3`, at most {worst['value']:.1f} % of the test images of any show a ghost. "
    )
    same = all(not _apart(a, b) for a in ours for b in ours)
    text += "**The control passes:** " if same else "**The control does not pass:** "
    text += (
        "the shares do not differ beyond the intervals. " if same else "the shares differ, and so do the file paths. "
    )
    return text + f"After the leak, {real['value']:.1f} % of the real images show one."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
