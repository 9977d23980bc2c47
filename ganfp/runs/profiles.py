"""How big a run is.  A profile is a frozen dataclass, read from ``presets/NAME.yml``; unknown keys are refused."""

import math
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass, replace
from functools import cache
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from ganfp.attributors import attributor_class
from ganfp.gans import GANS, gan_class
from ganfp.gans.ddpm import DDPMConfig
from ganfp.paper import published as paper

FROM_SCRATCH = "-from-scratch"
LARGEST = 2**31  # of whole numbers
ORDER = ("smoke", "quick", "quick64", "reference", "reference-photos", "gpu", "paper")  # by size


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
    base: int = 0  # of those for GANs, how many one GAN sees; 0: all, and half of them in Table 2


def _block(name: str, **kinds: type) -> type:
    return make_dataclass(name, kinds.items(), frozen=True)


# Trainings of the attribution network under an attack, and of each network in the comparison of visNet's logits: what
# is not said here is as in the network's own training.  Then the content network's, on drawn images, and t-SNE.
Immunisation = _block("Immunisation", images=int, learning_rate=float, checks=int)
Logits = _block("Logits", images=int)
Content = _block("Content", drawn=int, steps=int, batch=int, learning_rate=float)
Plane = _block("Plane", per_class=int, perplexity=float)


@dataclass(frozen=True)
class Early:
    """Shorter trainings of another ProGAN, which page x1 follows beside those of the tables."""

    progan: Any  # its configuration
    snapshots: tuple[int, ...]


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
    methods: dict[str, SimpleNamespace]  # by name, settings that differ from a method's own
    immunisation: Immunisation
    logits: Logits
    content: Content
    plane: Plane
    generators: str = ""  # profile whose shipped generators are the sources, where they are shipped; "": train them
    cost_from_scratch: Cost | None = None  # of the run that trains every GAN although shipped ones are at hand
    snapshots: tuple[int, ...] = ()  # images after which ProGANs are also looked at on their way (page x1)
    early: Early | None = None
    control: int = 0  # images that the two ProGANs of the same-seed control are trained on; 0: as many as any ProGAN
    inception: str = ""  # a file of Inception weights; without one the content network stands in
    perceptual: str = ""  # a file of trunk weights for LPIPS; without one torch's cache, then the content network
    diffusion: DDPMConfig = field(default_factory=DDPMConfig)  # page x10; its resolution is the profile's
    gans: dict[str, Any] = field(default_factory=dict)  # by name, the configuration of every known GAN

    def __post_init__(self) -> None:
        published = paper.load()["ladder"]
        held = self.real.train + self.real.validation + self.real.test
        if self.real.drawn < held + (held + 1) // 2:
            least = held + (held + 1) // 2
            raise ValueError(f"real: drawn must be at least {least}, half as many again as are held out")
        if self.plane.per_class > self.real.test:
            raise ValueError(f"plane: per_class must be at most the {self.real.test} test images")
        if self.ladder[:1] != (1,) or any(i not in published for i in self.ladder):
            raise ValueError(f"ladder must begin with 1 and take its other rungs from {published}, not {self.ladder}")
        if self.generators and self.generators not in names():
            raise ValueError(f"generators must be a profile, one of {', '.join(names())}, not {self.generators!r}")


def names() -> list[str]:
    """The known profiles, smallest first; behind them those of a stranger."""
    found = {path.stem for path in folder().glob("*.yml")}
    return [*(name for name in ORDER if name in found), *sorted(found - set(ORDER))]


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
    profile = read((folder() / f"{base}.yml").read_text("utf-8", errors="replace"), base)
    if base == name:
        return profile
    return replace(profile, name=name, generators="", control=0, cost=profile.cost_from_scratch or profile.cost)


