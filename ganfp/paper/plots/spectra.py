"""What is in which frequencies and parts of an image: bands, patches, distances, attacks, ghosts of a JPEG."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.paper.plots.parts import bare, decimal, legend, level, panels, picture, points, rungs_below
from ganfp.paper.plots.style import (
    ATTACKS,
    DIAMOND,
    INK,
    METHODS,
    MUTED,
    PALETTE,
    PLAIN,
    SMALL,
    WIDE,
    colours,
    drawn,
    narrow,
    width,
)
from ganfp.paper.record import Record
from ganfp.paper.table import readable


@drawn
def bands(records: Sequence[Record], resolution: int) -> Figure:
    """Accuracy of the low and the high band against the downsampling factor, with intervals, chance and the paper."""
    figure, axes = panels(3.0, 2, sharey=True, stack=True)
    found = [r for r in records if r.metric == "accuracy"]
    columns = {column: [r for r in found if r.column == column] for column in ("L-f", "H-f", "top band")}
    for axis, column, title in zip(axes, ("L-f", "H-f"), ("low band, L-f", "high band, H-f"), strict=True):
        _measured(axis, columns[column], columns["top band"] if column == "H-f" else ())
        places = [int(r.row) for r in columns[column]]
        ticks = [f"{f}\n({resolution // f}²)" for f in places]
        rungs_below(axis, places, ticks, xlabel="downsampling factor (pixels left)", title=title, ylim=(0, 104))
    axes[0].set_ylabel("accuracy, %")
    legend(figure, 4)
    return figure


@drawn
def patches(records: Sequence[Record]) -> Figure:
    """Accuracy against the side of the patches that are averaged, with intervals, chance and the paper."""
    figure, (axis,) = panels(3.0)
    _measured(axis, records)
    sides = [int(r.row) for r in records]
    rungs_below(axis, sides, sides, xlabel="side of a patch, pixels", ylabel="accuracy, %", ylim=(0, 104))
    legend(figure, 3)
    return figure


def _measured(axis: Axes, mine: Sequence[Record], beside: Sequence[Record] = ()) -> None:
    """Accuracies by row, which is a number, others beside in a second colour; chance a line, the paper's diamonds."""
    places = [int(r.row) for r in mine]
    style = {"linewidth": 1.4, "clip_on": False}
    points(axis, places, mine, "this run, 95 % interval", color=METHODS["Ours"], **style)
    for r in beside:
        points(axis, [int(r.row)], [r], f"{r.column}, 95 % interval", color=METHODS["Our visNet"], **style)
    level(axis, mine[0].chance, label="chance")
    published = [(x, r.paper) for x, r in zip(places, mine, strict=True) if r.paper is not None]
    if published:
        axis.plot(*zip(*published, strict=True), label="the paper", clip_on=False, **DIAMOND)


@drawn
def pyramid(rows: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Bands of an image, largest first: one row per name, each band (3, R, R) in [-1, 1], drawn equally large."""
    columns = max(map(len, rows.values()))
    figure, axes = panels(width() / columns * len(rows) + 0.5, len(rows) * columns, columns)
    for line, (name, bands) in zip(axes.reshape(-1, columns), rows.items(), strict=True):
        for axis, band in zip(line, bands, strict=False):
            title = f"{band.shape[-1]}²" if narrow() else f"{band.shape[-1]} × {band.shape[-1]}"
            picture(axis, np.clip((band.transpose(1, 2, 0) + 1) / 2, 0, 1), title, PLAIN)
        for axis in line[len(bands) :]:
            bare(axis)
        line[0].set_ylabel(name)
    return figure


@drawn
def receptive_fields(images: Mapping[str, np.ndarray], sides: Mapping[str, Sequence[int]]) -> Figure:
    """Images (3, R, R) uint8 with squares of the given sides in pixels around their centres."""
    figure, axes = panels(WIDE / len(images) + 0.35, len(images), stack=True)
    for axis, (name, image) in zip(axes, images.items(), strict=True):
        size = image.shape[-1]
        picture(axis, np.asarray(image).transpose(1, 2, 0) // 2 + 112, name)  # paler, so that the squares stand out
        for side, colour in zip(sorted(sides[name], reverse=True), PALETTE, strict=False):
            corner = size / 2 - side / 2 - 0.5
            axis.add_patch(Rectangle((corner, corner), side, side, fill=False, edgecolor=colour, linewidth=2))
            gap = 0.005 * size  # a number stands above its square, where there is room
            place = (3 * gap, size - 4 * gap) if side > 0.95 * size else (corner + gap, corner - gap)
            axis.text(*place, f"{side}", color="black", fontsize=SMALL, va="bottom")
        margin = 0.01 * size + 0.5
        axis.set(xlim=(-margin, size - 1 + margin), ylim=(size - 1 + margin, -margin))
    return figure


@drawn
def distances(values: np.ndarray, classes: Sequence[str], label: str, share: float) -> Figure:
    """How many of the images of each source are nearer to a real image than a distance; shaded: what is selected."""
    figure, (axis,) = panels(2.9)
    for name, row in zip(classes, values, strict=True):
        percent = 100 * np.arange(1, len(row) + 1) / len(row)
        axis.plot(np.sort(row), percent, color=colours(classes)[name], linewidth=1.5, label=readable(name))
    axis.axhspan(0, 100 * share, color=MUTED, alpha=0.18, linewidth=0)
    axis.set(xlabel=f"{label} to the nearest real image", ylabel="images at least so near, %", ylim=(0, 101))
    legend(figure, 3)
    return figure


@drawn
def attack_spectra(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Power of the change over power of the image, by frequency, for every attack; both axes logarithmic."""
    figure, (axis,) = panels(3.1)
    names = [str(name) for name in arrays["names"]]
    for name, share in zip(names, arrays["share"], strict=True):
        plain, _, variant = name.partition(",")  # another reading of an attack has its colour
        colour, style = ATTACKS.get(plain, INK), (0, (3, 2)) if variant else "-"
        axis.plot(arrays["frequency"], share, color=colour, linestyle=style, label=name)
    axis.axhline(1, color=MUTED, linewidth=1)
    axis.annotate("as strong as the image", (1, 1), xytext=(2, 3), textcoords="offset points", color=MUTED)
    axis.set(yscale="log", ylabel="power of the change / of the image")
    decimal(axis.yaxis)
    ticks = [t for t in (1, 2, 4, 8, 16, 32, 64) if t <= arrays["frequency"][-1]]
    rungs_below(axis, ticks, ticks, xlabel="cycles per picture")
    legend(figure, 4)
    return figure


@drawn
def ghost_curves(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Mean squared difference after one more JPEG, against its quality: a ghost is a dip."""
    figure, (axis,) = panels(2.9)
    curves = {name: values for name, values in arrays.items() if name != "qualities"}
    for (name, values), colour in zip(curves.items(), (MUTED, *PALETTE[:2]), strict=True):
        axis.plot(arrays["qualities"], values, "o-", color=colour, markersize=3.5, linewidth=1.3, label=readable(name))
    axis.set(yscale="log", xlabel="quality of one more JPEG", ylabel="mean squared difference, grey levels")
    decimal(axis.yaxis)
    legend(figure, 3)
    return figure
