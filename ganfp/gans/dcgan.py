"""The networks that CramerGAN and MMDGAN share: "g_resnet5" of the official code (Binkowski et al. 2018).

A residual generator that ends in DCGAN's transposed convolution, and DCGAN's critic, both on pixels in [0, 1]; outside
them images are in [-1, 1].  Batch norm of a finished generator uses its running statistics, so that an image depends
on its latent alone; the official code samples in batches of 32 and normalises each batch by itself.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganfp.gans.base import GAN, SMALLEST, Numbers, Stage, doublings, in_precision
from ganfp.gans.losses import gradient_penalty, mixing_weights
from ganfp.gans.resnet import ResNetConfig, Trunk
from ganfp.layers import SLOPE, Conv2d

SPAN = 2  # of [-1, 1], in units of [0, 1]


@dataclass(frozen=True)
class DCGANConfig(ResNetConfig):
    """What the two share; the defaults are the paper's (official code, 128 px)."""

    latent: int = 100
    fmap_base: int = 4096
    features: int = 256  # length of the vector that the critic gives
    gradient_penalty: float = 10.0
    penalty_norm: str = "image"  # or "height", the official code's; see `gradient_penalty`
    clip: float = 1.0  # largest norm of the gradient of each weight tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.penalty_norm not in ("image", "height"):
            raise ValueError(f"penalty_norm must be image or height, not {self.penalty_norm!r}")
        if self.clip <= 0:
            raise ValueError(f"clip must be positive, not {self.clip}")


class Generator(nn.Module):
    """Latents (N, latent) ~ U(-1, 1) -> images (N, 3, R, R) in [-1, 1], by a sigmoid; the stage is ignored."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        half = config.resolution // 2
        self.trunk = Trunk(config, half, bias=False, eps=1e-5)  # batch norm would remove the bias
        # the mirror image of TensorFlow's "same" padding, which learning cannot tell apart
        self.to_rgb = nn.ConvTranspose2d(config.width(half), 3, 5, stride=2, padding=2, output_padding=1)
        started(self.trunk.dense, 0.01)
        started(self.to_rgb, 0.02)

    @in_precision
    def forward(self, latents: Tensor, *stage) -> Tensor:
        return SPAN * torch.sigmoid(self.to_rgb(self.trunk(latents))) - 1


class Critic(nn.Module):
    """Images (N, 3, R, R) in [-1, 1] -> features (N, features)."""

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.width(r) for r in doublings(SMALLEST, config.resolution // 2)[::-1]]
        self.convolutions = nn.ModuleList(
            started(Conv2d(before, after, 5, stride=2, padding=2), 0.02, truncated=True)
            for before, after in zip([3, *widths], widths, strict=False)
        )
        self.dense = started(nn.Linear(widths[-1] * SMALLEST**2, config.features), 0.01)

    @in_precision
    def layers(self, images: Tensor) -> list[Tensor]:
        """The activations of each layer, the features last."""
        layers = [(images + 1) / SPAN]
        for convolution in self.convolutions:
            layers.append(convolution(layers[-1], SLOPE))
        return [*layers[1:], self.dense(layers[-1].flatten(1))]

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)[-1]


class FeatureGAN(GAN):
    """What CramerGAN and MMDGAN have in common beside the networks."""

    Generator, Critic = Generator, Critic

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        self.clip = config.clip

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """(n, latent) uniform in [-1, 1)."""
        return 2 * torch.rand(n, self.config.latent, generator=random) - 1

    def numbers(self, stage: Stage, random: torch.Generator) -> Numbers:
        return {**super().numbers(stage, random), "mix": mixing_weights(stage.batch, random)}

    def penalty(self, witness, real: Tensor, fake: Tensor, numbers: Numbers) -> Tensor:
        """The gradient penalty of a witness function of images, its slope taken per unit of [0, 1]."""
        return gradient_penalty(lambda x: SPAN * witness(x), real, fake, numbers["mix"], self.config.penalty_norm)


def started(layer, deviation: float, truncated: bool = False):
    """The layer, started with normal weights, cut at two deviations if ``truncated``, and no bias."""
    if truncated:
        nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    else:
        nn.init.normal_(layer.weight, std=deviation)
    nn.init.zeros_(layer.bias)
    return layer
