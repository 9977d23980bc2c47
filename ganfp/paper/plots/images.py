"""Images side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ganfp.paper.plots.parts import panels, picture
from ganfp.paper.plots.style import WIDTH
from ganfp.paper.table import readable


def image_rows(images: Mapping[str, np.ndarray]) -> Figure:
    """One row of images per source, (N, 3, R, R) uint8 each, every pixel a square (Figure 4)."""
    columns = max(map(len, images.values()))
    figure, axes = panels(WIDTH * len(images) / columns * 1.02, len(images), columns=1)
    for axis, (name, row) in zip(axes, images.items(), strict=True):
        picture(axis, montage(row, 1))
        axis.set_ylabel(readable(name), rotation=0, ha="right", va="center", labelpad=8)
    return figure


def image_grid(images: np.ndarray, rows: int) -> Figure:
    """Images (N, 3, R, R) uint8 side by side in ``rows`` rows."""
    figure, (axis,) = panels(WIDTH * rows / -(-len(images) // rows))
    picture(axis, montage(images, rows))
    return figure


def image_grids(images: Mapping[str, np.ndarray], rows: int) -> Figure:
    """:func:`image_grid` of several data sets, one below the other under their names."""
    columns = -(-max(map(len, images.values())) // rows)
    figure, axes = panels(len(images) * (WIDTH * rows / columns + 0.25), len(images), columns=1)
    for axis, (name, found) in zip(axes, images.items(), strict=True):
        picture(axis, montage(found, rows), name, {"loc": "left"})
    return figure


def montage(images: np.ndarray, rows: int) -> np.ndarray:
    """Images (N, 3, R, R) as one (H, W, 3) picture, white gaps of a pixel between them."""
    images = np.asarray(images)
    columns, side = -(-len(images) // rows), images.shape[-1] + 1
    canvas = np.full((rows * columns, 3, side, side), 255, np.uint8)
    canvas[: len(images), :, :-1, :-1] = images
    canvas = canvas.reshape(rows, columns, 3, side, side).transpose(0, 3, 1, 4, 2)
    return canvas.reshape(rows * side, columns * side, 3)[:-1, :-1]
