"""How big a run is.  A profile is a frozen dataclass, read from ``presets/NAME.yml``; unknown keys are refused."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from ganfp.paper import published as paper
from ganfp.gans import GANS
from ganfp.gans.cramergan import CramerGANConfig
from ganfp.gans.mmdgan import MMDGANConfig
from ganfp.gans.progan import ProGANConfig
from ganfp.gans.sngan import SNGANConfig

FROM_SCRATCH = "-from-scratch"


@dataclass(frozen=True)
class Cost:
    """What a run needs on the machine it was measured on."""

    seconds: float  # wall clock of `ganfp book`, artifacts and notebooks, without installation
    bytes: float  # of artifacts on disk
    machine: str
    measured: bool = True  # False: an estimate from counted operations


@dataclass(frozen=True)
class Real:
    """Real images: how many are drawn, and how many are kept from the GANs for attribution."""

    drawn: int
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class Classifier:
    """Training of the attribution network."""

    fmap_base: int
    fmap_max: int
    images: int
    batch: int
    learning_rate: float
    rise: float
    decay: float
    flip: bool
    checks: int


@dataclass(frozen=True)
class Immunisation:
    """Fine-tuning of the attribution network under an attack; the rest is as in its training."""

    images: int
    learning_rate: float
    checks: int


@dataclass(frozen=True)
class Visible:
    """Training of the network with visible fingerprints, and of each in the comparison of its three logits."""

    fmap_base: int
    fmap_max: int
    images: int
    batch: int
    learning_rate: float
    rise: float
    decay: float
    ema: float
    flip: bool
    checks: int
    compared: int  # images shown to each of the three


@dataclass(frozen=True)
class Content:
    """Training of the content network on drawn images."""

    drawn: int
    steps: int
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class Plane:
    """t-SNE: images per class, and perplexity."""

    per_class: int
    perplexity: float


@dataclass(frozen=True)
class Profile:
    """The size of every part of a run; counts of images are per source."""

    name: str
    summary: str
    cost: Cost
    resolution: int
    real: Real
    seeds: int
    ladder: tuple[int, ...]  # of Table 2: which of the paper's numbers of exchanged images, scaled to the training set
    progan: ProGANConfig
    sngan: SNGANConfig
    cramergan: CramerGANConfig
    mmdgan: MMDGANConfig
    classifier: Classifier
    immunisation: Immunisation
    visnet: Visible
    content: Content
    plane: Plane
    generators: str = (
        ""  # profile whose shipped generators are the sources, where they are shipped; "": all are trained
    )
    cost_from_scratch: Cost | None = None  # of the run that trains every GAN although shipped ones are at hand
    snapshots: tuple[int, ...] = ()  # images after which ProGANs are also looked at on their way (page x1)
    inception: str = ""  # a file of Inception weights; without one the content network stands in
    perceptual: str = ""  # a file of trunk weights for LPIPS; without one torch's cache, then the content network
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)  # settings that differ from the methods' own

    def __post_init__(self) -> None:
        published = paper.load()["ladder"]
        if self.ladder[:1] != (1,) or any(i not in published for i in self.ladder):
            raise ValueError(f"ladder must begin with 1 and take its other rungs from {published}, not {self.ladder}")
        if self.generators and self.generators not in names():
            raise ValueError(f"generators must be a profile, one of {', '.join(names())}, not {self.generators!r}")
        if unknown := sorted(set(self.baselines) - {"knn", "eigenface", "prnu"}):
            raise ValueError(f"unknown baselines {', '.join(unknown)}; known are knn, eigenface, prnu")


def names() -> list[str]:
    """The known profiles, smallest first."""
    found = {path.stem for path in folder().glob("*.yml")}
    order = ["smoke", "quick", "reference", "reference-photos", "gpu", "paper"]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


def folder() -> Path:
    """Where the presets are."""
    return Path(__file__).with_name("presets")


@cache
def load(name: str) -> Profile:
    """The profile of a name; an unknown one raises ``ValueError`` that lists the known ones.

    With ``-from-scratch`` behind its name a profile trains every GAN itself, shipped or not.
    """
    base = name.removesuffix(FROM_SCRATCH)
    if base not in names():
        raise ValueError(f"unknown profile {name!r}; known are {', '.join(names())}, each also with {FROM_SCRATCH}")
    profile = read((folder() / f"{base}.yml").read_text("utf-8"), base)
    if base == name:
        return profile
    return replace(profile, name=name, generators="", cost=profile.cost_from_scratch or profile.cost)


def read(text: str, name: str) -> Profile:
    """A profile from YAML text; ``name`` is used in errors and as the profile's name."""
    values = yaml.safe_load(text)
    profile = _fill(Profile, {"name": name, **values}, f"presets/{name}.yml")
    profile = replace(profile, **{gan: replace(getattr(profile, gan), resolution=profile.resolution) for gan in GANS})
    for seen in profile.snapshots:
        if profile.progan.stage(seen).resolution < profile.resolution or not 0 < seen < profile.progan.total_images:
            raise ValueError(f"presets/{name}.yml: snapshots: ProGAN has no finished resolution after {seen} images")
    return profile


def _fill(kind: type, values: Any, where: str):
    """A dataclass from a mapping, nested ones too; errors name the file and the key."""
    if not isinstance(values, dict):
        raise ValueError(f"{where}: expected a mapping, not {values!r}")
    known = {f.name for f in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"{where}: unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    hints = {
        key: next(iter(get_args(hint)), hint) if type(None) in get_args(hint) else hint
        for key, hint in get_type_hints(kind).items()
    }
    filled = {
        key: _fill(hints[key], value, f"{where}: {key}")
        if is_dataclass(hints[key])
        else _typed(hints[key], value, f"{where}: {key}")
        for key, value in values.items()
    }
    try:
        return kind(**filled)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _typed(kind: type, value: Any, where: str):
    """A plain value of the type that the dataclass declares; 3 is a fine float, 0.5 no fine int."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (int, float, str, bool) and type(value) is not kind:
        raise ValueError(f"{where}: expected {kind.__name__}, not {value!r}")
    return tuple(value) if isinstance(value, list) else value
