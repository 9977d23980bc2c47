"""The attribution network as the paper draws it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.attributors.summary import Layer
from ganfp.paper.plots.parts import panels
from ganfp.paper.plots.style import INK, MUTED, PALETTE

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
        len(tensors) - 1: (f"{classes}\nsources", "#a06f10", PALETTE[2]),
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
        axis.text(x + width / 2, -1.35, text, ha="center", va="top", fontsize=8, color=INK)
        if i + 1 < len(tensors):
            arrow = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 0, "shrinkB": 0}
            axis.annotate("", (x + width + 0.36, 0), (x + width + 0.06, 0), arrowprops=arrow)
        if name:
            axis.text(x + width / 2, 0.5, name, ha="center", va="bottom", fontsize=8, color=ink)
        x += width + 0.42
    axis.set(xlim=(-0.2, x - 0.2), ylim=(-2.0, 1.35))
    axis.set_aspect("equal")
    axis.axis("off")
    return figure
