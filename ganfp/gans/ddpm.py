"""A small diffusion model (Ho et al. 2020), as a source of images that is no GAN.

Time is an angle: z = cos(a) x + sin(a) e mixes an image x with noise e, from a = 0 to a right angle, which is the
cosine schedule (Nichol and Dhariwal 2021) without its offset.  The network predicts v = cos(a) e - sin(a) x, the speed
of z along the arc (Salimans and Ho 2022, Appendix D).  A step of DDIM (Song et al. 2021), which adds no noise, is then
a rotation, and all of them together are a generator: one latent, one image.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.gans.base import Sized, Stage, in_precision
from ganfp.gans.loop import Loop
from ganfp.seeding import mix

NAME = "ddpm"
LEVELS = 3  # resolutions of the network: R, R / 2, R / 4
GROUPS = 8  # of a group norm
LATEST = 0.5 * math.pi  # the angle of pure noise


@dataclass(frozen=True)
class DDPMConfig(Sized):
    """What a diffusion model is and how it is trained; ``steps``: calls of the network for an image."""

    first, betas = 16, (0.9, 0.999)

    resolution: int = 32
    fmap_base: int = 1024  # feature maps at a resolution: min(fmap_base / resolution, fmap_max)
    fmap_max: int = 128
    total_images: int = 1_000_000
    batch: int = 32
    learning_rate: float = 0.001
    rise: int = 16_000  # images in which the learning rate rises from 0
    decay_from: float = 0.5
    ema: float = 0.999  # decay of the moving average of the weights, per step
    ema_from: int = 32_000  # images after which that average begins; until then it is the network itself
    steps: int = 20
    precision: str = "float32"

    def stage(self, seen: int) -> Stage:
        """The same at every moment but for the learning rate."""
        rising = min(1.0, (seen + self.batch) / self.rise)
        return Stage(self.resolution, 1.0, self.batch, self.learning_rate * rising * self.decay(seen))


class Network(nn.Module):
    """A U-net: z (N, 3, R, R) and angles (N,) -> v (N, 3, R, R); attention where the side is R / 4."""

    def __init__(self, config: DDPMConfig) -> None:
        super().__init__()
        self.config = config
        sides = [config.resolution >> i for i in range(LEVELS)]
        widths = [config.width(side) for side in sides]
        embedded = 2 * widths[-1]
        self.angle = nn.Sequential(nn.Linear(widths[-1], embedded), nn.SiLU(), nn.Linear(embedded, embedded), nn.SiLU())
        self.from_rgb = nn.Conv2d(3, widths[0], 3, padding=1)
        self.down = _blocks(widths, embedded)
        self.middle = _blocks(widths[-1:] * 2, embedded)
        self.attention = Attention(widths[-1])
        self.up = _blocks(widths[::-1], embedded)
        self.to_rgb = nn.Sequential(_norm(widths[0]), nn.SiLU(), nn.Conv2d(widths[0], 3, 3, padding=1))
        nn.init.zeros_(self.to_rgb[-1].weight)

    @in_precision
    def forward(self, z: Tensor, angles: Tensor) -> Tensor:
        half = self.angle[0].in_features // 2
        rates = torch.exp(torch.linspace(0, math.log(1000), half, device=z.device))
        waves = angles[:, None] * rates
        e = self.angle(torch.cat([waves.sin(), waves.cos()], dim=1))
        x, skipped = self.from_rgb(z), []
        for i, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if i else x, e)
            skipped.append(x)
        x = self.middle[1](self.attention(self.middle[0](x, e)), e)
        for i, block in enumerate(self.up):
            x = F.interpolate(x, scale_factor=2) if i else x
            x = block(x, e, skipped.pop())
        return self.to_rgb(x)


class Block(nn.Module):
    """Group norm, SiLU, convolution, twice; the angle scales and shifts between them, a 1 x 1 shortcut to new widths.

    What comes from the way down is added after the first convolution.
    """

    def __init__(self, into: int, out: int, embedded: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = _norm(into), nn.Conv2d(into, out, 3, padding=1)
        self.norm2, self.conv2 = _norm(out), nn.Conv2d(out, out, 3, padding=1)
        self.modulate = nn.Linear(embedded, 2 * out)
        self.shortcut = nn.Identity() if into == out else nn.Conv2d(into, out, 1)
        nn.init.zeros_(self.conv2.weight)

    def forward(self, x: Tensor, e: Tensor, beside: Tensor | None = None) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h if beside is None else h + beside
        scale, shift = self.modulate(e)[:, :, None, None].chunk(2, dim=1)
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))


def _blocks(widths: list[int], embedded: int) -> nn.ModuleList:
    pairs = zip(widths[:1] + widths, widths, strict=False)
    return nn.ModuleList(Block(into, out, embedded) for into, out in pairs)


class Attention(nn.Module):
    """Self-attention of all positions, one head, beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.qkv, self.out = _norm(width), nn.Conv2d(width, 3 * width, 1), nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
        found = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return x + self.out(found.unflatten(2, x.shape[2:]))


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(GROUPS, width), width)


