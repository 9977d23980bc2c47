"""Attributors fitted to setups, and what these say of test images."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganfp import attributors
from ganfp.runs.recipes.base import CURVE, FEATURES, PREDICTIONS, Recipe
from ganfp.runs.recipes.samples import OfImages, Setup, load_part


@dataclass(frozen=True)
class Fit(Recipe):
    """An attributor fitted to the training images of a setup; its choices are made on the validation images."""

    kind = "attributor"
    method: str
    setup: Setup
    settings: tuple[tuple[str, Any], ...] = ()

    def needs(self) -> list[Recipe]:
        return [*self.setup.part("train"), *self.setup.part("validation")]

    def modules(self) -> tuple[str, ...]:
        return (attributors.attributor_class(self.method).__module__,)

    def cost(self) -> float:
        count, resolution = self.setup.train * len(self.setup.sources), self.setup.sources[0].origin.resolution
        return attributors.attributor_class(self.method).cost(dict(self.settings), count, resolution)

    def memory(self) -> float:
        resolution = self.setup.sources[0].origin.resolution
        return attributors.attributor_class(self.method).memory(dict(self.settings), resolution)

    def make(self, folder, paths, device, progress) -> None:
        attributor = attributors.attributor_class(self.method)(**dict(self.settings), device=device)
        train, validation = (load_part(self.setup, name, paths) for name in ("train", "validation"))
        attributor.fit(*train, validation=validation, progress=progress).save(folder)


@dataclass(frozen=True)
class Learning(Recipe):
    """How well a network names the validation images while it is fitted: ``curve.npy`` (checks, 2), images, percent."""

    kind = "learning"
    fit: Fit

    def needs(self) -> list[Recipe]:
        return self.fit.needs()

    def cost(self) -> float:
        return self.fit.cost()

    def memory(self) -> float:
        return self.fit.memory()

    def make(self, folder, paths, device, progress) -> None:
        attributor = attributors.attributor_class(self.fit.method)(**dict(self.fit.settings), device=device)
        train, validation = (load_part(self.fit.setup, name, paths) for name in ("train", "validation"))
        attributor.fit(*train, validation=validation, progress=progress)
        np.save(folder / CURVE, [[row["images"], row["accuracy"]] for row in attributor.history_])


@dataclass(frozen=True)
class Evaluation(OfImages):
    """What a fitted attributor says of test images: the class and, where it has them, features.

    Predictions are columns of ``classes_``, sorted by name: (N,) int64.
    """

    kind = "evaluation"
    fit: Fit
    setup: Setup
    split: str = "test"

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_part(self.setup, self.split, paths)
        found = attributors.load(paths(self.fit), device).attribute(images)
        np.save(folder / PREDICTIONS, found.columns)
        if found.features is not None:
            np.save(folder / FEATURES, found.features)
