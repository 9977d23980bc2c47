"""Images side by side."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ganfp.paper.plots.style import WIDTH, bare, shown_once
from ganfp.paper.table import readable


@shown_once
def image_rows(images: Mapping[str, np.ndarray], zoom: float = 1.0) -> Figure:
    """One row of images per source, (N, 3, R, R) uint8 each, every pixel a square (Figure 4)."""
    columns = max(len(row) for row in images.values())
    figure, axes = plt.subplots(len(images), 1, figsize=(WIDTH * zoom, WIDTH * zoom * len(images) / columns * 1.02))
    for axis, (name, row) in zip(np.atleast_1d(axes), images.items(), strict=True):
        axis.imshow(montage(row, 1))
        axis.set_ylabel(readable(name), rotation=0, ha="right", va="center", labelpad=8)
        bare(axis)
    return figure


@shown_once
def image_grid(images: np.ndarray, rows: int, title: str = "", width: float = WIDTH) -> Figure:
    """Images (N, 3, R, R) uint8 side by side in ``rows`` rows."""
    columns = -(-len(images) // rows)
    figure, axis = plt.subplots(figsize=(width, width * rows / columns))
    axis.imshow(montage(images, rows))
    axis.set_title(title)
    bare(axis)
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
        bare(axis)
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
