"""Enlargement and reduction by 2, alone and fused with a convolution."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.layers import spread


def enlarge(images: Tensor) -> Tensor:
    """Nearest-neighbour enlargement by 2."""
    return F.interpolate(images, scale_factor=2, mode="nearest")


def reduce(images: Tensor) -> Tensor:
    """Box reduction by 2."""
    return F.avg_pool2d(images, 2)


class UpConv2d(nn.Conv2d):
    """:func:`enlarge`, then a 3 x 3 convolution with zero padding; computed as one transposed 4 x 4 convolution."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        scattering = spread(self.weight).flip(2, 3).transpose(0, 1)
        return F.conv_transpose2d(x, scattering, self.bias, stride=2, padding=1)


class DownConv2d(nn.Conv2d):
    """A 3 x 3 convolution with zero padding, then :func:`reduce`; computed as one strided 4 x 4 convolution."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, spread(self.weight) * 0.25, self.bias, stride=2, padding=1)
