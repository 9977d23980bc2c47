"""Records -> tables: the paper's number, this run's with its interval, and what it took.

A :class:`Table` shows itself as HTML in Jupyter and as a numbered, captioned MyST table in the book.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ganfp import records as rec
from ganfp.records import readable
from ganfp.summary import Layer

DASH = "–"
PAPER_ROWS = ("kNN", "Eigenface", "PRNU", "Ours", "Our visNet", "Inception", "Our fingerprint")


@dataclass(frozen=True)
class Table:
    """Cells of text with the little markup of :func:`strong` and :func:`small`; ``name`` is a label, as ``tab-3``."""

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    prose: bool = False  # cells are sentences, and wrap

    def markdown(self) -> str:
        """A MyST table with a caption and a label."""
        rule = ["--:" if all(map(_is_number, column)) else ":--" for column in zip(*self.rows, strict=True)]
        lines = ["| " + " | ".join(row) + " |" for row in (self.header, rule, *self.rows)]
        kind = "results prose" if self.prose else "results"
        return "\n".join([f"```{{table}} {self.caption}", f":name: {self.name}", f":class: {kind}", "", *lines, "```"])

    def html(self) -> str:
        """The same for a notebook outside the book."""
        head = "".join(f"<th>{cell}</th>" for cell in self.header)
        body = "".join("<tr>" + "".join(f"<td>{_bold(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><caption>{escape(self.caption)}</caption><tr>{head}</tr>{body}</table>"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/markdown": self.markdown(), "text/plain": self.caption}


def results(found: Iterable[dict], name: str, caption: str) -> Table:
    """Rows of Table 1, 2, 3 or 6: paper | reference | this run, 95 % interval, images, seconds; the best in bold.

    Records of several data sets stand one below the other, each under its name.
    """
    found = [r for r in found if not r["params"].get("variant")]
    rows = []
    for dataset in (worlds := list(dict.fromkeys(r["dataset"] for r in found))):
        if len(worlds) > 1:
            beside = paper_column(dataset)
            rows.append([strong(dataset) + (small(f" paper: {beside}") if beside else ""), "", "", "", "", "", ""])
        rows += _results_of([r for r in found if r["dataset"] == dataset])
    return Table(name, caption, ["", "", "paper", "reference", "this run", "images", "training, s"], rows)


def _results_of(found: list[dict]) -> list[list[str]]:
    found = sorted(found, key=lambda r: (r["metric"], PAPER_ROWS.index(r["row"])))
    top = max((r["value"] for r in found if r["metric"] == "accuracy"), default=None)
    rows = []
    for r in found:
        value = number(r["value"])
        if r["metric"] == "accuracy" and r["value"] == top:
            value = strong(value)
        if r["ci_low"] is not None:
            value += " " + small(f"{r['ci_low']:.1f}–{r['ci_high']:.1f}")
        label = {"accuracy": "accuracy, %", "fd_ratio": "FD ratio"}[r["metric"]]
        beside = [number(r["paper"]), number(r["reference"])]
        rows.append([row_label(r), label, *beside, value, str(r["n"]), seconds(r["seconds"])])
    return rows


def paper_column(dataset: str) -> str:
    """The paper's data set whose numbers stand beside one of ours."""
    column = rec.world(dataset)
    return column if column != dataset else ""


def row_label(r: dict) -> str:
    """The row as the paper prints it; what stands in for Inception is named."""
    features = r["params"].get("features", "")
    return (
        f"{features} {small('in Inception’s place')}"
        if r["row"] == "Inception" and features == "content network"
        else r["row"]
    )


def by_class(found: Iterable[dict], name: str, caption: str) -> Table:
    """Accuracy of each method among the test images of each source, with its interval."""
    found = [r for r in found if r["metric"] == "accuracy"]
    rows = []
    for source in found[0]["params"]["by_class"]:
        cells = [r["params"]["by_class"][source] for r in found]
        shown = [f"{value:.1f} {small(f'{low:.1f}–{high:.1f}')}" for value, low, high in cells]
        rows.append([readable(source), *shown])
    return Table(name, caption, ["source", *(r["row"] for r in found)], rows)


def extremes(
    classes: Sequence[str],
    ours: Sequence[Sequence[float]],
    official: Sequence[Sequence[float]],
    name: str,
    caption: str,
) -> Table:
    """Percent of the images of each source that reach exactly 0 and 255, by our quantiser and by the official code."""
    rows = [
        [readable(source), *(f"{value:.1f}" for value in (*a, *b))]
        for source, a, b in zip(classes, official, ours, strict=True)
    ]
    header = ["source", "official: 0", "255", "ours: 0", "255"]
    return Table(name, caption, header, rows)


def cues(found: Iterable[dict], name: str, caption: str) -> Table:
    """Accuracy of cues of the save path, by save path."""
    by_cue: dict[str, dict[str, dict]] = {}
    for r in found:
        by_cue.setdefault(r["row"], {})[r["column"]] = r
    rows = [[cue, *(with_interval(paths[path]) for path in ("official", "ours"))] for cue, paths in by_cue.items()]
    return Table(name, caption, ["a decision tree on whether an image", "official saving, %", "our quantiser, %"], rows)


