"""Arrays -> figures, one style and one colour per source for the whole book."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats

from ganfp.records import readable
from ganfp.summary import Layer

INK, MUTED, PAPER = "#222222", "#8a8a8a", "#ffffff"
REAL = "#3b3b3b"
PALETTE = ("#1f6f8b", "#c8553d", "#e0a030", "#588157", "#7b4b94", "#b56576", "#3a86c8", "#8d6b48", "#2a9d8f", "#9aa02c")
WIDTH = 7.2  # inches: the text column
DIAMOND = {"marker": "D", "markerfacecolor": "none", "markeredgecolor": MUTED, "linestyle": "none"}  # the paper's


def use_style() -> None:
    """Set the book's style; every notebook calls it once."""
    set_matplotlib_formats("retina")  # two pixels per point, so that figures stay sharp on any screen
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 170,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "figure.facecolor": PAPER,
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titleweight": "semibold",
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "xtick.color": INK,
            "ytick.color": INK,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "svg.fonttype": "path",
        }
    )


def shown_once(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Close the figure that a function draws: a notebook then shows it as the cell's value, and not once more."""

    @wraps(draw)
    def drawn(*args, **options) -> Figure:
        figure = draw(*args, **options)
        plt.close(figure)
        return figure

    return drawn


def colours(classes: Sequence[str]) -> dict[str, str]:
    """One colour per source, the same on every page: real is grey, the GANs follow in their order."""
    generated = [name for name in classes if name != "real"]
    return {"real": REAL, **{name: PALETTE[i % len(PALETTE)] for i, name in enumerate(generated)}}


# ---------------------------------------------------------------------------- images


@shown_once
def image_rows(images: Mapping[str, np.ndarray], zoom: float = 1.0) -> Figure:
    """One row of images per source, (N, 3, R, R) uint8 each, every pixel a square (Figure 4)."""
    columns = max(len(row) for row in images.values())
    figure, axes = plt.subplots(len(images), 1, figsize=(WIDTH * zoom, WIDTH * zoom * len(images) / columns * 1.02))
    for axis, (name, row) in zip(np.atleast_1d(axes), images.items(), strict=True):
        axis.imshow(montage(row, 1))
        axis.set_ylabel(readable(name), rotation=0, ha="right", va="center", labelpad=8)
        _bare(axis)
    return figure


@shown_once
def image_grid(images: np.ndarray, rows: int, title: str = "", width: float = WIDTH) -> Figure:
    """Images (N, 3, R, R) uint8 side by side in ``rows`` rows."""
    columns = -(-len(images) // rows)
    figure, axis = plt.subplots(figsize=(width, width * rows / columns))
    axis.imshow(montage(images, rows))
    axis.set_title(title)
    _bare(axis)
    return figure


@shown_once
def image_grids(images: Mapping[str, np.ndarray], rows: int) -> Figure:
    """:func:`image_grid` of several data sets, one below the other under their names."""
    columns = -(-max(len(x) for x in images.values()) // rows)
    size = (WIDTH, len(images) * (WIDTH * rows / columns + 0.25))
    figure, axes = plt.subplots(len(images), 1, figsize=size, squeeze=False)
    for axis, (name, found) in zip(axes[:, 0], images.items(), strict=True):
        axis.imshow(montage(found, rows))
        axis.set_title(name, loc="left")
        _bare(axis)
    return figure


def montage(images: np.ndarray, rows: int, gap: int = 1) -> np.ndarray:
    """Images (N, 3, R, R) as one (H, W, 3) picture, white gaps of ``gap`` pixels between them."""
    images = np.asarray(images)
    columns = -(-len(images) // rows)
    side = images.shape[-1] + gap
    canvas = np.full((rows * columns, 3, side, side), 255, np.uint8)
    canvas[: len(images), :, : -gap or None, : -gap or None] = images
    canvas = (
        canvas.reshape(rows, columns, 3, side, side).transpose(0, 3, 1, 4, 2).reshape(rows * side, columns * side, 3)
    )
    return canvas[: -gap or None, : -gap or None]


def _bare(axis: Axes) -> None:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


# ---------------------------------------------------------------------------- results


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
        _bare(axis)
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
    axis.tick_params(axis="x", rotation=35, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    return axis


@shown_once
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Confusion matrices of several methods, two in a row, all on one scale."""
    rows = -(-len(matrices) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, rows * (0.9 + 0.47 * len(classes))), sharex=True, sharey=True)
    for i, (axis, (title, counts)) in enumerate(zip(axes.flat, matrices.items(), strict=True)):
        confusion(counts, classes, title, axis)
        axis.set(xlabel="attributed to" if i // 2 == rows - 1 else "", ylabel="truth" if i % 2 == 0 else "")
    return figure


@shown_once
def accuracies(records: Sequence[dict], limits: tuple[float, float] = (0, 100)) -> Figure:
    """Accuracy of each method with its 95 % interval, the paper's number as a diamond, chance as a line.

    One panel per data set.
    """
    records = [r for r in records if r["metric"] == "accuracy" and not r["params"].get("variant")]
    worlds = list(dict.fromkeys(r["dataset"] for r in records))
    rows = list(dict.fromkeys(r["row"] for r in records))
    size = (WIDTH, 0.5 * len(rows) + 0.95)
    figure, axes = plt.subplots(1, len(worlds), figsize=size, sharey=True, squeeze=False)
    for axis, world in zip(axes[0], worlds, strict=True):
        found = [r for r in records if r["dataset"] == world]
        _chance(axis, 100 / found[0]["classes"])
        for r in found:
            y, colour = len(rows) - 1 - rows.index(r["row"]), PALETTE[1] if r["row"] == "Ours" else PALETTE[0]
            axis.plot([r["ci_low"], r["ci_high"]], [y, y], color=colour, linewidth=2.5, clip_on=False)
            axis.plot(r["value"], y, "o", color=colour, markersize=7, clip_on=False)
            if r["paper"] is not None:
                axis.plot(r["paper"], y, clip_on=False, markersize=6, **DIAMOND)
        axis.set(xlabel="accuracy, %", xlim=limits, yticks=range(len(rows)), yticklabels=rows[::-1])
        axis.set_ylim(-0.6, len(rows) - 0.4)
        axis.set_title(world if len(worlds) > 1 else "", loc="right")
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    marks = [Line2D([], [], color=PALETTE[0], marker="o", label="this run, 95 % interval")]
    if any(r["paper"] is not None for r in records):
        marks.append(Line2D([], [], label="the paper", **DIAMOND))
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def _chance(axis: Axes, level: float) -> None:
    axis.axvline(level, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    text = {"xycoords": ("data", "axes fraction"), "xytext": (3, 1), "textcoords": "offset points"}
    axis.annotate("chance", (level, 1.0), color=MUTED, **text)


@shown_once
def rungs(records: Sequence[dict]) -> Figure:
    """Accuracy on the images of each rung against the number of exchanged images, one panel per data set."""
    records = [r for r in records if r["metric"] == "accuracy"]
    worlds = list(dict.fromkeys(r["dataset"] for r in records))
    figure, axes = plt.subplots(1, len(worlds), figsize=(WIDTH, 2.9), sharey=True, squeeze=False)
    for axis, world in zip(axes[0], worlds, strict=True):
        found = [r for r in records if r["dataset"] == world]
        for row, marker in zip(dict.fromkeys(r["row"] for r in found), "sD^o", strict=False):
            mine = [r for r in found if r["row"] == row]
            steps, values = [r["params"]["swapped"] for r in mine], np.array([r["value"] for r in mine])
            bars = np.abs(np.array([[r["ci_low"], r["ci_high"]] for r in mine]).T - values)
            axis.errorbar(steps, values, bars, marker=marker, markersize=5, linewidth=1.3, capsize=2, label=row)
        axis.axhline(100 / found[0]["classes"], color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axis.set(xscale="log", xlabel=f"images exchanged of {found[0]['params']['base']:,}", ylim=(0, 103))
        axis.set(xticks=steps, xticklabels=[f"{i:,}" for i in steps])
        axis.xaxis.minorticks_off()
        axis.set_title(world if len(worlds) > 1 else "", loc="right")
    axes[0, 0].set_ylabel("accuracy, %")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@shown_once
def how_long(records: Sequence[dict]) -> Figure:
    """Accuracy and FD ratio against the images that the GANs were trained on, both axes of the second logarithmic."""
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.0))
    for axis, metric in zip(axes, ("accuracy", "fd_ratio"), strict=True):
        found = [r for r in records if r["metric"] == metric]
        steps = sorted({r["params"]["images"] for r in found})
        for row, marker in zip(dict.fromkeys(r["row"] for r in found), "sD^o", strict=False):
            mine = sorted((r for r in found if r["row"] == row), key=lambda r: r["params"]["images"])
            seen, values = [r["params"]["images"] for r in mine], np.array([r["value"] for r in mine])
            bars = None
            if mine[0]["ci_low"] is not None:
                bars = np.abs(np.array([[r["ci_low"], r["ci_high"]] for r in mine]).T - values)
            label = {"Inception": "content", "Our fingerprint": "fingerprint"}.get(row, row)
            axis.errorbar(seen, values, bars, marker=marker, markersize=5, linewidth=1.3, capsize=2, label=label)
        axis.set(xscale="log", xlabel="thousand images in training", xticks=steps)
        axis.set_xticklabels([f"{n / 1000:.3g}" for n in steps])
        axis.xaxis.minorticks_off()
    axes[0].axhline(100 / records[0]["classes"], color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    axes[0].set(ylabel="accuracy, %", ylim=(0, 103))
    axes[1].axhline(1, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    axes[1].set(ylabel="FD ratio", yscale="log")
    for axis in axes:
        axis.legend(fontsize=8)
    return figure


@shown_once
def beginnings(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Largest difference of a weight from the base training's, rung by rung; dashed: the first exchanged image."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    positive = arrays["difference"][arrays["difference"] > 0]
    floor = positive.min() / 30 if len(positive) else 1e-9  # where zero is drawn
    for i, curve, first, colour in zip(
        arrays["swapped"], arrays["difference"].T, arrays["first"], PALETTE, strict=False
    ):
        axis.plot(arrays["seen"], np.maximum(curve, floor), color=colour, linewidth=1.6, label=f"{i:,} exchanged")
        axis.axvline(first, color=colour, linestyle=(0, (4, 3)), linewidth=1)
    axis.set(yscale="log", xlabel="images shown to the critic", ylabel="largest difference of a weight", xlim=(0, None))
    axis.set_ylim(floor / 2, None)
    ticks = [t for t in 10.0 ** np.arange(-9, 2) if floor * 5 < t < axis.get_ylim()[1]]
    axis.set_yticks([floor, *ticks], ["0", *(f"{t:g}" for t in ticks)])
    axis.yaxis.minorticks_off()
    figure.legend(loc="outside lower center", ncols=5)
    return figure


@shown_once
def lowest_bits(shares: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """How often the two lowest bits of a value are 0 ... 3, by source, one panel per save path."""
    figure, axes = plt.subplots(1, len(shares), figsize=(WIDTH, 2.7), sharey=True)
    palette = colours(classes)
    for axis, (title, rows) in zip(axes, shares.items(), strict=True):
        axis.axhline(25, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        for name, row in zip(classes, rows, strict=True):
            axis.plot(range(4), row, "o-", color=palette[name], markersize=4, linewidth=1.3, label=readable(name))
        axis.set(xticks=range(4), xticklabels=["00", "01", "10", "11"], xlabel="two lowest bits", title=title)
    axes[0].set_ylabel("values, %")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


@shown_once
def responses(
    values: np.ndarray,
    classes: Sequence[str],
    label: str,
    columns: str = "model fingerprint of",
    rows: str = "image fingerprints of",
) -> Figure:
    """A signed K x K matrix with colour limits symmetric about zero."""
    side = 1.4 + 0.6 * len(classes)
    figure, axis = plt.subplots(figsize=(side + 1.2, side))
    names, limit = [readable(name) for name in classes], float(np.abs(values).max())
    sns.heatmap(
        values, ax=axis, vmin=-limit, vmax=limit, cmap="RdBu_r", annot=True, fmt=".2f", square=True, linewidths=1,
        linecolor=PAPER, xticklabels=names, yticklabels=names, cbar_kws={"label": label, "shrink": 0.8},
    )  # fmt: skip
    axis.set(xlabel=columns, ylabel=rows)
    axis.tick_params(axis="x", rotation=35, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    return figure


@shown_once
def training_curves(curves: Mapping[str, Sequence[dict]]) -> Figure:
    """Critic's distance between real and generated images against images seen; a line where the networks grow."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.0))
    palette = colours(list(curves))
    for name, rows in curves.items():
        _curve(axis, rows, palette[name], readable(name))
    _growth(axis, next(iter(curves.values())))
    axis.set(xlabel="thousand images shown to the critic", ylabel="critic: real minus generated", xlim=(0, None))
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=5)
    return figure


@shown_once
def training_panels(curves: Mapping[str, Sequence[dict]]) -> Figure:
    """The same for GANs of different losses, whose distances have no common scale: a panel for each."""
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 4.2))
    palette = colours(list(curves))
    for axis, (name, rows) in zip(axes.flat, curves.items(), strict=True):
        _curve(axis, rows, palette[name], name)
        _growth(axis, rows)
        axis.set_title(name, loc="right")
        axis.set(xlim=(0, None))
    figure.supxlabel("thousand images shown to the critic", fontsize=9)
    figure.supylabel("the critic's distance, by its own loss", fontsize=9)
    return figure


def _curve(axis: Axes, rows: Sequence[dict], colour: str, label: str) -> None:
    seen, distance = np.array([r["images"] for r in rows]), np.array([r["distance"] for r in rows])
    axis.plot(seen / 1000, smooth(distance), color=colour, linewidth=1.3, label=label)


def _growth(axis: Axes, rows: Sequence[dict]) -> None:
    """Mark where a resolution starts to fade in; nothing for networks that do not grow."""
    steps = [(a, b) for a, b in zip(rows, rows[1:], strict=False) if a["resolution"] != b["resolution"]]
    for _, after in steps:
        _mark(axis, after["images"] / 1000, f"{after['resolution']} px")
    if steps:
        _mark(axis, 0, f"{rows[0]['resolution']} px")


def _mark(axis: Axes, x: float, text: str) -> None:
    axis.axvline(x, color=MUTED, linewidth=0.8, alpha=0.6)
    axis.annotate(
        text, (x, 1), xycoords=("data", "axes fraction"), xytext=(3, 1), textcoords="offset points", color=MUTED
    )


def smooth(values: np.ndarray, width: int = 7) -> np.ndarray:
    """Running mean over an odd window, narrower at the ends."""
    kernel = np.ones(min(width, len(values)))
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")


@shown_once
def against_n(
    sizes: Sequence[int],
    series: Mapping[str, Sequence[float]],
    label: str,
    level: float | None = None,
    logarithmic: bool = False,
) -> Figure:
    """Curves against the number of images; ``level`` draws a value to compare with, such as the right one."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    for (name, values), marker in zip(series.items(), "os^dv", strict=False):
        axis.plot(sizes, values, f"{marker}-", label=name, linewidth=1.5, markersize=5)
    if level is not None:
        axis.axhline(level, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    axis.set(xscale="log", xlabel="images per class", ylabel=label, xticks=sizes, xticklabels=sizes)
    axis.xaxis.minorticks_off()
    if logarithmic:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.minorticks_off()
    axis.legend()
    return figure


# ---------------------------------------------------------------------------- the network


@shown_once
def network(found: Sequence[Layer], resolution: int, classes: int) -> Figure:
    """The attribution network as blocks, as Figure 2a draws it: height is the resolution, width the channels.

    Only tensors at the end of a stage are drawn; every number is read off the layers of the real network.
    """
    tensors = [("image", (3, resolution, resolution))]
    tensors += [("", x.output) for i, x in enumerate(found) if _ends_stage(found, i)]
    figure, axis = plt.subplots(figsize=(WIDTH, 2.7))
    x = 0.0
    for i, (_, output) in enumerate(tensors):
        channels, side = output[0], output[1] if len(output) == 3 else 1
        width, height = 0.12 * np.log2(channels + 1), 0.25 + 0.33 * np.log2(side)
        colour = (
            MUTED
            if i == 0
            else PALETTE[1]
            if i == len(tensors) - 2
            else PALETTE[2]
            if i == len(tensors) - 1
            else PALETTE[0]
        )
        axis.add_patch(Rectangle((x, -height / 2), width, height, facecolor=colour, edgecolor="white", alpha=0.9))
        text = f"{side}²\n{channels}" if len(output) == 3 else f"{channels}"
        axis.text(x + width / 2, -1.35, text, ha="center", va="top", fontsize=8, color=INK)
        if i + 1 < len(tensors):
            arrow = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 0, "shrinkB": 0}
            axis.annotate("", (x + width + 0.36, 0), (x + width + 0.06, 0), arrowprops=arrow)
        if i == len(tensors) - 2:
            axis.text(x + width / 2, 0.5, "image\nfingerprint", ha="center", va="bottom", fontsize=8, color=PALETTE[1])
        if i == len(tensors) - 1:
            axis.text(x + width / 2, 0.5, f"{classes}\nsources", ha="center", va="bottom", fontsize=8, color="#a06f10")
        x += width + 0.42
    axis.set(xlim=(-0.2, x - 0.2), ylim=(-2.0, 1.35))
    axis.set_aspect("equal")
    axis.axis("off")
    return figure


def _ends_stage(found: Sequence[Layer], i: int) -> bool:
    """A layer whose output is the last of its kind: a pooling, the convolution at the smallest size, a dense layer."""
    return "mean" in found[i].kind or found[i].kind == "dense" or (i + 1 < len(found) and found[i + 1].kind == "dense")
