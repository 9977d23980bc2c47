"""A small diffusion model (Ho et al. 2020), as a source of images that is no GAN.

Time is an angle: z = cos(a) x + sin(a) e mixes an image x with noise e, from a = 0 to a right angle, which is the cosine
schedule (Nichol and Dhariwal 2021) without its offset.  The network predicts v = cos(a) e - sin(a) x, the speed of z
along the arc (Salimans and Ho 2022, Appendix D).  A step of DDIM (Song et al. 2021), which adds no noise, is then a
rotation, and all of them together are a generator: one latent, one image.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp import memory
from ganfp.files import read_tensors, write_json, write_tensors
from ganfp.gans.base import Sized, in_precision, sent
from ganfp.gans.training import CHECKPOINT, GENERATOR, HISTORY, ROWS, SECONDS_BETWEEN_CHECKPOINTS, Seeds, permutation
from ganfp.seeding import deterministic, mix

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
    total_images: int = 320_000
    batch: int = 32
    learning_rate: float = 0.001
    rise: float = 0.05  # share of the training in which the learning rate rises from 0
    decay_from: float = 0.5
    ema: float = 0.999
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
        self.down = nn.ModuleList(
            Block(into, out, embedded) for into, out in zip([widths[0], *widths], widths, strict=False)
        )
        self.middle = nn.ModuleList([Block(widths[-1], widths[-1], embedded) for _ in range(2)])
        self.attention = Attention(widths[-1])
        back = widths[::-1]
        self.up = nn.ModuleList(
            Block(into, out, embedded) for into, out in zip([back[0], *back], back, strict=False)
        )
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
    if images.shape[1:] != (3, config.resolution, config.resolution) or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (N, 3, {config.resolution}, {config.resolution}), not {images.shape}")
    memory.keep()
    with deterministic():
        state = _begin(config, seeds, torch.device(device))
        _restore(state, folder / CHECKPOINT)
        saved, before = time.monotonic(), state.seconds
        started = saved
        while state.seen < config.total_images:
            _step(state, config, seeds, images)
            now = time.monotonic()
            state.seconds = before + now - started
            if now - saved > SECONDS_BETWEEN_CHECKPOINTS:
                _save(state, folder / CHECKPOINT)
                saved = now
            progress(min(1.0, state.seen / config.total_images))
    meta = {"name": NAME, "config": asdict(config), "seeds": asdict(seeds), "images": len(images), "seen": state.seen}
    write_tensors(folder / GENERATOR, state.average.state_dict(), {**meta, "resolution": config.resolution, "blend": 1.0})
    write_json(folder / HISTORY, {"rows": state.rows, "seen": state.seen, "seconds": state.seconds})


def _begin(config: DDPMConfig, seeds: Seeds, device: torch.device) -> SimpleNamespace:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seeds.init)
        network = Network(config).to(device=device, memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False).eval()
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    return SimpleNamespace(
        network=network, average=average, optimiser=optimiser, device=device, seen=0, seconds=0.0, rows=[], losses=[]
    )


def _step(state: SimpleNamespace, config: DDPMConfig, seeds: Seeds, images: np.ndarray) -> None:
    n, positions = len(images), np.arange(state.seen, state.seen + config.batch)
    order = [permutation(n, seeds.order, int(p // n))[p % n] for p in positions]
    x = sent(torch.from_numpy(images[np.array(order)]), state.device).float().div_(127.5).sub_(1)
    random = torch.Generator().manual_seed(mix(seeds.noise, state.seen))
    angles = sent(LATEST * torch.rand(len(x), generator=random), state.device)
    noise = sent(torch.randn(x.shape, generator=random), state.device)
    value = loss(state.network, *(t.contiguous() for t in (x, angles)), noise)
    state.optimiser.zero_grad()
    value.backward()
    nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
    rising = min(1.0, (state.seen + config.batch) / max(1.0, config.rise * config.total_images))
    state.optimiser.param_groups[0]["lr"] = config.learning_rate * rising * config.decay(state.seen)
    state.optimiser.step()
    steps = state.seen // config.batch + 1
    decay = min(config.ema, 1 - 1 / steps)  # the mean of all weights so far until there are enough of them
    torch._foreach_lerp_(
        list(state.average.parameters()), [p.detach() for p in state.network.parameters()], 1 - decay
    )
    state.seen += len(x)
    state.losses.append(float(value.detach()))
    if state.seen * ROWS // config.total_images > len(state.rows):
        mean = float(np.mean(state.losses))
        if not math.isfinite(mean):
            raise FloatingPointError(f"the loss is {mean} after {state.seen} images; lower the learning rate")
        state.rows.append({"images": state.seen, "resolution": config.resolution, "blend": 1.0, "v": mean})
        state.losses = []


PARTS, POSITION = ("network", "average"), ("seen", "seconds", "rows", "losses")


def _save(state: SimpleNamespace, path: Path) -> None:
    tensors = {f"{part}.{k}": v for part in PARTS for k, v in getattr(state, part).state_dict().items()}
    moments = state.optimiser.state_dict()["state"]
    tensors |= {f"optimiser.{i}.{k}": v for i, values in moments.items() for k, v in values.items()}
    write_tensors(path, tensors, {key: getattr(state, key) for key in POSITION})


def _restore(state: SimpleNamespace, path: Path) -> None:
    if not path.exists():
        return
    tensors, meta = read_tensors(path, state.device)
    vars(state).update(meta)
    under = {p: {k[len(p) + 1 :]: v for k, v in tensors.items() if k.startswith(p + ".")} for p in (*PARTS, "optimiser")}
    for part in PARTS:
        getattr(state, part).load_state_dict(under[part])
    parameters = state.optimiser.param_groups[0]["params"]
    for key, value in under["optimiser"].items():
        index, name = key.split(".")
        like = parameters[int(index)]
        state.optimiser.state[like][name] = value if name == "step" else torch.empty_like(like.detach()).copy_(value)
