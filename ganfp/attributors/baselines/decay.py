"""Dzanic et al. 2020: how the spectrum decays towards its end."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor, ring_means

FROM = 0.75  # of the highest frequency, where the tail begins
FLOOR = 1e-12  # added to normalised power


@dataclass(eq=False, kw_only=True)
class Decay(LinearAttributor):
    """Level and exponent of the power law b (k / k_T)^p that fits each colour's spectrum from k_T upwards, (6,).

    The spectrum is power by ring of frequency k over that of the mean; k_T is three quarters of the highest k, R / 2.
    Fitted by least squares of logarithms, and the level is log b.  Dzanic, Shah, Witherden, "Fourier spectrum
    discrepancies in deep network generated images", NeurIPS 2020, Section 4; they ask nearest neighbours where this
    asks the linear model that all features here share.
    """

    method: ClassVar[str] = "decay"

    def _features(self, images: np.ndarray) -> np.ndarray:
        power = ring_means((np.abs(np.fft.fft2(images.astype(np.float32))) ** 2).astype(np.float32))
        highest = images.shape[-1] // 2
        start = round(FROM * highest)
        tail = power[..., start : highest + 1].astype(np.float64)
        values = np.log(tail / np.maximum(power[..., :1], 1.0) + FLOOR)
        k = np.log(np.arange(start, highest + 1) / start)
        solve = np.linalg.pinv(np.stack([np.ones_like(k), k], axis=1))  # (2, tail)
        return (values @ solve.T).reshape(len(images), -1).astype(np.float32)
