"""Layers against the definitions they abbreviate."""

import math

import pytest
import torch
import torch.nn.functional as F

from ganfp.layers import EqualConv2d, EqualLinear, channels, minibatch_stddev, pixel_norm, reflect_pad_by_slices


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
    with pytest.raises(ValueError, match="groups of 4"):
        minibatch_stddev(x.repeat(2, 1, 1, 1)[:6])


def test_channels_follow_the_papers_rule():
    assert [channels(r, 16384, 512) for r in (4, 32, 64, 128)] == [512, 512, 256, 128]
    assert [channels(r, 4096, 512) for r in (128, 64, 32, 16, 8)] == [32, 64, 128, 256, 512]
