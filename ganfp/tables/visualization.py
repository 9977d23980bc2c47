"""Tables of fingerprints that are images (Sections 3.3 and 4.5)."""

from __future__ import annotations

from collections.abc import Iterable

from ganfp.paper import record as rec
from ganfp.paper.record import readable
from ganfp.tables.table import DASH, Table, small, strong, with_interval


def logits(found: Iterable[dict], name: str, caption: str) -> Table:
    """The three logits of Section 3.3: accuracy, cross-entropy beside its floor, temperature, first noise left.

    Those of the reference run follow, if it has them.
    """
    label = {
        "learned": "correlation, temperature learned",
        "fixed": "correlation, as printed",
        "inner": "inner product",
    }
    rows, found = [], list(found)
    elsewhere = [r for r in rec.reference_records() if r["setup"] == "logits" and r["dataset"] == found[0]["dataset"]]
    for run, records in {"this run": found, "reference": elsewhere}.items():
        if records:
            images = small(f" {records[0]['params']['images']:,} images each")
            rows.append([strong(run) + images, "", "", "", "", ""])
        for r in records:
            p = r["params"]
            temperature = DASH if p["temperature"] is None else f"{p['temperature']:.3g}"
            floor = DASH if p["floor"] is None else f"{p['floor']:.3f}"
            entropy = f"{p['cross_entropy']:.3f}"
            rows.append([label[r["row"]], with_interval(r), entropy, floor, temperature, f"{p['start']:.2f}"])
    header = ["logit", "accuracy, %", "cross-entropy", "its floor", "temperature", "first noise"]
    return Table(name, caption, header, rows)


def regions(found: Iterable[dict], name: str, caption: str) -> Table:
    """Response per pixel by source and region, with its energy; real images once more where true masks are known."""
    found = [r for r in found if r["metric"] in ("response", "energy")]
    lines: dict[tuple[str, str], dict[str, dict[str, dict]]] = {}
    for r in found:
        line = lines.setdefault((r["row"], r["params"].get("variant", "")), {})
        line.setdefault(r["column"], {})[r["metric"]] = r
    rows = []
    for (source, variant), cells in lines.items():
        label = readable(source) + (f" {small(variant)}" if variant else "")
        rows.append([label, *(_times(**cell) for cell in cells.values())])
    header = ["source", *next(iter(lines.values()), {"where": None})]
    return Table(name, caption, header, rows or [["not known for these images", ""]])


def _times(response: dict, energy: dict) -> str:
    """A response with its interval, and, small, its energy."""
    interval = f"{response['ci_low']:.1f} to {response['ci_high']:.1f}"
    beside = small(f"{interval}; energy {energy['value']:.1f}")
    return f"{response['value']:.1f} {beside}".replace("-", "−")


def only(found: Iterable[dict], name: str, caption: str) -> Table:
    """Accuracy by source when only the pixels of a region count, and of as many random ones."""
    found = [r for r in found if r["metric"] == "accuracy"]
    pixels = {r["column"]: f"{r['column']}, {r['params']['pixels']} pixels" for r in found}
    lines: dict[str, list[str]] = {}
    for r in found:
        beside = small(f"random: {r['params']['elsewhere']:.0f}")
        lines.setdefault(r["row"], []).append(f"{r['value']:.0f} {beside}")
    rows = [[readable(source), *cells] for source, cells in lines.items()]
    return Table(name, caption, ["source", *pixels.values()], rows or [["not known for these images", ""]])
