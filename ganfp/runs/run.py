"""A run: the five parameters of every notebook, and the artifacts that follow from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from ganfp import machine, worlds
from ganfp.attributors import attributor_class
from ganfp.features import inception, perceptual
from ganfp.files import sha256
from ganfp.gans import GANS, training
from ganfp.gans.training import Seeds
from ganfp.paper import published as paper
from ganfp.paper.record import Result
from ganfp.runs import profiles, shipping
from ganfp.runs.building import build
from ganfp.runs.profiles import FROM_SCRATCH, Profile
from ganfp.runs.recipes.attacked import Attack, Immunised
from ganfp.runs.recipes.attribution import Evaluation, Fit
from ganfp.runs.recipes.base import IMAGES, Recipe, load_array, settings
from ganfp.runs.recipes.extractors import ContentNetwork, InceptionWeights, PerceptualTrunk
from ganfp.runs.recipes.features import Embedding, Features, NearestReal, Ratios
from ganfp.runs.recipes.gans import GAN, Snapshot, Subset
from ganfp.runs.recipes.images import Images, real_images
from ganfp.runs.recipes.samples import Sample, Setup, Source
from ganfp.runs.store import Store, here

ALL_VARIABLE = "GANFP_ALL"


@dataclass(frozen=True)
class Run:
    """``seed`` moves everything that is random after the GANs are trained; they keep seeds 1, 2, ... of their own."""

    profile: Profile
    dataset: str  # its label, fit for any page and figure
    seed: int
    device: str
    out: str
    source: str = ""  # the data set as the user named it, with its path

    @cached_property
    def store(self) -> Store:
        """Where the artifacts are."""
        return here()

    @cached_property
    def images(self) -> Images:
        """The real images."""
        held = asdict(self.profile.real)
        drawn, base = held.pop("drawn"), held.pop("base")
        return real_images(self.source, self.profile.resolution, drawn, held, base=base)

    def gan(self, name: str, seed: int = 1, replica: int = 0, swapped: int | None = None) -> GAN:
        """A GAN, everything random in it moved by ``seed``.

        It is trained on the profile's number of images that are for GANs, or, with ``swapped``, on the base set, of
        which so many have been exchanged for images that it does not hold.
        """
        subset = None if swapped is None else Subset(swapped)
        snapshots = self.profile.snapshots if name == "progan" and subset is None and not replica else ()
        return GAN(self.images, name, self.profile.gans[name], Seeds.all(seed), replica, subset, snapshots)

    def generator(self, name: str, seed: int = 1, swapped: int | None = None) -> shipping.Shipped | GAN:
        """The same as a source of images: the generator that travels with the repository, if there is one."""
        gan = self.trained_as.gan(name, seed, swapped=swapped)
        takes = self.profile.generators == self.trained_as.profile.name
        return takes and shipping.find(gan) or gan

    def snapshot(self, seed: int, seen: int) -> shipping.Shipped | Snapshot:
        """A ProGAN of this run as it was after ``seen`` images, from a file if there is one."""
        then = Snapshot(self.gan("progan", seed), seen)
        return self.profile.generators and shipping.find(then) or then

    def critic(self, seed: int) -> shipping.Shipped | GAN:
        """What has the critic of a ProGAN of this run, from a file if there is one."""
        gan = self.gan("progan", seed)
        return self.profile.generators and shipping.find(gan, training.CRITIC) or gan

    @cached_property
    def trained_as(self) -> Run:
        """The run whose GANs are the sources: that of the profile's ``generators``, or this run itself.

        Itself, too, where one of the generators that it needs is not shipped, as for a user's own images: sources that
        are trained for a minute beside others that are trained for an hour would tell themselves apart.
        """
        named = self.profile.generators
        if not named or named == self.profile.name:
            return self
        other = replace(self, profile=profiles.load(named))
        if not shipping.find(other.gan("progan")):  # and these images may be too few to be divided as there
            return self
        found = self._sources(other.gan, other.scaled(self.profile.ladder))
        return other if all(shipping.find(gan) for gan in found) else self

    @property
    def live(self) -> bool:
        """Whether it measures what is beyond the paper itself, and does not show the reference run's records of it.

        A run does that trains its own GANs, and every run where the environment has ``$GANFP_ALL``.
        """
        return self.trained_as is self or bool(os.environ.get(ALL_VARIABLE))

    @cached_property
    def by_itself(self) -> Run:
        """The same run with GANs that it trains itself, which can be followed on their way and have critics."""
        if self.trained_as is self:
            return self
        return replace(self, profile=profiles.load(self.profile.name + FROM_SCRATCH))

    @cached_property
    def shipped(self) -> bool:
        """Whether the sources are generators that travel with the repository, all of them."""
        return all(isinstance(one, shipping.Shipped) for one in self._sources(self.generator, self.rungs))

    def _sources(self, source: Callable[..., Any], rungs: Iterable[int]) -> list[Any]:
        """Every GAN that this run's tables take from the run that trained it, as ``source`` gives it."""
        seeds = [source("progan", seed) for seed in range(1, self.profile.seeds + 1)]
        return [*seeds, *map(source, GANS), *(source("progan", swapped=i) for i in rungs)]

    @cached_property
    def base_images(self) -> int:
        """Images in a training set of the ladder."""
        total = self.images.count if self.images.drawn else len(self.array(self.images, IMAGES))
        return self.images.base_of(len(worlds.split(total, self.images.held)["gan"]))

    @cached_property
    def rungs(self) -> list[int]:
        """Images exchanged on each rung of Table 2: the paper's that the profile names, scaled to the sources' set."""
        return self.trained_as.scaled(self.profile.ladder)

    def scaled(self, ladder: Iterable[int]) -> list[int]:
        """Numbers of exchanged images of the paper's ladder, scaled to this run's base set."""
        largest = paper.load()["ladder"][-1]
        return sorted({max(1, round(i * self.base_images / largest)) for i in ladder})

    def setup(self, name: str, sources: Iterable[tuple[str, Recipe]]) -> Setup:
        """An attribution task with the profile's number of images per source."""
        real, sources = self.profile.real, tuple(Source(*source) for source in sources)
        return Setup(name, sources, real.train, real.validation, real.test, self.seed)

    def fit(self, method: str, setup: Setup, **changes: Any) -> Fit:
        """A method fitted to a setup, with the profile's settings but for ``changes``, and this seed if it has one."""
        own = vars(self.profile.methods.get(method, SimpleNamespace()))
        return Fit(method, setup, settings(own | _known(method, {"seed": self.seed}) | changes))

    def evaluation(self, method: str, setup: Setup, **changes: Any) -> Evaluation:
        """What a method says of the setup's test images."""
        return Evaluation(self.fit(method, setup, **changes), setup)

    def immunised(self, method: str, setup: Setup, attack: Attack) -> Immunised:
        """A method after its defence against an attack, with the profile's schedule."""
        return Immunised(self.fit(method, setup), attack, settings(_known(method, asdict(self.profile.immunisation))))

    @cached_property
    def extractor(self) -> ContentNetwork | InceptionWeights | PerceptualTrunk:
        """What stands in the row "Inception": the real one if a file of it is named.

        Without one it is a trunk that learned from ImageNet, for photographs and if there is a file of one; else the
        content network, which learned from drawings.
        """
        if named := self.profile.inception or os.environ.get(inception.VARIABLE):
            weights = inception.find_weights(named)
            return InceptionWeights(sha256(weights), str(weights))
        return self.content if self.images.drawn else self.perceptual

    @cached_property
    def content(self) -> ContentNetwork:
        """The content network, which has learned from drawn images."""
        values = asdict(self.profile.content)
        count, world = values.pop("drawn"), self.dataset if self.images.drawn else "faces"
        return ContentNetwork(world, self.profile.resolution, count, settings(values))

    @cached_property
    def perceptual(self) -> ContentNetwork | PerceptualTrunk:
        """What perceptual distances are made of: a trunk, if there is a file of one, else the content network."""
        trunk = perceptual.find_trunk(self.profile.perceptual, self.profile.resolution)
        return PerceptualTrunk(sha256(trunk), str(trunk)) if trunk else self.content

    def features(self, setup: Setup) -> Features:
        """Content (or Inception) features of the setup's test images."""
        return Features(self.extractor, setup)

    def ratios(self, features: Features | Evaluation, setup: Setup, per_class: int = 0) -> Ratios:
        """The FD ratio of features of the setup's test images, all or the first so many of each source."""
        return Ratios(features, setup, self.seed, per_class=per_class)

    def nearest(self, setup: Setup) -> NearestReal:
        """The perceptually nearest real image of each test image of a setup."""
        return NearestReal(self.perceptual, setup, self.images)

    def embedding(self, features: Features | Evaluation, setup: Setup) -> Embedding:
        """Features in the plane, for Figure 1."""
        return Embedding(features, setup, **asdict(self.profile.plane), seed=self.seed)

    def build(self, wanted: Iterable[Recipe], **options) -> float:
        """Make what is missing of the recipes and of what they need; the seconds it took."""
        return build(list(wanted), self.store, device=self.device, **options)

    def path(self, recipe: Recipe) -> Path:
        """The folder of an artifact, built if need be; a damaged file raises ``DamagedArtifactError``."""
        self.build([recipe])
        self.store.verify(recipe)
        return self.store.folder(recipe)

    def array(self, recipe: Recipe, name: str) -> np.ndarray:
        """An array of an artifact, built if need be."""
        return load_array(self.path(recipe), name)

    def sample(self, recipe: Sample) -> np.ndarray:
        """The images of a sample, uint8 (N, 3, R, R)."""
        return self.array(recipe, IMAGES)

    def seconds(self, recipe: Recipe) -> float:
        """How long the artifact took to make, whenever and wherever that was."""
        return recipe.seconds if isinstance(recipe, shipping.Shipped) else self.store.info(recipe)["seconds"]

    def processor_seconds(self, recipe: Recipe) -> float:
        """Seconds of the processor behind an artifact, whatever ran beside it; on a GPU, of the clock."""
        info = self.store.info(recipe)
        return info.get("processor_seconds" if info.get("device") == "cpu" else "seconds", info["seconds"])

    def save(self, result: Result, name: str) -> None:
        """Write records and arrays into ``out``; without an ``out`` a run leaves nothing behind."""
        if self.out:
            result.save(self.out, name)


