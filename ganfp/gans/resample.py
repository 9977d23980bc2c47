"""Enlargement and reduction by 2, alone and fused with a 3 x 3 convolution of zero padding into one of 4 x 4, and the
mixing of two resolutions while one of them fades in.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.layers import derived, spread


def enlarge(images: Tensor) -> Tensor:
    """Nearest-neighbour enlargement by 2."""
    return F.interpolate(images, scale_factor=2, mode="nearest")


def reduce(images: Tensor) -> Tensor:
    """Box reduction by 2."""
    return F.avg_pool2d(images, 2)


class _Fused(nn.Conv2d):
    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, bias=bias)


class UpConv2d(_Fused):
    """:func:`enlarge`, then the convolution."""

    def kernel(self) -> Tensor:
        return spread(self.weight).flip(2, 3).transpose(0, 1)  # a transposed convolution scatters, others gather

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, *derived(self), stride=2, padding=1)


class DownConv2d(_Fused):
    """The convolution, then :func:`reduce`."""

    def kernel(self) -> Tensor:
        return spread(self.weight) * 0.25

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, *derived(self), stride=2, padding=1)


class Blend(NamedTuple):
    """How far a resolution has faded in, as float32 () on the device: ``new``, and ``old``, 1 less it, rounded apart.

    Numbers in tensors, because a captured step computes with what they hold when it is replayed.
    """

    new: Tensor
    old: Tensor


def fading(blend: float | Blend) -> bool:
    """Whether anything is left of the resolution below; the numbers in a :class:`Blend` are not looked at."""
    return isinstance(blend, Blend) or blend < 1


def faded(old: Tensor, new: Tensor, blend: float | Blend) -> Tensor:
    """(1 - blend) old + blend new, in float32 whatever the precision of the two, which the result has, too."""
    return _Fade.apply(old, new, *blend) if isinstance(blend, Blend) else torch.lerp(old, new, blend)


class _Fade(torch.autograd.Function):
    """torch's ``lerp`` with a weight of another precision, and with the derivatives that it has with a number."""

    @staticmethod
    def forward(ctx, old: Tensor, new: Tensor, share: Tensor, rest: Tensor) -> Tensor:
        ctx.save_for_backward(share, rest)
        return torch.lerp(old.float(), new.float(), share).to(new.dtype)

    @staticmethod
    def backward(ctx, dy: Tensor):
        share, rest = ctx.saved_tensors
        return (dy.float() * rest).to(dy.dtype), (dy.float() * share).to(dy.dtype), None, None
