"""How the official sampling code turns a generator's numbers into bytes, one habit per GAN (Table 1's trivial cue).

They exist to measure what they would give away: this project saves every image by :func:`ganfp.images.quantise`.
Each maps floats (N, 3, R, R), [-1, 1] where the network is squashed, to uint8.
"""

import numpy as np
import torch
from torch import Tensor

from ganfp.gans import entry
from ganfp.images import quantise


def truncate(x: Tensor) -> Tensor:
    """SNGAN's: clamp, then cut off what is behind the point; only exact 1 becomes 255."""
    return (x * 127.5 + 127.5).clamp(0, 255).to(torch.uint8)


def stretch(x: Tensor) -> Tensor:
    """CramerGAN's and MMDGAN's, by scipy's old image saver: each image stretched until it reaches 0 and 255.

    An image of one single value becomes black.
    """
    low, high = x.amin(dim=(1, 2, 3), keepdim=True), x.amax(dim=(1, 2, 3), keepdim=True)
    span = torch.where(high > low, high - low, 1.0)
    return ((x - low) * (255 / span)).round().to(torch.uint8)


HABITS = {"round": quantise, "truncate": truncate, "stretch": stretch}
SAVE_PATHS = ("ours", "official")


def habit(save_path: str, gan: str) -> str:
    """Which of :data:`HABITS` a save path, ``ours`` or ``official``, has for a GAN; ``ValueError`` for another name."""
    if save_path not in SAVE_PATHS:
        raise ValueError(f"save_path must be one of {', '.join(SAVE_PATHS)}, not {save_path!r}")
    return "round" if save_path == "ours" else entry(gan).official


def extremes(images: np.ndarray) -> np.ndarray:
    """(N, 2) bool: does an image (N, 3, R, R) uint8 reach exactly 0, does it reach exactly 255?"""
    axes = (1, 2, 3)
    return np.stack([images.min(axes) == 0, images.max(axes) == 255], axis=1)


def lowest_bits(images: np.ndarray) -> np.ndarray:
    """(N, 4) shares: how often the two lowest bits of an image's values are 00, 01, 10 and 11."""
    return np.stack([(images & 3 == value).mean(axis=(1, 2, 3)) for value in range(4)], axis=1)
