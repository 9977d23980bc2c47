"""SNGAN: spectral normalisation (Miyato et al. 2018), with residual networks and the hinge loss.

It knows no classes: with the official code's single one, conditional batch norm is plain, and embeddings are unused.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganfp.gans import resample
from ganfp.gans.base import GAN, SMALLEST, Numbers, Stage, doublings, in_precision
from ganfp.gans.losses import hinge_critic, hinge_generator
from ganfp.gans.resample import reduce
from ganfp.gans.resnet import ResNetConfig, Trunk, glorot
from ganfp.layers import RELU_GAIN, derived


@dataclass(frozen=True)
class SNGANConfig(ResNetConfig):
    """What an SNGAN is and how it is trained; the defaults are the paper's (official code, 128 px)."""

    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.9)
    decay_from: float = 0.8
    dequantise: bool = True  # spread the grey levels of real images, as generated ones have none


class Generator(nn.Module):
    """Latents (N, latent) ~ N(0, 1) -> images (N, 3, R, R) in [-1, 1], by tanh; the stage is ignored."""

    def __init__(self, config: SNGANConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = Trunk(config, config.resolution, bias=True, eps=2e-5)
        glorot(self.trunk.dense)
        self.to_rgb = glorot(nn.Conv2d(config.width(config.resolution), 3, 3, padding=1))

    @in_precision
    def forward(self, latents: Tensor, *stage) -> Tensor:
        return torch.tanh(self.to_rgb(self.trunk(latents)))


class Critic(nn.Module):
    """Images (N, 3, R, R) in [-1, 1] -> scores (N,), higher for real; the largest singular value of weights is 1."""

    def __init__(self, config: SNGANConfig) -> None:
        super().__init__()
        self.config = config
        width, sizes = config.width, doublings(2 * SMALLEST, config.resolution)[::-1]
        self.blocks = nn.Sequential(
            Block(3, width(sizes[0]), first=True),
            *(Block(width(2 * r), width(r)) for r in sizes[1:]),
            Block(width(2 * SMALLEST), width(SMALLEST), down=False),
        )
        self.score = spectral_norm(glorot(Linear(width(SMALLEST), 1)))

    @in_precision
    def forward(self, images: Tensor) -> Tensor:
        return self.score(F.relu_(self.blocks(images)).sum(dim=(2, 3))).squeeze(1)


class Block(nn.Module):
    """ReLU but for pixels (``first``), convolution, ReLU, convolution, reduction; a 1 x 1 shortcut to new shapes."""

    def __init__(self, in_channels: int, out_channels: int, first: bool = False, down: bool = True) -> None:
        super().__init__()
        self.first, self.down = first, down
        between = out_channels if first else in_channels
        last = DownConv2d(between, out_channels) if down else Conv2d(between, out_channels, 3, padding=1)
        self.conv1 = spectral_norm(glorot(Conv2d(in_channels, between, 3, padding=1), RELU_GAIN))
        self.conv2 = spectral_norm(glorot(last, RELU_GAIN))
        self.shortcut = nn.Identity()
        if down or in_channels != out_channels:
            self.shortcut = spectral_norm(glorot(Conv2d(in_channels, out_channels, 1)))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.conv2(F.relu_(self.conv1(x if self.first else F.relu(x))))
        return residual + self.shortcut(reduce(x) if self.down else x)


def exactly(layer: nn.Module):
    """Within it a layer's weight is normalised in float32, whatever the precision around."""
    return torch.autocast(layer.bias.device.type, enabled=False)


# Layers that ask for their weight once a pass: each time that a normalised weight is asked for is a power iteration.
class Conv2d(nn.Conv2d):
    def kernel(self) -> Tensor:
        with exactly(self):
            return self.weight

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, *derived(self), padding=self.padding)


class DownConv2d(resample.DownConv2d):
    def kernel(self) -> Tensor:
        with exactly(self):
            return super().kernel()


class Linear(nn.Linear):
    def kernel(self) -> Tensor:
        with exactly(self):
            return self.weight

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, *derived(self))


class SNGAN(GAN):
    """The two networks and the two losses.

    The official code updates the generator before its critic steps, not after: all the same but for both ends.
    """

    Config, Generator, Critic = SNGANConfig, Generator, Critic

    def numbers(self, stage: Stage, random: torch.Generator) -> Numbers:
        shape = stage.batch, 3, stage.resolution, stage.resolution
        noise = {"noise": torch.rand(shape, generator=random)} if self.config.dequantise else {}
        return {**noise, **super().numbers(stage, random)}

    def real(self, images: Tensor, stage: Stage, numbers: Numbers) -> Tensor:
        """Real images with uniform noise of one grey level: our quantiser rounds, so it is centred at the level."""
        return images + (numbers["noise"] - 0.5) / 127.5 if self.config.dequantise else images

    def critic_loss(self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, numbers: Numbers):
        """The hinge loss, and how far apart the mean scores are."""
        score_real, score_fake = critic(torch.cat([real, fake])).chunk(2)
        return hinge_critic(score_real, score_fake), {"distance": (score_real - score_fake).mean()}

    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor | None = None) -> Tensor:
        return hinge_generator(critic(fake))
