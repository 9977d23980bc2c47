"""ProGAN: progressive growing of GANs (Karras et al. 2018), the GAN of Tables 2 to 8."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganfp.gans.base import GAN, SMALLEST, Numbers, Sized, Stage, doublings, in_precision
from ganfp.gans.losses import gradient_penalty, mixing_weights, wasserstein_critic, wasserstein_generator
from ganfp.gans.resample import Blend, enlarge, faded, fading, reduce
from ganfp.layers import SLOPE, EqualConv2d, EqualLinear, leaky_relu, minibatch_stddev, pixel_norm


@dataclass(frozen=True)
class ProGANConfig(Sized):
    """What a ProGAN is and how it is trained; the defaults are the paper's (official code, 128 px)."""

    resolution: int = 128
    latent: int = 512
    fmap_base: int = 16384  # feature maps at a resolution: min(fmap_base / resolution, fmap_max)
    fmap_max: int = 512
    phase_images: int = 600_000  # images of each fade-in, and of each stable phase
    total_images: int = 12_000_000  # images shown to the critic in all; the last phase takes what is left
    batch: int = 32  # images per step: max(batch, batch_base / resolution), so small images come in large batches
    batch_base: int = 2048
    learning_rate: float = 0.001
    learning_rate_128: float = 0.0015  # from 128 px on
    decay_from: float = 1.0  # share of the training after which the learning rate falls linearly to 0; 1: never
    betas: tuple[float, float] = (0.0, 0.99)
    ema: float = 0.999  # decay of the generator's moving average, per step
    gradient_penalty: float = 10.0
    drift: float = 0.001
    critic_steps: int = 1
    precision: str = "float32"  # or "bfloat16", in which the networks compute while they train; see `in_precision`

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = {max(self.batch, self.batch_base // r) for r in doublings(SMALLEST, self.resolution)}
        if any(size % 4 for size in sizes):
            raise ValueError(f"batch and batch_base / resolution must be multiples of 4, not {sorted(sizes)}")

    def stage(self, seen: int) -> Stage:
        """Resolution, blend, batch and learning rate after ``seen`` images: stable at 4 px, then fade, stable, ..."""
        phase = seen // self.phase_images
        resolution = min(SMALLEST << ((phase + 1) // 2), self.resolution)
        fading = phase % 2 == 1 and SMALLEST << (phase // 2) < self.resolution
        rate = self.learning_rate_128 if resolution >= 128 else self.learning_rate
        return Stage(
            resolution=resolution,
            blend=(seen % self.phase_images) / self.phase_images if fading else 1.0,
            batch=max(self.batch, self.batch_base // resolution),
            learning_rate=rate * self.decay(seen),
        )


class Generator(nn.Module):
    """Latents (N, latent) ~ N(0, 1) -> images (N, 3, R, R), linear output that real pixels keep near [-1, 1].

    The image of a ``resolution`` is mixed with the enlarged one of the resolution below while it fades in (``blend``).
    """

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.dense = EqualLinear(config.latent, width(SMALLEST) * SMALLEST**2, gain=2**0.5 / 4, bias=False)
        self.dense_bias = nn.Parameter(torch.zeros(width(SMALLEST)))  # one per channel, as in the official code
        self.first = EqualConv2d(width(SMALLEST), width(SMALLEST))
        self.blocks = nn.ModuleList()
        self.to_rgb = nn.ModuleList([EqualConv2d(width(SMALLEST), 3, 1, gain=1)])
        for r in doublings(2 * SMALLEST, config.resolution):
            block = EqualConv2d(width(r // 2), width(r), resample="up"), EqualConv2d(width(r), width(r))
            self.blocks.append(nn.ModuleList(block))
            self.to_rgb.append(EqualConv2d(width(r), 3, 1, gain=1))

    @in_precision
    def forward(self, latents: Tensor, resolution: int | None = None, blend: float | Blend = 1.0) -> Tensor:
        level = _level(resolution or self.config.resolution)
        x = self.dense(pixel_norm(latents)).unflatten(1, (-1, SMALLEST, SMALLEST))
        x = pixel_norm(leaky_relu(x + self.dense_bias[:, None, None]))
        x = pixel_norm(self.first(x, SLOPE))
        for block in self.blocks[:level]:
            below = x
            for convolution in block:
                x = pixel_norm(convolution(x, SLOPE))
        image = self.to_rgb[level](x)
        return faded(enlarge(self.to_rgb[level - 1](below)), image, blend) if fading(blend) else image


class Critic(nn.Module):
    """Images (N, 3, R, R) in [-1, 1] -> scores (N,), higher for real; the generator's mirror image.

    The images may be several ``batches`` of equal size, one after the other: each is scored as if it came alone.
    """

    def __init__(self, config: ProGANConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.from_rgb = nn.ModuleList([EqualConv2d(3, width(SMALLEST), 1)])
        self.blocks = nn.ModuleList()
        for r in doublings(2 * SMALLEST, config.resolution):
            self.from_rgb.append(EqualConv2d(3, width(r), 1))
            block = EqualConv2d(width(r), width(r)), EqualConv2d(width(r), width(r // 2), resample="down")
            self.blocks.append(nn.ModuleList(block))
        self.last = EqualConv2d(width(SMALLEST) + 1, width(SMALLEST))
        self.dense = EqualLinear(width(SMALLEST) * SMALLEST**2, width(SMALLEST))
        self.score = EqualLinear(width(SMALLEST), 1, gain=1)

    @in_precision
    def forward(self, images: Tensor, blend: float | Blend = 1.0, batches: int = 1) -> Tensor:
        level = _level(images.shape[-1])
        x = self.from_rgb[level](images, SLOPE)
        for i in range(level, 0, -1):
            for convolution in self.blocks[i - 1]:
                x = convolution(x, SLOPE)
            if i == level and fading(blend):
                x = faded(self.from_rgb[level - 1](reduce(images), SLOPE), x, blend)
        x = self.last(minibatch_stddev(x, batches=batches), SLOPE)
        return self.score(leaky_relu(self.dense(x.flatten(1)))).squeeze(1)


class ProGAN(GAN):
    """The two networks and the two losses."""

    Config, Generator, Critic = ProGANConfig, Generator, Critic

    def numbers(self, stage: Stage, random: torch.Generator) -> Numbers:
        return {**super().numbers(stage, random), "mix": mixing_weights(stage.batch, random)}

    def real(self, images: Tensor, stage: Stage, numbers: Numbers) -> Tensor:
        """Real images at a stage: while a resolution fades in, blended with their own reduction, as the fakes are."""
        return faded(enlarge(reduce(images)), images, stage.blend) if fading(stage.blend) else images

    def critic_loss(self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, numbers: Numbers):
        """WGAN-GP (Gulrajani et al. 2017, Equation 3) with ProGAN's drift term: loss and what it is made of."""
        score_real, score_fake = critic(torch.cat([real, fake]), stage.blend, batches=2).chunk(2)
        loss = wasserstein_critic(score_real, score_fake)
        penalty = gradient_penalty(lambda x: critic(x, stage.blend), real, fake, numbers["mix"])
        total = loss + self.config.gradient_penalty * penalty + self.config.drift * score_real.square().mean()
        return total, {"distance": -loss, "penalty": penalty}

    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor | None = None) -> Tensor:
        return wasserstein_generator(critic(fake, stage.blend))


def _level(resolution: int) -> int:
    return (resolution // SMALLEST).bit_length() - 1
