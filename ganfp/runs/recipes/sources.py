"""Real images, the GANs that learn from them, and samples of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import worlds
from ganfp.gans import savepaths
from ganfp.worlds import split
from ganfp.worlds.rows import Rows
from ganfp.gans import training
from ganfp.runs.recipes.base import IMAGES, Recipe, load_array
from ganfp.seeding import deterministic, mix

GAN_CODE = tuple(
    f"gans.{name}"
    for name in ("base", "losses", "resample", "resnet", "dcgan", "progan", "sngan", "cramergan", "mmdgan")
)
RELATIVE_COST = {"progan": 1.0, "sngan": 0.5, "cramergan": 0.75, "mmdgan": 0.6}  # of a step, measured at 32 px
HELD_OUT = 500_009  # how far the seed of held-out drawings is from that of the GANs' images
SEEN, CURVE = "seen.npy", "curve.npy"


@dataclass(frozen=True)
class Images(Recipe):
    """Real images, and how they are cut into GAN training, attribution training, validation and test."""

    kind = "images"
    version = 2
    code = (
        "datasets", "worlds.faces", "worlds.bedrooms", "worlds.drawing", "worlds.perspective",
        "worlds.files", "worlds.npz", "worlds.celeba", "worlds.lsun", "images",
    )  # fmt: skip

    dataset: str
    resolution: int
    count: int  # how many to draw, or to read of a published set; 0 for a user's files, which are taken whole
    train: int
    validation: int
    test: int
    seed: int = 0
    digest: str = ""  # of a user's files; see `real_images`
    path: str = field(default="", metadata={"key": False})

    def cost(self) -> float:
        return self.count * self.resolution**2 * 1e-6

    def make(self, folder, paths, device, progress) -> None:
        name = f"{self.dataset}:{self.path}" if self.path else self.dataset
        if self.dataset in worlds.DRAWN:
            # apart, so that no GAN of another, larger run has seen what is held out in this one
            held = sum(self.held.values())
            cuts = (self.count - held, self.seed), (held, self.seed + HELD_OUT)
        else:
            cuts = ((self.count, self.seed),)
        images = np.concatenate([worlds.load(name, self.resolution, count, seed) for count, seed in cuts])
        np.save(folder / IMAGES, images)

    @property
    def held(self) -> dict[str, int]:
        """How many images are kept from the GANs, by what for."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def part(self, images: np.ndarray, name: str) -> np.ndarray:
        """The images of one split."""
        indices = split(len(images), self.held)[name]
        return images[indices.start : indices.stop]


def real_images(dataset: str, resolution: int, count: int, held: dict[str, int], seed: int = 0) -> Images:
    """The recipe of a data set by its name; a user's files enter the key by their content, not by their path."""
    kind, path = worlds.parse(dataset)
    counted = kind in (*worlds.DRAWN, *worlds.PUBLISHED)
    return Images(
        kind, resolution, count if counted else 0, **held, seed=seed, digest=worlds.digest(dataset), path=path
    )


@dataclass(frozen=True)
class Subset:
    """A rung of the ladder of training sets (Section 4.2): how many images of the base set are exchanged.

    The base set is the first half of the images that are for GANs.  Its last ``swapped`` places are taken by the
    last images of the second half, which it does not share: sets are nested, and every other image keeps its place.
    """

    swapped: int

    def of(self, images: np.ndarray) -> Rows:
        """The training set (N // 2, ...) from the images (N, ...) that are for GANs."""
        half = len(images) // 2
        if not 0 <= self.swapped <= half:
            raise ValueError(f"swapped must be from 0 to the {half} images of the base set, not {self.swapped}")
        kept, taken = np.arange(half - self.swapped), np.arange(len(images) - self.swapped, len(images))
        return Rows(images, np.concatenate([kept, taken]))

    def first_seen(self, half: int, order: int) -> int:
        """How many images a critic has been shown when the first exchanged one comes; ``half`` if none does."""
        return int(np.argmax(np.append(training.permutation(half, order, 0) >= half - self.swapped, True)))


