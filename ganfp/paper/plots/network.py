"""The attribution network as the paper draws it."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganfp.attributors.summary import Layer
from ganfp.paper.plots.style import INK, MUTED, PALETTE, WIDTH, shown_once


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
            if channels == 3  # an image, or a band of one
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
    """A layer whose output is the last of its kind: a band, a pooling, the last convolution, a dense layer."""
    ends = ("blur", "less", "mean", "dense")
    return found[i].kind.startswith(ends) or (i + 1 < len(found) and not found[i + 1].window)
