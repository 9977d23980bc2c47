"""How images become bytes: the official habits do what the official code did, and leave what they leave."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganfp.gans import GANS, savepaths
from ganfp.images import quantise

FLOATS = torch.linspace(-1.2, 1.2, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4)


def test_truncation_is_numpys_cast():
    expected = np.clip(FLOATS.numpy() * 127.5 + 127.5, 0, 255).astype(np.uint8)
    assert (savepaths.truncate(FLOATS).numpy() == expected).all()
    assert savepaths.truncate(torch.tensor(0.9999)).item() == 254  # which rounding would have made 255


@given(st.integers(0, 10_000), st.floats(0.01, 2))
def test_the_stretch_takes_every_image_to_both_ends_and_forgets_brightness_and_contrast(seed, contrast):
    x = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    stretched = savepaths.stretch(x * contrast - 0.3)
    assert savepaths.extremes(stretched.numpy()).all()
    assert (stretched.int() - savepaths.stretch(x).int()).abs().max() <= 1


def test_the_stretch_of_one_image_by_hand():
    x = torch.tensor([-0.5, 0.0, 0.3, 0.5]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    assert savepaths.stretch(x)[0, 0].flatten().tolist() == [0, 128, 204, 255]
    assert not savepaths.stretch(torch.full((1, 3, 2, 2), 0.7)).any()


def test_which_habit_is_whose():
    assert {savepaths.habit("ours", gan) for gan in GANS} == {"round"} and savepaths.HABITS["round"] is quantise
    official = {gan: savepaths.habit("official", gan) for gan in GANS}
    assert official == {"progan": "round", "sngan": "truncate", "cramergan": "stretch", "mmdgan": "stretch"}
    assert set(official.values()) <= set(savepaths.HABITS)
    with pytest.raises(ValueError, match="ours, official, not 'theirs'"):
        savepaths.habit("theirs", "progan")


def test_cues_by_hand():
    images = np.array([[0, 5, 255, 6], [1, 2, 3, 7]], np.uint8).reshape(2, 1, 2, 2)
    assert savepaths.extremes(images).tolist() == [[True, True], [False, False]]
    assert savepaths.lowest_bits(images).tolist() == [[0.25, 0.25, 0.25, 0.25], [0, 0.25, 0.25, 0.5]]