def _known(method: str, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that are settings of a method."""
    known = {field.name for field in fields(attributor_class(method))}
    return {key: value for key, value in values.items() if key in known}


def begin(profile: str = "quick", dataset: str = "faces", seed: int = 0, device: str = "cpu", out: str = "") -> Run:
    """Check the parameters of a notebook and start a run.

    profile: a name in ``ganfp/runs/presets``; dataset: ``faces``, ``bedrooms``, ``npz:PATH``, ``folder:PATH``,
    ``celeba:PATH``, ``lsun:PATH`` or ``eurosat:PATH``; device: ``cpu``, ``cuda``, ``cuda:1`` ... or ``auto``;
    out: a folder for records, none by default.  ``ValueError`` names what is wrong.
    """
    _, path = worlds.parse(dataset)
    if path and not Path(path).expanduser().exists():
        raise FileNotFoundError(f"dataset: {path} does not exist (it was looked for from {Path.cwd()})")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be a whole number, 0 or more, not {seed!r}")
    device = machine.found(device)
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {device!r} cannot be used here: {error}") from error
    return Run(profiles.load(profile), worlds.label(dataset), seed, device, out, dataset)


def begin_each(profile: str = "quick", dataset: str = "faces", **parameters) -> list[Run]:
    """A run of each of the data sets that ``dataset`` names, separated by commas; otherwise as :func:`begin`.

    ``ValueError`` where two of them would have one label, so that their records could not be told apart.
    """
    runs = [begin(profile, name, **parameters) for name in worlds.names(dataset)]
    if shared := {one.dataset for one in runs if [other.dataset for other in runs].count(one.dataset) > 1}:
        raise ValueError(f"dataset: two would both be called {shared.pop()}; rename a file or a folder")
    return runs
