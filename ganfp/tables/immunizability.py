"""Tables of format leaks (page x2)."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.paper import record as rec
from ganfp.paper.record import readable
from ganfp.tables.table import Table, with_interval


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
