"""Layers with an equalised learning rate (Karras et al. 2018, Section 4.1), shared by GANs and attributors.

Weights start as N(0, 1) and are multiplied at run time by ``gain / sqrt(fan_in)``, He's constant: Adam then moves
every layer at the same relative speed.  The attribution network needs it as much as ProGAN does: with torch's
default start it was seen to stay at chance.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RELU_GAIN = math.sqrt(2)  # He's gain, used throughout by ProGAN and the attribution network
SLOPE = 0.2  # of every LeakyReLU in both


def leaky_relu(x: Tensor) -> Tensor:
    """LeakyReLU with the slope 0.2 that ProGAN and the attribution network share."""
    return F.leaky_relu(x, SLOPE)


def count_parameters(module: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def channels(resolution: int, base: int, maximum: int) -> int:
    """Feature maps at a resolution: ``min(base / resolution, maximum)``, at least 1.

    ProGAN at the paper's size has base 16384, the attribution network 4096, both at most 512.
    """
    return max(1, min(base // resolution, maximum))


class EqualConv2d(nn.Module):
    """Convolution, stride 1, "same" padding, with an equalised learning rate.

    ``padding_mode`` is ``"zeros"`` (ProGAN) or ``"reflect"`` (attribution network); ``resample`` is ``None``,
    ``"up"`` (nearest-neighbour enlargement by 2, then the convolution) or ``"down"`` (the convolution, then the
    mean of 2 x 2).  Both are computed as one strided 4 x 4 convolution: the same numbers for 2.25 times fewer
    multiplications.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        gain: float = RELU_GAIN,
        padding_mode: str = "zeros",
        resample: str | None = None,
    ) -> None:
        super().__init__()
        if resample and (kernel != 3 or padding_mode != "zeros"):
            raise ValueError("resample needs a 3 x 3 kernel and zero padding")
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.scale = gain / math.sqrt(in_channels * kernel**2)
        self.padding = kernel // 2
        self.padding_mode = padding_mode
        self.resample = resample

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        if self.resample == "up":
            flipped = spread(weight).flip(2, 3)  # a transposed convolution scatters where a convolution gathers
            return F.conv_transpose2d(x, flipped.transpose(0, 1), self.bias, stride=2, padding=1)
        if self.resample == "down":
            return F.conv2d(x, spread(weight) * 0.25, self.bias, stride=2, padding=1)
        if self.padding_mode == "reflect" and self.padding:
            return F.conv2d(reflect_pad(x, self.padding), weight, self.bias)
        return F.conv2d(x, weight, self.bias, padding=self.padding)

    def extra_repr(self) -> str:
        out, into, kernel, _ = self.weight.shape
        return f"{into}, {out}, kernel={kernel}, padding_mode={self.padding_mode}, resample={self.resample}"


class EqualLinear(nn.Module):
    """Dense layer with an equalised learning rate; (N, in_features) -> (N, out_features)."""

    def __init__(self, in_features: int, out_features: int, gain: float = RELU_GAIN, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None
        self.scale = gain / math.sqrt(in_features)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}, bias={self.bias is not None}"


def spread(weight: Tensor) -> Tensor:
    """The 4 x 4 kernel that a 3 x 3 kernel becomes when the four pixels of a 2 x 2 block share their value."""
    padded = F.pad(weight, (1, 1, 1, 1))
    return padded[..., 1:, 1:] + padded[..., 1:, :-1] + padded[..., :-1, 1:] + padded[..., :-1, :-1]


def reflect_pad(x: Tensor, pad: int) -> Tensor:
    """Reflection padding; on a GPU made of slices, because torch's own has no deterministic backward pass there."""
    if not x.is_cuda:
        return F.pad(x, (pad, pad, pad, pad), mode="reflect")
    return reflect_pad_by_slices(x, pad)


def reflect_pad_by_slices(x: Tensor, pad: int) -> Tensor:
    """Reflection padding by ``pad`` pixels with operations that repeat themselves bit by bit everywhere."""
    x = torch.cat([x[..., 1 : pad + 1].flip(-1), x, x[..., -pad - 1 : -1].flip(-1)], dim=-1)
    return torch.cat([x[..., 1 : pad + 1, :].flip(-2), x, x[..., -pad - 1 : -1, :].flip(-2)], dim=-2)


def pixel_norm(x: Tensor) -> Tensor:
    """Scale the channel vector of each pixel (or each latent) to unit mean square (ProGAN, Section 4.2)."""
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def minibatch_stddev(x: Tensor, group: int = 4) -> Tensor:
    """Append the mean standard deviation over groups of images as one more channel (ProGAN, Section 3).

    ``x`` is (N, C, H, W); N must be a multiple of ``group``, or smaller than it.
    """
    group = min(group, len(x))
    if len(x) % group:
        raise ValueError(f"a batch of {len(x)} cannot be cut into groups of {group}; use a multiple of {group}")
    grouped = x.unflatten(0, (group, -1))
    deviation = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # one per group member set
    extra = deviation.repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, extra], dim=1)
