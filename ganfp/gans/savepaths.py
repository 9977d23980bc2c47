"""How the official sampling code turns a generator's numbers into bytes, one habit per GAN (Table 1's trivial cue).

This project saves every image through :func:`ganfp.images.quantise`.  The habits below exist to measure what they
would give away, and for nothing else.  Each maps floats (N, 3, R, R), [-1, 1] where the network is squashed, to
uint8.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ganfp.gans import entry
from ganfp.images import quantise

Save = Callable[[Tensor], Tensor]


def truncate(x: Tensor) -> Tensor:
    """SNGAN's: clamp, then cut off what is behind the point; only exact 1 becomes 255."""
    return (x * 127.5 + 127.5).clamp(0, 255).to(torch.uint8)


def stretch(x: Tensor) -> Tensor:
    """CramerGAN's and MMDGAN's: each image stretched until its darkest value is 0 and its brightest 255.

    What scipy's old image saver did to arrays that were not bytes.  An image of one single value becomes black.
    """
    low, high = x.amin(dim=(1, 2, 3), keepdim=True), x.amax(dim=(1, 2, 3), keepdim=True)
    span = torch.where(high > low, high - low, 1.0)
    return ((x - low) * (255 / span)).round().to(torch.uint8)


HABITS: dict[str, Save] = {"round": quantise, "truncate": truncate, "stretch": stretch}
SAVE_PATHS = ("ours", "official")


def habit(save_path: str, gan: str) -> str:
    """Which of :data:`HABITS` a save path, ``ours`` or ``official``, has for a GAN; ``ValueError`` for another name."""
    if save_path not in SAVE_PATHS:
        raise ValueError(f"save_path must be one of {', '.join(SAVE_PATHS)}, not {save_path!r}")
    return "round" if save_path == "ours" else entry(gan).official


# What gives a save path away, without a look at what is shown.


def extremes(images: np.ndarray) -> np.ndarray:
    """(N, 2) bool: does an image (N, 3, R, R) uint8 reach exactly 0, does it reach exactly 255?"""
    flat = images.reshape(len(images), -1)
    return np.stack([flat.min(axis=1) == 0, flat.max(axis=1) == 255], axis=1)


def lowest_bits(images: np.ndarray) -> np.ndarray:
    """(N, 4) shares: how often the two lowest bits of an image's values are 00, 01, 10 and 11."""
    flat = images.reshape(len(images), -1) & 3
    return np.stack([(flat == value).mean(axis=1) for value in range(4)], axis=1)
