"""k nearest neighbours on raw pixels: the weakest rival of Tables 1-3 and 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.base import Attributor, Labelled, pixel_blocks

LARGEST = 1025
SHARE = 0.1


@dataclass(eq=False)
class KNN(Attributor):
    """Votes of the k training images nearest in Euclidean distance between raw pixels.

    neighbours: k; None chooses it among 1, 3, 5, 9, 17, ..., 1025 (at most a tenth of the training images) by
    validation accuracy, the smallest k on a tie, and takes 1 without validation.  The paper states neither k
    nor the metric; this grid is that of Frank et al., "Leveraging frequency analysis", ICML 2020.

    Scores are vote shares plus less than one vote's worth for the nearest member, so that equal votes go to
    the class whose nearest member is nearest.  Probabilities are the vote shares themselves, without a
    temperature.
    """

    method: ClassVar[str] = "knn"
    neighbours: int | None = None

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None) -> None:
        if self.neighbours is not None and not 1 <= self.neighbours <= len(images):
            raise ValueError(f"neighbours = {self.neighbours}, with {len(images)} training images")
        self._index(images, codes)
        k = self.neighbours or 1
        if self.neighbours is None and validation is not None:
            ks = candidates(len(images))
            nearest = self._nearest(validation[0], ks[-1])  # one search serves every k
            decided = [ranking(nearest[:, :k], len(self.classes_)).argmax(axis=1) for k in ks]
            k = ks[int(np.argmax([(d == validation[1]).mean() for d in decided]))]
        self.chosen_ = {"neighbours": k}

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return ranking(self._nearest(images, self.chosen_["neighbours"]), len(self.classes_))

    def _temperature(self, validation: Labelled) -> float:
        return 1.0

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """The share of the k neighbours that each class has, (N, K)."""
        images = self._checked(images)
        if not len(images):
            return np.zeros((0, len(self.classes_)))
        nearest = self._nearest(images, self.chosen_["neighbours"])
        return np.stack([(nearest == c).mean(axis=1) for c in range(len(self.classes_))], axis=1)

    def _index(self, images: np.ndarray, codes: np.ndarray) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._images, self._labels = images, codes
        # Trees do not help in thousands of dimensions; brute force is one matrix product per block.
        self._search = NearestNeighbors(algorithm="brute").fit(np.concatenate(list(pixel_blocks(images))))

    def _nearest(self, images: np.ndarray, k: int) -> np.ndarray:
        """The classes of the k nearest training images, nearest first, (N, k)."""
        found = [self._search.kneighbors(block, k, return_distance=False) for block in pixel_blocks(images)]
        return self._labels[np.concatenate(found)]

    def _state(self) -> dict[str, np.ndarray]:
        return {"images": self._images, "labels": self._labels}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self._index(state["images"], state["labels"])


def candidates(count: int) -> list[int]:
    """1, 3, 5, 9, 17, ... (powers of two, plus one) up to a tenth of the training images and 1025."""
    limit = min(LARGEST, int(SHARE * count))
    return [1] + [k for k in (2**power + 1 for power in range(1, 11)) if k <= limit]


def ranking(nearest: np.ndarray, classes: int) -> np.ndarray:
    """Vote shares (N, K) with ties broken, from the classes of the neighbours (N, k), nearest first."""
    k = nearest.shape[1]
    columns = []
    for c in range(classes):
        member = nearest == c
        first = np.where(member.any(axis=1), member.argmax(axis=1), k)
        columns.append((member.sum(axis=1) + (k - first) / (k + 1)) / k)
    return np.stack(columns, axis=1)
