"""JPEG ghosts (Farid 2009): has an image been a JPEG file once, whatever its file is now?

JPEG rounds the frequencies of each block of 8 x 8 pixels to multiples of a step that its quality sets.  An image that
has been rounded so loses little when it is saved again at that quality: the difference dips below its neighbours'.
"""

from collections.abc import Sequence

import numpy as np

from ganfp import attacks

QUALITIES = tuple(range(50, 100, 2))
THRESHOLD = 0.1  # of a dip: images that never were JPEGs, of whatever source, were seen to stay under 0.05


def differences(images: np.ndarray, qualities: Sequence[int] = QUALITIES) -> np.ndarray:
    """Mean squared difference, in grey levels, that one more JPEG of each quality makes: (N, Q).

    images: uint8 (N, 3, H, H).  Chroma is kept at full resolution, so that only the rounding is seen.
    """
    found = []
    for quality in qualities:
        again = attacks.attack("compression", images, 0, low=quality, high=quality, subsampling="4:4:4")
        found.append(((again.astype(np.float32) - images) ** 2).mean(axis=(1, 2, 3)))
    return np.stack(found, axis=1)


def dips(differences: np.ndarray) -> np.ndarray:
    """How far each difference lies under the geometric mean of its neighbours, as a natural logarithm: (N, Q - 2)."""
    log = np.log(differences + 0.1)  # a tenth of a grey level squared: what rounding to bytes leaves anyway
    return (log[:, :-2] + log[:, 2:]) / 2 - log[:, 1:-1]