def read(text: str, name: str) -> Profile:
    """A profile of a name from YAML text; ``ValueError`` names the key that is wrong."""
    where = f"presets/{name}.yml"
    try:
        plain = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ArithmeticError, ValueError) as error:
        raise ValueError(f"{where} is not valid YAML: {error}") from error
    values = _mapping(plain, where)
    gans, methods = (_mapping(values.pop(block, {}), f"{where}: {block}") for block in ("gans", "methods"))
    values["methods"] = {method: _method(method, block, f"{where}: methods") for method, block in methods.items()}
    early = _mapping(values.pop("early", {}), f"{where}: early")
    profile = _fill(Profile, {"name": name, **values}, where)
    profile = replace(profile, gans=_gans(gans, profile.resolution, f"{where}: gans"))
    profile = replace(profile, diffusion=replace(profile.diffusion, resolution=profile.resolution))
    if early:
        blocks = {**gans, "progan": early.pop("progan", {})}
        early["progan"] = _gans(blocks, profile.resolution, f"{where}: early")["progan"]
        profile = replace(profile, early=_fill(Early, early, f"{where}: early"))
        _check_snapshots(early["progan"], profile.early.snapshots, profile.resolution, f"{where}: early")
    _check_snapshots(profile.gans["progan"], profile.snapshots, profile.resolution, where)
    return profile


def _check_snapshots(growth: Any, snapshots: tuple[int, ...], resolution: int, where: str) -> None:
    for seen in snapshots:
        if growth.stage(seen).resolution < resolution or not 0 < seen < growth.total_images:
            raise ValueError(f"{where}: snapshots: ProGAN has no finished resolution after {seen} images")


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(f"{where}: expected a mapping, not {value!r:.40}, with names as keys")
    return value


def _gans(blocks: dict[str, Any], resolution: int, where: str) -> dict[str, Any]:
    """The configuration of every known GAN: its own defaults, then those of ``all`` that it knows, then its block."""
    if unknown := sorted(set(blocks) - {"all", *GANS}):
        raise ValueError(f"{where}: unknown GANs {', '.join(unknown)}; known are {', '.join(GANS)}, and all")
    blocks = {name: _mapping(block, f"{where}: {name}") for name, block in blocks.items()}
    shared, configs = blocks.pop("all", {}), {name: gan_class(name).Config for name in GANS}
    known = {name: {f.name for f in fields(config)} for name, config in configs.items()}
    if unknown := sorted(set(shared).difference(*known.values())):
        raise ValueError(f"{where}: all: no GAN knows {', '.join(unknown)}")
    filled = {}
    for name, config in configs.items():
        of_all = {key: value for key, value in shared.items() if key in known[name]}
        filled[name] = _fill(config, of_all | blocks.get(name, {}) | {"resolution": resolution}, f"{where}: {name}")
    return filled


def _method(method: str, block: Any, where: str) -> SimpleNamespace:
    """Settings of an attribution method, checked against its class."""
    try:
        kind = attributor_class(method)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    checked = _checked(kind, block, f"{where}: {method}")
    try:
        kind(**checked)._check_settings()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {method}: {error}") from error
    return SimpleNamespace(**checked)


def _fill(kind: type, values: Any, where: str):
    """A dataclass from a mapping."""
    checked = _checked(kind, values, where)
    try:
        return kind(**checked)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"{where}: {error}") from error


def _checked(kind: type, values: Any, where: str) -> dict[str, Any]:
    """The values as the dataclass's fields want them; an unknown key or another type is an error."""
    known = {f.name: f for f in fields(kind)}
    if unknown := sorted(set(_mapping(values, where)) - set(known)):
        raise ValueError(f"{where}: unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    hints, checked = get_type_hints(kind), {}
    for key, value in values.items():
        hint = get_args(hints[key])[0] if NoneType in get_args(hints[key]) else hints[key]
        if is_dataclass(hint):
            checked[key] = _fill(hint, value, f"{where}: {key}")
        else:
            checked[key] = _typed(hint, value, f"{where}: {key}", least=0 if known[key].default == 0 else 1)
    return checked


def _typed(kind: type, value: Any, where: str, least: int):
    """A plain value of the type that the dataclass declares; 3 is a fine float, 0.5 no fine int.

    No setting is negative, and a whole number is ``least`` or more.
    """
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if not isinstance(value, list) or kinds[-1] is not ... and len(value) != len(kinds):
            raise ValueError(f"{where}: expected a list of {kinds[0].__name__}, not {value!r:.40}")
        return tuple(_typed(kinds[0], one, where, least) for one in value)
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if kind in (int, float, str, bool) and type(value) is not kind:
        raise ValueError(f"{where}: expected {kind.__name__}, not {value!r:.40}")
    if kind is int and value > LARGEST:
        raise ValueError(f"{where} must be at most {LARGEST}")
    if kind is int and value < least or kind is float and not 0 <= value < math.inf:
        raise ValueError(f"{where} must be {least if kind is int else 0} or more, and finite, not {value!r:.40}")
    return value
