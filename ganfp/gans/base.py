"""What the training loop asks of a GAN."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import wraps
from typing import ClassVar

import torch
from torch import Tensor, nn

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Stage:
    """What the networks look like at one moment, and how they are stepped.

    ``blend`` is 1 except while a resolution fades in (ProGAN, Figure 2), where it grows from 0 to 1.
    """

    resolution: int
    blend: float
    batch: int
    learning_rate: float


def check_precision(precision: str) -> None:
    """Raise ``ValueError`` unless the networks of a GAN can be trained in it."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be {' or '.join(PRECISIONS)}, not {precision!r}")


def in_precision(forward):
    """A network's ``forward`` whose convolutions and dense layers compute in ``config.precision`` while it trains.

    Weights, and what comes in and goes out, are float32 in any case; so is everything in a network that is done
    with training (``eval()``), for images must not depend on what the machine has for low precision.  GPUs and CPUs
    with AMX gain by bfloat16; a CPU that has to imitate it takes 3 (AVX-512) to 8 times (AVX2) as long as in float32.
    """

    @wraps(forward)
    def mixed(self, x: Tensor, *args, **options):
        lowered = self.training and self.config.precision == "bfloat16"
        with torch.autocast(x.device.type, torch.bfloat16, enabled=lowered, cache_enabled=False):
            y = forward(self, x, *args, **options)
        return [layer.float() for layer in y] if isinstance(y, list) else y.float()

    return mixed


def sent(x: Tensor, device: torch.device) -> Tensor:
    """A tensor from the CPU on the device; a GPU is not waited for."""
    return x.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else x.to(device)


class GAN(ABC):
    """Two networks and two losses; what is not said otherwise here is what most GANs do.

    ``fakes`` is the number of independent batches of generated images that each loss takes; they come as one
    tensor, one batch after the other.  ``clip`` is the largest norm of the gradient of each weight tensor.
    """

    Config: ClassVar[type]
    Generator: ClassVar[type[nn.Module]]
    Critic: ClassVar[type[nn.Module]]
    fakes: ClassVar[int] = 1
    clip: float | None = None

    def __init__(self, config) -> None:
        self.config = config

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """(n, latent) standard normal, drawn on the CPU so that every device sees the same."""
        return torch.randn(n, self.config.latent, generator=random)

    def real(self, images: Tensor, stage: Stage, random: torch.Generator) -> Tensor:
        """Real images (N, 3, R, R) in [-1, 1] as the critic shall see them."""
        return images

    @abstractmethod
    def critic_loss(
        self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, random: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the critic minimises, and named parts of it for the training curves."""

    @abstractmethod
    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor | None = None) -> Tensor:
        """What the generator minimises; ``real`` is the batch that the critic saw last."""
