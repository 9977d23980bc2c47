"""The content network: a small semantic feature that needs no download.

It stands in the place of Inception's features, with which the paper compares its fingerprint (Figure 1; FD ratios of
Tables 1, 2, 3 and 6): from real drawn images alone it learns to tell what the renderer drew (pose, skin, glasses, ...),
and the layer before its answers is the feature.  It is never shown a generated image.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.files import read_tensors, write_tensors
from ganfp.images import to_float
from ganfp.seeding import deterministic, drawn_with

FILE = "content.safetensors"
CHANNELS = (32, 64, 128, 128)


class ContentNetwork(nn.Module):
    """Convolutions that halve the resolution, at least 8, global average pooling, and one linear head per factor.

    ``categories`` maps each factor to its number of categories, 0 for a continuous factor in [0, 1]; ``channels``
    holds the width of each layer, the last being the dimension d of the feature.
    """

    def __init__(self, categories: Mapping[str, int], channels: Sequence[int] = CHANNELS):
        super().__init__()
        if not categories or any(k < 0 or k == 1 for k in categories.values()):
            raise ValueError(f"categories must map factors to 0 (continuous) or to 2 and more, not {categories}")
        self.categories, self.channels = dict(categories), tuple(channels)
        self.layers = nn.Sequential()
        for before, after in zip((3, *channels), channels, strict=False):
            self.layers.append(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False))
            self.layers.extend([nn.BatchNorm2d(after), nn.ReLU()])
        # a list, since a factor's name may hold a dot and a module's may not
        self.heads = nn.ModuleList(nn.Linear(self.channels[-1], max(1, k)) for k in self.categories.values())

    def embed(self, images: Tensor) -> Tensor:
        """Feature (N, d) of float images (N, 3, H, W) in [-1, 1]."""
        return self.layers(images).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """For each factor its logits (N, categories), or the value (N,) of a continuous one."""
        feature = self.embed(images)
        pairs = zip(self.categories.items(), self.heads, strict=True)
        return {name: head(feature) if k else head(feature).squeeze(1) for (name, k), head in pairs}

    def features(self, images: np.ndarray, batch: int = 256) -> np.ndarray:
        """Content feature, float32 (N, d), of uint8 images (N, 3, H, W), computed on the network's own device."""
        parts = [part.cpu().numpy() for part in self._batches(self.embed, images, batch)]
        return np.concatenate(parts or [np.zeros((0, self.channels[-1]), np.float32)])

    def report(self, images: np.ndarray, factors: Mapping[str, np.ndarray], batch: int = 256) -> dict[str, dict]:
        """How well each factor is told on held-out images: ``metric``, ``value`` and ``chance``.

        Categorical: "accuracy" in [0, 1], beside the share of the commonest category; continuous: "r2", the share of
        the variance that is explained, beside 0.
        """
        targets = _check_factors(factors, self.categories, len(_check_images(images)))
        parts = list(self._batches(self, images, batch))
        table = {}
        for name, k in self.categories.items():
            answer, truth = torch.cat([part[name] for part in parts]).cpu().numpy(), targets[name]
            if k:
                metric, value = "accuracy", np.mean(answer.argmax(axis=1) == truth)
                chance = np.bincount(truth).max() / len(truth)
            else:
                metric, value, chance = "r2", 1 - np.mean((answer - truth) ** 2) / truth.var(), 0.0
            table[name] = {"metric": metric, "value": float(value), "chance": float(chance)}
        return table

    def save(self, folder: str | Path) -> None:
        """Write the network into ``folder``, made if need be, as one safetensors file."""
        meta = {"categories": self.categories, "channels": self.channels}
        write_tensors(Path(folder) / FILE, self.state_dict(), meta)

    @classmethod
    def load(cls, folder: str | Path, device: str | torch.device = "cpu") -> Self:
        """The network that :meth:`save` wrote into ``folder``, in evaluation mode."""
        if not (path := Path(folder) / FILE).is_file():
            raise FileNotFoundError(f"no content network at {path}")
        tensors, meta = read_tensors(path, device)
        network = cls(meta["categories"], meta["channels"]).to(device)
        network.load_state_dict(tensors)
        return network.eval()

    def _batches(self, function: Callable, images: np.ndarray, batch: int) -> Iterator:
        _check_images(images)
        device, training = next(self.parameters()).device, self.training
        self.eval()
        try:
            with torch.inference_mode():
                for start in range(0, len(images), batch):
                    yield function(to_float(images[start : start + batch], device))
        finally:
            self.train(training)


