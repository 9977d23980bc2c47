"""Features of images, perceptual neighbours, and both in numbers and in the plane."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ganfp import metrics
from ganfp.features import content, inception, perceptual
from ganfp.files import write_json
from ganfp.runs.recipes.attribution import Evaluation
from ganfp.runs.recipes.base import DISTANCES, FEATURES, IMAGES, NEIGHBOURS, POINTS, Recipe, load_array
from ganfp.runs.recipes.extractors import ContentNetwork, InceptionWeights, PerceptualTrunk
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import OfImages, Setup, load_part

RATIOS = "ratios.json"


@dataclass(frozen=True)
class Features(OfImages):
    """Features of the images of a setup by a generic extractor: (N, d)."""

    kind = "features"
    extractor: ContentNetwork | InceptionWeights | PerceptualTrunk
    setup: Setup
    split: str = "test"

    def cost(self) -> float:
        return 2e-3 * self.setup.test * len(self.setup.sources)

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_part(self.setup, self.split, paths)
        if isinstance(self.extractor, InceptionWeights):
            features = inception.inception_features(images, self.extractor.file(paths), device)
        elif isinstance(self.extractor, PerceptualTrunk):
            from ganfp.features.imagenet import imagenet_features

            features = imagenet_features(images, self.extractor.file(paths), device)
        else:
            features = content.ContentNetwork.load(paths(self.extractor), device).features(images)
        np.save(folder / FEATURES, features)


@dataclass(frozen=True)
class NearestReal(OfImages):
    """The perceptually nearest real image, among all that are for GANs, of each image of a setup (Section 4.3).

    ``distances.npy`` (N,) float32; ``neighbours.npy`` (N,) int64, rows of the GANs' part of the real images; both
    source by source, as :func:`load_part` gives the images.
    """

    kind = "nearest"
    extractor: ContentNetwork | PerceptualTrunk
    setup: Setup
    images: Images
    split: str = "test"

    def cost(self) -> float:
        count = len(self.setup.sources) * getattr(self.setup, self.split)
        return 2e-7 * count * max(self.images.count, 1000) * (self.images.resolution / 32) ** 2

    def distance(self, paths: Callable[[Recipe], Path], device: str = "cpu") -> perceptual.PerceptualDistance:
        """The distance itself; its ``name`` says what it is."""
        if isinstance(self.extractor, PerceptualTrunk):
            return perceptual.load_trunk(self.extractor.file(paths), device)
        return perceptual.content_distance(content.ContentNetwork.load(paths(self.extractor), device))

    def make(self, folder, paths, device, progress) -> None:
        images, _ = load_part(self.setup, self.split, paths)
        real = self.images.part(load_array(paths(self.images), IMAGES), "gan")
        found = self.distance(paths, device).nearest(images, real, progress=progress)
        np.save(folder / DISTANCES, found.distance)
        np.save(folder / NEIGHBOURS, found.index)


@dataclass(frozen=True)
class Ratios(Recipe):
    """The FD ratio of the features of a setup's test images, by each convention (Supplement A)."""

    kind = "ratios"
    features: Features | Evaluation
    setup: Setup
    seed: int
    halvings: int = 5  # random ones, that are averaged
    per_class: int = 0  # of each source the first so many images; 0: all

    def cost(self) -> float:
        return 1e-2 * self.halvings * len(self.setup.sources) ** 2

    def make(self, folder, paths, device, progress) -> None:
        rows = self.setup.first(self.per_class or self.setup.test)
        features, labels = load_array(paths(self.features), FEATURES)[rows], self.setup.labels("test")[rows]
        data, how = (features, labels), (self.seed, self.halvings)
        found = {convention: asdict(metrics.fd_ratio(*data, convention, *how)) for convention in ("matched", "paper")}
        write_json(folder / RATIOS, found)

    def load(self, paths: Callable[[Recipe], Path]) -> dict[str, metrics.FDRatio]:
        """The ratio by each convention, ``matched`` and ``paper``."""
        found = json.loads((paths(self) / RATIOS).read_text("utf-8"))
        return {convention: metrics.FDRatio(**values) for convention, values in found.items()}


@dataclass(frozen=True)
class Embedding(Recipe):
    """t-SNE of features to the plane (Figure 1): standardised nowhere, started from the first two components."""

    kind = "embedding"
    features: Features | Evaluation
    setup: Setup
    per_class: int
    perplexity: float
    seed: int

    def cost(self) -> float:
        return 6e-3 * self.per_class * len(self.setup.sources)

    def rows(self) -> np.ndarray:
        """Which rows of the features are shown: the first ``per_class`` of each class."""
        return self.setup.first(self.per_class)

    def make(self, folder, paths, device, progress) -> None:
        from sklearn.manifold import TSNE

        features = load_array(paths(self.features), FEATURES)[self.rows()]
        tsne = TSNE(perplexity=self.perplexity, init="pca", random_state=self.seed)
        np.save(folder / POINTS, tsne.fit_transform(features))
