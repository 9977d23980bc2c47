"""The two networks as the paper draws them, and how far the second one's loss can fall."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.attributors.summary import Layer
from ganfp.paper.plots.parts import decimal, flag, legend, level, panels
from ganfp.paper.plots.style import FIRM, INK, MUTED, PALETTE, PAPER, SMALL, drawn, narrow

ARROW = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 1, "shrinkB": 1}
ENDS = ("blur", "less", "mean", "dense")  # of a stage: a band, a pooling, a dense layer


@drawn
def network(found: Sequence[Layer], resolution: int, classes: int) -> Figure:
    """The attribution network as blocks, as Figure 2a draws it: height is the resolution, width the channels.

    Only tensors at the end of a stage are drawn; every number is read off the layers of the real network.
    """
    following = [after.window for after in found[1:]] + [1]
    stages = [x for x, window in zip(found, following, strict=True) if x.kind.startswith(ENDS) or not window]
    tensors = [(3, resolution, resolution), *(x.output for x in stages)]
    last = {  # the tensors that are named: their text, its colour and their own
        len(tensors) - 2: ("image\nfingerprint", PALETTE[1], PALETTE[1]),
        len(tensors) - 1: (f"{classes}\nsources", PALETTE[2], PALETTE[2]),
    }
    figure, (axis,) = panels(6.0 if narrow() else 2.7)
    thick, gap, x = (0.05, 0.26, 0.0) if narrow() else (0.12, 0.42, 0.0)
    for i, output in enumerate(tensors):
        channels, side = output[0], output[1] if len(output) == 3 else 1
        width, height = thick * np.log2(channels + 1), 0.25 + 0.33 * np.log2(side)
        name, ink, colour = last.get(i, ("", INK, PALETTE[0]))
        colour = MUTED if channels == 3 else colour  # an image, or a band of one
        _box(axis, x, 0, width, height, facecolor=colour, edgecolor="white", alpha=0.9)
        _text(axis, x + width / 2, -1.35, _size(side, channels) if len(output) == 3 else f"{channels}", va="top")
        if i + 1 < len(tensors):
            _arrow(axis, (x + width + gap / 7, 0), (x + width + gap * 6 / 7, 0), shrinkA=0, shrinkB=0)
        if name:
            _text(axis, x + width / 2, 0.5, name, va="bottom", color=ink)
        x += width + gap
    return _finished(figure, axis, (-0.2, x - 0.2), (-2.0, 1.35))


@drawn
def fingerprint_network(found: Sequence[Layer], resolution: int, sources: int) -> Figure:
    """Figure 3: the auto-encoder with its sizes, the residual, and its comparison with every model fingerprint.

    Of the auto-encoder's layers the last at each size is drawn, channels under side.
    """
    ends = [x for x, after in zip(found, [*found[1:], None], strict=True) if after is None or _side(after) != _side(x)]
    last = [found[-2]] if _side(found[-2]) == resolution else []
    tensors = [(3, resolution), *((x.output[0], _side(x)) for x in [*ends[:-1], *last, ends[-1]])]
    figure, (axis,) = panels(9.0 if narrow() else 3.2)
    x, edges = 0.0, []
    for i, (channels, side) in enumerate(tensors):
        width, height = 0.05 + 0.055 * np.log2(channels), 0.2 + 0.3 * np.log2(side)
        room = max(width, 0 if narrow() else 0.32)  # of the numbers below
        x += (room - width) / 2
        _box(axis, x, 0, width, height, color=MUTED if i in (0, len(tensors) - 1) else PALETTE[0], linewidth=0)
        _text(axis, x + width / 2, -height / 2 - 0.08, _size(side, channels), va="top")
        edges.append((x, x + width, height))
        x += (room + width) / 2 + (0.22 if narrow() else 0.3)
    for (_, end, _), (start, _, _) in pairwise(edges):
        _arrow(axis, (end, 0), (start, 0))
    for (start, end, _), name, side in ((edges[0], "image $I$", "left"), (edges[-1], "$R(I)$", "right")):
        place = ((start + end) / 2 - 0.12, 1.3) if narrow() else (start + 0.12, 1.35)
        _text(axis, *place, name, ha=side)
    _comparison(axis, edges, x + 0.2, sources)
    return _finished(figure, axis, (-0.3, x + (4.4 if narrow() else 4.1)), (-2.2, 2.35))


def _comparison(axis: Axes, edges: Sequence[tuple[float, float, float]], x: float, sources: int) -> None:
    """The right half of Figure 3: minus, image fingerprint, products with the model fingerprints, softmax."""
    first, last = edges[0], edges[-1]
    middle = (first[0] + first[1]) / 2
    path = (_at(*point) for point in ((middle, first[2] / 2), (middle, 2.0), (x, 2.0), (x, 0.18)))
    axis.plot(*zip(*path, strict=True), color=MUTED, linewidth=1)
    _arrow(axis, (last[1], 0), (x - 0.14, 0))
    circle = {"boxstyle": "circle,pad=0.2", "facecolor": PAPER, "edgecolor": MUTED}
    _text(axis, x, 0, "−", ha="center", va="center", bbox=circle)
    box = x + 0.55
    _arrow(axis, (x + 0.16, 0), (box, 0))
    _box(axis, box, 0, 0.96, 0.96, facecolor=FIRM[0], linewidth=0)
    _text(axis, box + 0.48, 0, "image\nfinger-\nprint", ha="center", va="center", color="white")
    for i, name in enumerate(["real", "GAN 1", "…", f"GAN {sources - 1}"]):
        y = 1.5 - i
        _arrow(axis, (box + 0.98, 0), (box + 1.75, y))
        _box(axis, box + 1.75, y, 0.95, 0.72, facecolor=FIRM[1], linewidth=0)
        _text(axis, box + 2.225, y, name, ha="center", va="center", color="white")
    _text(axis, box + 1.36, 0, "$\\odot$", ha="center", va="center", fontsize=11, bbox=circle)
    names, softmax = ((box + 2.9, 0), (box + 3.2, 0)) if narrow() else ((box + 2.225, 2.0), (box + 2.95, 0))
    _text(axis, *names, "model fingerprints", ha="center", va="center")
    _text(axis, *softmax, "softmax", ha="center", va="center", rotation=0 if narrow() else 90)


def _side(layer: Layer) -> int:
    return layer.output[-1]


def _size(side: int, channels: int) -> str:
    return f"{side}² × {channels}" if narrow() else f"{side}²\n{channels}"


def _at(x: float, y: float) -> tuple[float, float]:
    """A place of a drawing that runs to the right, and on a narrow page down."""
    return (y, -x) if narrow() else (x, y)


def _box(axis: Axes, x: float, y: float, width: float, height: float, **look) -> None:
    """A rectangle that begins at ``x``, with ``y`` in the middle of its side."""
    corners = _at(x, y - height / 2), _at(x + width, y + height / 2)
    axis.add_patch(Rectangle(np.min(corners, axis=0), *np.ptp(corners, axis=0), **look))


def _text(axis: Axes, x: float, y: float, text: str, **look) -> None:
    """A text at a place; what is centred below or above it stands on a narrow page left or right of it."""
    if narrow() and look.get("va") != "center":
        look |= {"ha": "right" if look.get("va") == "top" else "left", "va": "center"}
    axis.text(*_at(x, y), text, **{"ha": "center", "fontsize": SMALL, "color": INK} | look)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], **look) -> None:
    axis.annotate("", _at(*end), _at(*start), arrowprops=ARROW | look)


def _finished(figure: Figure, axis: Axes, along: tuple[float, float], across: tuple[float, float]) -> Figure:
    (x0, y0), (x1, y1) = (_at(*corner) for corner in zip(along, across, strict=True))
    axis.set(xlim=sorted((x0, x1)), ylim=sorted((y0, y1)), aspect="equal")
    axis.axis("off")
    return figure


@drawn
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
    decimal(axis.xaxis)
    axis.set_ylim(0, 1.18 * np.log(max(curves)))  # room for the names of the marks
    legend(figure, len(curves))
    return figure
