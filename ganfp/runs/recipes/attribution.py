"""Setups of sources, attributors fitted to them, and what these say of test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.attributors import Attributor, attributor_class
from ganfp.runs.recipes.base import FEATURES, IMAGES, PREDICTIONS, PROBABILITIES, Recipe, joined, load_array
from ganfp.runs.recipes.sources import GAN, Images, Sample, Snapshot


@dataclass(frozen=True)
class Source:
    """A class of the attribution task: its name and where its images come from."""

    name: str
    origin: Images | GAN | Snapshot


@dataclass(frozen=True)
class Setup:
    """An attribution task: the sources, and how many images of each are for training, validation and test."""

    name: str
    sources: tuple[Source, ...]
    train: int
    validation: int
    test: int
    seed: int = 0

    @property
    def classes(self) -> list[str]:
        """The names of the sources, in the order of the setup."""
        return [source.name for source in self.sources]

    def part(self, name: str) -> tuple[Sample, ...]:
        """The samples of a split, one per source."""
        return tuple(Sample(source.origin, name, getattr(self, name), self.seed) for source in self.sources)

    def labels(self, name: str) -> np.ndarray:
        """The class of each image of a split, in the order in which :func:`load_part` gives them."""
        return np.repeat(self.classes, getattr(self, name))


def load_part(setup: Setup, name: str, paths: Callable[[Recipe], Path]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, R, R) and labels (N,) of a split of a setup, source by source; many images are a memory map."""
    samples = setup.part(name)
    images = joined([load_array(paths(sample), IMAGES) for sample in samples], paths(samples[0]).parent)
    return images, setup.labels(name)


@dataclass(frozen=True)
class Fit(Recipe):
    """An attributor fitted to the training images of a setup; its choices are made on the validation images."""

    kind = "attributor"
    version = 2
    code = (
        "attributors.base", "attributors.calibration", "attributors.pyramid", "attributors.network", "attributors.cnn",
        "attributors.knn", "attributors.eigenface", "attributors.prnu", "layers", "images", "seeding",
        "attributors.neural", "attributors.training", "attributors.autoencoder", "attributors.visnet", "gans.losses",
    )  # fmt: skip

    method: str
    setup: Setup
    settings: tuple[tuple[str, Any], ...] = ()

    def needs(self) -> list[Recipe]:
        return [*self.setup.part("train"), *self.setup.part("validation")]

    def cost(self) -> float:
        if self.method == "cnn":
            settings = dict(self.settings)
            return 1.2e-9 * settings["images"] * settings["fmap_base"] ** 2 * 3 / settings.get("factor", 1)
        if self.method == "visnet":  # measured at 32 px, and so much more where there are more pixels
            settings, resolution = dict(self.settings), self.setup.sources[0].origin.resolution
            return 2e-8 * settings["images"] * settings["fmap_base"] ** 2 * (resolution / 32) ** 0.5
        return 4e-3 * self.setup.train * len(self.setup.sources)

    def make(self, folder, paths, device, progress) -> None:
        attributor = attributor_class(self.method)(**dict(self.settings), **device_setting(self.method, device))
        attributor.progress = progress
        attributor.fit(*load_part(self.setup, "train", paths), validation=load_part(self.setup, "validation", paths))
        attributor.save(folder)


@dataclass(frozen=True)
class Evaluation(Recipe):
    """What a fitted attributor says of test images: the class, the probabilities and, where it has them, features.

    Predictions are columns of ``classes_``, sorted by name: (N,) int64.
    """

    kind = "evaluation"
    version = 2
    code = Fit.code

    fit: Fit
    setup: Setup
    split: str = "test"

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.setup.part(self.split)]

    def make(self, folder, paths, device, progress) -> None:
        attributor = Attributor.load(paths(self.fit), **device_setting(self.fit.method, device))
        images, _ = load_part(self.setup, self.split, paths)
        np.save(folder / PREDICTIONS, np.searchsorted(attributor.classes_, attributor.predict(images)))
        np.save(folder / PROBABILITIES, attributor.predict_proba(images).astype(np.float32))
        if hasattr(attributor, "features"):
            np.save(folder / FEATURES, attributor.features(images))


def device_setting(method: str, device: str) -> dict[str, str]:
    return {"device": device} if "device" in attributor_class(method).__dataclass_fields__ else {}
