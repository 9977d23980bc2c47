"""JPEG ghosts (Farid 2009): has an image been a JPEG file once, whatever its file is now?

JPEG rounds the frequencies of each block of 8 x 8 pixels to multiples of a step that its quality sets.  An image that
has been rounded so loses little when it is saved again at that quality: the difference dips below its neighbours'.
"""

import math
from collections.abc import Sequence

import numpy as np

from ganfp import attacks

QUALITIES = tuple(range(50, 100, 2))
SHEET = 1024  # pixels: the side of what is coded as one file
THRESHOLD = 0.1  # of a dip: images that never were JPEGs, of whatever source, were seen to stay under 0.05


def differences(images: np.ndarray, qualities: Sequence[int] = QUALITIES) -> np.ndarray:
    """Mean squared difference, in grey levels, that one more JPEG of each quality makes: (N, Q).

    images: uint8 (N, 3, H, H).  Chroma is kept at full resolution, so that only the rounding is seen.
    """
    sheets, found = _sheets(images), []
    for quality in qualities:
        again = attacks.attack("compression", sheets, 0, low=quality, high=quality, subsampling="4:4:4")
        squared = ((again.astype(np.float32) - sheets) ** 2).sum(axis=1)
        size = images.shape[-1]
        tiles = squared.reshape(-1, squared.shape[1] // size, size, squared.shape[2] // size, size)
        found.append(tiles.sum(axis=(2, 4)).reshape(-1)[: len(images)] / images[0].size)
    return np.stack(found, axis=1)


def _sheets(images: np.ndarray) -> np.ndarray:
    """Images in few square sheets, padded with black ones: uint8 (M, 3, S, S).

    One file for many images costs a fifth of the time, and nothing else changes: JPEG codes every block of 8 x 8 by
    itself.  Where blocks would reach over an image's edge, each image is a sheet of its own.
    """
    count, _, size, _ = images.shape
    side = 1 if size % 8 else min(SHEET // size, math.isqrt(count - 1) + 1)
    padded = np.zeros((-(-count // side**2) * side**2, 3, size, size), np.uint8)
    padded[:count] = images
    tiles = padded.reshape(-1, side, side, 3, size, size).transpose(0, 3, 1, 4, 2, 5)
    return tiles.reshape(-1, 3, side * size, side * size)


def dips(differences: np.ndarray) -> np.ndarray:
    """How far each difference lies under the geometric mean of its neighbours, as a natural logarithm: (N, Q - 2)."""
    log = np.log(differences + 0.1)  # a tenth of a grey level squared: what rounding to bytes leaves anyway
    return (log[:, :-2] + log[:, 2:]) / 2 - log[:, 1:-1]
