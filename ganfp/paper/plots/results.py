"""What was attributed to whom, and how often rightly."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ganfp.paper.plots.parts import accuracy_rows, bare, flag, interval, legend, level, matrix, panels, points
from ganfp.paper.plots.style import DIAMOND, INK, METHODS, MUTED, PAPER, PERCENT, WIDE, colours, drawn
from ganfp.paper.record import Record
from ganfp.paper.table import readable


@drawn
def embeddings(points: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Two sets of points in the plane side by side, coloured by source (Figure 1)."""
    figure, axes = panels(WIDE / len(points) + 0.45, len(points), stack=True)
    palette = colours(list(dict.fromkeys(labels)))
    for axis, (title, xy) in zip(axes, points.items(), strict=True):
        for name in dict.fromkeys(labels):
            look = {"color": palette[name], "label": readable(name)}
            axis.scatter(*xy[labels == name].T, s=7, alpha=0.75, linewidths=0, **look)
        axis.set_title(title)
        axis.set_aspect("equal", "datalim")
        bare(axis)
    legend(figure, 3, markerscale=2.4, handletextpad=0.1)
    return figure


@drawn
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices of several methods: percent of the images of a true source (row) attributed to each source."""
    lines, names = -(-len(matrices) // 2), [readable(name) for name in classes]
    size = lines * (0.9 + 0.47 * len(classes))
    figure, axes = panels(size, len(matrices), columns=2, stack=True, sharex=True, sharey=True)
    for i, (axis, (title, counts)) in enumerate(zip(axes, matrices.items(), strict=True)):
        matrix(axis, 100 * counts / counts.sum(axis=1, keepdims=True), names, names, fmt=".0f", square=True, **PERCENT)
        below, left = "attributed to" if i // 2 == lines - 1 else "", "truth" if i % 2 == 0 else ""
        axis.set(xlabel=below, ylabel=left, title=title)
    return figure


@drawn
def transfer(records: Sequence[Record]) -> Figure:
    """Accuracy in percent of a network immunised to one attack (row) under another (column)."""
    found = {(r.params["defence"], r.params["attack"]): r.value for r in records if r.metric == "accuracy"}
    defences, attacks = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    figure, (axis,) = panels(0.43 * len(defences) + 1.1)
    named = {"none": "no attack", "longer": "longer training"}
    rows = ["not immunised" if d == "none" else named.get(d, d) for d in defences]
    accuracy = np.array(list(found.values())).reshape(len(defences), -1)
    matrix(axis, accuracy, rows, [named.get(a, a) for a in attacks], slant=25, fmt=".1f", **PERCENT)
    axis.set(xlabel="under attack by", ylabel="immunised to")
    return figure


@drawn
def accuracies(records: Sequence[Record], titles: Mapping[str, str] | None = None, label: str = "this run") -> Figure:
    """Accuracy of each method with its 95 % interval, the paper's number as a diamond, chance as a line.

    One panel per data set: those of ``titles`` in its order, otherwise all.  label: what the numbers are.
    """
    records = [r for r in records if r.metric == "accuracy" and not r.variant]
    titles = titles or {r.dataset: r.dataset for r in records}
    rows = list(dict.fromkeys(r.row for r in records))
    figure, axes = panels(0.5 * len(rows) + 0.95, len(titles), sharey=True, stack=True)
    for axis, (dataset, title) in zip(axes, titles.items(), strict=True):
        found = [r for r in records if r.dataset == dataset]
        level(axis, found[0].chance, upright=True)
        flag(axis, found[0].chance, "chance" if axis is axes[0] else "")  # where it cannot meet a long title
        for r in found:
            y, colour = len(rows) - 1 - rows.index(r.row), METHODS.get(r.row, INK)
            interval(axis, r, y, 2.5, color=colour, markersize=7)
            if r.paper is not None:
                axis.plot(r.paper, y, clip_on=False, markersize=6, **DIAMOND)
        accuracy_rows(axis, rows, title if len(titles) > 1 else "")
        axis.set_ylim(-0.6, len(rows) - 0.4)
    marks = [Line2D([], [], color=INK, marker="o", label=f"{label}, 95 % interval")]
    if any(r.paper is not None for r in records):
        marks.append(Line2D([], [], label="the paper", **DIAMOND))
    legend(figure, 2, marks)
    return figure


@drawn
def immunisation(records: Sequence[Record]) -> Figure:
    """Accuracy under each attack: open before immunisation, filled after it; diamonds, small: the paper's after it."""
    records = [r for r in records if r.table in ("7", "8") and not r.variant]
    datasets = list(dict.fromkeys(r.dataset for r in records))
    names = list(dict.fromkeys(r.column.split()[0] for r in records))
    figure, axes = panels(0.52 * len(names) + 1.0, len(datasets), sharey=True, stack=True)
    style = {"PRNU": (METHODS["PRNU"], 0.16), "Ours": (METHODS["Ours"], -0.16)}
    for axis, dataset in zip(axes, datasets, strict=True):
        found = {(r.row, r.column): r for r in records if r.dataset == dataset}
        level(axis, next(iter(found.values())).chance, upright=True)
        for (row, column), r in found.items():
            name, when = column.split()
            colour, shift = style[row]
            y = len(names) - 1 - names.index(name) + shift
            if when == "atk":
                ends = r.value, found[row, f"{name} dfs"].value
                axis.plot(ends, [y, y], color=colour, linewidth=1.2, alpha=0.6)
            elif r.paper is not None:
                axis.plot(r.paper, y, markersize=4.5, clip_on=False, **DIAMOND)
            face = colour if when == "dfs" else PAPER
            interval(axis, r, y, 2.2, color=colour, markerfacecolor=face, markersize=5.5)
        accuracy_rows(axis, names, dataset if len(datasets) > 1 else "")
    marks = [Line2D([], [], color=c, marker="o", linewidth=0, label=row) for row, (c, _) in style.items()]
    marks += [Line2D([], [], color=INK, marker="o", markerfacecolor=PAPER, linewidth=0, label="before")]
    marks += [Line2D([], [], color=INK, marker="o", linewidth=0, label="after immunisation")]
    if any(r.paper is not None for r in records):
        marks.append(Line2D([], [], label="the paper, after", **DIAMOND))
    legend(figure, 5, marks, handletextpad=0.1, columnspacing=1.2)
    return figure


