"""Records -> tables: the paper's number, this run's with its interval, and what it took.

A :class:`Table` shows itself as HTML in Jupyter and as a numbered, captioned MyST table in the book.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ganfp import paper
from ganfp import records as rec
from ganfp.attributors.network import SMALLEST
from ganfp.records import readable
from ganfp.summary import Layer, receptive_fields

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

    def __post_init__(self) -> None:
        if "`" in self.caption:
            raise ValueError(f"a table's caption cannot hold a backtick, which would end the table: {self.caption!r}")

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


def side_by_side(found: Sequence[dict], datasets: Mapping[str, str], name: str, caption: str) -> Table:
    """The paper's numbers and those of several data sets, record by record; ``datasets`` says what each is called.

    A place of the table stands under the names of its row, column and metric, as far as these differ at all.
    """
    found = [r for r in found if not r["params"].get("variant") and r["metric"] in ("accuracy", "fd_ratio")]
    places: dict[tuple, dict[str, dict]] = {}
    for r in found:
        places.setdefault((r["row"], r["column"], r["metric"]), {})[r["dataset"]] = r
    named = [len({place[part] for place in places}) > 1 for part in range(3)]
    rows = []
    for (row, column, metric), found_in in places.items():
        label = [row, column, {"accuracy": "accuracy, %", "fd_ratio": "FD ratio"}[metric]]
        published = next((r["paper"] for r in found_in.values() if r["paper"] is not None), None)
        cells = [_with_any_interval(found_in[d]) if d in found_in else DASH for d in datasets]
        rows.append([*(text for text, shown in zip(label, named, strict=True) if shown), number(published), *cells])
    return Table(name, caption, [*[""] * sum(named), "paper", *datasets.values()], rows)


def _with_any_interval(r: dict) -> str:
    return number(r["value"]) if r["ci_low"] is None else with_interval(r)


def paper_column(dataset: str) -> str:
    """The paper's data set whose numbers stand beside one of ours."""
    column = rec.world(dataset)
    return column if column != dataset else ""


def row_label(r: dict) -> str:
    """The row as the paper prints it; what stands in for Inception is named."""
    features = r["params"].get("features", "")
    return (
        f"{features} {small('in Inception’s place')}"
        if r["row"] == "Inception" and features not in ("", "Inception v3")
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


def with_interval(r: dict, emphasis: Callable[[str], str] = str) -> str:
    """A number in percent and, small, its interval."""
    interval = small(f"{r['ci_low']:.1f}–{r['ci_high']:.1f}")
    return f"{emphasis(number(r['value']))} {interval}"


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


BESIDE = ("paper", "reference", "this run")


def beside(r: dict | None, published: float | None) -> list[str]:
    """The cells of :data:`BESIDE`: the paper's number, and what this run's record of the place holds, if it has one."""
    return [number(published), *((number(r["reference"]), with_interval(r)) if r else (DASH, DASH))]


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


def windows(found: Sequence[Layer], name: str, caption: str) -> Table:
    """How the receptive field grows from layer to layer, as far as layers look at a part of their input."""
    rows = []
    for layer, (side, apart) in zip(found, receptive_fields(found), strict=False):
        rows.append([layer.kind, shape(layer.output), str(layer.window), str(layer.step), str(side), str(apart)])
    header = ["layer", "output", "window", "step", "sees, px", "neighbours apart, px"]
    return Table(name, caption, header, rows)


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
    for r in [*found, *elsewhere]:
        p = r["params"]
        note = " " + small(f"reference, {p['images']:,} images") if r in elsewhere else ""
        temperature = DASH if p["temperature"] is None else f"{p['temperature']:.3g}"
        floor = DASH if p["floor"] is None else f"{p['floor']:.3f}"
        entropy = f"{p['cross_entropy']:.3f}"
        rows.append([label[r["row"]] + note, with_interval(r), entropy, floor, temperature, f"{p['start']:.2f}"])
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
