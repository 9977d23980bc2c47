"""k nearest neighbours on raw pixels: the weakest rival of Tables 1-3 and 6."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ganfp.attributors.base import Attributor, Labelled, Progress, cut, on_device

LARGEST = 1025
SHARE = 0.1
VALUES = 2**25  # of pixels that are held as float64 at a time


@dataclass(eq=False, kw_only=True)
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

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        if self.neighbours is not None and not 1 <= self.neighbours <= len(images):
            raise ValueError(f"neighbours = {self.neighbours}, with {len(images)} training images")
        self._images, self._labels = images, codes
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

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        k = self.chosen_["neighbours"]  # what breaks ties is a multiple of 1 / (k + 1) and below 1, but for rounding
        return np.floor(scores.astype(np.float64) * k + 0.5 / (k + 1)) / k

    def _nearest(self, images: np.ndarray, k: int) -> np.ndarray:
        """The classes of the k nearest training images, nearest first, (N, k).

        Squared distances are whole numbers, and float64 holds them exactly; of equal ones the earlier image is nearer.
        """
        count, parts = len(self._images), _parts(images)
        nearest = [torch.empty(len(images[part]), 0, dtype=torch.float64, device=self.device) for part in parts]
        for some in _parts(self._images):
            reference = _vectors(self._images[some], self.device)
            numbers = torch.arange(some.start, some.start + len(reference), device=self.device)
            for i, part in enumerate(parts):
                query = _vectors(images[part], self.device)
                squares = query.square().sum(1, keepdim=True) + reference.square().sum(1)
                keys = squares.addmm_(query, reference.T, alpha=-2).mul_(count).add_(numbers)
                keys = torch.cat([nearest[i], keys], dim=1)
                nearest[i] = keys.topk(min(k, keys.shape[1]), largest=False).values
        return self._labels[torch.cat(nearest).remainder(count).long().cpu().numpy()]

    def _state(self) -> dict[str, np.ndarray]:
        return {"images": self._images, "labels": self._labels}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self._images, self._labels = state["images"], state["labels"]


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


def _parts(images: np.ndarray) -> list[slice]:
    return cut(images, VALUES // images[0].size)


def _vectors(images: np.ndarray, device: str) -> Tensor:
    return on_device(images, device).flatten(1).double()
