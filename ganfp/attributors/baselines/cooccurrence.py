"""Nataraj et al. 2019: how often two grey levels stand side by side."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor

LEVELS = 256


@dataclass(eq=False, kw_only=True)
class CoOccurrence(LinearAttributor):
    """Counts of the pairs of grey levels of horizontal neighbours in each colour, sparse (3 x 256 x 256,).

    Nataraj et al., "Detecting GAN generated fake images using co-occurrence matrices", Media Watermarking, Security
    and Forensics 2019.  There a network sees the three matrices as an image; of 32 pixels a matrix is nearly empty, and
    here they meet the linear model that all features here share.
    """

    penalty: float | None = 0.01  # each of several takes a minute

    method: ClassVar[str] = "cooccurrence"
    iterations: ClassVar[int] = 25
    standardise: ClassVar[bool] = False

    def _features(self, images: np.ndarray) -> Any:
        from scipy.sparse import csr_array

        n, wide = len(images), images.astype(np.int64)
        pair = wide[..., :-1] * LEVELS + wide[..., 1:] + np.arange(3)[:, None, None] * LEVELS**2
        columns = pair.reshape(n, -1)
        ends = np.arange(n + 1) * columns.shape[1]
        counts = csr_array((np.ones(columns.size, np.float32), columns.ravel(), ends), shape=(n, 3 * LEVELS**2))
        counts.sum_duplicates()
        return counts
