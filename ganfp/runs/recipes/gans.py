"""GANs, the subsets of the real images that they learn from, and how trainings that differ in those begin."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import starmap
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.gans import entry, training
from ganfp.gans.base import SMALLEST, doublings
from ganfp.gans.loop import permutation
from ganfp.runs.recipes.base import CURVE, IMAGES, Recipe, load_array
from ganfp.runs.recipes.images import Images
from ganfp.seeding import deterministic
from ganfp.worlds.rows import Rows

SEEN = "seen.npy"


@dataclass(frozen=True)
class Subset:
    """A rung of the ladder of training sets (Section 4.2): how many images of the base set are exchanged.

    The base set are the first of the images that are for GANs.  Its last ``swapped`` places are taken by the last
    images of all, which it does not share: sets are nested, and every other image keeps its place.
    """

    swapped: int

    def of(self, images: np.ndarray, base: int) -> Rows:
        """The training set (base, ...) from the images (N, ...) that are for GANs, N >= 2 base."""
        if not 0 <= self.swapped <= base:
            raise ValueError(f"swapped must be from 0 to the {base} images of the base set, not {self.swapped}")
        kept, taken = np.arange(base - self.swapped), np.arange(len(images) - self.swapped, len(images))
        return Rows(images, np.concatenate([kept, taken]))

    def first_seen(self, base: int, order: int) -> int:
        """How many images a critic has been shown when the first exchanged one comes; ``base`` if none does."""
        return int(np.argmax(np.append(permutation(base, order, 0) >= base - self.swapped, True)))


@dataclass(frozen=True)
class GAN(Recipe):
    """A trained GAN, of all images that are for GANs or of a subset."""

    kind = "gan"
    images: Images
    name: str
    config: Any
    seeds: training.Seeds
    replica: int = 0  # 1 for a second training of the same thing: it enters the key and no seed
    subset: Subset | None = None
    snapshots: tuple[int, ...] = ()  # numbers of images after which the generator so far is kept

    def training_set(self, paths: Callable[[Recipe], Path]) -> np.ndarray | Rows:
        """The real images that it is trained on, uint8 (N, 3, R, R)."""
        images = self.images.part(load_array(paths(self.images), IMAGES), "gan")
        if self.subset is None:
            return images[: self.images.base or None]
        return self.subset.of(images, self.images.base_of(len(images)))

    resolution = property(attrgetter("images.resolution"))  # pixels

    def modules(self) -> tuple[str, ...]:
        return (entry(self.name).module,)

    def memory(self) -> float:
        config = self.config
        maps = sum(r * r * config.width(r) for r in doublings(SMALLEST, config.resolution))
        held = 3 * config.resolution**2 * self.images.count  # the real images, and about 50 maps a layer and image
        return held + 4 * 50 * maps * config.batch

    def cost(self) -> float:
        levels = (self.config.resolution // 2).bit_length() - 1
        return 5e-9 * entry(self.name).cost * self.config.total_images * self.config.fmap_base**2 * levels

    def make(self, folder, paths, device, progress) -> None:
        what = self.name, self.config, self.seeds, self.training_set(paths), folder
        if not training.train(*what, device=device, resume=True, progress=progress, snapshots=self.snapshots):
            raise InterruptedError(f"training was stopped before its end; it goes on from {folder}")
        (folder / training.CHECKPOINT).unlink()


@dataclass(frozen=True)
class Snapshot(Recipe):
    """A GAN as it was after ``seen`` images, one of its ``snapshots``."""

    kind = "snapshot"
    gan: GAN
    seen: int

    name = property(attrgetter("gan.name"))
    replica = property(attrgetter("gan.replica"))
    resolution = property(attrgetter("gan.resolution"))

    def make(self, folder, paths, device, progress) -> None:
        shutil.copy(paths(self.gan) / training.SNAPSHOTS / str(self.seen) / training.GENERATOR, folder)


@dataclass(frozen=True)
class Beginnings(Recipe):
    """The first steps of trainings whose training sets differ, beside that of the base set, in lockstep.

    For each GAN, and as many times as ``curve.npy`` has rows: the largest difference of a weight of its generator or
    critic from the base training's, after the images in ``seen.npy``.  Each is followed to ``beyond`` images after it
    has been shown an image that the base training is not shown; from there on its curve is NaN.
    """

    kind = "beginnings"
    gans: tuple[GAN, ...]  # equal in all but the subset
    beyond: int

    def needs(self) -> list[Recipe]:
        return [self.gans[0].images]

    def cost(self) -> float:
        gan, images = self.gans[0], 2 * self.beyond * (len(self.gans) + 1)  # as many before they part as after
        return gan.cost() * images / gan.config.total_images

    def make(self, folder, paths, device, progress) -> None:
        gans = [replace(self.gans[0], subset=Subset(0)), *self.gans]
        sets = [gan.training_set(paths) for gan in gans]
        ends = [gan.subset.first_seen(len(sets[0]), gan.seeds.order) + self.beyond for gan in self.gans]
        base, *others = [
            training.Training(gan.name, gan.config, gan.seeds, images, device)
            for gan, images in zip(gans, sets, strict=True)
        ]
        seen, curve = [0], [[0.0] * len(others)]
        with deterministic():
            while seen[-1] <= max(ends):
                base.step()
                differences = []
                for one, end in zip(others, ends, strict=True):
                    followed = seen[-1] <= end
                    if followed:
                        one.step()
                    pairs = (one.generator, base.generator), (one.critic, base.critic)
                    differences.append(max(starmap(training.largest_difference, pairs)) if followed else np.nan)
                seen.append(base.seen)
                curve.append(differences)
                progress(min(1.0, seen[-1] / max(ends)))
        np.save(folder / SEEN, np.array(seen))
        np.save(folder / CURVE, np.array(curve))
