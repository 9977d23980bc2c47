"""Attributors fitted to setups, and what these say of test images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ganfp.attributors import Attributor, attributor_class
from ganfp.runs.recipes.base import FEATURES, PREDICTIONS, Recipe
from ganfp.runs.recipes.samples import Setup, load_part


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
        return (attributor_class(self.method).__module__,)

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
    """What a fitted attributor says of test images: the class and, where it has them, features.

    Predictions are columns of ``classes_``, sorted by name: (N,) int64.
    """

    kind = "evaluation"

    fit: Fit
    setup: Setup
    split: str = "test"

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.setup.part(self.split)]

    def modules(self) -> tuple[str, ...]:
        return self.fit.modules()

    def make(self, folder, paths, device, progress) -> None:
        attributor = Attributor.load(paths(self.fit), **device_setting(self.fit.method, device))
        images, _ = load_part(self.setup, self.split, paths)
        np.save(folder / PREDICTIONS, np.searchsorted(attributor.classes_, attributor.predict(images)))
        if hasattr(attributor, "features"):
            np.save(folder / FEATURES, attributor.features(images))


def device_setting(method: str, device: str) -> dict[str, str]:
    return {"device": device} if "device" in attributor_class(method).__dataclass_fields__ else {}
