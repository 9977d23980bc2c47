"""One number against another: training, ladders, numbers of images."""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganfp.paper.plots.parts import decimal, flag, legend, level, panels, points, rungs_below
from ganfp.paper.plots.style import METHODS, MUTED, PALETTE, PAPER, colours, drawn, narrow
from ganfp.paper.record import Record
from ganfp.paper.table import readable

MARKERS = "sD^oXPv"


@drawn
def training_curves(curves: Mapping[str, Sequence[dict]]) -> Figure:
    """Critic's distance between real and generated images against images seen; a line where the networks grow."""
    figure, (axis,) = panels(3.0)
    for name, rows in curves.items():
        _training(axis, rows, colours(list(curves))[name], readable(name))
    _growth(axis, next(iter(curves.values())), room=0.14 if narrow() else 0.06)
    axis.set(xlabel="thousand images shown to the critic", ylabel="critic: real minus generated", xlim=(0, None))
    legend(figure, 3)
    return figure


@drawn
def training_panels(curves: Mapping[str, Sequence[dict]]) -> Figure:
    """The same for GANs of different losses, whose distances have no common scale: a panel for each."""
    figure, axes = panels(2.1 * -(-len(curves) // 2), len(curves), columns=2, stack=True)
    for axis, (name, rows) in zip(axes, curves.items(), strict=True):
        _training(axis, rows, colours(list(curves))[name], name)
        _growth(axis, rows, room=0.14)
        axis.set_title(name, loc="right")
        axis.set(xlim=(0, None))
    figure.supxlabel("thousand images shown to the critic", fontsize=9)
    figure.supylabel("the critic's distance, by its own loss", fontsize=9)
    return figure


def _training(axis: Axes, rows: Sequence[dict], colour: str, label: str) -> None:
    seen, distance = np.array([r["images"] for r in rows]), np.array([r["distance"] for r in rows])
    axis.plot(seen / 1000, smooth(distance), color=colour, linewidth=1.3, label=label)


def _growth(axis: Axes, rows: Sequence[dict], room: float) -> None:
    """Mark where a resolution starts to fade in; nothing for networks that do not grow.

    A label is left out where the next mark follows within ``room``, a share of the axis.
    """
    grown = [(b["images"], b["resolution"]) for a, b in pairwise(rows) if a["resolution"] != b["resolution"]]
    marks = [(0, rows[0]["resolution"]), *grown, (float("inf"), 0)]
    for (at, resolution), (after, _) in pairwise(marks if grown else []):
        axis.axvline(at / 1000, color=MUTED, linewidth=0.8, alpha=0.6)
        flag(axis, at / 1000, f"{resolution} px" if after - at > room * rows[-1]["images"] else "")


def smooth(values: np.ndarray, width: int = 7) -> np.ndarray:
    """Running mean over an odd window, narrower at the ends."""
    kernel = np.ones(min(width, len(values)))
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


@drawn
def rungs(records: Sequence[Record]) -> Figure:
    """Accuracy on the images of each rung against the number of exchanged images, one panel per data set."""
    records = [r for r in records if r.metric == "accuracy"]
    datasets = list(dict.fromkeys(r.dataset for r in records))
    figure, axes = panels(2.9, len(datasets), sharey=True, stack=True)
    for axis, dataset in zip(axes, datasets, strict=True):
        found = [r for r in records if r.dataset == dataset]
        for row, marker in zip(dict.fromkeys(r.row for r in found), MARKERS, strict=False):
            mine = [r for r in found if r.row == row]
            steps = [r.params["swapped"] for r in mine]
            points(axis, steps, mine, row, marker=marker, color=METHODS.get(row))
        level(axis, found[0].chance)
        label = f"images exchanged of {found[0].params['base']:,}"
        rungs_below(axis, steps, [f"{i:,}" for i in steps], xlabel=label, ylim=(0, 103))
        axis.set_title(dataset if len(datasets) > 1 else "", loc="right")
    axes[0].set_ylabel("accuracy, %")
    legend(figure, 4)
    return figure


@drawn
def how_long(records: Sequence[Record]) -> Figure:
    """Accuracy and FD ratio against the images that the GANs were trained on, both axes of the second logarithmic.

    A line is broken between the ``early`` trainings, which are another GAN's, and the others.
    """
    figure, axes = panels(3.0, 2, stack=True)
    for axis, metric in zip(axes, ("accuracy", "fd_ratio"), strict=True):
        found = [r for r in records if r.metric == metric]
        steps = sorted({r.gan_images for r in found})
        for row, marker in zip(dict.fromkeys(r.row for r in found), MARKERS, strict=False):
            label = {"Inception": "content", "Our fingerprint": "fingerprint"}.get(row, row)
            mine = sorted((r for r in found if r.row == row), key=lambda r: r.gan_images)
            for early, part in groupby(mine, key=lambda r: r.params.get("early", False)):
                part = list(part)
                name = "_nolegend_" if early and len(part) < len(mine) else label
                points(axis, [r.gan_images for r in part], part, name, marker=marker, color=METHODS.get(row))
        rungs_below(axis, steps, [f"{n / 1000:.3g}" for n in steps], xlabel="thousand images in training")
    level(axes[0], records[0].chance)
    axes[0].set(ylabel="accuracy, %", ylim=(0, 103))
    level(axes[1], 1)
    axes[1].set(ylabel="FD ratio", yscale="log")
    decimal(axes[1].yaxis)
    legend(figure, 6)
    return figure


@drawn
def search(records: Sequence[Record]) -> Figure:
    """Images that our network needs, each seed a mark and the median a line, against those that the GANs were shown.

    A hollow triangle at the top: not found within the images that were shown.
    """
    figure, (axis,) = panels(3.2)
    steps, shown = sorted({r.gan_images for r in records}), max(r.params["shown"] for r in records)
    ways = list(dict.fromkeys(r.row for r in records))
    for k, (way, colour, marker) in enumerate(zip(ways, PALETTE, MARKERS, strict=False)):
        mine = sorted((r for r in records if r.row == way), key=lambda r: r.gan_images)
        beside = 1.03 ** (k - (len(ways) - 1) / 2)  # marks of one place stand side by side
        for _, part in groupby(mine, key=lambda r: r.params.get("early", False)):
            x, y = zip(*((r.gan_images * beside, r.value) for r in part), strict=True)
            axis.plot(x, y, color=colour, linewidth=1.3)
        for r in mine:
            for one in r.params["each"]:
                hidden = {"marker": "^", "markerfacecolor": PAPER} if one is None else {"marker": marker}
                axis.plot(r.gan_images * beside, one or 1.15 * shown, color=colour, markersize=5, **hidden)
        axis.plot([], [], color=colour, marker=marker, markersize=5, label=way)
    level(axis, shown)
    rungs_below(axis, steps, [f"{n / 1000:.3g}" for n in steps], xlabel="thousand images that each GAN was trained on")
    axis.set(yscale="log", ylabel="images shown until found")
    decimal(axis.yaxis, 1, 2, 5)
    legend(figure, 4)
    return figure


@drawn
def beginnings(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Largest difference of a weight from the base training's, rung by rung; dashed: the first exchanged image."""
    figure, (axis,) = panels(2.9)
    positive = arrays["difference"][arrays["difference"] > 0]
    floor = positive.min() / 30 if len(positive) else 1e-9  # where zero is drawn
    rungs = zip(arrays["swapped"], arrays["difference"].T, arrays["first"], PALETTE, strict=False)
    for i, curve, first, colour in rungs:
        axis.plot(arrays["seen"], np.maximum(curve, floor), color=colour, linewidth=1.6, label=f"{i:,} exchanged")
        level(axis, first, upright=True, color=colour)
    axis.set(yscale="log", xlabel="images shown to the critic", ylabel="largest difference of a weight", xlim=(0, None))
    axis.set_ylim(floor / 2, None)
    ticks = [t for t in 10.0 ** np.arange(-9, 2) if floor * 5 < t < axis.get_ylim()[1]]
    axis.set_yticks([floor, *ticks], ["0", *(f"{t:g}" for t in ticks)])
    axis.yaxis.minorticks_off()
    legend(figure, 5)
    return figure


@drawn
def against_n(
    sizes: Sequence[int], series: Mapping[str, Sequence[float]], label: str, right: float, logarithmic: bool = False
) -> Figure:
    """Curves against the number of images, and the value that would be ``right``."""
    figure, (axis,) = panels(2.9)
    for (name, values), marker in zip(series.items(), "os^dv", strict=False):
        axis.plot(sizes, values, f"{marker}-", label=name, linewidth=1.5, markersize=5)
    level(axis, right)
    rungs_below(axis, sizes, sizes, xlabel="images per class", ylabel=label)
    if logarithmic:
        axis.set_yscale("log")
        decimal(axis.yaxis, 1, 2, 5)
    legend(figure, 2)
    return figure
