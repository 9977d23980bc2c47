"""What the critics asked for: later methods, sources that nobody knows, what is attributed, galleries."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ganfp.paper.plots.parts import accuracy_rows, decimal, interval, legend, level, matrix, panels, points, rungs_below
from ganfp.paper.plots.style import INK, METHODS, PALETTE, PAPER, PERCENT, drawn, narrow
from ganfp.paper.record import Record, pick


@drawn
def methods(records: Sequence[Record]) -> Figure:
    """Accuracy of every method with its interval, a panel for each setup: filled as images are, open after JPEG."""
    found = [r for r in pick(records, metric="accuracy")]
    setups, rows = list(dict.fromkeys(r.setup for r in found)), list(dict.fromkeys(r.row for r in found))
    figure, axes = panels(0.24 * len(rows) + 1.0, len(setups), sharey=True, stack=True)
    for axis, setup in zip(axes, setups, strict=True):
        mine = pick(found, setup=setup)
        level(axis, mine[0].chance, upright=True)
        for r in mine:
            colour, clean = METHODS.get(r.row, INK), r.column == "clean"
            y = len(rows) - 1 - rows.index(r.row) + (0.14 if clean else -0.14)
            interval(axis, r, y, 1.8, color=colour, markersize=4.5, markerfacecolor=colour if clean else PAPER)
        accuracy_rows(axis, rows, setup.partition(": ")[2].replace("_", " "))
    marks = [
        Line2D([], [], color=INK, marker="o", markerfacecolor=face, linewidth=0, label=label)
        for face, label in ((INK, "as they are"), (PAPER, "after JPEG"))
    ]
    legend(figure, 2, marks)
    return figure


@drawn
def open_world(arrays: Mapping[str, np.ndarray]) -> Figure:
    """ROC curves by kind of the unknown source, and dotted the share that is also named rightly; dashed: guessing."""
    curves = {tuple(name.split("/")): x for name, x in arrays.items() if not name.startswith("reliability")}
    kinds = list(dict.fromkeys(kind for kind, _ in curves))
    figure, axes = panels(2.9, len(kinds), sharey=True, stack=True)
    for axis, kind in zip(axes, kinds, strict=True):
        mine = {score: x for (one, score), x in curves.items() if one == kind}
        for (score, (accepted, right)), colour in zip(mine.items(), PALETTE, strict=False):
            grid = np.linspace(0, 100, len(accepted))
            axis.plot(grid, accepted, color=colour, linewidth=1.5, label=score)
            axis.plot(grid, right, color=colour, linewidth=1.1, linestyle=":")
        axis.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle="--", alpha=0.5)
        axis.set(xlim=(0, 100), ylim=(0, 100), xlabel="unknown, accepted, %")
        axis.set_title(kind, loc="right")
    axes[0].set_ylabel("known, accepted, %")
    legend(figure, 2)
    return figure


@drawn
def reliability(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Accuracy against confidence by bins, a panel for each setup; the larger a mark, the more images."""
    found = {tuple(name.split("/")[1:]): x for name, x in arrays.items() if name.startswith("reliability/")}
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    figure, axes = panels(2.7, len(kinds), sharey=True, stack=True)
    for axis, kind in zip(axes, kinds, strict=True):
        mine = {row: x for (one, row), x in found.items() if one == kind}
        for (row, (confidence, accuracy, counts)), colour in zip(mine.items(), PALETTE, strict=False):
            sizes = 8 + 90 * counts / counts.sum()
            axis.plot(confidence, accuracy, color=colour, linewidth=0.8)
            axis.scatter(confidence, accuracy, sizes, color=colour, label=row, alpha=0.8)
        axis.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle="--", alpha=0.5)
        axis.set(xlim=(0, 103), ylim=(0, 103), xlabel="confidence, %")
        axis.set_title(kind.removeprefix("new "), loc="right")
    axes[0].set_ylabel("accuracy, %")
    legend(figure, 2)
    return figure


@drawn
def critics_matrix(records: Sequence[Record]) -> Figure:
    """Percent of images that each method (column) names as its training would have it, by what differs (row)."""
    places = list(dict.fromkeys((r.variant, r.column) for r in records))
    rows = list(dict.fromkeys(r.row for r in records))
    values = {(r.variant, r.column, r.row): r.value for r in records}
    table = np.array([[values.get((*place, row), np.nan) for row in rows] for place in places])
    names = [": ".join(place) for place in places]
    if narrow():
        names = [fill(name.removeprefix("length: trained"), 24) for name in names]
    figure, (axis,) = panels(sum(0.08 + 0.14 * (1 + name.count("\n")) for name in names) + 0.9)
    matrix(axis, table, names, rows, slant=0, fmt=".1f", **PERCENT)
    axis.xaxis.tick_top()
    for label in axis.get_xticklabels():
        label.set_horizontalalignment("center")
    return figure


@drawn
def gallery(records: Sequence[Record]) -> Figure:
    """Verification and identification against the images in the gallery; dotted: in the whitened metric."""
    titles = {"tpr": "verified at 1 % false matches", "identified": "identified"}
    figure, axes = panels(3.0, 2, sharey=True, stack=True)
    for axis, (metric, title) in zip(axes, titles.items(), strict=True):
        found = pick(records, metric=metric)
        names = list(dict.fromkeys(r.row for r in found))
        sizes = sorted({int(r.column) for r in found})
        colour = METHODS | dict(zip((n for n in names if "," not in n and n not in METHODS), PALETTE, strict=False))
        for row in names:
            look = {"color": colour[row.partition(",")[0]], "linestyle": ":" if "," in row else "-", "markersize": 4}
            points(axis, sizes, pick(found, row=row), row, **look)
        rungs_below(axis, sizes, sizes, xlabel="images in the gallery", ylim=(0, 103))
        axis.set_title(title, loc="right")
        level(axis, found[0].chance if metric == "identified" else 1.0)
    axes[0].set_ylabel("images, %")
    legend(figure, 2)
    return figure


@drawn
def costs(laws: Mapping[str, Mapping[str, tuple]]) -> Figure:
    """Seconds against size, every repetition, and the power law through them, a panel for each axis of growth."""
    figure, axes = panels(2.9, len(laws), sharey=True, stack=True)
    for axis, (name, steps) in zip(axes, laws.items(), strict=True):
        for row, (sizes, seconds, law) in steps.items():
            colour = METHODS.get(row, INK)
            for size, each in zip(sizes, seconds, strict=True):
                axis.plot([size] * len(each), each, "o", color=colour, markersize=4, markerfacecolor=PAPER)
            axis.plot(sizes, [law(size) for size in sizes], color=colour, linewidth=1.3, label=row)
        rungs_below(axis, sizes, sizes, xlabel=name, yscale="log")
        decimal(axis.yaxis)
    axes[0].set_ylabel("seconds of one core")
    legend(figure, 3)
    return figure
