"""What every attribution method has in common: checks, classes, probabilities, files, scikit-learn's conventions.

A method is a dataclass of its settings plus four functions: ``_fit`` and ``_scores`` get checked arrays,
``_state`` and ``_restore`` turn what was learned into named arrays and back.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from ganfp import machine
from ganfp.attributors.calibration import fit_temperature, softmax
from ganfp.files import read_json, replacing, sha256, write_json

Labels = Sequence[str] | np.ndarray  # source names, one per image
Labelled = tuple[np.ndarray, np.ndarray]  # images (N, 3, H, W) uint8, and their columns in ``classes_`` (N,) int64
Progress = Callable[[float], None]
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]  # see `Attributor.fine_tune`

WEIGHTS, SIDECAR = "model.safetensors", "model.json"
FORMAT = 1
LARGEST = 8192  # pixels of an image's side
ENTRIES = {"format", "method", "config", "classes", "resolution", "temperature", "chosen", "sha256"}


@dataclass(frozen=True)
class Ahead:
    """A change that depends on images and numbers alone, never on what is learned: it may be made ahead of its step."""

    change: Change

    def __call__(self, images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        return self.change(images, numbers)


@dataclass(frozen=True)
class Attribution:
    """What an attributor says of N images, of K sources.

    ``classes`` (K,) str, ``scores`` (N, K) float32, ``probabilities`` (N, K) float64, and, where the method has image
    fingerprints, these as ``features`` (N, D) float32.
    """

    classes: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    features: np.ndarray | None = None

    @property
    def columns(self) -> np.ndarray:
        """The column of the class with the highest score, (N,) int64."""
        return self.scores.argmax(axis=1)

    @property
    def labels(self) -> np.ndarray:
        """The name of the class with the highest score, (N,) str."""
        return self.classes[self.columns]


@dataclass(eq=False, kw_only=True)
class Attributor(ABC):
    """Tells which of several known sources an image comes from (paper, Section 3.1).

    Images are uint8 (N, 3, H, H), all of the resolution seen in ``fit``; another size is an error, never a
    silent resize, which would destroy the fingerprint.

    device: where the arithmetic is done: ``cpu``, ``cuda``, ``cuda:1``, ...; ``auto`` is a GPU, if there is one.
    It is not saved: :meth:`load` chooses anew.

    After ``fit``:

    - ``classes_``: source names (K,) str, sorted: the columns of ``scores`` and ``predict_proba``
    - ``resolution_``: side of the images in pixels
    - ``n_features_in_``: values of an image
    - ``chosen_``: what was chosen on the validation images (hyper-parameters, stopping), plain JSON values
    - ``temperature_``: of the probabilities, fitted on the validation images; 1 where ``fit`` got none
    """

    device: str = "cpu"

    method: ClassVar[str]

    # ---------------------------------------------------------------- for users
    def fit(
        self, images: np.ndarray, labels: Labels, validation: tuple[np.ndarray, Labels] | None = None,
        progress: Progress | None = None,
    ) -> Self:  # fmt: skip
        """Learn to tell the sources of images apart; labels: N source names, at least two different ones.

        validation: (images, labels) that choose hyper-parameters, stopping and temperature.  progress: is called with
        the share of the work done, 0 to 1.
        """
        self.temperature_: float | None = None
        self._check_settings()
        self.device = machine.found(self.device)
        check_device(self.device)
        images = check_images(images)
        self._take_classes(sorted(set(check_labels(labels, len(images), "labels"))), images.shape[-1])
        if len(self.classes_) < 2:
            raise ValueError(f"labels name {len(self.classes_)} class(es); attribution needs at least two")
        return self._learn(self._fit, images, labels, validation, progress)

    def fine_tune(
        self, images: np.ndarray, labels: Labels, change: Change, validation: tuple[np.ndarray, Labels] | None = None,
        progress: Progress | None = None,
    ) -> Self:  # fmt: skip
        """Become immune to a change of images, such as an attack, for the classes at hand (Section 4.4).

        change: from uint8 images (n, 3, H, H) and numbers (n,) that no other showing of an image of its class has to
        the images that are shown in their place; validation images are taken as they are.  A network is trained on
        from its weights, each showing changed anew; other methods are fitted anew to changed images.
        """
        images = self._checked(images)
        check_labels(labels, len(images), "labels")
        return self._learn(self._fine_tune, images, labels, validation, progress, change)

    def attribute(self, images: np.ndarray) -> Attribution:
        """All that the attributor says of images, from one pass over them."""
        images = self._checked(images)
        asked = images if len(images) else np.zeros((1, 3, self.resolution_, self.resolution_), np.uint8)
        scores, features = self._scores_and_features(asked)
        scores = np.asarray(scores, dtype=np.float32)[: len(images)]
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__} gives scores that are not finite")
        features = None if features is None else features[: len(images)]
        return Attribution(self.classes_, scores, self._probabilities(scores), features)

    def scores(self, images: np.ndarray) -> np.ndarray:
        """One float32 score per image and class, (N, K), columns as ``classes_``; higher is more likely."""
        return self.attribute(images).scores

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The name of the class with the highest score for each image, (N,) str."""
        return self.attribute(images).labels

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (N, K), columns as ``classes_``: softmax of ``scores / temperature_``."""
        return self.attribute(images).probabilities

    def score(self, images: np.ndarray, labels: Labels) -> float:
        """Share of images that are attributed rightly, 0 to 1."""
        return float((self.predict(images) == np.asarray(labels)).mean())

    def columns(self, names: Labels, what: str = "names") -> np.ndarray:
        """The column in ``classes_`` of each name, (N,) int64; ``ValueError`` for a name that is not there."""
        if unknown := sorted(set(names) - set(self.classes_)):
            raise ValueError(f"{what} not among the training labels: {', '.join(unknown)}")
        return np.searchsorted(self.classes_, np.asarray(names, dtype=self.classes_.dtype))

    # ---------------------------------------------------------------- for scikit-learn
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name; ``ValueError`` for one that is not there.  ``fit`` checks the values."""
        if unknown := sorted(set(params) - set(self.get_params())):
            raise ValueError(f"{type(self).__name__} has no setting {', '.join(unknown)}; see get_params")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "temperature_", None) is not None

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        needs, takes = TargetTags(required=True), InputTags(two_d_array=False)
        return Tags("classifier", needs, classifier_tags=ClassifierTags(), input_tags=takes)

    # ---------------------------------------------------------------- files
    def save(self, folder: str | os.PathLike) -> None:
        """Write ``model.safetensors`` and ``model.json`` into folder, made if need be; never half a file."""
        self._check_fitted()
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / WEIGHTS) as temporary:
            try:
                save_file({name: np.asarray(value, order="C") for name, value in self._state().items()}, temporary)
            except SafetensorError as error:
                raise OSError(f"{folder / WEIGHTS} cannot be written: {error}") from error
            digest = sha256(temporary)
        config = {name: value for name, value in asdict(self).items() if name != "device"}
        # The sidecar comes last: weights without the sidecar that vouches for them do not load.
        write_json(folder / SIDECAR, {
            "format": FORMAT, "method": self.method, "config": config, "classes": self.classes_.tolist(),
            "resolution": self.resolution_, "temperature": self.temperature_, "chosen": self.chosen_, "sha256": digest,
        })  # fmt: skip

    @classmethod
    def load(cls, folder: str | os.PathLike, device: str = "cpu", **changes: Any) -> Self:
        """The attributor saved in folder, as the class that saved it, on any device; changes override settings.

        An error names the file that is missing, damaged, of another method, or not its neighbour's partner.
        """
        from ganfp.attributors import attributor_class

        sidecar, weights = Path(folder) / SIDECAR, Path(folder) / WEIGHTS
        meta, device = _read_sidecar(sidecar), machine.found(device)
        check_device(device)
        if not weights.is_file():
            raise FileNotFoundError(f"{weights} is missing; fit and save the attributor again")
        if sha256(weights) != meta["sha256"]:
            raise ValueError(f"{weights}: not the file {SIDECAR} was written for (checksum); it is damaged")
        try:
            kind = attributor_class(meta["method"])
            if not issubclass(kind, cls):
                raise TypeError(f"holds a {kind.__name__}, not a {cls.__name__}")
            self = kind(**{**meta["config"], **changes, "device": device})
            self._check_settings()
            self._take_classes(meta["classes"], meta["resolution"])
            self.chosen_, self.temperature_ = meta["chosen"], meta["temperature"]
            self._restore(load_file(weights))
        except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{sidecar}: {error}") from error
        return self

    # ---------------------------------------------------------------- for methods
    @classmethod
    def cost(cls, settings: Mapping[str, Any], images: int, resolution: int) -> float:
        """Roughly how many core-seconds a fit with these settings to so many images takes."""
        return 4e-3 * images

    @classmethod
    def memory(cls, settings: Mapping[str, Any], resolution: int) -> float:
        """Roughly how many bytes of a GPU a fit takes beside its images, which are there only if they fit."""
        return 0.0

    def _check_settings(self) -> None:  # noqa: B027
        """Raise ``ValueError`` for a setting that makes no sense."""

    @abstractmethod
    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        """Learn; fill ``chosen_``.  ``classes_`` and ``resolution_`` are set, images may be a memmap."""

    def _fine_tune(
        self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress, change: Change
    ) -> None:
        """Learn from changed images; what was learned before is there."""
        numbers = np.empty(len(codes), np.int64)
        for code in range(len(self.classes_)):  # image k of every class has number k: no draw gives a class away
            numbers[codes == code] = np.arange((codes == code).sum())
        self._fit(change(images, numbers), codes, validation, progress)

    @abstractmethod
    def _scores(self, images: np.ndarray) -> np.ndarray:
        """Scores (N, K) of checked images, N > 0."""

    @abstractmethod
    def _state(self) -> Mapping[str, np.ndarray]:
        """What was learned, as named arrays."""

    @abstractmethod
    def _restore(self, state: dict[str, np.ndarray]) -> None:
        """Take ``_state`` back; settings, ``classes_``, ``resolution_`` and ``chosen_`` are set."""

    def _scores_and_features(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Scores and, for a method with image fingerprints, these, from one pass."""
        return self._scores(images), None

    def _temperature(self, validation: Labelled) -> float:
        """What ``predict_proba`` divides scores by, fitted on the validation images."""
        return fit_temperature(self._scores(validation[0]), validation[1])

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        return softmax(scores, self.temperature_ or 1.0)

    def _take_classes(self, classes: Sequence[str], resolution: int) -> None:
        self.classes_, self.resolution_ = np.array(classes), resolution
        self.n_features_in_ = 3 * resolution**2

    def _learn(
        self, how: Callable[..., None], images: np.ndarray, labels: Labels,
        validation: tuple[np.ndarray, Labels] | None, progress: Progress | None, *change: Change,
    ) -> Self:  # fmt: skip
        """Check what is left to check, learn, then set what marks the attributor as fitted: a failed fit is none."""
        codes, held_out = self.columns(labels, "labels"), None
        if validation is not None:
            held = check_images(validation[0], self.resolution_, "validation images")
            names = check_labels(validation[1], len(held), "validation labels")
            if not len(held):
                raise ValueError("validation is empty; pass None to do without")
            held_out = held, self.columns(names, "validation labels")
        self.chosen_: dict[str, Any] = {}
        how(images, codes, held_out, progress or (lambda share: None), *change)
        self.temperature_ = 1.0 if held_out is None else self._temperature(held_out)
        return self

    def _checked(self, images: np.ndarray) -> np.ndarray:
        self._check_fitted()
        return check_images(images, self.resolution_)

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(images, labels) or load(folder)")


def cut(images: np.ndarray, size: int) -> list[slice]:
    """Slices of ``size`` images, or of one, that follow each other; the last may be shorter."""
    return [slice(start, start + max(1, size)) for start in range(0, len(images), max(1, size))]


def on_device(images: np.ndarray, device: str) -> Tensor:
    """Images as they are, uint8.  They travel as bytes, and a GPU takes them while the CPU goes on."""
    tensor = torch.from_numpy(np.array(images))
    gpu = torch.device(device).type == "cuda"
    return tensor.pin_memory().to(device, non_blocking=True) if gpu else tensor.to(device)


def standardised(x: Tensor) -> Tensor:
    """Each item of (N, ...) as one vector (N, D) of zero mean and unit norm; a constant one as zeros."""
    x = x.flatten(1)
    return F.normalize(x - x.mean(dim=1, keepdim=True), dim=1)


def chosen(folder: str | os.PathLike) -> dict[str, Any]:
    """``chosen_`` of the attributor saved in folder, read without its weights."""
    return _read_sidecar(Path(folder) / SIDECAR)["chosen"]


def check_device(device: str) -> None:
    """``ValueError`` where this machine has no such device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # the latter where torch was built without CUDA
        raise ValueError(f"device {device!r} cannot be used here ({error}); device='cpu' always can") from error


def check_images(images: np.ndarray, resolution: int | None = None, name: str = "images") -> np.ndarray:
    """The images as an array (a memmap stays one), or an error that says what is wrong with them."""
    images = np.asanyarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"{name} must be uint8, not {images.dtype}; images.quantise makes uint8 of floats")
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise ValueError(f"{name} must be (N, 3, H, H), square and channels first, not {images.shape}")
    if resolution is not None and images.shape[-1] != resolution:
        known = f"this attributor was fitted on {resolution} px; resizing would destroy the fingerprint"
        raise ValueError(f"{name} are {images.shape[-1]} px, but {known}, so fit one at that size")
    return images


