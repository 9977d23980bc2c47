"""What features of images are computed by: a network of our own, or a user's file of weights."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganfp import worlds
from ganfp.features import content
from ganfp.files import sha256
from ganfp.runs.recipes.base import Recipe


@dataclass(frozen=True)
class ContentNetwork(Recipe):
    """A network that tells the content of drawn real images, and never sees a GAN: Inception's stand-in."""

    kind = "content"
    world: str
    resolution: int
    count: int
    settings: tuple[tuple[str, Any], ...]
    seed: int = 1_000_003  # far from the seeds of the worlds that GANs see

    def modules(self) -> tuple[str, ...]:
        return (f"ganfp.worlds.{self.world}",)

    def cost(self) -> float:
        return 1e-3 * dict(self.settings)["steps"] * dict(self.settings)["batch"]

    def make(self, folder, paths, device, progress) -> None:
        world, values = worlds.drawn(self.world), dict(self.settings)
        truth = world.content(world.factors(self.count, self.seed))
        images = world.draw(self.count, self.resolution, self.seed)

        def log(step: int, loss: float) -> None:
            progress((step + 1) / values["steps"])

        fixed = {"seed": self.seed, "device": device, "log": log}
        content.train_content(images, truth, world.CONTENT, **fixed, **values)[0].save(folder)


@dataclass(frozen=True)
class Weights(Recipe):
    """A user's file of weights, known by its digest; the artifact is a copy, so that the file may move."""

    digest: str
    path: str = field(default="", metadata={"key": False})

    def make(self, folder, paths, device, progress) -> None:
        copy = folder / f"weights{Path(self.path).suffix}"
        shutil.copyfile(self.path, copy)
        if sha256(copy) != self.digest:
            raise ValueError(f"{self.path} has changed since this run began; start it again")

    def file(self, paths: Callable[[Recipe], Path]) -> Path:
        """The copy."""
        return next(paths(self).glob("weights*"))


@dataclass(frozen=True)
class InceptionWeights(Weights):
    """Of the Inception network."""

    kind = "inception"


@dataclass(frozen=True)
class PerceptualTrunk(Weights):
    """Of a trunk for perceptual distances."""

    kind = "trunk"
