"""Frequency bands of an image: the Gaussian and the Laplacian pyramid (paper, Section 3.2; Burt and Adelson 1983).

A step down blurs with the 5 x 5 binomial kernel and keeps every second pixel; a step up sets zeros between the
pixels and blurs with four times that kernel.  Both keep the even pixels where they are, and borders are reflected.
"""

from functools import lru_cache
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.layers import reflect_pad

BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)  # over 16
SMALL_BINOMIAL = (1.0, 2.0, 1.0)  # over 4


def down(x: Tensor) -> Tensor:
    """Images (N, C, H, W) at half the resolution; sides are even and at least 4."""
    return _blur(x, 1, stride=2)


def up(x: Tensor) -> Tensor:
    """Images (N, C, H, W) at twice the resolution, without anything that they did not hold before."""
    spread = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
    spread[..., ::2, ::2] = x
    return _blur(spread, 4)


def boosted(x: Tensor, gain: float) -> Tensor:
    """High-boost filtering: low + gain (x - low), low the image after the 3 x 3 binomial blur; of the same size.

    It adds no information and takes none.  It makes the frequencies of a natural image, whose power falls with about
    the square of the frequency, more equally loud, as whitening does.
    """
    return torch.lerp(_blur(x, 1, row=SMALL_BINOMIAL), x, gain)


def _blur(x: Tensor, gain: int, stride: int = 1, row: tuple[float, ...] = BINOMIAL) -> Tensor:
    kernel = _kernel(row, gain, x.shape[1], x.dtype, x.device)
    return F.conv2d(reflect_pad(x, len(row) // 2), kernel, stride=stride, groups=x.shape[1])


@lru_cache(maxsize=64)
@torch.inference_mode(False)  # or a kernel that a prediction made could not serve a training
def _kernel(row: tuple[float, ...], gain: int, channels: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """The outer product of a row, whose sum becomes the gain, with itself: (channels, 1, n, n)."""
    side = torch.tensor(row, dtype=dtype, device=device) / sum(row)
    return gain * torch.outer(side, side).expand(channels, 1, -1, -1)


class Down(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return down(x)


class Residual(nn.Module):
    """What a step down loses: the image less its half-resolution version, enlarged again; of the same size."""

    def forward(self, x: Tensor) -> Tensor:
        return x - up(down(x))


class Boost(nn.Module):
    """:func:`boosted` by a gain."""

    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        return boosted(x, self.gain)


def band(name: str, steps: int, boost: float = 1.0) -> nn.Sequential:
    """The front end of a component network: images (N, 3, R, R) -> one band (N, 3, R / 2^steps, R / 2^steps).

    ``low`` is everything up to that resolution (Figure 2b), the image itself for no steps; ``high`` what only that
    resolution holds and the next one down does not (Figure 2c).  A ``boost`` other than 1 filters it at the end.
    """
    if name not in ("low", "high"):
        raise ValueError(f'band must be "low" or "high", not {name!r}')
    if not boost > 0:
        raise ValueError(f"boost must be positive, not {boost}")
    parts = [Down() for _ in range(steps)], [Residual()] if name == "high" else [], [Boost(boost)] if boost != 1 else []
    return nn.Sequential(*chain.from_iterable(parts))
