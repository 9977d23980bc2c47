"""What can be made, and from what: one frozen description per kind of artifact.

Everything flows one way: images -> GAN -> samples -> fitted attributor -> evaluation; the content network and the
two-dimensional embeddings hang beside.  A recipe's key is a digest of its whole description, down to the images,
plus a version per kind that changes with the code behind it.  This is the only place where the rooms (data sets,
GANs, attributors, features) meet the store.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ganfp import attacks, datasets, savepaths
from ganfp.attributors import Attributor, attributor_class
from ganfp.datasets import split
from ganfp.datasets.rows import Rows
from ganfp.gans import training
from ganfp.seeding import deterministic, mix

GAN_CODE = tuple(
    f"gans.{name}"
    for name in ("base", "losses", "resample", "resnet", "dcgan", "progan", "sngan", "cramergan", "mmdgan")
)
Progress = Callable[[float], None]
IMAGES, PREDICTIONS, PROBABILITIES = "images.npy", "predictions.npy", "probabilities.npy"
FEATURES, POINTS = "features.npy", "points.npy"
DISTANCES, NEIGHBOURS = "distances.npy", "neighbours.npy"
RELATIVE_COST = {"progan": 1.0, "sngan": 0.5, "cramergan": 0.75, "mmdgan": 0.6}  # of a step, measured at 32 px
HELD_OUT = 500_009  # how far the seed of held-out drawings is from that of the GANs' images
SEEN, CURVE = "seen.npy", "curve.npy"


@dataclass(frozen=True)
class Recipe(ABC):
    """A frozen description of an artifact; subclasses say how to make it from the artifacts it needs."""

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    code: ClassVar[tuple[str, ...]] = ()  # the modules behind it: a change there asks for a new version

    @cached_property
    def key(self) -> str:
        text = json.dumps(self.describe(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def describe(self) -> dict:
        """Everything that the result depends on, as plain JSON values."""
        return {"kind": self.kind, "version": self.version, **_plain_fields(self)}

    def needs(self) -> list[Recipe]:
        """The recipes that this one is made from."""
        return list(_recipes_in([getattr(self, f.name) for f in fields(self)]))

    def cost(self) -> float:
        """A rough number of core-seconds, for the order of work and the time left."""
        return 1.0

    @abstractmethod
    def make(self, folder: Path, paths: Callable[[Recipe], Path], device: str, progress: Progress) -> None:
        """Fill ``folder``; ``paths`` gives the folder of each recipe in :meth:`needs`."""


@dataclass(frozen=True)
class Images(Recipe):
    """Real images, and how they are cut into GAN training, attribution training, validation and test."""

    kind = "images"
    version = 2
    code = (
        "datasets", "datasets.faces", "datasets.bedrooms", "datasets.drawing", "datasets.perspective",
        "datasets.files", "datasets.celeba", "datasets.lsun", "images",
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
        if self.dataset in datasets.DRAWN:
            # apart, so that no GAN of another, larger run has seen what is held out in this one
            held = sum(self.held.values())
            cuts = (self.count - held, self.seed), (held, self.seed + HELD_OUT)
        else:
            cuts = ((self.count, self.seed),)
        images = np.concatenate([datasets.load(name, self.resolution, count, seed) for count, seed in cuts])
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
    kind, path = datasets.parse(dataset)
    counted = kind in (*datasets.DRAWN, *datasets.PUBLISHED)
    return Images(
        kind, resolution, count if counted else 0, **held, seed=seed, digest=datasets.digest(dataset), path=path
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
            stream = mix(self.seed, datasets.SPLITS.index(self.split), self.origin.replica)
            save = savepaths.of(self.save_path, self.origin.name)
            images = training.sample(paths(self.origin), self.count, stream, device, progress, save)
        np.save(folder / IMAGES, images)


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


def load_part(setup: Setup, name: str, paths: Callable[[Recipe], Path]) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 3, R, R) and labels (N,) of a split of a setup, source by source."""
    images = np.concatenate([load_array(paths(sample), IMAGES) for sample in setup.part(name)])
    return images, setup.labels(name)