@drawn
def strengths(records: Sequence[Record], axes_labels: Mapping[str, str]) -> Figure:
    """Accuracy against the strength of each attack, before and after immunisation, a panel each."""
    names = list(dict.fromkeys(r.params["attack"] for r in records))
    figure, axes = panels(2.2 * -(-len(names) // 2), len(names), columns=2, sharey=True, stack=True)
    for i, (axis, name) in enumerate(zip(axes, names, strict=True)):
        for when, colour, label in (("atk", MUTED, "before"), ("dfs", METHODS["Ours"], "after immunisation")):
            found = [r for r in records if r.params["attack"] == name and r.params["when"] == when]
            points(axis, range(len(found)), found, label, color=colour, markersize=4.5, linewidth=1.5)
        ticks = ["none", *(f"{r.params['strength']:g}" for r in found[1:])]
        axis.set(xticks=range(len(found)), xticklabels=ticks, xlabel=axes_labels[name], ylim=(0, 103))
        axis.set_ylabel("accuracy, %" if i % 2 == 0 else "")
        level(axis, found[0].chance)
        axis.set_title(name, loc="right")
    legend(figure, 2)
    return figure


@drawn
def lowest_bits(shares: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """How often the two lowest bits of a value are 0 ... 3, by source, one panel per save path."""
    figure, axes = panels(2.7, len(shares), sharey=True, stack=True)
    palette = colours(classes)
    for axis, (title, rows) in zip(axes, shares.items(), strict=True):
        level(axis, 25)
        for name, row in zip(classes, rows, strict=True):
            axis.plot(range(4), row, "o-", color=palette[name], markersize=4, linewidth=1.3, label=readable(name))
        axis.set(xticks=range(4), xticklabels=["00", "01", "10", "11"], xlabel="two lowest bits", title=title)
    axes[0].set_ylabel("values, %")
    legend(figure, 5)
    return figure
