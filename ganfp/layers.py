"""Layers with an equalised learning rate (Karras et al. 2018, Section 4.1), shared by GANs and attributors.

Weights start as N(0, 1) and are multiplied at run time by ``gain / sqrt(fan_in)``, He's constant: Adam then moves
every layer at the same relative speed.  The attribution network needs it, too: else it was seen to stay at chance.
"""

import math
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

RELU_GAIN = math.sqrt(2)  # He's gain, used throughout by ProGAN and the attribution network
SLOPE = 0.2  # of every LeakyReLU in both


def leaky_relu(x: Tensor) -> Tensor:
    """LeakyReLU with :data:`SLOPE`."""
    return F.leaky_relu(x, SLOPE)


def count_parameters(module: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def channels(resolution: int, base: int, maximum: int) -> int:
    """Feature maps at a resolution: ``min(base / resolution, maximum)``, at least 1."""
    return max(1, min(base // resolution, maximum))


_derived: ContextVar[dict | None] = ContextVar("_derived", default=None)  # each thread has its own


@contextmanager
def weights_fixed():
    """Within it no weight in use changes, so that layers derive what they compute with once and not for each batch."""
    before = _derived.set({})
    try:
        yield
    finally:
        _derived.reset(before)


def derived(layer: nn.Module) -> tuple[Tensor, Tensor | None]:
    """A layer's ``kernel()`` and bias, in the precision of autocast where that is on."""
    known = _derived.get()
    if known is None:
        return lower(layer.kernel()), lower(layer.bias)
    # not by the weight's own device: to ask a normalised layer for its weight is to change it
    key = layer, torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")
    if key not in known:
        known[key] = lower(layer.kernel()), lower(layer.bias)
    return known[key]


def lower(x: Tensor | None) -> Tensor | None:
    """The tensor in the precision of autocast, where that is on."""
    lowered = x is not None and torch.is_autocast_enabled(x.device.type)
    return x.to(torch.get_autocast_dtype(x.device.type)) if lowered else x


class EqualConv2d(nn.Module):
    """Convolution, stride 1, "same" padding (``padding_mode`` ``"zeros"`` or ``"reflect"``).

    ``resample``: ``"up"`` (nearest-neighbour enlargement by 2, then the convolution) or ``"down"`` (the convolution,
    then the mean of 2 x 2), as one strided 4 x 4 convolution: the same numbers for 2.25 times fewer multiplications.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 3, gain: float = RELU_GAIN,
        padding_mode: str = "zeros", resample: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if resample and (kernel != 3 or padding_mode != "zeros"):
            raise ValueError("resample needs a 3 x 3 kernel and zero padding")
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.scale = gain / math.sqrt(in_channels * kernel**2)
        self.padding, self.padding_mode, self.resample = kernel // 2, padding_mode, resample

    def kernel(self) -> Tensor:
        """What the input is convolved with: the weight, scaled, and spread where the layer resamples."""
        if self.resample == "up":
            flipped = spread(self.weight * self.scale).flip(2, 3)  # a transposed convolution scatters, others gather
            return flipped.transpose(0, 1).contiguous(memory_format=torch.channels_last)
        return spread(self.weight * (self.scale / 4)) if self.resample == "down" else self.weight * self.scale

    def forward(self, x: Tensor, slope: float | None = None) -> Tensor:
        """The convolution, and LeakyReLU with ``slope`` if one is given: cheaper here than after it."""
        weight, bias = derived(self)
        if self.resample == "up":
            y = F.conv_transpose2d(x, weight, bias, stride=2, padding=1)
            return y if slope is None else F.leaky_relu_(y, slope)
        if self.resample == "down":
            return convolve(x, weight, bias, 2, 1, slope)
        if self.padding_mode == "reflect" and self.padding:
            return convolve(reflect_pad(x, self.padding), weight, bias, slope=slope)
        return convolve(x, weight, bias, 1, self.padding, slope)


class EqualLinear(nn.Module):
    """Dense layer; (N, in_features) -> (N, out_features)."""

    def __init__(self, in_features: int, out_features: int, gain: float = RELU_GAIN, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None
        self.scale = gain / math.sqrt(in_features)

    def kernel(self) -> Tensor:
        return self.weight * self.scale

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, *derived(self))


class Conv2d(nn.Conv2d):
    """torch's own convolution, zero padding only, with the fast second derivatives of :func:`convolve`."""

    def forward(self, x: Tensor, slope: float | None = None) -> Tensor:
        return convolve(x, self.weight, self.bias, self.stride[0], self.padding[0], slope)


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1, padding: int = 0, slope: float | None = None
) -> Tensor:
    """``F.conv2d``, then LeakyReLU if a ``slope`` is given; in the precision of autocast where that is on.

    What differs is the speed of second derivatives: torch takes that of a gradient penalty after the weights as a
    convolution whose kernel is as large as the image; here it is the ordinary weight gradient that it equals.  And
    torch adds zeros for LeakyReLU, which has no curvature.
    """
    return _Convolution.apply(lower(x), lower(weight), lower(bias), stride, padding, slope)


class _InputsOnly:
    """Whether a backward pass is under way that asks for the gradients of inputs alone."""

    now = True


_inputs_only: ContextVar[_InputsOnly | None] = ContextVar("_inputs_only", default=None)


@contextmanager
def input_gradients_only():
    """Within it, backward passes leave out weights' gradients, which nobody asked for, of every :func:`convolve` there.

    The graph itself carries the mark, because a GPU's backward pass runs in a thread of its own.
    """
    mark = _InputsOnly()
    before = _inputs_only.set(mark)
    try:
        yield
    finally:
        _inputs_only.reset(before)
        mark.now = False


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, slope: float | None):
        y = F.conv2d(x, weight, bias, stride, padding)
        if slope is not None:
            F.leaky_relu_(y, slope)
        ctx.save_for_backward(x, weight, None if slope is None else y)
        ctx.how, ctx.inputs_only = (stride, padding, slope), _inputs_only.get()
        return y

    @staticmethod
    def backward(ctx, dy: Tensor):
        x, weight, bias = ctx.needs_input_grad[:3]
        all_of_them = ctx.inputs_only is None or not ctx.inputs_only.now
        wanted = [x, weight and all_of_them, bias and all_of_them]
        return *_Gradients.apply(dy, *ctx.saved_tensors, *ctx.how, wanted), None, None, None


class _Gradients(torch.autograd.Function):
    """dx = w^T dz, dw = x^T dz and db = sum dz of a convolution z = w x + b: each of them bilinear, so that their own
    derivatives are convolutions and gradients of convolutions again.  dz is dy, times the slope where y = slope z.
    """

    @staticmethod
    def forward(ctx, dy: Tensor, x: Tensor, weight: Tensor, y: Tensor | None, stride, padding, slope, wanted):
        dz = _before_slope(dy, y, slope)
        ctx.save_for_backward(dz, x, weight, y)
        ctx.how, ctx.slope = (stride, padding), slope
        ctx.set_materialize_grads(False)
        return _gradients(dz, x, weight, stride, padding, wanted)

    @staticmethod
    @once_differentiable
    def backward(ctx, to_dx: Tensor | None, to_dw: Tensor | None, to_db: Tensor | None):
        dz, x, weight, y = ctx.saved_tensors
        to_x, to_weight, to_dz = None, None, []
        if to_dx is not None:
            to_dz.append(F.conv2d(to_dx, weight, None, *ctx.how))
            to_weight = _gradients(dz, to_dx, weight, *ctx.how, [False, True, False])[1]
        if to_dw is not None:
            to_dz.append(F.conv2d(x, to_dw, None, *ctx.how))
            to_x = _gradients(dz, x, to_dw, *ctx.how, [True, False, False])[0]
        if to_db is not None:
            to_dz.append(to_db[:, None, None].expand_as(dz))
        to_dy = _before_slope(reduce(torch.add, to_dz), y, ctx.slope) if to_dz else None
        return to_dy, to_x, to_weight, None, None, None, None, None


def _before_slope(dy: Tensor, y: Tensor | None, slope: float | None) -> Tensor:
    return dy if y is None else torch.ops.aten.leaky_relu_backward(dy, y, slope, True)  # True: y is the result


def _gradients(dz: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, wanted: list[bool]):
    how = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1  # dilation, transposed, output padding, groups
    return torch.ops.aten.convolution_backward(dz, x, weight, [len(weight)], *how, wanted)


def spread(weight: Tensor) -> Tensor:
    """The 4 x 4 kernel that a 3 x 3 kernel becomes when the four pixels of a 2 x 2 block share their value."""
    padded = F.pad(weight, (1, 1, 1, 1))
    return padded[..., 1:, 1:] + padded[..., 1:, :-1] + padded[..., :-1, 1:] + padded[..., :-1, :-1]


def reflect_pad(x: Tensor, pad: int) -> Tensor:
    """Reflection padding; on a GPU made of slices, because torch's own has no deterministic backward pass there."""
    return reflect_pad_by_slices(x, pad) if x.is_cuda else F.pad(x, (pad, pad, pad, pad), mode="reflect")


def reflect_pad_by_slices(x: Tensor, pad: int) -> Tensor:
    """Reflection padding by ``pad`` pixels with operations that repeat themselves bit by bit everywhere."""
    x = torch.cat([x[..., 1 : pad + 1].flip(-1), x, x[..., -pad - 1 : -1].flip(-1)], dim=-1)
    return torch.cat([x[..., 1 : pad + 1, :].flip(-2), x, x[..., -pad - 1 : -1, :].flip(-2)], dim=-2)


def pixel_norm(x: Tensor) -> Tensor:
    """Scale the channel vector of each pixel (or each latent) to unit mean square (ProGAN, Section 4.2)."""
    return _PixelNorm.apply(x)


class _PixelNorm(torch.autograd.Function):
    """y = s x with s = (mean x^2 + 1e-8)^-1/2 in float32, and dx = s (dy - y mean(y dy)); no second derivative."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True)  # adds up in float32 whatever x is
        square = length.to(torch.promote_types(x.dtype, torch.float32)).square()
        scale = _beside(torch.rsqrt(square / x.shape[1] + 1e-8), x)
        y = x * scale
        ctx.save_for_backward(y, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy: Tensor) -> Tensor:
        y, scale = ctx.saved_tensors
        along = _beside((y * dy).mean(dim=1, keepdim=True), dy)
        return torch.addcmul(dy, y, along, value=-1).mul_(scale)


def _beside(row: Tensor, x: Tensor) -> Tensor:
    """One number per pixel, ready to be multiplied with the channels of x; repeated where broadcasting is slow."""
    return torch.empty_like(x).copy_(row) if x.dtype == torch.bfloat16 and not x.is_cuda else row.to(x.dtype)


def minibatch_stddev(x: Tensor, group: int = 4, batches: int = 1) -> Tensor:
    """Append the mean standard deviation over groups of images as one more channel to (N, C, H, W) (ProGAN, Section 3).

    The images are ``batches`` of equal size, each a multiple of ``group`` or smaller; no group spans two.
    """
    if batches > 1:
        return torch.cat([minibatch_stddev(batch, group) for batch in x.chunk(batches)])
    group = min(group, len(x))
    if len(x) % group:
        raise ValueError(f"a batch of {len(x)} cannot be cut into groups of {group}; use a multiple of {group}")
    grouped = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(0, (group, -1))
    variance = (grouped - grouped.mean(dim=0)).square().mean(dim=0)  # torch's `var` takes ten times as long
    deviation = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))  # one per group member set
    extra = deviation.to(x.dtype).repeat(group)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return torch.cat([x, extra], dim=1)
