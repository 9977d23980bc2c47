"""Layers against the definitions they abbreviate."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from ganfp.layers import (
    EqualConv2d,
    EqualLinear,
    channels,
    convolve,
    input_gradients_only,
    minibatch_stddev,
    pixel_norm,
    reflect_pad_by_slices,
    weights_fixed,
)


@pytest.fixture
def x():
    return torch.randn(3, 5, 8, 8, generator=torch.Generator().manual_seed(0))


def test_up_is_nearest_enlargement_then_convolution(x):
    layer = EqualConv2d(5, 7, resample="up")
    plain = F.conv2d(F.interpolate(x, scale_factor=2), layer.weight * layer.scale, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), plain, atol=1e-5, rtol=1e-5)


def test_down_is_convolution_then_mean(x):
    layer = EqualConv2d(5, 7, resample="down")
    plain = F.avg_pool2d(F.conv2d(x, layer.weight * layer.scale, layer.bias, padding=1), 2)
    torch.testing.assert_close(layer(x), plain, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pad", [1, 2, 3])
def test_reflection_by_slices_is_torchs_reflection(x, pad):
    assert torch.equal(reflect_pad_by_slices(x, pad), F.pad(x, (pad,) * 4, mode="reflect"))


def test_equalised_start_keeps_the_variance():
    torch.manual_seed(0)
    out = EqualLinear(4096, 2048, gain=1)(torch.randn(64, 4096))
    assert out.std().item() == pytest.approx(1, rel=0.02)
    assert EqualConv2d(8, 4).scale == pytest.approx(math.sqrt(2 / (8 * 9)))


def test_pixel_norm_gives_unit_mean_square(x):
    torch.testing.assert_close(pixel_norm(x).square().mean(dim=1), torch.ones(3, 8, 8), atol=1e-5, rtol=0)


def test_minibatch_stddev_by_hand():
    # two groups of two: images 0 and 2, 1 and 3; deviations 1 and 3 everywhere
    x = torch.tensor([0.0, 10.0, 2.0, 16.0])[:, None, None, None].expand(4, 2, 3, 3)
    out = minibatch_stddev(x, group=2)
    assert out.shape == (4, 3, 3, 3)
    torch.testing.assert_close(out[:, 2, 0, 0], torch.tensor([1.0, 3.0, 1.0, 3.0]))
    both = torch.cat([x, x + torch.arange(4.0)[:, None, None, None]])
    apart = torch.cat([minibatch_stddev(part, group=2) for part in both.chunk(2)])
    torch.testing.assert_close(minibatch_stddev(both, group=2, batches=2), apart)
    with pytest.raises(ValueError, match="groups of 4"):
        minibatch_stddev(x.repeat(2, 1, 1, 1)[:6])


def test_channels_follow_the_papers_rule():
    assert [channels(r, 16384, 512) for r in (4, 32, 64, 128)] == [512, 512, 256, 128]
    assert [channels(r, 4096, 512) for r in (128, 64, 32, 16, 8)] == [32, 64, 128, 256, 512]


@pytest.mark.parametrize("slope", [None, 0.2])
@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 2), (1, 0)])
def test_first_and_second_derivatives_of_a_convolution(stride, padding, slope):
    random = torch.Generator().manual_seed(0)
    shapes = (2, 3, 6, 6), (2, 3, 3, 3), (2,)
    tensors = [torch.randn(shape, dtype=torch.float64, generator=random, requires_grad=True) for shape in shapes]

    def function(x, weight, bias):
        return convolve(x, weight, bias, stride, padding, slope).square()  # so that second derivatives are not zero

    assert gradcheck(function, tensors) and gradgradcheck(function, tensors)


def test_gradients_of_weights_are_left_out_where_only_those_of_inputs_are_wanted(x):
    layer = EqualConv2d(5, 7)
    x = x.requires_grad_(True)
    with input_gradients_only():
        y = layer(x).square().sum()
        (gradient,) = torch.autograd.grad(y, x, create_graph=True)
        y.backward(retain_graph=True)
    assert layer.weight.grad is None
    gradient.square().sum().backward()
    plain = F.conv2d(x, layer.weight * layer.scale, layer.bias, padding=1).square().sum()
    (expected,) = torch.autograd.grad(plain, x, create_graph=True)
    (expected,) = torch.autograd.grad(expected.square().sum(), layer.weight)
    torch.testing.assert_close(layer.weight.grad, expected, rtol=1e-4, atol=1e-2)


def test_derivatives_of_pixel_norm():
    x = torch.randn(2, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert gradcheck(pixel_norm, x)


@pytest.mark.parametrize("resample", [None, "up", "down"])
def test_weights_that_are_derived_once_have_the_same_gradients(x, resample):
    layer = EqualConv2d(5, 7, resample=resample)

    def gradients():
        layer.zero_grad()
        (layer(x).square().sum() + layer(x + 1).square().sum()).backward()
        return layer.weight.grad, layer.bias.grad

    expected = gradients()
    with weights_fixed():
        with torch.no_grad():
            layer(x)  # what has no graph is not taken for what has
        found = gradients()
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)
