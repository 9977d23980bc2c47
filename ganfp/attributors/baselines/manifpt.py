"""Song et al. 2024 (ManiFPT): an artifact is what lies between an image and the nearest real one."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ganfp.attributors.baselines.linear import LinearAttributor

FLOOR = 1e-3  # added to magnitudes


@dataclass(eq=False, kw_only=True)
class ManiFPT(LinearAttributor):
    """An image's embedding less that of the nearest training image of the class ``real``, (D,).

    A real training image is not its own neighbour.  Song, Khayatkhoei, AbdAlmageed, "ManiFPT: defining and analyzing
    fingerprints of generative models", CVPR 2024, Section 3; they show artifacts to a network, and this to the linear
    model that all features here share.  ``ValueError`` if no or one training image is real.
    """

    real: str = "real"

    @abstractmethod
    def _embed(self, images: np.ndarray) -> np.ndarray:
        """The space in which images are compared and subtracted: (n, D) float32."""

    def _training_features(self, images: np.ndarray, codes: np.ndarray) -> np.ndarray:
        rows = np.flatnonzero(self.classes_[codes] == self.real)
        if len(rows) < 2:
            raise ValueError(f"{type(self).__name__} needs two training images of class {self.real!r}, not {len(rows)}")
        self.real_ = np.asarray(images[rows])
        features = self._of(images)
        features[rows] = self._artifacts(self._embed(self.real_), own=True)
        return features

    def _features(self, images: np.ndarray) -> np.ndarray:
        return self._artifacts(self._embed(images))

    def _artifacts(self, points: np.ndarray, own: bool = False) -> np.ndarray:
        manifold = self._embed(self.real_)
        distances = (manifold**2).sum(axis=1) - 2 * points @ manifold.T  # but for a constant of each point
        if own:
            np.fill_diagonal(distances, np.inf)
        return points - manifold[distances.argmin(axis=1)]

    def _state(self) -> dict[str, np.ndarray]:
        return {**super()._state(), "real": self.real_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        super()._restore(state)
        self.real_ = state["real"]


@dataclass(eq=False, kw_only=True)
class ManiFPTPixels(ManiFPT):
    """Artifacts among pixels, in grey levels over 255: ManiFPT's RGB."""

    method: ClassVar[str] = "manifpt_rgb"

    def _embed(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1).astype(np.float32) / 255


@dataclass(eq=False, kw_only=True)
class ManiFPTFrequencies(ManiFPT):
    """Artifacts among logarithms of the magnitudes of each colour's Fourier transform: ManiFPT's FREQ."""

    method: ClassVar[str] = "manifpt_freq"

    def _embed(self, images: np.ndarray) -> np.ndarray:
        magnitude = np.abs(np.fft.rfft2(images.astype(np.float32), norm="ortho"))
        return np.log(magnitude + FLOOR).astype(np.float32).reshape(len(images), -1)
