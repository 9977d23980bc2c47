"""Images side by side, as they are and after an attack."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from ganfp.paper.plots.parts import panels, picture
from ganfp.paper.plots.style import PLAIN, SMALL, drawn, narrow, width
from ganfp.paper.table import readable

AMPLIFIED = 4  # a difference is shown so many times as large


@drawn
def image_rows(images: Mapping[str, np.ndarray]) -> Figure:
    """One row of images per source, (N, 3, R, R) uint8 each, every pixel a square (Figure 4)."""
    columns = max(map(len, images.values()))
    figure, axes = panels(width() * len(images) / columns * 1.02, len(images), columns=1)
    for axis, (name, row) in zip(axes, images.items(), strict=True):
        picture(axis, montage(row, 1))
        axis.set_ylabel(readable(name), rotation=0, ha="right", va="center", labelpad=8)
    return figure


@drawn
def image_grid(images: np.ndarray, rows: int) -> Figure:
    """Images (N, 3, R, R) uint8 side by side in ``rows`` rows."""
    figure, (axis,) = panels(width() * rows / -(-len(images) // rows))
    picture(axis, montage(images, rows))
    return figure


@drawn
def image_grids(images: Mapping[str, np.ndarray], rows: int) -> Figure:
    """:func:`image_grid` of several data sets, one below the other under their names."""
    columns = -(-max(map(len, images.values())) // rows)
    figure, axes = panels(len(images) * (width() * rows / columns + 0.25), len(images), columns=1)
    for axis, (name, found) in zip(axes, images.items(), strict=True):
        picture(axis, montage(found, rows), name, {"loc": "left"})
    return figure


def montage(images: np.ndarray, rows: int) -> np.ndarray:
    """Images (N, 3, R, R) as one (H, W, 4) picture, transparent gaps of a pixel between them."""
    images = np.asarray(images)
    columns, side = -(-len(images) // rows), images.shape[-1] + 1
    canvas = np.zeros((rows * columns, 4, side, side), np.uint8)
    canvas[: len(images), :3, :-1, :-1] = images
    canvas[: len(images), 3, :-1, :-1] = 255
    canvas = canvas.reshape(rows, columns, 4, side, side).transpose(0, 3, 1, 4, 2)
    return canvas.reshape(rows * side, columns * side, 4)[:-1, :-1]


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What changed between uint8 images, as uint8: mid-grey for nothing, ``AMPLIFIED`` times as large."""
    return np.clip(np.rint(128 + AMPLIFIED * (after.astype(np.float32) - before)), 0, 255).astype(np.uint8)


@drawn
def attack_columns(worlds: Mapping[str, tuple[Sequence[str], np.ndarray]]) -> Figure:
    """Figure 6, for each data set: images (rows, K, 3, R, R) in columns under the names of the attacks.

    The first column is the image as it was; the last row is what was changed in the one above it.
    """
    (names, images), *_ = worlds.values()
    rows, columns = images.shape[:2]
    size = len(worlds) * (width() / columns * (rows + 1) + 0.35)
    figure, axes = panels(size, len(worlds) * columns, columns)
    for line, (dataset, (_, images)) in zip(np.reshape(axes, (-1, columns)), worlds.items(), strict=True):
        changed = np.stack([difference(images[-1, 0], image) for image in images[-1]])
        for i, (axis, name) in enumerate(zip(line, names, strict=True)):
            column = montage(np.concatenate([images[:, i], changed[i : i + 1]]), rows + 1)
            slant = {"rotation": 90} if narrow() else {}  # names are wider than a narrow page's columns
            picture(axis, column, "no attack" if name == "none" else name, PLAIN | {"fontsize": SMALL} | slant)
        line[0].set_ylabel(dataset if len(worlds) > 1 else "")
    return figure


@drawn
def attacked_rows(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Attacked images of every source, a row each, and beside them what the attack changed (Figures 15-21, 29-35).

    Where nothing changed, the images alone.
    """
    changed = any((before != after).any() for before, after in pairs.values())
    left = np.concatenate([after for _, after in pairs.values()])
    right = np.concatenate([difference(*pair) for pair in pairs.values()])
    shown = {"attacked": left, f"change, {AMPLIFIED} times": right} if changed else {"": left}
    rows = len(pairs)
    figure, axes = panels(width() / len(shown) * rows / (len(left) // rows) + 0.3, len(shown))
    for axis, (title, images) in zip(axes, shown.items(), strict=True):
        picture(axis, montage(images, rows), title, PLAIN)
    side = left.shape[-1] + 1
    axes[0].set_yticks([side * (i + 0.5) for i in range(rows)], [readable(name) for name in pairs])
    axes[0].tick_params(axis="y", length=0)
    return figure