def trends(found: Sequence[dict], name: str, caption: str) -> Table:
    """Slope of accuracy over the rungs of the ladder and its p-values, by method and data set."""
    rows = []
    for r in found:
        p = r["params"]
        across = DASH if p["p_rungs"] is None else f"{p['p_rungs']:.2f}"
        rows.append([r["dataset"], r["row"], f"{p['slope']:+.2f}".replace("-", "−"), p_value(r["value"]), across])
    header = ["", "", "points per tenfold i", "p, images", f"p, {found[0]['params']['rungs']} rungs"]
    return Table(name, caption, header, rows)


def folders(found: Iterable[dict], name: str, caption: str) -> Table:
    """Share of each folder attributed to the service, and whether it is shown that most of it is."""
    rows = []
    for r in found:
        p = r["params"]["p"]
        rows.append([r["row"], with_interval(r), str(r["n"]), p_value(p), strong("yes") if p < 0.05 else "not shown"])
    header = ["the folder holds", "attributed to the service, %", "images", "p", "most of it from the service?"]
    return Table(name, caption, header, rows)


def with_interval(r: dict) -> str:
    """A number in percent and, small, its interval."""
    interval = small(f"{r['ci_low']:.1f}–{r['ci_high']:.1f}")
    return f"{number(r['value'])} {interval}"


def p_value(p: float) -> str:
    """Two digits; what is smaller than a thousandth, as such."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def controls(found: Iterable[dict], name: str, caption: str) -> Table:
    """Accuracy with its interval against chance, for a control that should end there."""
    rows = []
    for r in found:
        chance = 100 / r["classes"]
        rows.append([r["row"], with_interval(r), number(chance), p_value(r["params"]["p"]), str(r["n"])])
    return Table(name, caption, ["", "accuracy, %", "chance, %", "p", "images"], rows)


def conventions(found: Iterable[dict], name: str, caption: str) -> Table:
    """FD ratios with equal n on both sides beside the paper's convention, and the distances they are made of."""
    rows = []
    for row in ("Inception", "Our fingerprint"):
        for r in rec.pick(found, row=row, metric="fd_ratio"):
            p = r["params"]
            kind = "paper’s" if p.get("variant") else "equal n"
            rows.append(
                [
                    row_label(r),
                    kind,
                    number(r["value"]),
                    number(p["inter"]),
                    str(p["n_inter"]),
                    number(p["intra"]),
                    str(p["n_intra"]),
                ]
            )
    return Table(name, caption, ["", "convention", "FD ratio", "between classes", "n", "within a class", "n"], rows)


def layer_table(found: Iterable[Layer], name: str, caption: str) -> Table:
    """Layers with their output shapes (height × width × channels, as the paper writes them)."""
    found = list(found)
    rows = [[x.kind, shape(x.output), f"{x.parameters:,}" if x.parameters else DASH, millions(x.macs)] for x in found]
    total = [
        strong("in all"),
        "",
        strong(f"{sum(x.parameters for x in found):,}"),
        strong(millions(sum(x.macs for x in found))),
    ]
    return Table(name, caption, ["layer", "output", "parameters", "MAC, millions"], [*rows, total])


def logits(found: Iterable[dict], name: str, caption: str) -> Table:
    """The three logits of Section 3.3: accuracy, cross-entropy beside its floor, temperature, first noise left."""
    label = {
        "learned": "correlation, temperature learned",
        "fixed": "correlation, as printed",
        "inner": "inner product",
    }
    rows = []
    for r in found:
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
    rows, sources = [], list(dict.fromkeys(r["row"] for r in found))
    for column in dict.fromkeys(r["column"] for r in found):
        cells = [r for r in found if r["column"] == column]
        random = [small(f"random: {r['params']['elsewhere']:.0f}") for r in cells]
        shown = [f"{r['value']:.0f} {beside}" for r, beside in zip(cells, random, strict=True)]
        rows.append([column, str(cells[0]["params"]["pixels"]), *shown])
    header = ["only the", "pixels", *map(readable, sources)]
    return Table(name, caption, header, rows or [["not known for these images", ""]])


def plain(header: Sequence[str], rows: Iterable[Sequence], name: str, caption: str, prose: bool = False) -> Table:
    """Any other table; numbers are formatted as everywhere.  ``prose`` for cells that are sentences."""
    cells = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]
    return Table(name, caption, header, cells, prose)


def shape(output: tuple[int, ...]) -> str:
    """(C, H, W) or (D,) as H × W × C."""
    return " × ".join(map(str, (output[1], output[2], output[0]) if len(output) == 3 else (1, 1, output[0])))


def number(value: float | None) -> str:
    """Two decimals, as the paper prints, fewer where they mean nothing; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """Whole seconds, or one decimal below ten."""
    return DASH if value is None else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def millions(macs: int) -> str:
    return f"{macs / 1e6:,.1f}" if macs else DASH


def strong(text: str) -> str:
    return f"**{text}**"


def small(text: str) -> str:
    return f"<small>{text}</small>"


def _is_number(cell: str) -> bool:
    """Whether a cell is aligned as numbers are; so is an empty one."""
    return not cell or cell.lstrip("*-−")[:1].isdigit() or cell == DASH


def _bold(cell: str) -> str:
    """Markdown's bold as HTML."""
    parts = cell.split("**")
    return "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(parts))
