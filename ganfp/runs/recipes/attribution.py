"""Setups of sources, attributors fitted to them, and what these say of test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import attributors
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
    version = 3
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
        count, resolution = self.setup.train * len(self.setup.sources), self.setup.sources[0].origin.resolution
        return attributors.attributor_class(self.method).cost(dict(self.settings), count, resolution)

    def make(self, folder, paths, device, progress) -> None:
        attributor = attributors.attributor_class(self.method)(**dict(self.settings), device=device)
        train, validation = (load_part(self.setup, name, paths) for name in ("train", "validation"))
        attributor.fit(*train, validation=validation, progress=progress)
        attributor.save(folder)


@dataclass(frozen=True)
class Evaluation(Recipe):
    """What a fitted attributor says of test images: the class, the probabilities and, where it has them, features.

    Predictions are columns of ``classes_``, sorted by name: (N,) int64.
    """

    kind = "evaluation"
    version = 3
    code = Fit.code

    fit: Fit
    setup: Setup
    split: str = "test"

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.setup.part(self.split)]

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_part(self.setup, self.split, paths)
        found = attributors.load(paths(self.fit), device).attribute(images)
        np.save(folder / PREDICTIONS, found.columns)
        np.save(folder / PROBABILITIES, found.probabilities.astype(np.float32))
        if found.features is not None:
            np.save(folder / FEATURES, found.features)
