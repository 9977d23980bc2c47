"""Fingerprints that are images: Figures 7 and 36, their spectra, and the card of a single attribution."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from ganfp.paper.plots.parts import bare, blank, matrix, panels, picture
from ganfp.paper.plots.style import INK, MUTED, PALETTE, PLAIN, SIGNED, SMALL, WIDE, colours, drawn, narrow, width
from ganfp.paper.table import readable

SHOWN = 99.5  # percent of the values that lie within the colour limits
BOX = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.2}  # behind numbers


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


@drawn
def interactions(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Figures 7 and 36: images and their fingerprints on the left, model fingerprints above, responses between them.

    ``arrays`` as :func:`ganfp.paper.s4_5.fingerprints` returns them.  Every model fingerprint has its
    own limits, since its scale is free; image fingerprints share theirs, and so do responses, symmetric about zero.
    """
    classes, responses = arrays["classes"], arrays["response_images"]
    count, vmax = len(classes), limit(responses)
    below = 0.17 if narrow() else 0.0  # inches: a number below each response, which has no room for it
    size = width() / (count + 2) * (count + 1) + 0.5 + below * (count + 2)
    figure, axes = panels(size, (count + 1) * (count + 2), count + 2)
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    axes = axes.reshape(count + 1, count + 2)
    for axis, title in zip(axes[0, :2], ("image", "finger-\nprint" if below else "its fingerprint"), strict=True):
        axis.set_title(title, fontsize=SMALL, y=-0.02)
        bare(axis)
    images, models = arrays["image_fingerprints"], colour(arrays["models_visnet"])
    images = colour(images, limit(images - images.mean(axis=(-3, -2, -1), keepdims=True)))
    for k, name in enumerate(classes):
        label = _font(name, classes)
        picture(axes[0, k + 2], models[k], _in_two_lines(name), label)
        picture(axes[k + 1, 0], np.moveaxis(arrays["images"][k], 0, -1))
        axes[k + 1, 0].set_ylabel(_in_two_lines(name), **label)
        picture(axes[k + 1, 1], images[k])
        for axis, response, value in zip(axes[k + 1, 2:], responses[k], arrays["shown"][k], strict=True):
            drawn = picture(axis, response, cmap=SIGNED, vmin=-vmax, vmax=vmax)
            weight = "bold" if value == arrays["shown"][k].max() else "normal"
            font = {"fontsize": SMALL, "color": "black", "fontweight": weight, "bbox": BOX}
            number, within = f"{value:+.2f}".replace("-", "−"), {"ha": "right", "va": "bottom"}
            if below:
                axis.set_xlabel(number, labelpad=1, fontsize=SMALL, fontweight=weight)
            else:
                axis.text(0.97, 0.04, number, transform=axis.transAxes, **font, **within)
        frame = {"transform": axes[k + 1, k + 2].transAxes, "edgecolor": label["color"], "clip_on": False}
        axes[k + 1, k + 2].add_patch(Rectangle((0, 0), 1, 1, fill=False, linewidth=2.5, **frame))
    _signed_bar(figure, drawn, axes, "response of a pixel; all of them add up to the number")
    return figure


@drawn
def in_a_row(pictures: Mapping[str, np.ndarray]) -> Figure:
    """Pictures (3, R, R) under their titles: uint8 images, or signed fingerprints, each on a scale of its own."""
    figure, axes = panels(width() / len(pictures) + 0.45, len(pictures))
    for axis, (title, image) in zip(axes, pictures.items(), strict=True):
        shown = np.moveaxis(image, 0, -1) if image.dtype == np.uint8 else colour(image)
        picture(axis, shown, _in_two_lines(title), PLAIN)
    return figure


def _in_two_lines(name: str) -> str:
    """A source above a picture: on a narrow page its seed alone, where it has one."""
    name = readable(name)
    return re.sub(r"\w+, (?=seed)", "", name).replace(": ", ":\n") if narrow() else name.replace(", ", ",\n")


def _font(name: str, classes: Sequence[str]) -> dict:
    return {"fontsize": SMALL, "color": colours(classes)[name]} | ({"fontweight": "normal"} if narrow() else {})


def _signed_bar(figure: Figure, drawn: AxesImage, axes: np.ndarray, label: str) -> None:
    """A colour bar below, marked at its ends and at zero."""
    end = drawn.get_clim()[1]
    bar = figure.colorbar(
        drawn, ax=axes, orientation="horizontal", shrink=0.45, aspect=40, pad=0.01, extend="both", ticks=[-end, 0, end]
    )
    bar.ax.set_xticklabels([f"−{end:.2g}", "0", f"{end:.2g}"])
    bar.set_label(label, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)


@drawn
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
            lines.append(("power,\nlog 10", power, {"cmap": "magma", "vmin": low, "vmax": high}))
        if correlations is not None:
            found = correlations[method]
            around, middle = np.array(found), found.shape[-1] // 2
            around[:, middle, middle] = 0
            vmax = np.abs(around).max()
            lines.append(("auto-\ncorrelation", found, {"cmap": SIGNED, "vmin": -vmax, "vmax": vmax}))
    count = len(classes)
    figure, axes = panels(width() / (count + 0.6) * len(lines), len(lines) * count, count)
    for row, (label, pictures, options) in zip(axes.reshape(-1, count), lines, strict=True):
        for axis, shown in zip(row, pictures, strict=True):
            last = picture(axis, shown, **options)
        lying = {"rotation": 0, "ha": "right", "va": "center"} if narrow() else {}
        row[0].set_ylabel(label, fontsize=9, **lying)
        if options:  # a fingerprint's three colours are no scale
            bar = figure.colorbar(last, ax=list(row), shrink=1.0 if narrow() else 0.8, aspect=12, pad=0.01)
            bar.ax.tick_params(labelsize=SMALL)
    for axis, name in zip(axes, classes, strict=False):
        axis.set_title(_in_two_lines(name), **_font(name, classes))
    return figure


