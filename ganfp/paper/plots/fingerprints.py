"""Fingerprints that are images: Figures 3, 7 and 36, their spectra, and the card of a single attribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from ganfp.attributors.summary import Layer
from ganfp.paper.plots.parts import bare, blank, flag, level, panels, picture
from ganfp.paper.plots.style import BELOW, INK, MUTED, PALETTE, PAPER, SIGNED, WIDTH, colours
from ganfp.paper.table import readable

SHOWN = 99.5  # percent of the values that lie within the colour limits
ARROW = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 1, "shrinkB": 1}


def limit(values: np.ndarray) -> float:
    """The common colour limit of signed images: what 99.5 % of their absolute values stay below."""
    return float(np.percentile(np.abs(values), SHOWN)) or 1.0


def colour(fingerprints: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Signed images (..., 3, R, R) as RGB (..., R, R, 3) in [0, 1]: grey is 0, plus and minus ``scale`` the ends.

    The mean of each image, which no correlation sees, is taken out; without a ``scale`` each has its own.
    """
    x = np.asarray(fingerprints, np.float64)
    x = x - x.mean(axis=(-3, -2, -1), keepdims=True)
    if scale is None:
        scale = np.percentile(np.abs(x), SHOWN, axis=(-3, -2, -1), keepdims=True)
    return np.moveaxis((0.5 + x / np.maximum(scale, 1e-12) / 2).clip(0, 1), -3, -1)


