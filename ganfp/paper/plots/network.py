"""The two networks as the paper draws them, and how far the second one's loss can fall."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.attributors.summary import Layer
from ganfp.paper.plots.parts import flag, level, panels
from ganfp.paper.plots.style import BELOW, FIRM, INK, MUTED, PALETTE, PAPER, SMALL, drawn, fit

ARROW = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 1, "shrinkB": 1}
ENDS = ("blur", "less", "mean", "dense")  # of a stage: a band, a pooling, a dense layer


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
    figure, (axis,) = panels(2.7)
    x = 0.0
    for i, output in enumerate(tensors):
        channels, side = output[0], output[1] if len(output) == 3 else 1
        width, height = 0.12 * np.log2(channels + 1), 0.25 + 0.33 * np.log2(side)
        name, ink, colour = last.get(i, ("", INK, PALETTE[0]))
        colour = MUTED if channels == 3 else colour  # an image, or a band of one
        axis.add_patch(Rectangle((x, -height / 2), width, height, facecolor=colour, edgecolor="white", alpha=0.9))
        text = f"{side}²\n{channels}" if len(output) == 3 else f"{channels}"
        axis.text(x + width / 2, -1.35, text, ha="center", va="top", fontsize=SMALL, color=INK)
        if i + 1 < len(tensors):
            arrow = ARROW | {"shrinkA": 0, "shrinkB": 0}
            axis.annotate("", (x + width + 0.36, 0), (x + width + 0.06, 0), arrowprops=arrow)
        if name:
            axis.text(x + width / 2, 0.5, name, ha="center", va="bottom", fontsize=SMALL, color=ink)
        x += width + 0.42
    axis.set(xlim=(-0.2, x - 0.2), ylim=(-2.0, 1.35), aspect="equal")
    axis.axis("off")
    return figure


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
        at = x + width / 2, -height / 2 - 0.08
        axis.text(*at, f"{side}²\n{channels}", ha="center", va="top", fontsize=SMALL, color=INK)
        edges.append((x, x + width, height))
        x += width + 0.22
    for (_, end, _), (start, _, _) in zip(edges, edges[1:], strict=False):
        axis.annotate("", (start, 0), (end, 0), arrowprops=ARROW)
    axis.text(edges[0][1] + 0.05, 1.35, "image $I$", fontsize=SMALL, color=INK)
    axis.text(edges[-1][1] + 0.05, 1.35, "$R(I)$", ha="right", fontsize=SMALL, color=INK)
    _comparison(axis, edges, x + 0.2, sources)
    axis.set(xlim=(-0.1, x + 4.1), ylim=(-2.2, 2.35), aspect="equal")
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
    axis.text(x, 0, "−", ha="center", va="center", fontsize=SMALL, color=INK, bbox=circle)
    box = x + 0.55
    axis.annotate("", (box, 0), (x + 0.16, 0), arrowprops=ARROW)
    axis.add_patch(Rectangle((box, -0.48), 0.96, 0.96, facecolor=FIRM[0], linewidth=0))
    axis.text(box + 0.48, 0, "image\nfinger-\nprint", ha="center", va="center", fontsize=SMALL, color="white")
    for i, name in enumerate(["real", "GAN 1", "…", f"GAN {sources - 1}"]):
        y = 1.5 - i
        axis.annotate("", (box + 1.75, y), (box + 0.98, 0), arrowprops=ARROW)
        axis.add_patch(Rectangle((box + 1.75, y - 0.36), 0.95, 0.72, facecolor=FIRM[1], linewidth=0))
        axis.text(box + 2.225, y, name, ha="center", va="center", fontsize=SMALL, color="white")
    axis.text(box + 1.36, 0, "$\\odot$", ha="center", va="center", fontsize=11, color=INK, bbox=circle)
    axis.text(box + 2.225, 2.0, "model fingerprints", ha="center", fontsize=SMALL, color=INK)
    axis.text(box + 2.95, 0, "softmax", rotation=90, va="center", fontsize=SMALL, color=INK)


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
    axis.set_ylim(0, 1.18 * np.log(max(curves)))  # room for the names of the marks
    figure.legend(*axis.get_legend_handles_labels(), loc=BELOW, ncols=fit(len(curves)))
    return figure
