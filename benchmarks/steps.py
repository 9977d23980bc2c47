"""How fast training is: images per second, operations per image, share of the machine's peak, gain over plain code.

A plain step is the same mathematics as a textbook writes it: float32, images in PyTorch's default layout, resampling
apart from convolutions, torch's own derivatives, each batch through the critic by itself.  Tests compare its
gradients with those of the step that trains.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from ganfp import layers, memory
from ganfp.attributors.cnn import CNN
from ganfp.attributors.neural import NeuralAttributor
from ganfp.captured import Losses
from ganfp.gans import GANS, progan, resample
from ganfp.gans.base import PRECISIONS
from ganfp.gans.losses import gradient_penalty, wasserstein_critic
from ganfp.gans.training import Seeds, Training
from ganfp.images import to_float
from ganfp.seeding import deterministic

LONG = 10**6  # steps of a training that is measured: more than there will be
WARM_UP = 3  # steps: memory is found, kernels are chosen
MATRIX = 2048  # side of the matrices that find the machine's peak
HEADER = "step             px batch  precision  images/s  MFLOP/image  GFLOP/s  of peak  x plain"


@dataclass(frozen=True)
class Speed:
    """One measured step.  ``operations`` are additions and multiplications per image, ``share`` is of the peak."""

    step: str
    resolution: int
    batch: int
    precision: str
    images_per_second: float
    operations: float
    share: float
    gain: float  # times as fast as the plain step

    def __str__(self) -> str:
        rate = self.images_per_second * self.operations
        return (
            f"{self.step:<14} {self.resolution:>4} {self.batch:>5}  {self.precision:<9} {self.images_per_second:>9.1f} "
            f"{self.operations / 1e6:>12.1f} {rate / 1e9:>8.1f} {self.share:>8.1%} {self.gain:>8.2f}"
        )


def report(profile, device: str = "cpu", seconds: float = 2.0) -> Iterator[str]:
    """Lines of a table: every training step of a profile, each of its measurements about ``seconds`` long."""
    if device == "cpu":
        torch.set_num_threads(1)  # as in `ganfp train` and `ganfp build`
    products = [f"{peak(device, precision) / 1e9:.0f} in {precision}" for precision in PRECISIONS]
    yield f"{device}: matrix products at {' and '.join(products)} GFLOP/s{' per core' * (device == 'cpu')}"
    yield HEADER
    for name in GANS:
        yield from map(str, gan_speeds(name, profile.gans[name], device, seconds))
    classes = profile.seeds + 1  # of Table 3: as many GANs and the real images
    yield from map(str, attribution_speeds(profile.resolution, classes, profile.methods["cnn"], device, seconds))


def gan_speeds(name: str, config, device: str = "cpu", seconds: float = 2.0) -> Iterator[Speed]:
    """A GAN's training step in each precision, at each resolution it grows through."""
    sides = [4 << i for i in range((config.resolution // 4).bit_length())] if name == "progan" else [config.resolution]
    for side in sides:
        batch = stable_stage(config, side).batch

        def made(precision: str, side: int = side) -> Callable[[], None]:
            return gan_step(name, replace(config, precision=precision), side, device)

        yield from speeds(GANS[name].label, made, side, batch, config.critic_steps * batch, device, seconds)


def attribution_speeds(resolution: int, classes: int, settings, device: str = "cpu", seconds: float = 2.0):
    """The attribution network's training step, with a profile's ``settings``, in each precision."""

    def made(precision: str) -> Callable[[], None]:
        return attribution_step(resolution, classes, {**vars(settings), "precision": precision}, device)

    yield from speeds("attribution", made, resolution, settings.batch, settings.batch, device, seconds)


def speeds(step, made, resolution, batch, images, device, seconds) -> Iterator[Speed]:
    """Measure the steps that ``made`` makes of a precision, each of which is shown ``images`` real images."""
    memory.keep()
    with deterministic():
        with plain():
            reference = duration(made("float32"), device, seconds)
        for precision in PRECISIONS:
            stepped = made(precision)
            taken, counted = duration(stepped, device, seconds), operations(stepped)
            share = counted / taken / peak(device, precision)
            yield Speed(step, resolution, batch, precision, images / taken, counted / images, share, reference / taken)


# ---------------------------------------------------------------- what is measured


def gan_step(name: str, config, resolution: int, device: str, eager: bool = False) -> Callable[[], None]:
    """One step of a GAN's training, again and again at a resolution that has faded in."""
    side = config.resolution
    images = np.random.default_rng(0).integers(0, 256, (2 * config.stage(0).batch, 3, side, side), dtype=np.uint8)
    trained, stage = Training(name, config, Seeds.all(1), images, device, eager), stable_stage(config, resolution)
    trained.config = _Still(config, stage)
    if layers.EqualConv2d.forward is _plain_equal_convolution:
        for network in (trained.generator, trained.critic):
            network.to(memory_format=torch.contiguous_format)
    return trained.step


class _Still:
    """A configuration whose training stays at one stage."""

    def __init__(self, config, stage) -> None:
        self._config, self._stage = config, stage

    def __getattr__(self, name: str):
        return getattr(self._config, name)

    def stage(self, seen: int):
        return self._stage


def stable_stage(config, resolution: int):
    """The stage in which a GAN is trained at a resolution."""
    seen = 0
    while (stage := config.stage(seen)).resolution < resolution or stage.blend < 1:
        seen += config.phase_images
    return stage


def attribution_step(
    resolution: int, classes: int, settings: dict[str, Any], device: str, eager: bool = False
) -> Callable[[], None]:
    """One step of :class:`ganfp.attributors.cnn.CNN`'s training, again and again."""
    attributor = CNN(**{**settings, "images": LONG * settings["batch"], "checks": 1}, device=device)
    attributor.eager = eager  # type: ignore[misc]
    attributor.resolution_, attributor.classes_ = resolution, np.arange(classes)
    attributor.network_ = attributor._built(attributor._network, attributor.seed)
    images = np.random.default_rng(0).integers(0, 256, (attributor.batch, 3, resolution, resolution), dtype=np.uint8)
    attributor._sums = Losses(torch.device(device))
    steps = attributor._steps(images, np.arange(len(images)) % classes, LONG, None)
    return lambda: next(steps)


# ---------------------------------------------------------------- measuring


def duration(step: Callable[[], None], device: str, seconds: float) -> float:
    """Median seconds of a step, repeated for about ``seconds``."""
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else (lambda: None)
    for _ in range(WARM_UP):
        step()
    wait()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        started = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def operations(step: Callable[[], None]) -> int:
    """Additions and multiplications of a step's convolutions and matrix products, counted as they are called."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Anywhere()
    with counter:
        step()
    return counter.get_total_flops()


class _Calls(TorchDispatchMode):
    """Counts what a step asks of a device: calls that compute something, and bytes that they read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.bytes = 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if not function.is_view and function not in NOT_COMPUTED:
            self.calls += 1
            tensors = [x for x in tree_leaves((args, kwargs, result)) if isinstance(x, Tensor)]
            self.bytes += sum(x.numel() * x.element_size() for x in tensors)
        return result


aten = torch.ops.aten
NOT_COMPUTED = {aten.empty.memory_format, aten.empty_like.default, aten.detach.default, aten._unsafe_view.default}


def kernels(step: Callable[[], None]) -> int:
    """Calls of a step that compute something: about as many kernels, counted as they are asked for."""
    with _Calls() as counted:
        step()
    return counted.calls


def traffic(step: Callable[[], None]) -> int:
    """Bytes that these calls read and write, if none of it stays in a cache."""
    with _Calls() as counted:
        step()
    return counted.bytes


class _Anywhere(nullcontext):
    """In place of the counter's own tracker of modules, whose hooks break a gradient penalty's `autograd.grad`."""

    parents = frozenset({"Global"})


_peaks: dict[tuple[str, str], float] = {}


def peak(device: str, precision: str) -> float:
    """Operations per second of a large matrix product, the best of several, with as many threads as torch uses."""
    if (device, precision) not in _peaks:
        x = torch.ones(MATRIX, MATRIX, device=device, dtype=getattr(torch, precision))
        best = min(duration(lambda: x @ x, device, 0.1) for _ in range(3))
        _peaks[device, precision] = 2 * MATRIX**3 / best
    return _peaks[device, precision]


# ---------------------------------------------------------------- the plain step


@contextmanager
def plain() -> Iterator[None]:
    """Within it, training computes the same by plain means."""
    real = Training._real
    replaced = [
        (layers, "derived", lambda layer: (layer.kernel(), layer.bias)),
        (layers.EqualConv2d, "forward", _plain_equal_convolution),
        (layers.Conv2d, "forward", lambda self, x, slope: F.leaky_relu(nn.Conv2d.forward(self, x), slope)),
        (resample.UpConv2d, "forward", lambda self, x: _plain_same(self, resample.enlarge(x))),
        (resample.DownConv2d, "forward", lambda self, x: resample.reduce(_plain_same(self, x))),
        (progan, "pixel_norm", lambda x: x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()),
        (progan, "minibatch_stddev", _plain_stddev),
        (progan.ProGAN, "critic_loss", _plain_wgan_gp),
        (NeuralAttributor, "_placed", lambda self, network: network.to(self.device)),
        (NeuralAttributor, "_seen", lambda self, images: to_float(images)),
        (Training, "_real", lambda self, places, stage: real(self, places, stage).contiguous()),
    ]
    with ExitStack() as stack:
        for owner, name, value in replaced:
            stack.enter_context(mock.patch.object(owner, name, value))
        yield


def _plain_same(self: nn.Conv2d, x: Tensor) -> Tensor:
    return F.conv2d(x, self.weight, self.bias, padding=1)


def _plain_equal_convolution(self: layers.EqualConv2d, x: Tensor, slope: float | None = None) -> Tensor:
    x, padding = resample.enlarge(x) if self.resample == "up" else x, self.padding
    if self.padding_mode == "reflect":
        x, padding = layers.reflect_pad(x, padding), 0
    y = F.conv2d(x, self.weight * self.scale, self.bias, padding=padding)
    y = resample.reduce(y) if self.resample == "down" else y
    return y if slope is None else F.leaky_relu(y, slope)


def _plain_stddev(x: Tensor, batches: int = 1) -> Tensor:
    deviation = (x.unflatten(0, (min(4, len(x)), -1)).var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    extra = deviation.repeat(min(4, len(x)))[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, extra], dim=1)


def _plain_wgan_gp(self: progan.ProGAN, critic, real: Tensor, fake: Tensor, stage, numbers):
    score_real, score_fake = critic(real, stage.blend), critic(fake, stage.blend)
    loss = wasserstein_critic(score_real, score_fake)
    penalty = gradient_penalty(lambda x: critic(x, stage.blend), real, fake, numbers["mix"])
    total = loss + self.config.gradient_penalty * penalty + self.config.drift * score_real.square().mean()
    return total, {"distance": -loss, "penalty": penalty}
