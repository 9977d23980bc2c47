"""What every attribution method has in common: checks, classes, probabilities, and files.

A method is a dataclass of its settings plus four functions: ``_fit`` and ``_scores`` get checked arrays,
``_state`` and ``_restore`` turn what was learned into named arrays and back.
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ganfp.attributors.calibration import fit_temperature, softmax
from ganfp.files import replacing, sha256, write_json

Labelled = tuple[np.ndarray, np.ndarray]
"""Images (N, 3, H, W) uint8 and, for each, its column in ``classes_`` (N,) int64."""

WEIGHTS, SIDECAR = "model.safetensors", "model.json"
FORMAT = 1
ENTRIES = {"format", "method", "config", "classes", "resolution", "temperature", "chosen", "shapes", "sha256"}


class NotFittedError(RuntimeError):
    """The attributor was asked about images before ``fit``."""


@dataclass(eq=False)
class Attributor(ABC):
    """Tells which of several known sources an image comes from (paper, Section 3.1).

    Images are uint8 (N, 3, H, H), all of the resolution seen in ``fit``; another size is an error, never a
    silent resize, which would destroy the fingerprint.  After ``fit``:

    ``classes_``      source names, sorted: the columns of ``scores`` and ``predict_proba``
    ``resolution_``   side of the images in pixels
    ``chosen_``       what was chosen on the validation images (hyper-parameters, stopping), plain JSON values
    ``temperature_``  of the probabilities, fitted on the validation images; 1 where ``fit`` got none
    """

    method: ClassVar[str]

    # ---------------------------------------------------------------- for users
    def fit(
        self,
        images: np.ndarray,
        labels: Sequence[str],
        validation: tuple[np.ndarray, Sequence[str]] | None = None,
    ) -> Attributor:
        """Learn to tell the sources of images apart; labels: N source names, at least two different ones.

        validation: (images, labels) that choose hyper-parameters, stopping and temperature.
        """
        self.temperature_ = None
        images, names = check_images(images), check_labels(labels, len(images), "labels")
        self.classes_ = sorted(set(names))
        if len(self.classes_) < 2:
            raise ValueError(f"labels name {len(self.classes_)} class(es); attribution needs at least two")
        self.resolution_ = images.shape[-1]
        self.chosen_: dict[str, Any] = {}

        held_out = None
        if validation is not None:
            held_images = check_images(validation[0], self.resolution_, "validation images")
            held_names = check_labels(validation[1], len(held_images), "validation labels")
            if not held_names:
                raise ValueError("validation is empty; pass None to do without")
            if unknown := sorted(set(held_names) - set(self.classes_)):
                raise ValueError(f"validation labels not among the training labels: {', '.join(unknown)}")
            held_out = held_images, self._codes(held_names)

        self._fit(images, self._codes(names), held_out)
        # Set last: this is what marks the attributor as fitted.
        self.temperature_ = 1.0 if held_out is None else self._temperature(held_out)
        return self

    def scores(self, images: np.ndarray) -> np.ndarray:
        """One float32 score per image and class, (N, K), columns as ``classes_``; higher is more likely."""
        images = self._checked(images)
        if not len(images):
            return np.zeros((0, len(self.classes_)), dtype=np.float32)
        scores = np.asarray(self._scores(images), dtype=np.float32)
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__} gives scores that are not finite")
        return scores

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The name of the class with the highest score for each image, (N,) str."""
        best = self.scores(images).argmax(axis=1)
        return np.array(self.classes_)[best]

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (N, K), columns as ``classes_``: softmax of ``scores / temperature_``."""
        scores = self.scores(images)
        return softmax(scores, self.temperature_)

    def save(self, folder: str | os.PathLike) -> None:
        """Write ``model.safetensors`` and ``model.json`` into folder, made if need be; never half a file."""
        self._check_fitted()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: _to_numpy(value) for name, value in self._state().items()}
        with replacing(folder / WEIGHTS) as temporary:
            save_file(state, temporary)
            digest = sha256(temporary)
        # The sidecar comes last: weights without the sidecar that vouches for them do not load.
        write_json(
            folder / SIDECAR,
            {
                "format": FORMAT,
                "method": self.method,
                "config": asdict(self),
                "classes": self.classes_,
                "resolution": self.resolution_,
                "temperature": self.temperature_,
                "chosen": self.chosen_,
                "shapes": {name: list(value.shape) for name, value in state.items()},
                "sha256": digest,
            },
        )

    @classmethod
    def load(cls, folder: str | os.PathLike, **changes: Any) -> Attributor:
        """The attributor saved in folder, as the class that saved it; changes override settings.

        An error names the file that is missing, damaged, of another method, or not its neighbour's partner.
        """
        from ganfp.attributors import METHODS, attributor_class

        sidecar, weights = Path(folder) / SIDECAR, Path(folder) / WEIGHTS
        meta = _read_sidecar(sidecar)
        if meta["method"] not in METHODS:
            known = ", ".join(sorted(METHODS))
            raise ValueError(f"{sidecar}: unknown method {meta['method']!r}; known: {known}")
        kind = attributor_class(meta["method"])
        if not issubclass(kind, cls):
            raise ValueError(f"{sidecar}: holds a {kind.__name__}, not a {cls.__name__}")
        if not weights.is_file():
            raise FileNotFoundError(f"{weights} is missing; fit and save the attributor again")
        if sha256(weights) != meta["sha256"]:
            raise ValueError(f"{weights}: not the file {SIDECAR} was written for (checksum); it is damaged")
        try:
            state = load_file(weights)
        except SafetensorError as error:
            raise ValueError(f"{weights}: not a safetensors file ({error})") from error
        if (shapes := {name: list(value.shape) for name, value in state.items()}) != meta["shapes"]:
            raise ValueError(f"{weights}: tensors {shapes} where {SIDECAR} says {meta['shapes']}")
        try:
            self = kind(**{**meta["config"], **changes})
        except TypeError as error:
            raise ValueError(f"{sidecar}: settings do not fit {kind.__name__} ({error})") from error
        self.classes_, self.resolution_ = meta["classes"], meta["resolution"]
        self.chosen_, self.temperature_ = meta["chosen"], meta["temperature"]
        self._restore(state)
        return self

    # ---------------------------------------------------------------- for methods
    @abstractmethod
    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None) -> None:
        """Learn; fill ``chosen_``.  ``classes_`` and ``resolution_`` are set, images may be a memmap."""

    @abstractmethod
    def _scores(self, images: np.ndarray) -> np.ndarray:
        """Scores (N, K) of checked images, N > 0."""

    @abstractmethod
    def _state(self) -> Mapping[str, np.ndarray | torch.Tensor]:
        """What was learned, as named arrays."""

    @abstractmethod
    def _restore(self, state: dict[str, np.ndarray]) -> None:
        """Take ``_state`` back; settings, ``classes_``, ``resolution_`` and ``chosen_`` are set."""

    def _temperature(self, validation: Labelled) -> float:
        """What ``predict_proba`` divides scores by, fitted on the validation images."""
        return fit_temperature(self._scores(validation[0]), validation[1])

    def _checked(self, images: np.ndarray) -> np.ndarray:
        self._check_fitted()
        return check_images(images, self.resolution_)

    def _check_fitted(self) -> None:
        if getattr(self, "temperature_", None) is None:
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted; call fit(images, labels) or load(folder)")

    def _codes(self, names: list[str]) -> np.ndarray:
        return np.searchsorted(np.array(self.classes_), np.array(names))


def check_images(images: np.ndarray, resolution: int | None = None, name: str = "images") -> np.ndarray:
    """The images as an array (a memmap stays one), or an error that says what is wrong with them."""
    images = np.asanyarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8, not {images.dtype}; images.quantise makes uint8 of floats")
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise ValueError(f"{name} must be (N, 3, H, H), square and channels first, not {images.shape}")
    if resolution is not None and images.shape[-1] != resolution:
        raise ValueError(
            f"{name} are {images.shape[-1]} px, but this attributor was fitted on {resolution} px; "
            "resizing would destroy the fingerprint, so fit one at that size"
        )
    return images


def check_labels(labels: Sequence[str], count: int, name: str) -> list[str]:
    """The labels as a list of str, as many as there are images."""
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise TypeError(f"{name} must be a sequence of str, one source name per image")
    if len(labels) != count:
        raise ValueError(f"{len(labels)} {name} for {count} images")
    return [str(label) for label in labels]


def pixel_blocks(images: np.ndarray, size: int = 1024) -> Iterator[np.ndarray]:
    """The raw pixels of images as float32 vectors (n, 3 H W) in 0 ... 255, at most size images at a time."""
    for start in range(0, len(images), size):
        block = images[start : start + size]
        yield np.asarray(block, dtype=np.float32).reshape(len(block), -1)


def _to_numpy(value: np.ndarray | torch.Tensor) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, order="C")


def _read_sidecar(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; no attributor was saved there")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not valid JSON ({error})") from error
    if missing := ENTRIES - set(meta if isinstance(meta, dict) else ()):
        raise ValueError(f"{path}: lacks {', '.join(sorted(missing))}")
    if meta["format"] != FORMAT:
        raise ValueError(f"{path}: format {meta['format']}, but this version reads format {FORMAT}")
    return meta
