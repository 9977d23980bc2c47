"""Tables 4, 5 and 6 and what stands beside them (Section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ganfp.attributors.network import SMALLEST
from ganfp.paper import published as paper
from ganfp.paper import record as rec
from ganfp.tables.existence import row_label
from ganfp.tables.table import BESIDE, DASH, Table, beside, number, p_value, seconds, small, with_interval


def bands(found: Iterable[dict], resolution: int, name: str, caption: str) -> Table:
    """Table 4: a row per band and downsampling factor of the paper, low bands first; the top band is a row more."""
    found = [r for r in found if r["metric"] == "accuracy"]
    world, rows = found[0]["dataset"], []
    for column in ("L-f", "H-f"):
        for factor in paper.block("4")["accuracy"]:
            mine = {r["params"].get("variant"): r for r in rec.pick(found, row=factor, column=column)}
            side, r = resolution // int(factor), mine.pop(None, None)
            label = f"{side} × {side}" + ("" if r else small(f" below the network’s {SMALLEST} × {SMALLEST}"))
            cells = beside(r, paper.value("4", factor, column, world))
            rows.append([column, factor, label, *cells, seconds(r and r["seconds"])])
            for variant, top in mine.items():
                half = f"{side} × {side}" + small(f" {variant}: less {side // 2} × {side // 2}")
                rows.append([column, factor, half, *beside(top, None), seconds(top["seconds"])])
    return Table(name, caption, ["band", "factor", "pixels", *BESIDE, "training, s"], rows)


def patches(found: Sequence[dict], resolution: int, name: str, caption: str) -> Table:
    """Table 5: a row per patch size, those of the paper that are larger than this run's images included."""
    mine, world, rows = {int(r["row"]): r for r in found}, found[0]["dataset"], []
    for side in sorted({*map(int, paper.block("5")["accuracy"]), *mine}, reverse=True):
        r, note = mine.get(side), " the whole image" if side == resolution else ""
        pooling = f"{r['params']['pooling']} × {r['params']['pooling']}" if r else DASH
        label = f"{side} × {side}" + small(note if r else " larger than an image")
        cells = beside(r, paper.value("5", str(side), "Ours", world))
        rows.append([label, pooling, *cells, seconds(r and r["seconds"])])
    return Table(name, caption, ["patch, px", "pooling from", *(f"{x}, %" for x in BESIDE), "training, s"], rows)


def at_equal_n(found: Sequence[dict], name: str, caption: str) -> Table:
    """FD ratios of all test images, of the selected tenth, and of random tenths of the same size."""
    rows = []
    for row in dict.fromkeys(r["row"] for r in found):
        every, random, chosen = (
            rec.pick(found, row=row, metric=f"fd_ratio_{which}")[0] for which in ("all", "random", "selected")
        )
        spread = small(f"{random['ci_low']:.2f}–{random['ci_high']:.2f}")
        cells = [number(every["value"]), f"{number(random['value'])} {spread}", number(chosen["value"])]
        rows.append([row_label(chosen), *cells, p_value(chosen["params"]["p"])])
    n = [rec.pick(found, metric=f"fd_ratio_{which}")[0]["n"] for which in ("all", "random", "selected")]
    header = ["", f"all, n = {n[0]:,}", f"random tenths, n = {n[1]:,}", f"selected, n = {n[2]:,}", "p"]
    return Table(name, caption, header, rows)


def selection(found: Iterable[dict], name: str, caption: str) -> Table:
    """Accuracy on the selected tenth, on the rest, and on the selected generated images alone."""
    variants = {None: "selected", "not selected": "not selected", "generated": "selected, generated alone"}
    found = [r for r in found if r["metric"] == "accuracy"]
    rows = [
        [row, *(with_interval(next(r for r in found if _is(r, row, variant))) for variant in variants)]
        for row in dict.fromkeys(r["row"] for r in found)
    ]
    return Table(name, caption, ["accuracy, %", *variants.values()], rows)


def _is(r: dict, row: str, variant: str | None) -> bool:
    return r["row"] == row and r["params"].get("variant") == variant
