"""Attribution by the learned classifier ("Ours" in the paper's tables; Section 3.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ganfp.attributors.base import Change, Labelled, Progress
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.neural import NeuralAttributor


@dataclass(eq=False, kw_only=True)
class CNN(NeuralAttributor[AttributionNetwork]):
    """The paper's network, trained with cross-entropy.

    ``boost``: how many times louder it hears high frequencies, see ``ganfp.attributors.pyramid.boosted``.
    ``band`` and ``factor``: the frequencies that it sees, the ``low`` or ``high`` band at a resolution that is so many
    times smaller (Figure 2b, c).  ``pool_at``: the resolution at which features are averaged, 0 for never (Figure 2d).
    """

    band: str = "low"
    factor: int = 1
    pool_at: int = 0
    boost: float = 1.0

    method: ClassVar[str] = "cnn"

    @classmethod
    def cost(cls, settings: Mapping[str, Any], images: int, resolution: int) -> float:
        one = cls(**settings)
        return 6e-10 * one.images * one.fmap_base**2 * 3 / one.factor

    def _fine_tune(
        self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress, change: Change
    ) -> None:
        self._train(images, codes, validation, progress, change)

    def _network(self) -> AttributionNetwork:
        size = self.resolution_, len(self.classes_), self.fmap_base, self.fmap_max
        return AttributionNetwork(*size, self.band, self.factor, self.pool_at, self.boost)

    def _scores_and_features(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def both(x: torch.Tensor) -> torch.Tensor:
            features = self.network_.features(x)
            return torch.cat([self.network_.classify(features), features], dim=1)

        scores, features = np.split(self._run(both, images), [len(self.classes_)], axis=1)
        return scores, features

    def features(self, images: np.ndarray) -> np.ndarray:
        """Image fingerprints (N, D) float32: what the last dense layer sees (D = 512 at the paper's size)."""
        return self._scores_and_features(self._checked(images))[1]

    @property
    def fingerprints_(self) -> np.ndarray:
        """Model fingerprints (K, D) float32, rows as ``classes_``: the weight vectors of the last dense layer."""
        return self.network_.classify.kernel().detach().cpu().numpy()
