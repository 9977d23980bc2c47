"""Enlargement and reduction by 2, alone and fused with a 3 x 3 convolution of zero padding into one of 4 x 4."""

import torch.nn.functional as F
from torch import Tensor, nn

from ganfp.layers import spread


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

    def forward(self, x: Tensor) -> Tensor:
        scattering = spread(self.weight).flip(2, 3).transpose(0, 1)
        return F.conv_transpose2d(x, scattering, self.bias, stride=2, padding=1)


class DownConv2d(_Fused):
    """The convolution, then :func:`reduce`."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, spread(self.weight) * 0.25, self.bias, stride=2, padding=1)
