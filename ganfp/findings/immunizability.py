"""Formats (page x2): what was measured, whatever that was."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.paper.record import pick


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


def _apart(a: dict, b: dict) -> bool:
    return a["ci_low"] > b["ci_high"] or a["ci_high"] < b["ci_low"]
