"""Bands, patches and the subset without artifacts (Section 4.3)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.paper.plots.style import DIAMOND, INK, MUTED, PALETTE, WIDTH, bare, colours, shown_once
from ganfp.paper.record import Record
from ganfp.paper.table import readable


@shown_once
def bands(records: Sequence[Record], resolution: int) -> Figure:
    """Accuracy of the low and the high band against the downsampling factor, with intervals, chance and the paper."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.0), sharey=True)
    found = [r for r in records if r.metric == "accuracy"]
    for axis, column, title in zip(axes, ("L-f", "H-f"), ("low band, L-f", "high band, H-f"), strict=True):
        mine = [r for r in found if r.column == column]
        places = [int(r.row) for r in mine]
        _points(axis, places, mine, PALETTE[0], "this run")
        for r in (r for r in found if r.column == "top band" and column == "H-f"):
            _points(axis, [int(r.row)], [r], PALETTE[1], r.column)
        _reference(axis, places, mine)
        axis.set(xscale="log", xlabel="downsampling factor (pixels left)", title=title, ylim=(0, 104))
        axis.set_xticks(places, [f"{f}\n({resolution // f}²)" for f in places])
        axis.minorticks_off()
    axes[0].set_ylabel("accuracy, %")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@shown_once
def patches(records: Sequence[Record]) -> Figure:
    """Accuracy against the side of the patches that are averaged, with intervals, chance and the paper."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.0))
    sides = [int(r.row) for r in records]
    _points(axis, sides, records, PALETTE[0], "this run")
    _reference(axis, sides, records)
    axis.set(xscale="log", xlabel="side of a patch, pixels", ylabel="accuracy, %", ylim=(0, 104))
    axis.set_xticks(sides, [str(s) for s in sides])
    axis.minorticks_off()
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _points(axis: Axes, places: Sequence[int], records: Sequence[Record], colour: str, label: str) -> None:
    values = np.array([r.value for r in records])
    bars = np.abs(np.array([[r.ci_low, r.ci_high] for r in records]).T - values)
    style = dict(marker="o", markersize=5, linewidth=1.4, capsize=2, color=colour)
    axis.errorbar(places, values, bars, label=f"{label}, 95 % interval", clip_on=False, **style)


def _reference(axis: Axes, places: Sequence[int], records: Sequence[Record]) -> None:
    """Chance as a line, the paper's numbers as diamonds."""
    axis.axhline(records[0].chance, color=MUTED, linestyle=(0, (4, 3)), linewidth=1, label="chance")
    published = [(x, r.paper) for x, r in zip(places, records, strict=True) if r.paper is not None]
    if published:
        axis.plot(*zip(*published, strict=True), label="the paper", clip_on=False, **DIAMOND)


@shown_once
def pyramid(rows: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Bands of an image, largest first: one row per name, each band (3, R, R) in [-1, 1], drawn equally large."""
    columns = max(map(len, rows.values()))
    figure, axes = plt.subplots(len(rows), columns, figsize=(WIDTH, WIDTH / columns * len(rows) + 0.5), squeeze=False)
    for line, (name, bands) in zip(axes, rows.items(), strict=True):
        for axis, band in zip(line, bands, strict=False):
            axis.imshow(np.clip((band.transpose(1, 2, 0) + 1) / 2, 0, 1))
            axis.set_title(f"{band.shape[-1]} × {band.shape[-1]}", fontsize=9, fontweight="normal")
        for axis in line:
            bare(axis)
        line[0].set_ylabel(name)
    return figure


@shown_once
def receptive_fields(images: Mapping[str, np.ndarray], sides: Mapping[str, Sequence[int]]) -> Figure:
    """Images (3, R, R) uint8 with squares of the given sides in pixels around their centres."""
    figure, axes = plt.subplots(1, len(images), figsize=(WIDTH, WIDTH / len(images) + 0.35), squeeze=False)
    for axis, (name, image) in zip(axes[0], images.items(), strict=True):
        size = image.shape[-1]
        axis.imshow(np.asarray(image).transpose(1, 2, 0) // 2 + 112)  # paler, so that the squares stand out
        for side, colour in zip(sorted(sides[name], reverse=True), PALETTE, strict=False):
            corner = size / 2 - side / 2 - 0.5
            axis.add_patch(Rectangle((corner, corner), side, side, fill=False, edgecolor=colour, linewidth=2))
            inside = 0.02 * size if side > 0.95 * size else -0.005 * size  # above its square, where there is room
            where = dict(ha="left", va="top" if inside > 0 else "bottom")
            axis.text(corner + abs(inside), corner + inside, f"{side}", color=INK, fontsize=8, **where)
        axis.set_title(name)
        margin = 0.01 * size + 0.5
        axis.set(xlim=(-margin, size - 1 + margin), ylim=(size - 1 + margin, -margin))
        bare(axis)
    return figure


@shown_once
def distances(values: np.ndarray, classes: Sequence[str], label: str, share: float) -> Figure:
    """How many of the images of each source are nearer to a real image than a distance; shaded: what is selected."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    palette = colours(classes)
    for name, row in zip(classes, values, strict=True):
        percent = 100 * np.arange(1, len(row) + 1) / len(row)
        axis.plot(np.sort(row), percent, color=palette[name], linewidth=1.5, label=readable(name))
    axis.axhspan(0, 100 * share, color=MUTED, alpha=0.18, linewidth=0)
    axis.set(xlabel=f"{label} to the nearest real image", ylabel="images at least so near, %", ylim=(0, 101))
    axis.legend()
    return figure
