"""Real images, and how they are divided."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ganfp import worlds
from ganfp.runs.recipes.base import IMAGES, Recipe
from ganfp.seeding import mix
from ganfp.worlds import split

HELD_OUT = 500_009  # how far the seed of held-out drawings is from that of the GANs' images
APART = 10_000_019  # and how far those of other runs' held-out drawings are from each other


@dataclass(frozen=True)
class Images(Recipe):
    """Real images, and how they are cut into GAN training, attribution training, validation and test.

    Those of a drawn world that are held out are drawn apart, so that no GAN of another, larger run has seen them.
    """

    kind = "images"
    computes = False

    dataset: str
    resolution: int
    count: int  # how many to draw, or to read of a published set; 0 for a user's files, which are taken whole
    train: int
    validation: int
    test: int
    seed: int = 0
    base: int = 0  # of the GANs' images, how many one of them sees; 0: all, and half of them where some are exchanged
    digest: str = ""  # of a user's files; see `real_images`
    path: str = field(default="", metadata={"key": False})

    @property
    def drawn(self) -> bool:
        """Whether code draws them."""
        return self.dataset in worlds.DRAWN

    def describe(self) -> dict:
        return super().describe() | {"renderer": worlds.drawn(self.dataset).VERSION if self.drawn else None}

    def modules(self) -> tuple[str, ...]:
        return (f"ganfp.worlds.{'files' if self.dataset == 'folder' else self.dataset}",)

    def cost(self) -> float:
        return self.count * self.resolution**2 * 1e-6

    def make(self, folder, paths, device, progress) -> None:
        if self.drawn:
            world, held = worlds.drawn(self.dataset), sum(self.held.values())
            cuts = (self.count - held, self.seed), (held, self.seed + HELD_OUT)
            images = np.concatenate([world.draw(count, self.resolution, seed) for count, seed in cuts])
        else:
            images = worlds.load(f"{self.dataset}:{self.path}", self.resolution, self.count, self.seed)
        np.save(folder / IMAGES, images)

    @property
    def held(self) -> dict[str, int]:
        """How many images are kept from the GANs, by what for."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def base_of(self, count: int) -> int:
        """Images in a GAN's training set where some are exchanged, of ``count`` that are for GANs."""
        return self.base if 0 < 2 * self.base <= count else count // 2

    def part(self, images: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
        """The images of one split, of all (N, ...); another seed has the same held-out ones in other splits."""
        cut = split(len(images), self.held)
        if name == "gan" or not seed:
            return images[cut[name].start : cut[name].stop]
        first, pool = cut["train"].start, sum(self.held.values())
        turn = 1 + mix(seed) % max(1, pool - 1)
        return images[first + (np.arange(cut[name].start, cut[name].stop) - first + turn) % pool]

    def scene(self, name: str, seed: int = 0, maps: bool = False) -> Any:
        """A seed's own held-out drawings of a split as their world renders them, with masks and normals if ``maps``."""
        world, held = worlds.drawn(self.dataset), sum(self.held.values())
        first, rows = self.count - held, split(self.count, self.held)[name]
        factors = world.factors(held, self.seed + HELD_OUT + seed * APART)
        mine = {factor: values[rows.start - first : rows.stop - first] for factor, values in factors.items()}
        return world.render(mine, self.resolution, maps)


def real_images(
    dataset: str, resolution: int, count: int, held: dict[str, int], seed: int = 0, base: int = 0
) -> Images:
    """The recipe of a data set by its name; a user's files enter the key by their content, not by their path."""
    kind, path = worlds.parse(dataset)
    counted = kind in (*worlds.DRAWN, *worlds.PUBLISHED)
    known = {"seed": seed, "base": base, "digest": worlds.digest(dataset), "path": path}
    return Images(kind, resolution, count if counted else 0, **held, **known)
