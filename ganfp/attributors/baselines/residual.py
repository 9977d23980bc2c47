"""Corvi et al. 2023: the spectrum and the autocorrelation of what a denoiser takes away."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors import prnu
from ganfp.attributors.baselines.linear import LinearAttributor

LAGS = 4  # pixels
FLOOR = 1e-6  # added to power


@dataclass(eq=False, kw_only=True)
class ResidualSpectrum(LinearAttributor):
    """Logarithm of the residual's power by frequency, (R (R / 2 + 1),), and its autocorrelation up to 4 pixels, (45,).

    Both are means over the colours; autocorrelation is cyclic, and 1 without a shift.  Corvi et al., "Intriguing
    properties of synthetic images", CVPR workshops 2023, Sections 3 and 4.  There both are means over many images;
    an attribution has one.  The denoiser is PRNU's, of strength ``sigma`` in grey levels.
    """

    sigma: float = 2.0

    method: ClassVar[str] = "residual"

    def _features(self, images: np.ndarray) -> np.ndarray:
        noise = prnu.residuals(images, self.sigma, levels=4, device=self.device)
        noise -= noise.mean(axis=(-2, -1), keepdims=True)
        power = (np.abs(np.fft.rfft2(noise, norm="ortho")) ** 2).mean(axis=1)
        lagged = np.roll(np.fft.irfft2(power, s=noise.shape[-2:]), LAGS, axis=-2)[:, : 2 * LAGS + 1, : LAGS + 1]
        shape = lagged / np.maximum(lagged[:, LAGS : LAGS + 1, :1], FLOOR)
        parts = np.log(power + FLOOR), shape
        return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1).astype(np.float32)
