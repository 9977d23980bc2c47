"""Images between uint8 and [-1, 1]: one way in, and the one way out.

Every image of this project, drawn, photographed or generated, passes through :func:`quantise`: no save path can
become a fingerprint, as those of the official sampling code could (:mod:`ganfp.gans.savepaths`).
"""

import numpy as np
import torch
from torch import Tensor


def to_float(images: Tensor | np.ndarray, device: str | torch.device | None = None) -> Tensor:
    """Map uint8 linearly to float32 in [-1, 1], any shape: ``x / 127.5 - 1``."""
    if isinstance(images, np.ndarray):
        images = torch.from_numpy(np.array(images))  # a copy: a read-only memmap would warn
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8, not {images.dtype}; quantise() turns floats in [-1, 1] into uint8")
    return images.to(device=device, dtype=torch.float32).div_(127.5).sub_(1)


def quantise(x: Tensor) -> Tensor:
    """Map floats in [-1, 1], beyond which they saturate, to uint8, any shape: scale to 0 ... 255, round to nearest.

    The exact inverse of :func:`to_float` on its range.  NaN and infinity raise ``ValueError``.
    """
    return to_bytes((x.detach() + 1).mul_(127.5))


def to_bytes(levels: Tensor) -> Tensor:
    """The last step of :func:`quantise`, for floats that are grey levels, 0 ... 255, already."""
    if not torch.isfinite(levels.sum(dtype=torch.float32)):  # one NaN or infinity is enough
        raise ValueError("images contain NaN or infinity; the network that made them has diverged")
    rounded = levels.float().round().clamp_(0, 255)
    if rounded.device.type == "cpu":  # numpy's conversion takes a third of torch's time
        return torch.from_numpy(rounded.numpy().astype(np.uint8))
    return rounded.to(torch.uint8)
