"""Tables 7 and 8 (Section 4.4), and those of format leaks."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.paper import record as rec
from ganfp.paper.record import readable
from ganfp.tables.table import DASH, Table, number, small, strong, with_interval


def attacks(found: Sequence[dict], name: str, caption: str) -> Table:
    """Tables 7 and 8: paper | reference | this run before and after immunisation, and after it without an attack."""
    rows = []
    for dataset in (worlds := list(dict.fromkeys(r["dataset"] for r in found))):
        mine = rec.pick(found, dataset=dataset)
        if len(worlds) > 1:
            rows.append([strong(dataset), *[""] * 6])
        rows += [
            row
            for attack in dict.fromkeys(r["column"].split()[0] for r in mine if r["column"].endswith(" atk"))
            for variant in dict.fromkeys(r["params"].get("variant") for r in rec.pick(mine, column=f"{attack} atk"))
            for row in _attack_rows(mine, attack, variant)
        ]
    return Table(name, caption, ["", "", "paper", "reference", "before", "after", "after, no attack"], rows)


def _attack_rows(found: Sequence[dict], attack: str, variant: str | None) -> list[list[str]]:
    """A row per method: the paper's two numbers, the reference run's two and this run's three."""
    clean = f"clean, {variant}" if variant else "clean"
    cells = {
        r["row"]: [
            _one(found, r["row"], f"{attack} {when}", beside)
            for when, beside in (("atk", variant), ("dfs", variant), ("dfs", clean))
        ]
        for r in rec.pick(found, column=f"{attack} atk")
    }
    top = [max(three[i]["value"] for three in cells.values()) for i in range(3)]
    rows = []
    for row, three in cells.items():
        shown = [with_interval(r, strong if r["value"] == best else str) for r, best in zip(three, top, strict=True)]
        published = [
            DASH if three[0][who] is None else f"{number(three[0][who])} → {number(three[1][who])}"
            for who in ("paper", "reference")
        ]
        label = attack if variant is None else f"{attack} {small(variant)}"
        rows.append([label if not rows else "", row, *published, *shown])
    return rows


def _one(found: Sequence[dict], row: str, column: str, variant: str | None) -> dict:
    return next(r for r in rec.pick(found, row=row, column=column) if r["params"].get("variant") == variant)


def formats(found: Sequence[dict], name: str, caption: str) -> Table:
    """Accuracy of a network by the formats that it was trained on, on such images and with the formats exchanged."""
    by: dict[tuple[str, str], dict[str, dict]] = {}
    for r in found:
        by.setdefault((r["row"], r["column"]), {})[r["params"]["test"]] = r
    rows = [[*key, with_interval(two["as trained"]), with_interval(two["exchanged"])] for key, two in by.items()]
    return Table(name, caption, ["task", "trained on", "tested on the same, %", "formats exchanged, %"], rows)


def ghosts(found: Sequence[dict], name: str, caption: str) -> Table:
    """Percent of the images of each source that show a JPEG ghost, by formats."""
    columns = list(dict.fromkeys(r["column"] for r in found))
    rows = [
        [readable(row), *(with_interval(rec.pick(found, row=row, column=column)[0]) for column in columns)]
        for row in dict.fromkeys(r["row"] for r in found)
    ]
    return Table(name, caption, ["source", *(f"{column}, %" for column in columns)], rows)
