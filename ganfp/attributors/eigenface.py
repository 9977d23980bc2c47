"""Eigenface: principal components of raw pixels and a linear classifier (Tables 1-3 and 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ganfp.attributors.base import Attributor, Labelled, Progress

VARIANCES = (0.25, 0.5, 0.75, 0.95)
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(eq=False, kw_only=True)
class Eigenface(Attributor):
    """PCA of raw pixels, then a linear support vector machine, one class against the rest.

    variance: share of the variance that the kept components explain; penalty: the SVM's C.  None chooses from
    {0.25, 0.5, 0.75, 0.95} and {1e-4, ..., 1e-1} by validation accuracy, the smaller on a tie, and takes 0.95
    and 1e-2 without validation.  components: the most that are ever kept (what they explain is in
    ``chosen_``). pca_images: PCA sees at most so many training images, drawn with seed.  The paper states
    none of this; the grids are those of Frank et al., "Leveraging frequency analysis", ICML 2020.

    Each component is scaled to unit variance.  The classifiers at hand stay the same, but the SVM's penalty
    then treats faint components, where a GAN's traces are, like the strong ones, and the solver converges.

    PCA, scaling and SVM compose to one affine map, and only that is kept: ``scores = x W^T + b``.  They are fitted by
    scikit-learn, on the CPU whatever ``device`` is; scores are computed on the device.
    """

    method: ClassVar[str] = "eigenface"
    variance: float | None = None
    penalty: float | None = None
    components: int = 512
    pca_images: int = 10_000
    seed: int = 0

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        from sklearn.svm import LinearSVC

        pca = self._components(images)
        scale = np.sqrt(pca.explained_variance_)
        train = _project(pca, images) / scale
        held_out = None if validation is None else _project(pca, validation[0]) / scale
        explained = np.cumsum(pca.explained_variance_ratio_)

        variances, penalties = (VARIANCES, PENALTIES) if validation is not None else ((0.95,), (1e-2,))
        best = -1.0
        for variance in variances if self.variance is None else (self.variance,):
            kept = min(int(np.searchsorted(explained, variance)) + 1, len(explained))
            for penalty in penalties if self.penalty is None else (self.penalty,):
                svm = LinearSVC(C=penalty, dual="auto", random_state=self.seed).fit(train[:, :kept], codes)
                weights, bias = _one_row_per_class(svm)
                accuracy = 0.0
                if validation is not None and held_out is not None:
                    decided = (held_out[:, :kept] @ weights.T + bias).argmax(axis=1)
                    accuracy = float((decided == validation[1]).mean())
                if accuracy > best:
                    best = accuracy
                    self._compose(pca, scale, weights, bias)
                    self.chosen_ = {
                        "variance": variance,
                        "penalty": penalty,
                        "components": kept,
                        "explained": float(explained[kept - 1]),
                    }

    def _components(self, images: np.ndarray):
        """The principal components of the images, or of ``pca_images`` of them."""
        from sklearn.decomposition import PCA

        if len(images) > self.pca_images:
            drawn = np.random.default_rng(self.seed).choice(len(images), self.pca_images, replace=False)
            images = images[np.sort(drawn)]
        pixels = np.concatenate(list(pixel_blocks(images)))
        if not np.ptp(pixels, axis=0).any():
            raise ValueError("the training images are all the same; Eigenface needs some that differ")
        rank = min(len(pixels) - 1, pixels.shape[1])  # centred images have one rank less than their number
        exact = min(pixels.shape) <= 1024
        return PCA(
            n_components=min(self.components, rank),
            svd_solver="full" if exact else "randomized",
            random_state=self.seed,
        ).fit(pixels)

    def _compose(self, pca, scale: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> None:
        kept = weights.shape[1]
        composed = (weights / scale[:kept]).astype(np.float64) @ pca.components_[:kept]
        self.weights_ = composed.astype(np.float32)
        self.bias_ = (bias - composed @ pca.mean_).astype(np.float32)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        weights, bias = (torch.from_numpy(x).to(self.device) for x in (self.weights_, self.bias_))
        blocks = (torch.from_numpy(block).to(self.device) for block in pixel_blocks(images))
        return torch.cat([block @ weights.T + bias for block in blocks]).cpu().numpy()

    def _state(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights_, "bias": self.bias_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.weights_, self.bias_ = state["weights"], state["bias"]


def _one_row_per_class(svm) -> tuple[np.ndarray, np.ndarray]:
    """Weights (K, D) and bias (K,): for two classes scikit-learn gives one row, the second class's."""
    weights, bias = svm.coef_, svm.intercept_
    if len(svm.classes_) == 2:
        weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
    return weights, bias


def _project(pca, images: np.ndarray) -> np.ndarray:
    return np.concatenate([pca.transform(block) for block in pixel_blocks(images)])


def pixel_blocks(images: np.ndarray, size: int = 1024) -> Iterator[np.ndarray]:
    """The raw pixels of images as float32 vectors (n, 3 H W) in 0 ... 255, at most size images at a time."""
    for start in range(0, len(images), size):
        block = images[start : start + size]
        yield np.asarray(block, dtype=np.float32).reshape(len(block), -1)
