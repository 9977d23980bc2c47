"""A small diffusion model (Ho et al. 2020), as a source of images that is no GAN.

Time is an angle: z = cos(a) x + sin(a) e mixes an image x with noise e, from a = 0 to a right angle, which is the
cosine schedule (Nichol and Dhariwal 2021) without its offset.  The network predicts v = cos(a) e - sin(a) x, the speed
of z along the arc (Salimans and Ho 2022, Appendix D).  A step of DDIM (Song et al. 2021), which adds no noise, is then
a rotation, and all of them together are a generator: one latent, one image.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp import memory
from ganfp.files import read_tensors, write_json, write_tensors
from ganfp.gans.base import Sized, in_precision, sent
from ganfp.gans.training import CHECKPOINT, GENERATOR, HISTORY, ROWS, SECONDS_BETWEEN_CHECKPOINTS, Seeds, permutation
from ganfp.seeding import deterministic, drawn_with, mix

NAME = "ddpm"
LEVELS = 3  # resolutions of the network: R, R / 2, R / 4
GROUPS = 8  # of a group norm
LATEST = 0.5 * math.pi  # the angle of pure noise


@dataclass(frozen=True)
class DDPMConfig(Sized):
    """What a diffusion model is and how it is trained; ``steps``: calls of the network for an image."""

    first = 16

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


class DDPM:
    """What :func:`ganfp.gans.training.sample` asks of a source of images."""

    Config, Generator = DDPMConfig, Generator

    def __init__(self, config: DDPMConfig) -> None:
        self.config = config

    def latents(self, n: int, random: torch.Generator) -> Tensor:
        """(n, 3 R R) standard normal, drawn on the CPU so that every device sees the same."""
        return torch.randn(n, 3 * self.config.resolution**2, generator=random)


def loss(network: Callable[[Tensor, Tensor], Tensor], x: Tensor, angles: Tensor, noise: Tensor) -> Tensor:
    """Mean squared error of v for images x (N, 3, R, R) in [-1, 1] at angles (N,), mixed with noise like x."""
    c, s = (f(angles)[:, None, None, None] for f in (torch.cos, torch.sin))
    return F.mse_loss(network(c * x + s * noise, angles), c * noise - s * x)


def train(
    config: DDPMConfig, seeds: Seeds, images: np.ndarray, folder: Path, device: str = "cpu",
    progress: Callable[[float], None] = lambda share: None,
) -> None:  # fmt: skip
    """Train on uint8 images (N, 3, R, R), on from the checkpoint in ``folder`` if there is one.

    As :func:`ganfp.gans.training.train` does, it writes ``generator.safetensors`` (the moving average) and
    ``history.json``; what is random depends on the seeds and on the images seen, so that to resume changes nothing.
    Raises ``ValueError`` for images of another shape, and ``FloatingPointError`` where the loss is not finite.
    """
    side = config.resolution
    if images.shape[1:] != (3, side, side) or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (N, 3, {side}, {side}), not {images.dtype} {images.shape}")
    memory.keep()
    with deterministic():
        training = Training(config, seeds, images, torch.device(device))
        if (folder / CHECKPOINT).exists():
            training.restore(folder / CHECKPOINT)
        started, saved = time.monotonic() - training.seconds, time.monotonic()
        while training.seen < config.total_images:
            training.step()
            training.seconds = time.monotonic() - started
            if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
                training.save(folder / CHECKPOINT)
                saved = time.monotonic()
            progress(min(1.0, training.seen / config.total_images))
    known = {"name": NAME, "config": asdict(config), "seeds": asdict(seeds), "images": len(images)}
    meta = {**known, "seen": training.seen, "resolution": side, "blend": 1.0}
    write_tensors(folder / GENERATOR, training.average.state_dict(), meta)
    write_json(folder / HISTORY, {"rows": training.rows, "seen": training.seen, "seconds": training.seconds})


PARTS, POSITION = ("network", "average"), ("seen", "seconds", "rows", "losses")  # in a checkpoint


class Training:
    """The state of a training; :meth:`step` shows the network one batch."""

    def __init__(self, config: DDPMConfig, seeds: Seeds, images: np.ndarray, device: torch.device) -> None:
        self.config, self.seeds, self.images, self.device = config, seeds, images, device
        with drawn_with(seeds.init):  # weights are drawn on the CPU: the same on every device
            self.network = Network(config).to(device=device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.optimiser = torch.optim.Adam(self.network.parameters(), fused=True)
        self.seen, self.seconds = 0, 0.0
        self.rows: list[dict] = []
        self.losses: list[float] = []

    def step(self) -> None:
        """One step of Adam, its gradient cut to norm 1, and one of the moving average."""
        config, random = self.config, torch.Generator().manual_seed(mix(self.seeds.noise, self.seen))
        x = sent(torch.from_numpy(self._next()), self.device).float().div_(127.5).sub_(1)
        angles = sent(LATEST * torch.rand(len(x), generator=random), self.device)
        noise = sent(torch.randn(x.shape, generator=random), self.device)
        value = loss(self.network, x, angles, noise)
        self.optimiser.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        rising = min(1.0, (self.seen + config.batch) / config.rise)
        self.optimiser.param_groups[0]["lr"] = config.learning_rate * rising * config.decay(self.seen)
        self.optimiser.step()
        steps = max(0, self.seen - config.ema_from) // config.batch
        decay = min(config.ema, steps / (10 + steps))  # of the last tenth of its steps until these are enough
        weights = [p.detach() for p in self.network.parameters()]
        torch._foreach_lerp_(list(self.average.parameters()), weights, 1 - decay)
        self.seen += config.batch
        self.losses.append(float(value.detach()))
        if self.seen * ROWS // config.total_images > len(self.rows):
            self._close_row()

    def _next(self) -> np.ndarray:
        n, positions = len(self.images), np.arange(self.seen, self.seen + self.config.batch)
        return self.images[np.array([permutation(n, self.seeds.order, int(p // n))[p % n] for p in positions])]

    def _close_row(self) -> None:
        mean = float(np.mean(self.losses))
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss is {mean} after {self.seen} images; lower the learning rate")
        self.rows.append({"images": self.seen, "resolution": self.config.resolution, "blend": 1.0, "v": mean})
        self.losses = []

    def save(self, path: Path) -> None:
        """Write everything that the training needs to go on."""
        tensors = {f"{part}.{k}": v for part in PARTS for k, v in getattr(self, part).state_dict().items()}
        moments = self.optimiser.state_dict()["state"]
        tensors |= {f"optimiser.{i}.{k}": v for i, values in moments.items() for k, v in values.items()}
        write_tensors(path, tensors, {key: getattr(self, key) for key in POSITION})

    def restore(self, path: Path) -> None:
        """Go on from what :meth:`save` wrote."""
        tensors, meta = read_tensors(path, self.device)
        vars(self).update(meta)
        for part in PARTS:
            mine = {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            getattr(self, part).load_state_dict(mine)
        parameters = self.optimiser.param_groups[0]["params"]
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, index, name = key.split(".")
                like = parameters[int(index)]  # moments must lie in memory as their parameter does
                moment = value if name == "step" else torch.empty_like(like.detach()).copy_(value)
                self.optimiser.state[like][name] = moment