@dataclass(frozen=True)
class Fit(Recipe):
    """An attributor fitted to the training images of a setup; its choices are made on the validation images."""

    kind = "attributor"
    version = 2
    code = (
        "attributors.base", "attributors.calibration", "attributors.pyramid", "attributors.network", "attributors.cnn",
        "attributors.knn", "attributors.eigenface", "attributors.prnu", "layers", "images", "seeding",
        "attributors.neural", "attributors.training", "attributors.autoencoder", "attributors.visnet", "gans.losses",
    )  # fmt: skip

    method: str
    setup: Setup
    settings: tuple[tuple[str, Any], ...] = ()

    def needs(self) -> list[Recipe]:
        return [*self.setup.part("train"), *self.setup.part("validation")]

    def cost(self) -> float:
        if self.method == "cnn":
            settings = dict(self.settings)
            return 1.2e-9 * settings["images"] * settings["fmap_base"] ** 2 * 3 / settings.get("factor", 1)
        if self.method == "visnet":  # measured at 32 px, and so much more where there are more pixels
            settings, resolution = dict(self.settings), self.setup.sources[0].origin.resolution
            return 2e-8 * settings["images"] * settings["fmap_base"] ** 2 * (resolution / 32) ** 0.5
        return 4e-3 * self.setup.train * len(self.setup.sources)

    def make(self, folder, paths, device, progress) -> None:
        attributor = attributor_class(self.method)(**dict(self.settings), **_device(self.method, device))
        attributor.progress = progress
        attributor.fit(*load_part(self.setup, "train", paths), validation=load_part(self.setup, "validation", paths))
        attributor.save(folder)


@dataclass(frozen=True)
class Evaluation(Recipe):
    """What a fitted attributor says of test images: the class, the probabilities and, where it has them, features.

    Predictions are columns of ``classes_``, sorted by name: (N,) int64.
    """

    kind = "evaluation"
    version = 2
    code = Fit.code

    fit: Fit
    setup: Setup
    split: str = "test"

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.setup.part(self.split)]

    def make(self, folder, paths, device, progress) -> None:
        attributor = Attributor.load(paths(self.fit), **_device(self.fit.method, device))
        images, _ = load_part(self.setup, self.split, paths)
        np.save(folder / PREDICTIONS, np.searchsorted(attributor.classes_, attributor.predict(images)))
        np.save(folder / PROBABILITIES, attributor.predict_proba(images).astype(np.float32))
        if hasattr(attributor, "features"):
            np.save(folder / FEATURES, attributor.features(images))


@dataclass(frozen=True)
class Attack:
    """An attack of :data:`ganfp.attacks.ATTACKS` and those of its options that differ from the defaults."""

    name: str
    options: tuple[tuple[str, Any], ...] = ()
    seed: int = 0

    def on(self, images: np.ndarray, split: str, numbers: np.ndarray, device: str = "cpu") -> np.ndarray:
        """The images after the attack; an image of a number meets another draw in each split."""
        random = attacks.Draws(mix(self.seed, datasets.SPLITS.index(split)), numbers)
        return attacks.attack_numbered(self.name, images, random, device, **dict(self.options))


def load_attacked(
    setup: Setup, name: str, attack: Attack, paths: Callable[[Recipe], Path], device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray]:
    """:func:`load_part` after an attack.

    Image k of every source meets the same draw, so that no strength of an attack can give a source away.
    """
    images, labels = load_part(setup, name, paths)
    numbers = np.tile(np.arange(getattr(setup, name)), len(setup.sources))
    return attack.on(images, name, numbers, device), labels


