"""Features of images, perceptual neighbours, and both in the plane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import worlds
from ganfp.runs.recipes.attribution import Evaluation, Setup, load_part
from ganfp.runs.recipes.base import DISTANCES, FEATURES, IMAGES, NEIGHBOURS, POINTS, Recipe, load_array
from ganfp.runs.recipes.sources import Images, Sample


@dataclass(frozen=True)
class ContentNetwork(Recipe):
    """A network that tells the content of drawn real images, and never sees a GAN: Inception's stand-in."""

    kind = "content"
    code = (
        "features.content", "worlds.faces", "worlds.bedrooms", "worlds.drawing", "worlds.perspective",
    )  # fmt: skip

    world: str
    resolution: int
    count: int
    settings: tuple[tuple[str, Any], ...]
    seed: int = 1_000_003  # far from the seeds of the worlds that GANs see

    def cost(self) -> float:
        return 1e-3 * dict(self.settings)["steps"] * dict(self.settings)["batch"]

    def make(self, folder, paths, device, progress) -> None:
        from ganfp.features import content

        world = worlds.drawn(self.world)
        factors = world.factors(self.count, self.seed)
        images = world.draw(self.count, self.resolution, self.seed)
        values = dict(self.settings)

        def log(step: int, loss: float) -> None:
            progress((step + 1) / values["steps"])

        network, _ = content.train_content(
            images, world.content(factors), world.CONTENT, seed=self.seed, device=device, log=log, **values
        )
        network.save(folder)


@dataclass(frozen=True)
class InceptionWeights(Recipe):
    """A user's file of Inception weights, known by its digest."""

    kind = "inception"

    digest: str
    path: str = field(default="", metadata={"key": False})

    def make(self, folder, paths, device, progress) -> None:
        (folder / "path.txt").write_text(str(Path(self.path).resolve()))


@dataclass(frozen=True)
class PerceptualTrunk(Recipe):
    """A file of weights of a trunk for perceptual distances, known by its digest."""

    kind = "trunk"

    digest: str
    path: str = field(default="", metadata={"key": False})

    def make(self, folder, paths, device, progress) -> None:
        (folder / "path.txt").write_text(str(Path(self.path).resolve()))


@dataclass(frozen=True)
class Features(Recipe):
    """Features of the images of a setup by a generic extractor."""

    kind = "features"
    code = ("features.content", "features.inception", "features.imagenet", "features.perceptual")

    extractor: ContentNetwork | InceptionWeights | PerceptualTrunk
    setup: Setup
    split: str = "test"

    def needs(self) -> list[Recipe]:
        return [self.extractor, *self.setup.part(self.split)]

    def cost(self) -> float:
        return 2e-3 * self.setup.test * len(self.setup.sources)

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_part(self.setup, self.split, paths)
        if isinstance(self.extractor, InceptionWeights):
            from ganfp.features.inception import inception_features

            weights = (paths(self.extractor) / "path.txt").read_text()
            features = inception_features(images, weights, device)
        elif isinstance(self.extractor, PerceptualTrunk):
            from ganfp.features.imagenet import imagenet_features

            features = imagenet_features(images, (paths(self.extractor) / "path.txt").read_text(), device)
        else:
            from ganfp.features import content

            features = content.ContentNetwork.load(paths(self.extractor), device).features(images)
        np.save(folder / FEATURES, features)


@dataclass(frozen=True)
class NearestReal(Recipe):
    """The perceptually nearest real image of each image of a sample, among all that are for GANs (Section 4.3).

    ``distances.npy`` (N,) float32; ``neighbours.npy`` (N,) int64, rows of the GANs' part of the real images.
    """

    kind = "nearest"
    code = ("features.perceptual", "features.content", "images")

    extractor: ContentNetwork | PerceptualTrunk
    sample: Sample
    images: Images

    def cost(self) -> float:
        return 2e-7 * self.sample.count * max(self.images.count, 1000) * (self.images.resolution / 32) ** 2

    def distance(self, paths: Callable[[Recipe], Path], device: str = "cpu"):
        """The distance itself; its ``name`` says what it is."""
        from ganfp.features import content, perceptual

        if isinstance(self.extractor, PerceptualTrunk):
            return perceptual.load_trunk((paths(self.extractor) / "path.txt").read_text(), device)
        return perceptual.content_distance(content.ContentNetwork.load(paths(self.extractor), device))

    def make(self, folder, paths, device, progress) -> None:
        images = load_array(paths(self.sample), IMAGES)
        real = self.images.part(load_array(paths(self.images), IMAGES), "gan")
        found = self.distance(paths, device).nearest(images, real, progress=progress)
        np.save(folder / DISTANCES, found.distance)
        np.save(folder / NEIGHBOURS, found.index)


@dataclass(frozen=True)
class Embedding(Recipe):
    """t-SNE of features to the plane (Figure 1): standardised nowhere, started from the first two components."""

    kind = "embedding"

    features: Features | Evaluation
    setup: Setup
    per_class: int
    perplexity: float
    seed: int

    def needs(self) -> list[Recipe]:
        return [self.features]

    def cost(self) -> float:
        return 6e-3 * self.per_class * len(self.setup.sources)

    def rows(self) -> np.ndarray:
        """Which rows of the features are shown: the first ``per_class`` of each class."""
        return np.flatnonzero(np.tile(np.arange(self.setup.test) < self.per_class, len(self.setup.sources)))

    def make(self, folder, paths, device, progress) -> None:
        from sklearn.manifold import TSNE

        features = load_array(paths(self.features), FEATURES)[self.rows()]
        tsne = TSNE(perplexity=self.perplexity, init="pca", random_state=self.seed)
        np.save(folder / POINTS, tsne.fit_transform(features))