def train_content(
    images: np.ndarray, factors: Mapping[str, np.ndarray], categories: Mapping[str, int], *, steps: int = 600,
    batch: int = 64, learning_rate: float = 1e-2, seed: int = 0, device: str | torch.device = "cpu",
    channels: Sequence[int] = CHANNELS, log: Callable[[int, float], None] | None = None,
) -> tuple[ContentNetwork, dict[str, list[float]]]:  # fmt: skip
    """Train a content network on real images: returns it, in evaluation mode, and its history.

    images: uint8 (N, 3, H, W); factors: name -> (N,), floats in [0, 1] or integer categories; categories as for
    :class:`ContentNetwork`.  Squared errors are in units of the factor's variance, cross entropies in units of
    log(categories), so that 1 means knowing nothing.  ``log`` gets (step, loss) after each step; the history holds
    the ``loss`` of every step.  The same seed gives the same network.  ``ValueError`` for factors that do not fit the
    images or never vary, ``FloatingPointError`` when the loss is not finite.
    """
    targets = _check_factors(factors, categories, len(_check_images(images)))
    variance = {name: float(np.var(value)) for name, value in targets.items()}
    if constant := [name for name, value in variance.items() if not value]:
        raise ValueError(f"factors {constant} never vary: there is nothing to learn")
    if steps < 1 or not 2 <= batch <= len(images):
        raise ValueError(f"steps ({steps}) must be at least 1, batch ({batch}) from 2 to {len(images)} images")

    rng = np.random.default_rng(seed)
    with drawn_with(seed):
        network = ContentNetwork(categories, channels).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps)
    losses: list[float] = []
    with deterministic():
        for step in range(steps):
            chosen = np.sort(rng.choice(len(images), batch, replace=False))
            answers = network(to_float(images[chosen], device))
            parts = []
            for name, k in categories.items():
                error, unit = (F.cross_entropy, math.log(k)) if k else (F.mse_loss, variance[name])
                parts.append(error(answers[name], torch.from_numpy(targets[name][chosen]).to(device)) / unit)
            loss = torch.stack(parts).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise FloatingPointError(f"content network: loss not finite at step {step}; lower {learning_rate=}")
            if log:
                log(step, losses[-1])
    return network.eval(), {"loss": losses}


def _check_images(images: np.ndarray) -> np.ndarray:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < 8:
        found = f"{images.dtype} {images.shape}"
        raise ValueError(f"images must be uint8 (N, 3, H, W) with sides of at least 8 pixels, not {found}")
    return images


def _check_factors(factors: Mapping[str, np.ndarray], categories: Mapping[str, int], n: int) -> dict[str, np.ndarray]:
    """The factors that ``categories`` names, as int64 or float32 (n,)."""
    checked = {}
    for name, k in categories.items():
        if name not in factors:
            raise ValueError(f"factor {name!r} is missing; there are {sorted(factors)}")
        value = np.asarray(factors[name])
        if value.shape != (n,):
            raise ValueError(f"factor {name!r} must hold one value for each of {n} images, not {value.shape}")
        if not ((value >= 0) & (value <= max(1, k - 1))).all() or (k and value.dtype.kind not in "iu"):
            raise ValueError(f"factor {name!r} must hold {f'integers below {k}' if k else 'numbers in [0, 1]'}")
        checked[name] = value.astype(np.int64 if k else np.float32)
    return checked
