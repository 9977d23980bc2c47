"""Parts of a face, and what lies in them, by hand."""

import numpy as np
import pytest

from ganfp.features.regions import aligned_masks, bootstrap_interval, core_pixels, densities


def test_eyes_of_aligned_photographs_are_where_celeba_has_them():
    eyes, face, background = aligned_masks(32)
    assert eyes[13, 11] == 1 and eyes[13, 20] == 1 and eyes[13, 16] == 0 and eyes[20, 11] == 0
    assert face[16, 16] == 1 and background[0, 0] == 1 and background[31, 31] == 1
    total = eyes + face + background
    assert total.max() <= 1 + 1e-6 and eyes.sum() == pytest.approx(2 * np.pi * 2**2, rel=0.02)


def test_regions_are_disjoint():
    chosen = core_pixels(aligned_masks(32))
    assert chosen.dtype == bool and chosen.sum(axis=0).max() == 1 and chosen.any(axis=(1, 2)).all()
    overlapping = np.stack([np.full((4, 4), 0.2), np.full((4, 4), 0.9), np.zeros((4, 4))])
    assert core_pixels(overlapping)[0].all() and not core_pixels(overlapping)[1].any()  # the eyes come first


def test_densities_by_hand():
    values = np.zeros((2, 2, 2))
    values[:, 0] = [[1, 3], [5, 7]]  # the upper row; the lower one is 0
    parts = np.array([[[[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]])
    samples = densities(values, parts)
    assert samples[0] == pytest.approx([5 / 2, 1])  # a mean of 5 there, of 2 everywhere
    low, high = bootstrap_interval(samples[:, 0], len(values))
    assert low <= 5 / 2 <= high and set(np.round(samples[1:, 0], 3)) == {round(x, 3) for x in (3 / 1, 5 / 2, 7 / 3)}


def test_bootstrap_draws_whole_images_and_the_same_of_every_source():
    rng = np.random.default_rng(0)
    common = rng.gamma(2.0, size=(300, 1, 1))
    part = np.zeros((1, 1, 4, 4))
    part[..., 0, 0] = 1
    background = np.ones((300, 4, 4))
    first, second = background.copy(), background.copy()
    first[:, :1, :1] = common
    second[:, :1, :1] = common + 0.01 * rng.standard_normal((300, 1, 1)) + 0.1
    a, b = (densities(x, part, seed=1)[:, 0] for x in (first, second))
    gap = bootstrap_interval(b - a, 300)
    assert gap[0] > 0  # image by image they hardly differ, so a small difference is seen
    assert bootstrap_interval(a, 300)[1] > bootstrap_interval(b, 300)[0]  # though the intervals meet
    sd = np.std(densities(first, part, seed=2)[1:, 0])
    expected = common.std() / 300**0.5 / first.mean()  # that of a mean of 300 images
    assert sd == pytest.approx(expected, rel=0.25)
