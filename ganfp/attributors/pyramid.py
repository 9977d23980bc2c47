"""Frequency bands of an image: the Gaussian and the Laplacian pyramid (paper, Section 3.2; Burt and Adelson 1983).

A step down blurs with the 5 x 5 binomial kernel and keeps every second pixel; a step up sets zeros between the
pixels and blurs with four times that kernel.  Both keep the even pixels where they are, and borders are reflected.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.layers import reflect_pad

BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)  # over 16


def down(x: Tensor) -> Tensor:
    """Images (N, C, H, W) at half the resolution; sides are even and at least 4."""
    return _blur(x, 1, stride=2)


def up(x: Tensor) -> Tensor:
    """Images (N, C, H, W) at twice the resolution, without anything that they did not hold before."""
    spread = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    spread[..., ::2, ::2] = x
    return _blur(spread, 4)


def _blur(x: Tensor, gain: int, stride: int = 1) -> Tensor:
    row = torch.tensor(BINOMIAL, dtype=x.dtype, device=x.device) / sum(BINOMIAL)
    kernel = gain * torch.outer(row, row).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(reflect_pad(x, 2), kernel, stride=stride, groups=x.shape[1])


class Down(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return down(x)


class Residual(nn.Module):
    """What a step down loses: the image less its half-resolution version, enlarged again; of the same size."""

    def forward(self, x: Tensor) -> Tensor:
        return x - up(down(x))


def band(name: str, steps: int) -> nn.Sequential:
    """The front end of a component network: images (N, 3, R, R) -> one band (N, 3, R / 2^steps, R / 2^steps).

    ``low`` is everything up to that resolution (Figure 2b), the image itself for no steps; ``high`` what only that
    resolution holds and the next one down does not (Figure 2c).
    """
    if name not in ("low", "high"):
        raise ValueError(f'band must be "low" or "high", not {name!r}')
    return nn.Sequential(*(Down() for _ in range(steps)), *([Residual()] if name == "high" else []))
