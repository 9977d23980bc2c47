"""Durall et al. 2020: the power of an image by frequency, averaged over directions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor, luminance, ring_means


@dataclass(eq=False, kw_only=True)
class Azimuthal(LinearAttributor):
    """Mean magnitudes in decibels over rings of frequency of the grey image, divided by the first, the mean grey's.

    Durall, Keuper, Keuper, "Watch your up-convolution", CVPR 2020, Section 2.2, and their code.
    """

    method: ClassVar[str] = "azimuthal"

    def _features(self, images: np.ndarray) -> np.ndarray:
        magnitude = np.abs(np.fft.fft2(luminance(images)))
        power = ring_means((20 * np.log10(magnitude + 1e-8)).astype(np.float32))
        return power / np.maximum(np.abs(power[:, :1]), 1.0)  # a black image has no first one
