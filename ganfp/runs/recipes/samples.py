"""Samples of sources, and the attribution tasks that are made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganfp import worlds
from ganfp.gans import savepaths, training
from ganfp.runs.recipes.base import IMAGES, Recipe, joined, load_array
from ganfp.runs.recipes.gans import GAN, Snapshot
from ganfp.runs.recipes.images import Images
from ganfp.seeding import mix


@dataclass(frozen=True)
class Sample(Recipe):
    """Images of one source, others for each seed: held-out real ones, or generated from the split's own latents."""

    kind = "sample"
    origin: Images | GAN | Snapshot
    split: str
    count: int
    seed: int = 0
    save_path: str = "ours"  # how a generator's numbers become bytes; ``official`` in a control alone

    @property
    def habit(self) -> str:
        """The one of :data:`savepaths.HABITS` that it is saved by; it, and not the path's name, enters the key."""
        return "round" if isinstance(self.origin, Images) else savepaths.habit(self.save_path, self.origin.name)

    def describe(self) -> dict:
        return super().describe() | {"save_path": self.habit}

    def cost(self) -> float:
        return self.count * 2e-3

    def make(self, folder, paths, device, progress) -> None:
        if not isinstance(self.origin, Images):
            # splits and replicas never share a latent: two identical generators must not show identical images
            stream = mix(self.seed, worlds.SPLITS.index(self.split), self.origin.replica)
            how = device, progress, savepaths.HABITS[self.habit]
            images = training.sample(paths(self.origin), self.count, stream, *how)
        elif self.origin.drawn and self.seed:
            images = self.origin.scene(self.split, self.seed).image
        else:
            images = self.origin.part(load_array(paths(self.origin), IMAGES), self.split, self.seed)
        np.save(folder / IMAGES, images[: self.count])


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

    def first(self, count: int) -> np.ndarray:
        """The rows of the first ``count`` test images of each source, among all test images."""
        return np.flatnonzero(np.tile(np.arange(self.test) < count, len(self.sources)))


class OfImages(Recipe):
    """What is made of the images of one ``split`` of its ``setup``, beside the recipes in its fields."""

    setup: Setup
    split: str

    def needs(self) -> list[Recipe]:
        return [*super().needs(), *self.setup.part(self.split)]

    def cost(self) -> float:
        pixels = self.setup.sources[0].origin.resolution ** 2
        return 1e-7 * len(self.setup.sources) * getattr(self.setup, self.split) * pixels


def load_part(setup: Setup, name: str, paths: Callable[[Recipe], Path]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, R, R) and labels (N,) of a split of a setup, source by source; many images are a memory map."""
    samples = setup.part(name)
    images = joined([load_array(paths(sample), IMAGES) for sample in samples], paths(samples[0]).parent)
    return images, setup.labels(name)
