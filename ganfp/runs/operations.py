"""Operations of networks, counted on tensors without contents: those of convolutions and matrix products.

A network's step on a GPU also takes the time that the starts of its kernels take, however small they are; so steps are
counted, too, in units of ProGAN's: one update of the critic and one of the generator.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, singledispatch
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ganfp.attributors import attributor_class
from ganfp.attributors.neural import NeuralAttributor
from ganfp.attributors.visnet import VisNet
from ganfp.gans import config_from, gan_class
from ganfp.gans.base import doublings
from ganfp.gans.ddpm import Network
from ganfp.runs.recipes.attacked import Immunised
from ganfp.runs.recipes.attribution import Fit, Learning
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.diffusion import Diffusion
from ganfp.runs.recipes.finetuned import FineTuned
from ganfp.runs.recipes.gans import GAN
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample

PASSES = 3  # of a training over a network: forward, and back to inputs and to weights
CRITIC = 6  # visNet's critic: two images and the penalty's, whose gradient is differentiated once more


@dataclass(frozen=True)
class Work:
    """Additions and multiplications, and steps."""

    operations: float = 0.0
    steps: float = 0.0


@singledispatch
def work(recipe: Recipe) -> Work:
    """What networks do where a recipe is made; nothing where hardly any of it is a network's."""
    return Work()


@work.register
def _(recipe: GAN) -> Work:
    config, grows = recipe.config, recipe.name == "progan"
    total = Work()
    for side in doublings(4, config.resolution) if grows else [config.resolution]:
        shown = images_shown(config, side) if grows else config.total_images
        each, batch = step_operations(recipe.name, at(config, side), side), stage_of(config, side).batch
        steps = shown / batch * (1 + 1 / config.critic_steps) / 2
        total = Work(total.operations + shown * each, total.steps + steps)
    return total


@work.register
def _(recipe: FineTuned) -> Work:
    whole, share = work(recipe.gan), recipe.seen / recipe.gan.config.total_images
    return Work(share * whole.operations, share * whole.steps)


@work.register
def _(recipe: Diffusion) -> Work:
    config = recipe.config
    return Work(config.total_images * diffusion_operations(config), config.total_images / config.batch / 2)


@work.register
def _(recipe: Sample) -> Work:
    if isinstance(recipe.origin, Images) or not hasattr(recipe.origin, "config"):
        return Work()
    return Work(recipe.count * image_operations(recipe.origin.name, recipe.origin.config))


@work.register
def _(recipe: Fit) -> Work:
    side = recipe.setup.sources[0].origin.resolution
    return fit_work(recipe.method, recipe.settings, side, len(recipe.setup.sources))


@work.register
def _(recipe: Immunised) -> Work:
    return work(replace(recipe.fit, settings=recipe.fit.settings + recipe.settings))


@work.register
def _(recipe: Learning) -> Work:
    return work(recipe.fit)


@cache
def fit_work(method: str, settings: tuple[tuple[str, Any], ...], side: int, classes: int) -> Work:
    """That of fitting a network to images of a side (the later of two settings counts); other methods are the CPU's."""
    kind = attributor_class(method)
    if not issubclass(kind, NeuralAttributor):
        return Work()
    one = kind(**dict(settings))
    one.resolution_, one.classes_ = side, range(classes)
    images, network = torch.empty(4, 3, side, side), one._network()
    count = PASSES * counted(lambda: network(images))
    if isinstance(one, VisNet):
        count += PASSES * CRITIC / 2 * counted(lambda: network.reconstruct.stages(images))
    return Work(one.images * count / len(images), one.images / one.batch / (1 if isinstance(one, VisNet) else 2))


@cache
def diffusion_operations(config: Any) -> float:
    """Those of training a diffusion model, for each image that it is shown."""
    with torch.random.fork_rng(devices=[]):
        network = Network(config)
    images, angles = torch.empty(4, 3, config.resolution, config.resolution), torch.empty(4)
    return PASSES / len(images) * counted(lambda: network(images, angles))


@cache
def image_operations(name: str, config: Any) -> float:
    """Those of generating an image."""
    model = gan_class(name)(config)
    with torch.random.fork_rng(devices=[]):
        generator, latents = model.Generator(config).eval(), model.latents(4, torch.Generator())
    return counted(lambda: generator(latents, config.resolution, 1.0)) / len(latents)


@cache
def step_operations(name: str, config: Any, side: int) -> float:
    """Those of a GAN's step at a resolution that has faded in, for each real image that it is shown."""
    stage = stage_of(config, side)
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


def measured(rate: dict[str, Any]) -> float:
    """Operations per second of what was measured: a ProGAN's settings and its images per second."""
    config = config_from("progan", {**rate["gan"], "total_images": 10**9})
    return rate["images_per_second"] * step_operations("progan", at(config, config.resolution), config.resolution)


def stage_of(config: Any, side: int):
    """The first stage of a training at a resolution that has faded in."""
    seen = 0
    while (stage := config.stage(seen)).resolution < side or stage.blend < 1:
        seen += config.phase_images
    return stage


def at(config: Any, side: int) -> Any:
    """The configuration with a length that two trainings of different ones share."""
    return replace(config, total_images=10**12, decay_from=1.0)


def images_shown(config: Any, side: int) -> int:
    """Real images that a growing GAN is shown at a resolution."""
    place = doublings(4, config.resolution).index(side)
    begun = max(0, 2 * place - 1) * config.phase_images
    end = config.total_images if side == config.resolution else (2 * place + 1) * config.phase_images
    return max(0, min(end, config.total_images) - begun)
