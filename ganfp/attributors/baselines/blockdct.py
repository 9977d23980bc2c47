"""Giudice et al. 2021: the statistics of the cosine transform of blocks of 8 x 8 pixels."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor, luminance

SIDE = 8


@dataclass(eq=False, kw_only=True)
class BlockDCT(LinearAttributor):
    """A Laplace distribution's scale, deviation / sqrt 2, of each AC coefficient over the grey image's blocks, (63,).

    Giudice, Guarnera, Battiato, "Fighting deepfakes by detecting GAN DCT anomalies", J. Imaging 2021, Section 3.
    """

    method: ClassVar[str] = "blockdct"

    def _features(self, images: np.ndarray) -> np.ndarray:
        from scipy.fft import dctn

        n, blocks = len(images), images.shape[-1] // SIDE
        if blocks < 2:
            raise ValueError(
                f"images of {images.shape[-1]} px are too small for BlockDCT: it needs two blocks of {SIDE} px"
            )
        grey = luminance(images)[:, : blocks * SIDE, : blocks * SIDE]
        cut = grey.reshape(n, blocks, SIDE, blocks, SIDE).transpose(0, 1, 3, 2, 4)
        waves = dctn(cut, axes=(-2, -1), norm="ortho").reshape(n, blocks**2, SIDE**2)[..., 1:]
        return (waves.std(axis=1) / 2**0.5).astype(np.float32)
