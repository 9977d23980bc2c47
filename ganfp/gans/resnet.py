"""The residual generator that SNGAN, CramerGAN and MMDGAN have in common, and their training at one resolution."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.gans.base import SMALLEST, Sized, Stage, doublings
from ganfp.gans.resample import UpConv2d, enlarge
from ganfp.layers import RELU_GAIN


@dataclass(frozen=True)
class ResNetConfig(Sized):
    """What these GANs share; a subclass says what its paper's values are (official code, 128 px)."""

    first = 2 * SMALLEST

    resolution: int = 128
    latent: int = 128
    fmap_base: int = 8192  # feature maps at a resolution: min(fmap_base / resolution, fmap_max)
    fmap_max: int = 1024
    total_images: int = 24_000_000  # real images shown to the critic in all: 150,000 x critic_steps x batch
    batch: int = 32
    learning_rate: float = 1e-4
    decay_from: float = 1.0  # share of the training after which the learning rate falls linearly to 0; 1: never
    betas: tuple[float, float] = (0.5, 0.9)
    critic_steps: int = 5
    ema: float = 0.0  # decay of the generator's moving average, per step; 0: none, as in the official code
    precision: str = "float32"  # or "bfloat16", in which the networks compute while they train; see `in_precision`

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch < 2:
            raise ValueError(f"batch must be at least 2, because images are compared within it, not {self.batch}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema must be at least 0 and less than 1, not {self.ema}")

    def stage(self, seen: int) -> Stage:
        """The same at every moment but for the learning rate: these networks do not grow."""
        return Stage(self.resolution, 1.0, self.batch, self.learning_rate * self.decay(seen))


class Trunk(nn.Module):
    """Latents (N, latent) -> features (N, width, R, R): a dense layer, residual blocks, batch norm, ReLU."""

    def __init__(self, config: ResNetConfig, resolution: int, bias: bool, eps: float) -> None:
        super().__init__()
        width = config.width
        self.dense = nn.Linear(config.latent, width(SMALLEST) * SMALLEST**2)
        sizes = doublings(2 * SMALLEST, resolution)
        self.blocks = nn.Sequential(*(UpBlock(width(r // 2), width(r), bias, eps) for r in sizes))
        self.norm = nn.BatchNorm2d(width(resolution), eps)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.dense(latents).unflatten(1, (-1, SMALLEST, SMALLEST))
        return F.relu_(self.norm(self.blocks(x)))


class UpBlock(nn.Module):
    """Batch norm, ReLU, enlargement, convolution, twice but enlarged once; beside an enlarged 1 x 1 shortcut."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels, eps)
        self.conv1 = glorot(UpConv2d(in_channels, out_channels, bias=bias), RELU_GAIN)
        self.norm2 = nn.BatchNorm2d(out_channels, eps)
        self.conv2 = glorot(nn.Conv2d(out_channels, out_channels, 3, padding=1), RELU_GAIN)
        self.shortcut = glorot(nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv2(F.relu_(self.norm2(self.conv1(F.relu_(self.norm1(x))))))
        return residual + enlarge(self.shortcut(x))  # enlarged last: the same numbers for a quarter of the work


def glorot(layer, gain: float = 1.0):
    """The layer, started with Glorot and Bengio's uniform weights and no bias."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
