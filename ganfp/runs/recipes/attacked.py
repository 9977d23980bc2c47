"""Images after an attack or another way of saving, and attributors that are immune to it (Section 4.4, page x2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import attacks, attributors, worlds
from ganfp.attributors.base import Ahead
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import IMAGES, PREDICTIONS, Recipe, load_array
from ganfp.runs.recipes.samples import OfImages, Sample, Setup, load_part
from ganfp.seeding import mix


@dataclass(frozen=True)
class Attack:
    """An attack of :data:`ganfp.attacks.ATTACKS` and those of its options that differ from the defaults."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    seed: int = 0

    def on(self, images: np.ndarray, split: str, numbers: np.ndarray, device: str = "cpu") -> np.ndarray:
        """The images after the attack; an image of a number meets another draw in each split."""
        random = attacks.Draws(mix(self.seed, worlds.SPLITS.index(split)), numbers)
        return attacks.attack_numbered(self.name, images, random, device, **dict(self.options))


def load_attacked(
    setup: Setup, name: str, attack: Attack | None, paths: Callable[[Recipe], Path], device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`load_part` after an attack, if there is one.

    Image k of every source meets the same draw, so that no strength of an attack can give a source away.
    """
    images, labels = load_part(setup, name, paths)
    numbers = np.tile(np.arange(getattr(setup, name)), len(setup.sources))
    return attack.on(images, name, numbers, device) if attack else images, labels


@dataclass(frozen=True)
class Resaved(Recipe):
    """The images of a sample after one way through a JPEG file of a quality (page x2)."""

    kind = "resaved"
    sample: Sample
    quality: int

    def cost(self) -> float:
        return self.sample.cost()

    def make(self, folder, paths, device, progress) -> None:
        images, one = load_array(paths(self.sample), IMAGES), {"low": self.quality, "high": self.quality}
        np.save(folder / IMAGES, attacks.attack("compression", images, 0, **one))


@dataclass(frozen=True)
class MixedFormats(Setup):
    """A task in which the images of some sources have been JPEG files and those of others have not: a leak."""

    jpegs: tuple[str, ...] = ()
    quality: int = 90

    def part(self, name: str) -> tuple[Sample | Resaved, ...]:
        pairs = zip(self.sources, super().part(name), strict=True)
        return tuple(Resaved(sample, self.quality) if s.name in self.jpegs else sample for s, sample in pairs)


@dataclass(frozen=True)
class Immunised(Recipe):
    """A fitted attributor after its defence against a known attack (Section 4.4).

    Each image is under a draw of the attack of its own whenever it is shown; see
    :meth:`ganfp.attributors.base.Attributor.fine_tune`.  All choices are made on attacked validation images.
    """

    kind = "immunised"
    fit: Fit
    attack: Attack
    settings: tuple[tuple[str, Any], ...] = ()  # of the fine-tuning, where they differ from the fit's

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.fit.needs()]

    def cost(self) -> float:
        return replace(self.fit, settings=self.fit.settings + self.settings).cost()  # the later of two counts

    def memory(self) -> float:
        return self.fit.memory()

    def make(self, folder, paths, device, progress) -> None:
        def change(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
            return self.attack.on(images, "train", numbers, device)

        train = load_part(self.fit.setup, "train", paths)
        validation = load_attacked(self.fit.setup, "validation", self.attack, paths, device)
        attributor = attributors.load(paths(self.fit), device, **dict(self.settings))
        attributor.fine_tune(*train, Ahead(change), validation, progress).save(folder)


@dataclass(frozen=True)
class Answers(OfImages):
    """What a fitted attributor answers for images, after an attack or as they are: columns of ``classes_``, (N,)."""

    kind = "answers"
    fit: Fit | Immunised
    setup: Setup
    attack: Attack | None
    split: str = "test"

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_attacked(self.setup, self.split, self.attack, paths, device)
        np.save(folder / PREDICTIONS, attributors.load(paths(self.fit), device).attribute(images).columns)
