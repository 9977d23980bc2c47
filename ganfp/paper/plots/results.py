"""What was attributed to whom, and how often rightly."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ganfp.paper.plots.style import DIAMOND, MUTED, PALETTE, PAPER, WIDTH, bare, colours, level, shown_once
from ganfp.paper.record import Record
from ganfp.paper.table import readable


@shown_once
def embeddings(points: Mapping[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Two sets of points in the plane side by side, coloured by source (Figure 1)."""
    figure, axes = plt.subplots(1, len(points), figsize=(WIDTH, WIDTH / len(points) + 0.45))
    palette = colours(list(dict.fromkeys(labels)))
    for axis, (title, xy) in zip(axes, points.items(), strict=True):
        for name in dict.fromkeys(labels):
            chosen = labels == name
            axis.scatter(*xy[chosen].T, s=7, alpha=0.75, linewidths=0, color=palette[name], label=readable(name))
        axis.set_title(title)
        axis.set_aspect("equal", "datalim")
        bare(axis)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=min(6, len(names)), markerscale=2.4, handletextpad=0.1
    )
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str], title: str = "", axis: Axes | None = None) -> Axes:
    """Shares in percent of the images of each true source (row) that go to each source (column)."""
    if axis is None:
        side = 1.5 + 0.62 * len(classes)
        _, axis = plt.subplots(figsize=(side + 0.6, side))
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    names = [readable(name) for name in classes]
    sns.heatmap(
        shares, ax=axis, vmin=0, vmax=100, cmap=sns.light_palette(PALETTE[0], as_cmap=True), annot=True, fmt=".0f",
        square=True, cbar=False, linewidths=1, linecolor=PAPER, xticklabels=names, yticklabels=names,
    )  # fmt: skip
    axis.set(xlabel="attributed to", ylabel="truth", title=title)
    _names_aslant(axis)
    return axis


def _names_aslant(axis: Axes) -> None:
    axis.tick_params(axis="x", rotation=35, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")


@shown_once
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices of several methods, two in a row, all on one scale."""
    rows = -(-len(matrices) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, rows * (0.9 + 0.47 * len(classes))), sharex=True, sharey=True)
    for axis in axes.flat[len(matrices) :]:
        axis.remove()  # an odd number leaves one place empty
    for i, (axis, (title, counts)) in enumerate(zip(axes.flat, matrices.items(), strict=False)):
        confusion(counts, classes, title, axis)
        axis.set(xlabel="attributed to" if i // 2 == rows - 1 else "", ylabel="truth" if i % 2 == 0 else "")
    return figure


@shown_once
def accuracies(
    records: Sequence[Record], limits: tuple[float, float] = (0, 100),
    titles: Mapping[str, str] | None = None, label: str = "this run",
) -> Figure:  # fmt: skip
    """Accuracy of each method with its 95 % interval, the paper's number as a diamond, chance as a line.

    One panel per data set: those of ``titles`` in its order, otherwise all.  label: what the numbers are.
    """
    records = [r for r in records if r.metric == "accuracy" and not r.variant]
    titles = titles or {r.dataset: r.dataset for r in records}
    datasets = list(titles)
    rows = list(dict.fromkeys(r.row for r in records))
    size = (WIDTH, 0.5 * len(rows) + 0.95)
    figure, axes = plt.subplots(1, len(datasets), figsize=size, sharey=True, squeeze=False)
    for axis, dataset in zip(axes[0], datasets, strict=True):
        found = [r for r in records if r.dataset == dataset]
        _chance(axis, found[0].chance)
        for r in found:
            y, colour = len(rows) - 1 - rows.index(r.row), PALETTE[1] if r.row == "Ours" else PALETTE[0]
            axis.plot([r.ci_low, r.ci_high], [y, y], color=colour, linewidth=2.5, clip_on=False)
            axis.plot(r.value, y, "o", color=colour, markersize=7, clip_on=False)
            if r.paper is not None:
                axis.plot(r.paper, y, clip_on=False, markersize=6, **DIAMOND)
        axis.set(xlabel="accuracy, %", xlim=limits, yticks=range(len(rows)), yticklabels=rows[::-1])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_title(titles[dataset] if len(datasets) > 1 else "", loc="right")
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    marks = [Line2D([], [], color=PALETTE[0], marker="o", label=f"{label}, 95 % interval")]
    if any(r.paper is not None for r in records):
        marks.append(Line2D([], [], label="the paper", **DIAMOND))
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def _chance(axis: Axes, value: float) -> None:
    level(axis, value, upright=True)
    text = {"xycoords": ("data", "axes fraction"), "xytext": (3, 1), "textcoords": "offset points"}
    axis.annotate("chance", (value, 1.0), color=MUTED, **text)


@shown_once
def lowest_bits(shares: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """How often the two lowest bits of a value are 0 ... 3, by source, one panel per save path."""
    figure, axes = plt.subplots(1, len(shares), figsize=(WIDTH, 2.7), sharey=True)
    palette = colours(classes)
    for axis, (title, rows) in zip(axes, shares.items(), strict=True):
        level(axis, 25)
        for name, row in zip(classes, rows, strict=True):
            axis.plot(range(4), row, "o-", color=palette[name], markersize=4, linewidth=1.3, label=readable(name))
        axis.set(xticks=range(4), xticklabels=["00", "01", "10", "11"], xlabel="two lowest bits", title=title)
    axes[0].set_ylabel("values, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@shown_once
def responses(
    values: np.ndarray, classes: Sequence[str], label: str,
    columns: str = "model fingerprint of", rows: str = "image fingerprints of",
) -> Figure:  # fmt: skip
    """A signed K x K matrix with colour limits symmetric about zero."""
    side = 1.4 + 0.6 * len(classes)
    figure, axis = plt.subplots(figsize=(side + 1.2, side))
    _signed(axis, values, classes, cbar_kws={"label": label, "shrink": 0.8})
    axis.set(xlabel=columns, ylabel=rows)
    return figure


@shown_once
def response_matrices(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Signed K x K matrices of several methods side by side, each with limits of its own, symmetric about zero."""
    size = (WIDTH, 1.25 + WIDTH / len(matrices) * 0.72)
    figure, axes = plt.subplots(1, len(matrices), figsize=size, sharey=True, squeeze=False)
    for axis, (title, values) in zip(axes[0], matrices.items(), strict=True):
        _signed(axis, values, classes, cbar=False)
        axis.set(xlabel="model fingerprint of", title=title)
    axes[0, 0].set_ylabel("image fingerprints of")
    return figure


def _signed(axis: Axes, values: np.ndarray, classes: Sequence[str], **options) -> None:
    names, limit = [readable(name) for name in classes], float(np.abs(values).max())
    numbers = [[f"{value:z.2f}".replace("-", "−") for value in row] for row in values]
    sns.heatmap(
        values, ax=axis, vmin=-limit, vmax=limit, cmap="RdBu_r", annot=numbers, fmt="", square=True, linewidths=1,
        linecolor=PAPER, xticklabels=names, yticklabels=names, **options,
    )  # fmt: skip
    _names_aslant(axis)