class Generator(Network):
    """Latents (N, 3 R R) ~ N(0, 1) -> images (N, 3, R, R), nearly in [-1, 1], by ``steps`` steps of DDIM."""

    def forward(self, latents: Tensor, *stage) -> Tensor:
        side, steps = self.config.resolution, self.config.steps
        z = latents.view(-1, 3, side, side).contiguous(memory_format=torch.channels_last)
        turn = LATEST / steps
        for i in range(steps):
            v = super().forward(z, torch.full((len(z),), LATEST - i * turn, device=z.device))
            z = math.cos(turn) * z - math.sin(turn) * v
        return z


def loss(network: Callable[[Tensor, Tensor], Tensor], x: Tensor, angles: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of v for images x (N, 3, R, R) in [-1, 1] at angles (N,), mixed with noise like x."""
    c, s = (f(angles)[:, None, None, None] for f in (torch.cos, torch.sin))
    return F.mse_loss(network(c * x + s * noise, angles), c * noise - s * x)


class Training(Loop):
    """A diffusion model's: each step shows the network one batch."""

    trained = ("network",)

    def _builders(self) -> list[Callable[..., nn.Module]]:
        return [Network]

    def _row(self, stage: Stage, seen: int, iteration: int) -> dict[str, Tensor]:
        """Learning rate and share of the network in its average, order of the images, angles, noise."""
        config, random = self.config, torch.Generator().manual_seed(mix(self.seeds.noise, seen))
        steps = max(0, seen - config.ema_from) // config.batch
        decay = min(config.ema, steps / (10 + steps))  # of the last tenth of its steps until these are enough
        return {
            "scales": torch.tensor([stage.learning_rate, 1 - decay], dtype=torch.float64),
            "order": self._shown(seen, stage.batch),
            "angles": LATEST * torch.rand(stage.batch, generator=random),
            "noise": torch.randn(stage.batch, 3, config.resolution, config.resolution, generator=random),
        }

    def _body(self, stage: Stage) -> None:
        """One step of Adam, its gradient cut to norm 1, and one of the moving average."""
        row = self._coming.read()
        rate, share = row["scales"]
        self.rate.copy_(rate)
        value = loss(self.network, self._real(row["order"][0], stage), row["angles"], row["noise"])
        self.network_optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.network_optimiser.step()
        with torch.no_grad():
            for average, weight in zip(self.average.parameters(), self.network.parameters(), strict=True):
                average.lerp_(weight, share.float())
        self._losses.add({"v": value})


class DDPM:
    """What :mod:`ganfp.gans.training` asks of a source of images."""

    Config, Generator, Training = DDPMConfig, Generator, Training

    def __init__(self, config: DDPMConfig) -> None:
        self.config = config

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """(n, 3 R R) standard normal, drawn on the CPU so that every device sees the same."""
        return torch.randn(n, 3 * self.config.resolution**2, generator=random)
