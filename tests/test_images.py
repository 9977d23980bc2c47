"""The one way between uint8 and [-1, 1]."""

import numpy as np
import pytest
import torch

from ganfp.images import quantise, to_float


def test_every_grey_level_survives_the_round_trip():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert (quantise(to_float(levels)).numpy() == levels).all()


def test_the_ends_of_the_range():
    assert to_float(np.array([0, 255], np.uint8)).tolist() == [-1.0, 1.0]


def test_rounds_to_nearest_and_saturates():
    x = torch.tensor([-3.0, -1 + 0.49 / 127.5, -1 + 0.51 / 127.5, 2.0])
    assert quantise(x).tolist() == [0, 0, 1, 255]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_any_precision_is_taken(dtype):
    assert quantise(torch.tensor([-1.0, 0.0039, 1.0], dtype=dtype)).tolist() == [0, 128, 255]


def test_refuses_what_is_not_an_image():
    with pytest.raises(ValueError, match="NaN"):
        quantise(torch.tensor([float("nan")]))
    with pytest.raises(TypeError, match="uint8"):
        to_float(np.zeros(3, np.float32))