@dataclass(frozen=True)
class GAN(Recipe):
    """A trained GAN, of all images that are for GANs or of a subset.

    ``replica`` is a second training of the same thing: it enters the key and no seed.
    """

    kind = "gan"
    version = 2
    code = (*GAN_CODE, "gans.training", "gans.stage", "layers", "seeding")

    images: Images
    name: str
    config: Any
    seeds: training.Seeds
    replica: int = 0
    subset: Subset | None = None
    snapshots: tuple[int, ...] = ()  # numbers of images after which the generator so far is kept

    @property
    def resolution(self) -> int:
        return self.images.resolution

    def training_set(self, paths: Callable[[Recipe], Path]) -> np.ndarray | Rows:
        """The real images that it is trained on, uint8 (N, 3, R, R)."""
        images = self.images.part(load_array(paths(self.images), IMAGES), "gan")
        return images if self.subset is None else self.subset.of(images)

    def cost(self) -> float:
        levels = (self.config.resolution // 2).bit_length() - 1
        return 5e-9 * RELATIVE_COST[self.name] * self.config.total_images * self.config.fmap_base**2 * levels

    def make(self, folder, paths, device, progress) -> None:
        images = self.training_set(paths)
        training.train(
            self.name, self.config, self.seeds, images, folder, device=device, resume=True, progress=progress,
            snapshots=self.snapshots,
        )  # fmt: skip
        (folder / training.CHECKPOINT).unlink()


@dataclass(frozen=True)
class Snapshot(Recipe):
    """A GAN as it was after ``seen`` images, one of its ``snapshots``."""

    kind = "snapshot"

    gan: GAN
    seen: int

    @property
    def resolution(self) -> int:
        return self.gan.resolution

    @property
    def name(self) -> str:
        return self.gan.name

    @property
    def replica(self) -> int:
        return self.gan.replica

    def make(self, folder, paths, device, progress) -> None:
        shutil.copy(paths(self.gan) / training.SNAPSHOTS / str(self.seen) / training.GENERATOR, folder)


@dataclass(frozen=True)
class Sample(Recipe):
    """Images of one source: a cut of the real ones, or generated from latents of their own per split.

    ``save_path`` names how a generator's numbers become bytes: ``ours``, the one quantiser, everywhere but in the
    control that compares it with the ``official`` code's habits.
    """

    kind = "sample"
    version = 2
    code = (*GAN_CODE, "gans.training", "layers", "images", "savepaths", "seeding")

    origin: Images | GAN | Snapshot
    split: str
    count: int
    seed: int = 0
    save_path: str = "ours"

    def cost(self) -> float:
        return self.count * 2e-3

    def make(self, folder, paths, device, progress) -> None:
        if isinstance(self.origin, Images):
            images = self.origin.part(load_array(paths(self.origin), IMAGES), self.split)[: self.count]
        else:
            # splits and replicas never share a latent: two identical generators must not show identical images
            stream = mix(self.seed, worlds.SPLITS.index(self.split), self.origin.replica)
            save = savepaths.of(self.save_path, self.origin.name)
            images = training.sample(paths(self.origin), self.count, stream, device, progress, save)
        np.save(folder / IMAGES, images)


@dataclass(frozen=True)
class Beginnings(Recipe):
    """The first steps of trainings whose training sets differ, beside that of the base set, in lockstep.

    For each GAN, and as many times as ``curve.npy`` has rows: the largest difference of a weight of its generator or
    critic from the base training's, after the images in ``seen.npy``.  It ends ``beyond`` images after the last of
    the GANs has been shown an image that the base training is not shown.
    """

    kind = "beginnings"
    code = GAN.code

    gans: tuple[GAN, ...]  # equal in all but the subset
    beyond: int

    def needs(self) -> list[Recipe]:
        return [self.gans[0].images]

    def cost(self) -> float:
        return 30e-3 * self.beyond * len(self.gans)

    def make(self, folder, paths, device, progress) -> None:
        base = replace(self.gans[0], subset=Subset(0))
        first = [gan.training_set(paths) for gan in self.gans]
        last = max(gan.subset.first_seen(len(first[0]), gan.seeds.order) for gan in self.gans)
        trainings = [
            training.Training(gan.name, gan.config, gan.seeds, images, device)
            for gan, images in [(base, base.training_set(paths)), *zip(self.gans, first, strict=True)]
        ]
        seen, curve = [0], [[0.0] * len(self.gans)]
        with deterministic(device):
            while seen[-1] <= last + self.beyond:
                for one in trainings:
                    one.step()
                seen.append(trainings[0].seen)
                curve.append([_apart(one, trainings[0]) for one in trainings[1:]])
                progress(min(1.0, seen[-1] / (last + self.beyond)))
        np.save(folder / SEEN, np.array(seen))
        np.save(folder / CURVE, np.array(curve))


def _apart(one: training.Training, other: training.Training) -> float:
    """The largest difference of a weight between two trainings, in either network."""
    pairs = (one.generator, other.generator), (one.critic, other.critic)
    return max(training.largest_difference(*pair) for pair in pairs)