def interactions(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Figures 7 and 36: images and their fingerprints on the left, model fingerprints above, responses between them.

    ``arrays`` as :func:`ganfp.paper.s4_5.fingerprints` returns them.  Every model fingerprint has its
    own limits, since its scale is free; image fingerprints share theirs, and so do responses, symmetric about zero.
    """
    classes, responses = arrays["classes"], arrays["response_images"]
    count, vmax = len(classes), limit(responses)
    figure, axes = panels(WIDTH / (count + 2) * (count + 1) + 0.5, (count + 1) * (count + 2), count + 2)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    axes = axes.reshape(count + 1, count + 2)
    for axis, title in zip(axes[0, :2], ("image", "its fingerprint"), strict=True):
        axis.set_title(title, fontsize=8, y=-0.02)
        bare(axis)
    image_colours, models = colour_of_all(arrays["image_fingerprints"]), colour(arrays["models_visnet"])
    for k, name in enumerate(classes):
        font = {"fontsize": 8, "color": colours(classes)[name]}
        picture(axes[0, k + 2], models[k], _in_two_lines(name), font)
        picture(axes[k + 1, 0], np.moveaxis(arrays["images"][k], 0, -1))
        axes[k + 1, 0].set_ylabel(_in_two_lines(name), **font)
        picture(axes[k + 1, 1], image_colours[k])
        strongest = arrays["shown"][k].argmax()
        for j, axis in enumerate(axes[k + 1, 2:]):
            drawn = picture(axis, responses[k, j], cmap=SIGNED, vmin=-vmax, vmax=vmax)
            _number(axis, arrays["shown"][k, j], bold=j == strongest)
        frame = {"transform": axes[k + 1, k + 2].transAxes, "edgecolor": font["color"], "clip_on": False}
        axes[k + 1, k + 2].add_patch(Rectangle((0, 0), 1, 1, fill=False, linewidth=2.5, **frame))
    _signed_bar(figure, drawn, axes, "response of a pixel; all of them add up to the number in the corner")
    return figure


def _in_two_lines(name: str) -> str:
    return readable(name).replace(", ", ",\n")


def _signed_bar(figure: Figure, drawn: AxesImage, axes: np.ndarray, label: str) -> None:
    """A colour bar below, marked at its ends and at zero."""
    end = drawn.get_clim()[1]
    bar = figure.colorbar(
        drawn, ax=axes, orientation="horizontal", shrink=0.45, aspect=40, pad=0.01, extend="both", ticks=[-end, 0, end]
    )
    bar.ax.set_xticklabels([f"−{end:.2g}", "0", f"{end:.2g}"])
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)


def colour_of_all(fingerprints: np.ndarray) -> np.ndarray:
    """:func:`colour` with one scale for all the images."""
    x = fingerprints - fingerprints.mean(axis=(-3, -2, -1), keepdims=True)
    return colour(fingerprints, limit(x))


def _number(axis: Axes, value: float, bold: bool = False) -> None:
    text = f"{value:+.2f}".replace("-", "−")
    box = {"facecolor": PAPER, "alpha": 0.8, "edgecolor": "none", "pad": 1.2}
    axis.text(
        0.97, 0.04, text, transform=axis.transAxes, ha="right", va="bottom", fontsize=7, color=INK, bbox=box,
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def model_fingerprints(
    rows: Mapping[str, np.ndarray], classes: Sequence[str], spectra: Mapping[str, np.ndarray] | None = None,
    correlations: Mapping[str, np.ndarray] | None = None,
) -> Figure:  # fmt: skip
    """Model fingerprints (K, 3, R, R) of each method and, if given, spectra and autocorrelations (K, R, R) below.

    Spectra are logarithmic and share their limits within a method; autocorrelations are cut at their largest absolute
    value away from the middle, where they are 1.
    """
    lines = []
    for method, fingerprints in rows.items():
        lines.append((method, colour(fingerprints), {}))
        if spectra is not None:
            power = np.log10(np.maximum(spectra[method], 1e-12))
            low, high = np.percentile(power, [1, 100])
            lines.append(("power", power, {"cmap": "magma", "vmin": low, "vmax": high}))
        if correlations is not None:
            found = correlations[method]
            around, middle = np.array(found), found.shape[-1] // 2
            around[:, middle, middle] = 0
            vmax = np.abs(around).max()
            lines.append(("auto-\ncorrelation", found, {"cmap": SIGNED, "vmin": -vmax, "vmax": vmax}))
    count = len(classes)
    figure, axes = panels(WIDTH / (count + 0.6) * len(lines), len(lines) * count, count)
    for row, (label, pictures, options) in zip(axes.reshape(-1, count), lines, strict=True):
        for axis, shown in zip(row, pictures, strict=True):
            picture(axis, shown, **options)
        row[0].set_ylabel(label, fontsize=9)
    for axis, name in zip(axes, classes, strict=False):
        axis.set_title(_in_two_lines(name), fontsize=8, color=colours(classes)[name])
    return figure


def regions(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Where a face usually is, and beside it the mean response of each source's images to their own model.

    Without ``arrays``, for a data set of which that is not known, the figure says so.
    """
    if not arrays:
        figure, (axis,) = panels(1)
        axis.text(0.5, 0.5, "not known for these images", ha="center", va="center", color=MUTED)
        bare(axis)
        return figure
    classes, maps = arrays["classes"], arrays["maps"]
    figure, axes = panels(WIDTH / (len(classes) + 1) + 0.75, len(classes) + 1)
    inks = [np.array(to_rgb(colour)) for colour in (PALETTE[1], PALETTE[2], PALETTE[0])]
    parts = zip(arrays["masks"], inks, strict=True)
    painted = (1 - sum(part[..., None] * (1 - ink) for part, ink in parts)).clip(0, 1)
    picture(axes[0], painted, "eyes, face,\nbackground", {"fontsize": 8})
    vmax = limit(maps)
    for axis, name, shown in zip(axes[1:], classes, maps, strict=True):
        font = {"fontsize": 8, "color": colours(classes)[name]}
        drawn = picture(axis, shown, _in_two_lines(name), font, cmap=SIGNED, vmin=-vmax, vmax=vmax)
    _signed_bar(figure, drawn, axes[1:], "mean response of a pixel")
    return figure


def card(
    image: np.ndarray, fingerprint: np.ndarray, responses: np.ndarray, models: np.ndarray, probabilities: np.ndarray,
    classes: Sequence[str], title: str = "",
) -> Figure:  # fmt: skip
    """The attribution of one image: itself, its fingerprint, and for each source model, response and probability.

    image: uint8 (3, R, R); fingerprint: (3, R, R); responses: (K, R, R), each summing to a correlation; models:
    (K, 3, R, R); probabilities: (K,).
    """
    order, palette = np.argsort(-probabilities, kind="stable"), colours(classes)
    count = len(classes)
    figure = blank(WIDTH, 1.35 + 0.72 * max(count, 4))
    left, right = figure.subfigures(1, 2, width_ratios=(2.2, 5))
    for axis, shown, name in zip(
        left.subplots(2, 1), (np.moveaxis(image, 0, -1), colour(fingerprint)), ("image", "its fingerprint"), strict=True
    ):
        picture(axis, shown, name)
    axes = right.subplots(count, 3, width_ratios=(1, 1, 3.2), squeeze=False)
    vmax = limit(responses)
    for (model, response, bar), k in zip(axes, order, strict=True):
        picture(model, colour(models[k]))
        picture(response, responses[k], cmap=SIGNED, vmin=-vmax, vmax=vmax)
        bar.barh(0, probabilities[k], height=0.34, color=palette[classes[k]])
        bar.barh(0, 1, height=0.34, color=MUTED, alpha=0.15)
        weight = "bold" if k == order[0] else "normal"
        bar.text(0, 0.32, readable(classes[k]), va="bottom", color=INK, fontweight=weight, parse_math=False)
        text = f"{percent(probabilities[k])}    correlation {responses[k].sum():+.2f}".replace("-", "−")
        bar.text(0, -0.32, text, va="top", fontsize=8, color=INK)
        bar.set(xlim=(0, 1), ylim=(-0.9, 0.9))
        bare(bar)
    axes[0, 0].set_title("model", fontsize=8)
    axes[0, 1].set_title("response", fontsize=8)
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold", color=INK, parse_math=False)
    return figure


def percent(p: float) -> str:
    """A probability in percent, never rounded to certainty."""
    return "> 99.9 %" if p > 0.999 else "< 0.1 %" if p < 0.001 else f"{100 * p:.1f} %"


def fingerprint_network(found: Sequence[Layer], resolution: int, sources: int) -> Figure:
    """Figure 3: the auto-encoder with its sizes, the residual, and its comparison with every model fingerprint.

    Of the auto-encoder's layers the last at each size is drawn, channels under side.
    """
    ends = [x for x, after in zip(found, [*found[1:], None], strict=True) if after is None or _side(after) != _side(x)]
    last = [found[-2]] if _side(found[-2]) == resolution else []
    tensors = [(3, resolution), *((x.output[0], _side(x)) for x in [*ends[:-1], *last, ends[-1]])]
    figure, (axis,) = panels(3.2)
    x, edges = 0.0, []
    for i, (channels, side) in enumerate(tensors):
        width, height = 0.05 + 0.055 * np.log2(channels), 0.2 + 0.3 * np.log2(side)
        outer = i in (0, len(tensors) - 1)
        axis.add_patch(Rectangle((x, -height / 2), width, height, color=MUTED if outer else PALETTE[0], linewidth=0))
        label = f"{side}²\n{channels}"
        axis.text(x + width / 2, -height / 2 - 0.08, label, ha="center", va="top", fontsize=6, color=INK)
        edges.append((x, x + width, height))
        x += width + 0.22
    for (_, end, _), (start, _, _) in zip(edges, edges[1:], strict=False):
        axis.annotate("", (start, 0), (end, 0), arrowprops=ARROW)
    axis.text(edges[0][1] + 0.05, 1.35, "image $I$", fontsize=8, color=INK)
    axis.text(edges[-1][1] + 0.05, 1.35, "$R(I)$", ha="right", fontsize=8, color=INK)
    _comparison(axis, edges, x + 0.2, sources)
    axis.set(xlim=(-0.1, x + 4.1), ylim=(-2.2, 2.35))
    axis.set_aspect("equal")
    axis.axis("off")
    return figure


def _side(layer: Layer) -> int:
    return layer.output[-1]


def _comparison(axis: Axes, edges: Sequence[tuple[float, float, float]], x: float, sources: int) -> None:
    """The right half of Figure 3: minus, image fingerprint, products with the model fingerprints, softmax."""
    first, last = edges[0], edges[-1]
    middle = (first[0] + first[1]) / 2
    axis.plot([middle, middle, x, x], [first[2] / 2, 2.0, 2.0, 0.18], color=MUTED, linewidth=1)
    axis.annotate("", (x - 0.14, 0), (last[1], 0), arrowprops=ARROW)
    circle = {"boxstyle": "circle,pad=0.2", "facecolor": PAPER, "edgecolor": MUTED}
    axis.text(x, 0, "−", ha="center", va="center", fontsize=8, color=INK, bbox=circle)
    box = x + 0.55
    axis.annotate("", (box, 0), (x + 0.16, 0), arrowprops=ARROW)
    axis.add_patch(Rectangle((box, -0.48), 0.96, 0.96, facecolor=PALETTE[1], linewidth=0))
    axis.text(box + 0.48, 0, "image\nfinger-\nprint", ha="center", va="center", fontsize=6.5, color=PAPER)
    for i, name in enumerate(["real", "GAN 1", "…", f"GAN {sources - 1}"]):
        y = 1.5 - i
        axis.annotate("", (box + 1.75, y), (box + 0.98, 0), arrowprops=ARROW)
        axis.add_patch(Rectangle((box + 1.75, y - 0.36), 0.95, 0.72, facecolor=PALETTE[2], linewidth=0))
        axis.text(box + 2.225, y, name, ha="center", va="center", fontsize=7, color=INK)
    axis.text(box + 1.36, 0, "$\\odot$", ha="center", va="center", fontsize=11, color=INK, bbox=circle)
    axis.text(box + 2.225, 2.0, "model fingerprints", ha="center", fontsize=8, color=INK)
    axis.text(box + 2.95, 0, "softmax", rotation=90, va="center", fontsize=8, color=INK)


def floors(temperatures: np.ndarray, curves: Mapping[int, np.ndarray], marks: Mapping[str, float]) -> Figure:
    """The least cross-entropy of correlations against the temperature, a curve for each number of sources.

    ``marks``: temperatures to be marked, by name.
    """
    figure, (axis,) = panels(2.6)
    for colour, (classes, values) in zip(PALETTE, curves.items(), strict=False):
        axis.plot(temperatures, values, color=colour, label=f"{classes} sources")
        level(axis, np.log(classes), color=colour, linewidth=0.8)
    for name, temperature in marks.items():
        axis.axvline(temperature, color=MUTED, linewidth=1)
        flag(axis, temperature, name, (4, -2), va="top")
    axis.set(xscale="log", xlabel="temperature", ylabel="least cross-entropy, nats")
    axis.set_ylim(0, 1.18 * np.log(max(curves)))  # room for the names of the marks
    figure.legend(*axis.get_legend_handles_labels(), loc=BELOW, ncols=len(curves))
    return figure
