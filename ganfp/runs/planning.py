"""What a profile takes, counted before anything is made: operations, hours of a GPU, disk, memory.

Operations are those of convolutions and matrix products, counted on tensors without contents.  Hours follow from the
rates in ``rates.yml``, measured on small networks: wide ones use a card better, and take less than is said here.  What
is bound by the start of kernels or by the CPU is not in them: samples, methods without a network, pictures.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
import yaml
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ganfp import attributors
from ganfp.attributors.neural import NeuralAttributor
from ganfp.attributors.visnet import VisNet
from ganfp.gans import config_from, gan_class
from ganfp.gans.base import doublings
from ganfp.gans.ddpm import Network
from ganfp.runs.recipes.attacked import Immunised
from ganfp.runs.recipes.attribution import Fit, Learning
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.diffusion import Diffusion
from ganfp.runs.recipes.gans import GAN
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample

PASSES = 3  # of a training over a network: forward, and back to inputs and to weights
CRITIC = 6  # visNet's critic: two images and the penalty's, whose gradient is differentiated once more


@dataclass(frozen=True)
class Line:
    """All artifacts of one kind: how many, their operations, hours of a GPU, bytes on disk, the most memory of one."""

    kind: str
    count: int
    operations: float
    hours: float
    disk: float
    memory: float


@cache
def rates() -> dict[str, Any]:
    """What was measured, and on which card."""
    return yaml.safe_load(Path(__file__).with_name("rates.yml").read_text("utf-8"))


@cache
def speed() -> float:
    """Operations per second of a card that trains as many GANs as it can take."""
    measured = rates()["trained"]
    config = config_from("progan", {**measured["gan"], "total_images": 10**9})
    return measured["images_per_second"] * step_operations("progan", _at(config, config.resolution), config.resolution)


def plan(recipes: Iterable[Recipe]) -> list[Line]:
    """A line for each kind of artifact among the recipes, in the order in which they come."""
    kinds: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        kinds.setdefault(recipe.kind, []).append(recipe)
    lines = []
    for kind, some in kinds.items():
        done = [operations(recipe) for recipe in some]
        most = max(recipe.memory() for recipe in some)
        lines.append(Line(kind, len(some), sum(done), sum(done) / speed() / 3600, sum(map(disk, some)), most))
    return lines


def check(lines: Iterable[Line], free_disk: float, memory: float) -> None:
    """``ValueError`` where a disk or a card of so many bytes cannot hold what is planned."""
    lines = list(lines)
    if (needed := sum(line.disk for line in lines)) > free_disk:
        raise ValueError(f"the artifacts take {needed / 1e9:.0f} GB of disk, of which {free_disk / 1e9:.0f} are free")
    for line in lines:
        if line.memory > memory:
            most = f"{line.memory / 1e9:.0f} GB of memory, and the device has {memory / 1e9:.0f}"
            raise ValueError(f"{line.kind}: one takes {most}; use smaller batches")


def operations(recipe: Recipe) -> float:
    """Additions and multiplications of making it, 0 where hardly any are a network's."""
    if isinstance(recipe, Diffusion):
        return diffusion_operations(recipe.config)
    if isinstance(recipe, GAN):
        config = recipe.config
        sides = doublings(4, config.resolution) if recipe.name == "progan" else [config.resolution]
        shown = [_shown(config, side) if recipe.name == "progan" else config.total_images for side in sides]
        each = [step_operations(recipe.name, _at(config, side), side) for side in sides]
        return sum(n * count for n, count in zip(shown, each, strict=True))
    if isinstance(recipe, Immunised):
        fit, trained = recipe.fit, replace(recipe.fit, settings=recipe.fit.settings + recipe.settings)
        return operations(trained) if issubclass(attributors.attributor_class(fit.method), NeuralAttributor) else 0.0
    if isinstance(recipe, Learning):
        return operations(recipe.fit)
    if isinstance(recipe, Fit):
        return fit_operations(recipe)
    return 0.0


def fit_operations(recipe: Fit) -> float:
    """Those of fitting a network; other methods are the CPU's."""
    kind = attributors.attributor_class(recipe.method)
    if not issubclass(kind, NeuralAttributor):
        return 0.0
    one = kind(**dict(recipe.settings))
    one.resolution_, one.classes_ = recipe.setup.sources[0].origin.resolution, range(len(recipe.setup.sources))
    images = torch.empty(4, 3, one.resolution_, one.resolution_)
    network = one._network()
    count = PASSES * counted(lambda: network(images))
    if isinstance(one, VisNet):
        count += PASSES * CRITIC / 2 * counted(lambda: network.reconstruct.stages(images))
    return one.images * count / len(images)


@cache
def diffusion_operations(config: Any) -> float:
    """Those of training a diffusion model."""
    with torch.random.fork_rng(devices=[]):
        network = Network(config)
    images, angles = torch.empty(4, 3, config.resolution, config.resolution), torch.empty(4)
    return config.total_images * PASSES / len(images) * counted(lambda: network(images, angles))


@cache
def step_operations(name: str, config: Any, side: int) -> float:
    """Those of a GAN's step at a resolution that has faded in, for each real image that it is shown."""
    stage = _stage(config, side)
    with torch.random.fork_rng(devices=[]):
        gan = gan_class(name)(config)
        generator, critic = gan.Generator(config), gan.Critic(config)

    def step() -> None:
        numbers = gan.numbers(stage, None)
        fake = torch.cat([generator(z, side) for z in numbers["latents"]])
        real = torch.empty(stage.batch, 3, side, side)
        for _ in range(config.critic_steps):
            gan.critic_loss(critic, real, fake.detach(), stage, numbers)[0].backward()
        gan.generator_loss(critic.requires_grad_(False), fake, stage, real).backward()

    again = (config.critic_steps - 1) * gan.fakes  # batches that the critic alone sees
    more = again * counted(lambda: generator(gan.latents(stage.batch, None), side)) if again else 0
    return (counted(step) + more) / (stage.batch * config.critic_steps)


def counted(function: Callable[[], Any]) -> int:
    """Operations of a function of networks, none of which is carried out."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Anywhere()
    with FakeTensorMode(allow_non_fake_inputs=True), counter:
        function()
    return counter.get_total_flops()


class _Anywhere(nullcontext):
    """In place of the counter's own tracker of modules, whose hooks break a gradient penalty's `autograd.grad`."""

    parents = frozenset({"Global"})


def disk(recipe: Recipe) -> float:
    """Bytes of the images that it keeps, which are most of what is on disk."""
    if isinstance(recipe, Images):
        return 3 * recipe.count * recipe.resolution**2
    if isinstance(recipe, Sample):
        return 3 * recipe.count * recipe.origin.resolution**2
    return 0.0


def _stage(config: Any, side: int):
    seen = 0
    while (stage := config.stage(seen)).resolution < side or stage.blend < 1:
        seen += config.phase_images
    return stage


def _at(config: Any, side: int) -> Any:
    """The configuration with a length that two trainings of different ones share."""
    return replace(config, total_images=10**12, decay_from=1.0)


def _shown(config: Any, side: int) -> int:
    """Real images that a growing GAN is shown at a resolution."""
    place = doublings(4, config.resolution).index(side)
    begun = max(0, 2 * place - 1) * config.phase_images
    end = config.total_images if side == config.resolution else (2 * place + 1) * config.phase_images
    return max(0, min(end, config.total_images) - begun)
