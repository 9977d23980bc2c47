"""What the training loop asks of a GAN."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import wraps
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganfp.gans.resample import Blend
from ganfp.layers import channels

PRECISIONS = ("float32", "bfloat16")
SMALLEST = 4  # side of a generator's first feature map, and of a critic's last


@dataclass(frozen=True)
class Stage:
    """What the networks look like at one moment, and how they are stepped."""

    resolution: int
    blend: float | Blend  # 1; from 0 to 1 while a resolution fades in (ProGAN, Figure 2)
    batch: int
    learning_rate: float


class Sized:
    """What the configurations of all GANs check and know of their networks' sizes."""

    first: ClassVar[int] = SMALLEST  # the smallest resolution

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be {' or '.join(PRECISIONS)}, not {self.precision!r}")
        if self.resolution < self.first or self.resolution & (self.resolution - 1):
            raise ValueError(f"resolution must be a power of two and at least {self.first}, not {self.resolution}")
        if not 0 <= self.decay_from <= 1:
            raise ValueError(f"decay_from must be from 0 to 1, not {self.decay_from}")

    def decay(self, seen: int) -> float:
        """The factor of the learning rate after ``seen`` images: 1, and from ``decay_from`` on a line down to 0."""
        falling = self.total_images * (1 - self.decay_from)
        return min(1.0, max(0.0, (self.total_images - seen) / falling)) if falling else 1.0

    def width(self, resolution: int) -> int:
        """Feature maps at a resolution."""
        return channels(resolution, self.fmap_base, self.fmap_max)


def doublings(first: int, last: int) -> list[int]:
    """first, 2 first, 4 first, ..., last; empty if last is smaller than first."""
    return [first << i for i in range((last // first).bit_length())]


def in_precision(forward):
    """A network's ``forward`` whose convolutions and dense layers compute in ``config.precision`` while it trains.

    Weights, inputs and results are float32 in any case, and everything in a network in ``eval()``: images must not
    depend on what the machine has for low precision.  GPUs and CPUs with AMX gain by bfloat16; a CPU that has to
    imitate it takes 3 (AVX-512) to 8 times (AVX2) as long as in float32.
    """

    @wraps(forward)
    def mixed(self, x: Tensor, *args, **options):
        lowered = self.training and self.config.precision == "bfloat16"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=lowered, cache_enabled=False):
            y = forward(self, x, *args, **options)
        return [layer.float() for layer in y] if isinstance(y, list) else y.float()

    return mixed


Numbers = dict[str, Tensor]
"""What is random in one update of a critic, by name."""


class GAN(ABC):
    """Two networks and two losses, for :func:`ganfp.gans.training.train`."""

    Config: ClassVar[type]
    Generator: ClassVar[type[nn.Module]]
    Critic: ClassVar[type[nn.Module]]
    fakes: ClassVar[int] = 1  # independent batches of generated images that each loss takes, one after the other
    clip: float | None = None  # largest norm of the gradient of each weight tensor

    def __init__(self, config) -> None:
        self.config = config

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """(n, latent) standard normal, drawn on the CPU so that every device sees the same."""
        return torch.randn(n, self.config.latent, generator=random)

    def numbers(self, stage: Stage, random: torch.Generator) -> Numbers:
        """All that is random in one update of the critic, in the order in which it is drawn, on the CPU.

        ``latents`` are (fakes, batch, latent).  The losses are given the same on the device.
        """
        return {"latents": torch.stack([self.latents(stage.batch, random) for _ in range(self.fakes)])}

    def real(self, images: Tensor, stage: Stage, numbers: Numbers) -> Tensor:
        """Real images (N, 3, R, R) in [-1, 1] as the critic shall see them."""
        return images

    @abstractmethod
    def critic_loss(
        self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, numbers: Numbers
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the critic minimises, and named parts of it for the training curves."""

    @abstractmethod
    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor | None = None) -> Tensor:
        """What the generator minimises; ``real`` is the batch that the critic saw last."""
