"""Eigenface: principal components of raw pixels and a linear classifier (Tables 1-3 and 6)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from ganfp.attributors.base import Attributor, Labelled, Progress, cut

VARIANCES = (0.25, 0.5, 0.75, 0.95)
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
BLOCK = 1024  # images whose pixels are held as float32 at a time


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

        variances, penalties = ((0.95,), (1e-2,)) if validation is None else (VARIANCES, PENALTIES)
        best = -1.0
        for variance in variances if self.variance is None else (self.variance,):
            kept = min(int(np.searchsorted(explained, variance)) + 1, len(explained))
            for penalty in penalties if self.penalty is None else (self.penalty,):
                svm = LinearSVC(C=penalty, dual="auto", random_state=self.seed).fit(train[:, :kept], codes)
                weights, bias = svm.coef_, svm.intercept_
                if len(bias) == 1:  # of two classes scikit-learn has the second one's alone
                    weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
                accuracy = 0.0
                if validation is not None and held_out is not None:
                    accuracy = ((held_out[:, :kept] @ weights.T + bias).argmax(axis=1) == validation[1]).mean()
                if accuracy > best:
                    best = accuracy
                    composed = (weights / scale[:kept]).astype(np.float64) @ pca.components_[:kept]
                    self.weights_ = composed.astype(np.float32)
                    self.bias_ = (bias - composed @ pca.mean_).astype(np.float32)
                    self.chosen_ = dict(variance=variance, penalty=penalty, components=kept)
                    self.chosen_["explained"] = float(explained[kept - 1])

    def _components(self, images: np.ndarray):
        """The principal components of the images, or of ``pca_images`` of them."""
        from sklearn.decomposition import PCA

        if len(images) > self.pca_images:
            drawn = np.random.default_rng(self.seed).choice(len(images), self.pca_images, replace=False)
            images = images[np.sort(drawn)]
        pixels = _pixels(images)
        if not np.ptp(pixels, axis=0).any():
            raise ValueError("the training images are all the same; Eigenface needs some that differ")
        rank = min(len(pixels) - 1, pixels.shape[1])  # centred images have one rank less than their number
        solver = "full" if min(pixels.shape) <= 1024 else "randomized"
        return PCA(min(self.components, rank), svd_solver=solver, random_state=self.seed).fit(pixels)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        weights, bias = (torch.from_numpy(x).to(self.device) for x in (self.weights_, self.bias_))
        blocks = (torch.from_numpy(_pixels(images[part])).to(self.device) for part in cut(images, BLOCK))
        return torch.cat([block @ weights.T + bias for block in blocks]).cpu().numpy()

    def _state(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights_, "bias": self.bias_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.weights_, self.bias_ = state["weights"], state["bias"]


def _project(pca, images: np.ndarray) -> np.ndarray:
    return np.concatenate([pca.transform(_pixels(images[part])) for part in cut(images, BLOCK)])


def _pixels(images: np.ndarray) -> np.ndarray:
    """Raw pixels as float32 vectors (n, 3 H W) in 0 ... 255."""
    return np.asarray(images, dtype=np.float32).reshape(len(images), -1)