@drawn
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
    figure, axes = panels(width() / (len(classes) + 1) + 0.75, len(classes) + 1)
    inks = 1 - np.array([to_rgb(colour) for colour in (PALETTE[2], PALETTE[1], PALETTE[0])])
    painted = (1 - np.einsum("khw,kc->hwc", arrays["masks"], inks)).clip(0, 1)
    picture(axes[0], painted, "regions" if narrow() else "eyes, face,\nbackground", {"fontsize": SMALL})
    vmax = limit(maps)
    for axis, name, shown in zip(axes[1:], classes, maps, strict=True):
        drawn = picture(axis, shown, _in_two_lines(name), _font(name, classes), cmap=SIGNED, vmin=-vmax, vmax=vmax)
    _signed_bar(figure, drawn, axes[1:], "mean response of a pixel")
    return figure


@drawn
def responses(
    values: np.ndarray, classes: Sequence[str], label: str,
    columns: str = "model fingerprint of", rows: str = "image fingerprints of",
) -> Figure:  # fmt: skip
    """A signed K x K matrix with colour limits symmetric about zero."""
    side = 1.4 + 0.6 * len(classes)
    lying = {"orientation": "horizontal"} if narrow() else {}  # a bar beside the numbers would leave them no room
    figure, (axis,) = panels(side * min(1, width() / (side + 1.2)) + len(lying), across=side + 1.2)
    _signed(axis, values, classes, cbar_kws={"label": label, "shrink": 0.8} | lying)
    axis.set(xlabel=columns, ylabel=rows)
    return figure


@drawn
def response_matrices(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Signed K x K matrices of several methods side by side, each with limits of its own, symmetric about zero."""
    figure, axes = panels(1.25 + WIDE / len(matrices) * 0.72, len(matrices), sharey=True, stack=True)
    for axis, (title, values) in zip(axes, matrices.items(), strict=True):
        _signed(axis, values, classes, cbar=False)
        axis.set(xlabel="model fingerprint of", title=title)
    axes[0].set_ylabel("image fingerprints of")
    return figure


def _signed(axis: Axes, values: np.ndarray, classes: Sequence[str], **options) -> None:
    names, limit = [readable(name) for name in classes], float(np.abs(values).max())
    numbers = [[f"{value:z.2f}".replace("-", "−") for value in row] for row in values]
    scale = {"vmin": -limit, "vmax": limit, "cmap": SIGNED}
    matrix(axis, values, names, names, annot=numbers, fmt="", square=True, **scale, **options)


@drawn
def card(
    image: np.ndarray, fingerprint: np.ndarray, responses: np.ndarray, models: np.ndarray, probabilities: np.ndarray,
    classes: Sequence[str], title: str = "",
) -> Figure:  # fmt: skip
    """The attribution of one image: itself, its fingerprint, and for each source model, response and probability.

    image: uint8 (3, R, R); fingerprint: (3, R, R); responses: (K, R, R), each summing to a correlation; models:
    (K, 3, R, R); probabilities: (K,).
    """
    order, count, vmax = np.argsort(-probabilities, kind="stable"), len(classes), limit(responses)
    figure = blank(width(), 1.35 + 0.72 * max(count, 4))
    left, right = figure.subfigures(1, 2, width_ratios=(2.2, 5))
    above, below = left.subplots(2, 1)
    picture(above, np.moveaxis(image, 0, -1), "image")
    picture(below, colour(fingerprint), "its fingerprint")
    axes = right.subplots(count, 3, width_ratios=(1.4, 1.4, 3.2) if narrow() else (1, 1, 3.2), squeeze=False)
    for (model, response, bar), k in zip(axes, order, strict=True):
        picture(model, colour(models[k]))
        picture(response, responses[k], cmap=SIGNED, vmin=-vmax, vmax=vmax)
        bar.barh(0, probabilities[k], height=0.34, color=colours(classes)[classes[k]])
        bar.barh(0, 1, height=0.34, color=MUTED, alpha=0.15)
        weight = "bold" if k == order[0] else "normal"
        bar.text(0, 0.32, readable(classes[k]), va="bottom", color=INK, fontweight=weight, parse_math=False)
        text = f"{percent(probabilities[k])}    correlation {responses[k].sum():+.2f}".replace("-", "−")
        bar.text(0, -0.32, text, va="top", fontsize=SMALL, color=INK)
        bar.set(xlim=(0, 1), ylim=(-0.9, 0.9))
        bare(bar)
    for axis, name in zip(axes[0], ("model\n\n", "response\n") if narrow() else ("model", "response"), strict=False):
        axis.set_title(name, **PLAIN)
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold", color=INK, parse_math=False)
    return figure


def percent(p: float) -> str:
    """A probability in percent, never rounded to certainty."""
    return "> 99.9 %" if p > 0.999 else "< 0.1 %" if p < 0.001 else f"{100 * p:.1f} %"
