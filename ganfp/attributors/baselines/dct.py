"""Frank et al. 2020: the cosine transform of the whole image and a linear model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor

FLOOR = 1e-3  # added to magnitudes, so that a flat image has a logarithm


@dataclass(eq=False, kw_only=True)
class DCT(LinearAttributor):
    """Logarithms of the magnitudes of the orthonormal DCT-II of each colour, (3 R R,), standardised by coefficient.

    Frank et al., "Leveraging frequency analysis for deep fake image recognition", ICML 2020, Section 4.
    """

    method: ClassVar[str] = "dct"

    def _features(self, images: np.ndarray) -> np.ndarray:
        from scipy.fft import dctn

        waves = dctn(images.astype(np.float32), axes=(-2, -1), norm="ortho")
        return np.log(np.abs(waves) + FLOOR).reshape(len(images), -1)