def check_labels(labels: Labels, count: int, name: str) -> list[str]:
    """The labels as a list of str, as many as there are images."""
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise TypeError(f"{name} must be a sequence of str, one source name per image")
    if len(labels) != count:
        raise ValueError(f"{len(labels)} {name} for {count} images")
    return [str(label) for label in labels]


def _read_sidecar(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; no attributor was saved there")
    meta = read_json(path, "fit and save the attributor again")
    if missing := ENTRIES - set(meta):
        raise ValueError(f"{path}: lacks {', '.join(sorted(missing))}")
    if meta["format"] != FORMAT:
        raise ValueError(f"{path}: format {meta['format']!r:.40}, but this version reads format {FORMAT}")
    classes, resolution, temperature = meta["classes"], meta["resolution"], meta["temperature"]
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not named or len(classes) < 2 or classes != sorted(set(classes)):
        raise ValueError(f"{path}: classes must be two or more different names, sorted")
    if type(resolution) is not int or not 1 <= resolution <= LARGEST:
        raise ValueError(f"{path}: resolution must be a number of pixels, 1 to {LARGEST}")
    if type(temperature) not in (int, float) or not 0 < temperature < np.inf:
        raise ValueError(f"{path}: temperature must be more than 0, and finite")
    if not isinstance(meta["chosen"], dict) or not isinstance(meta["config"], dict):
        raise ValueError(f"{path}: chosen and config must be mappings")
    return meta
