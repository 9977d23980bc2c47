"""What the methods with hand-made features share: standardised features and one linear model."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ganfp.attributors.base import Attributor, Labelled, Progress, cut

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)  # scikit-learn's C
BLOCK = 512  # images whose features are computed at a time
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(eq=False, kw_only=True)
class LinearAttributor(Attributor):
    """Features of single images and multinomial logistic regression, on the CPU whatever ``device`` is.

    penalty: the C of scikit-learn's ``LogisticRegression``; None chooses from ``PENALTIES`` by validation accuracy, the
    smaller on a tie, and takes 0.01 without validation.  Standardising and regression compose to one affine map of the
    features, and only that is kept: ``scores = features W^T + b``.
    """

    penalty: float | None = None

    iterations: ClassVar[int] = 60  # at most, for each penalty
    standardise: ClassVar[bool] = True  # features to mean 0 and deviation 1; without, they may be sparse

    @classmethod
    def cost(cls, settings: Mapping[str, Any], images: int, resolution: int) -> float:
        return 2e-3 * images

    @abstractmethod
    def _features(self, images: np.ndarray) -> Any:
        """Features (n, D) float32 of checked images, a scipy.sparse array where ``standardise`` is off."""

    def _training_features(self, images: np.ndarray, codes: np.ndarray) -> Any:
        return self._of(images)

    def _of(self, images: np.ndarray) -> Any:
        parts = [self._features(images[part]) for part in cut(images, BLOCK)]
        if self.standardise:
            return np.concatenate(parts)
        from scipy.sparse import vstack

        return vstack(parts, format="csr")

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        train = self._training_features(images, codes)
        progress(0.4)
        mean, scale = 0.0, 1.0
        if self.standardise:
            mean, scale = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
            scale = np.where(scale > 1e-6 * np.abs(mean), scale, np.inf)  # what never changes says nothing
            train = ((train - mean) / scale).astype(np.float32)
        held_out = None if validation is None else self._of(validation[0])
        penalties = (0.01,) if validation is None else PENALTIES
        best, model = -1.0, LogisticRegression(max_iter=self.iterations, warm_start=True)
        for penalty in penalties if self.penalty is None else (self.penalty,):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # to stop early is to penalise more
                model.set_params(C=penalty).fit(train, codes)
            weights, bias = model.coef_, model.intercept_
            if len(bias) == 1:  # of two classes scikit-learn has the second one's alone
                weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
            weights = weights / scale
            bias = bias - (weights * mean).sum(axis=1)
            right = 0.0
            if validation is not None and held_out is not None:
                right = ((held_out @ weights.T + bias).argmax(axis=1) == validation[1]).mean()
            if right > best:
                best, self.chosen_ = right, {"penalty": penalty}
                self.weights_, self.bias_ = weights.astype(np.float32), bias.astype(np.float32)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._of(images) @ self.weights_.T + self.bias_

    def _state(self) -> dict[str, np.ndarray]:
        return {"weights": self.weights_, "bias": self.bias_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.weights_, self.bias_ = state["weights"], state["bias"]


def luminance(images: np.ndarray) -> np.ndarray:
    """Grey images (n, H, W) float32 in 0 ... 255 of uint8 (n, 3, H, W)."""
    return np.einsum("nchw,c->nhw", images.astype(np.float32), LUMA)


def rings(size: int) -> np.ndarray:
    """The frequency, in whole cycles per picture, of each coefficient of a Fourier transform: (size, size) int."""
    frequency = np.fft.fftfreq(size, 1 / size)
    return np.rint(np.hypot(frequency[:, None], frequency[None])).astype(int)


def ring_means(values: np.ndarray) -> np.ndarray:
    """Means over each ring of frequencies, 0 first, of (..., R, R): (..., rings)."""
    ring = rings(values.shape[-1]).ravel()
    member = np.eye(ring.max() + 1, dtype=np.float32)[ring] / np.bincount(ring)
    return values.reshape(*values.shape[:-2], -1) @ member.astype(np.float32)