@dataclass(frozen=True)
class Resaved(Recipe):
    """The images of a sample after one way through a JPEG file of a quality (page x2)."""

    kind = "resaved"
    code = ("attacks", "images")

    sample: Sample
    quality: int

    def make(self, folder, paths, device, progress) -> None:
        images = load_array(paths(self.sample), IMAGES)
        one = {"low": self.quality, "high": self.quality}
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

    The network is trained on from its weights, each image under a new draw of the attack whenever it is shown; PRNU
    and others are fitted anew to attacked images.  All choices are made on attacked validation images.
    """

    kind = "immunised"
    version = 2
    code = (*Fit.code, "attacks", "relighting")

    fit: Fit
    attack: Attack
    settings: tuple[tuple[str, Any], ...] = ()  # of the fine-tuning, where they differ from the fit's

    @property
    def method(self) -> str:
        return self.fit.method

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.fit.needs()]

    def cost(self) -> float:
        return replace(self.fit, settings=tuple((dict(self.fit.settings) | dict(self.settings)).items())).cost()

    def make(self, folder, paths, device, progress) -> None:
        setup, options = self.fit.setup, _device(self.method, device)
        validation = load_attacked(setup, "validation", self.attack, paths, device)
        if self.method == "cnn":
            attributor = Attributor.load(paths(self.fit), **options, **dict(self.settings))
            attributor.progress = progress

            def change(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
                return self.attack.on(images, "train", numbers, device)

            attributor.fine_tune(*load_part(setup, "train", paths), validation=validation, change=change)
        else:
            attributor = attributor_class(self.method)(**dict(self.fit.settings), **options)
            attributor.fit(*load_attacked(setup, "train", self.attack, paths, device), validation=validation)
        attributor.save(folder)


@dataclass(frozen=True)
class Answers(Recipe):
    """What a fitted attributor answers for images, after an attack or as they are: columns of ``classes_``, (N,)."""

    kind = "answers"
    version = 2
    code = Immunised.code

    fit: Fit | Immunised
    setup: Setup
    attack: Attack | None
    split: str = "test"

    @property
    def method(self) -> str:
        return self.fit.method

    def needs(self) -> list[Recipe]:
        return [self.fit, *self.setup.part(self.split)]

    def make(self, folder, paths, device, progress) -> None:
        attributor = Attributor.load(paths(self.fit), **_device(self.method, device))
        if self.attack is None:
            images, _ = load_part(self.setup, self.split, paths)
        else:
            images, _ = load_attacked(self.setup, self.split, self.attack, paths, device)
        np.save(folder / PREDICTIONS, np.searchsorted(attributor.classes_, attributor.predict(images)))


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


@dataclass(frozen=True)
class ContentNetwork(Recipe):
    """A network that tells the content of drawn real images, and never sees a GAN: Inception's stand-in."""

    kind = "content"
    code = (
        "features.content", "datasets.faces", "datasets.bedrooms", "datasets.drawing", "datasets.perspective",
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

        world = datasets.drawn(self.world)
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
class PerceptualTrunk(Recipe):
    """A file of weights of a trunk for perceptual distances, known by its digest."""

    kind = "trunk"

    digest: str
    path: str = field(default="", metadata={"key": False})

    def make(self, folder, paths, device, progress) -> None:
        (folder / "path.txt").write_text(str(Path(self.path).resolve()))


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


def load_array(folder: Path, name: str) -> np.ndarray:
    """An array of an artifact as a read-only memory map; a damaged file raises ``ValueError`` that names it."""
    try:
        return np.load(folder / name, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise ValueError(f"{folder / name} is damaged ({error}); delete {folder} and build again") from error


def settings(values: Any) -> tuple[tuple[str, Any], ...]:
    """A dataclass or mapping as a frozen, sorted tuple of pairs."""
    values = asdict(values) if is_dataclass(values) else dict(values)
    return tuple(sorted(values.items()))


def _device(method: str, device: str) -> dict[str, str]:
    return {"device": device} if "device" in attributor_class(method).__dataclass_fields__ else {}


def _plain_fields(value) -> dict:
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.metadata.get("key", True)}


def _plain(value):
    """A value as JSON can hold it."""
    if isinstance(value, Recipe):
        return value.describe()
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _recipes_in(values):
    for value in values:
        if isinstance(value, Recipe):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _recipes_in(value)
