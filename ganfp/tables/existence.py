"""Tables 1, 2 and 3, and what stands beside them (Section 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ganfp.paper import record as rec
from ganfp.paper.record import readable
from ganfp.tables.table import DASH, Table, number, p_value, seconds, small, strong, with_interval

PAPER_ROWS = ("kNN", "Eigenface", "PRNU", "Ours", "Our visNet", "Inception", "Our fingerprint")


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


def trends(found: Sequence[dict], name: str, caption: str) -> Table:
    """Slope of accuracy over the rungs of the ladder and its p-values, by method and data set."""
    rows = []
    for r in found:
        p = r["params"]
        across = DASH if p["p_rungs"] is None else f"{p['p_rungs']:.2f}"
        rows.append([r["dataset"], r["row"], f"{p['slope']:+.2f}".replace("-", "−"), p_value(r["value"]), across])
    header = ["", "", "points per tenfold i", "p, images", f"p, {found[0]['params']['rungs']} rungs"]
    return Table(name, caption, header, rows)


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


def folders(found: Iterable[dict], name: str, caption: str) -> Table:
    """Share of each folder attributed to the service, and whether it is shown that most of it is."""
    rows = []
    for r in found:
        p = r["params"]["p"]
        rows.append([r["row"], with_interval(r), str(r["n"]), p_value(p), strong("yes") if p < 0.05 else "not shown"])
    header = ["the folder holds", "attributed to the service, %", "images", "p", "most of it from the service?"]
    return Table(name, caption, header, rows)
