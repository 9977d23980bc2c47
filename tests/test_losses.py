"""The losses of the four GANs, against sums written out by hand."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from ganfp.gans import losses

RANDOM = np.random.default_rng(0)
REAL, FAKE = RANDOM.normal(size=(5, 3)), RANDOM.normal(0.5, 2.0, size=(4, 3))


def tensors(*arrays):
    return [torch.from_numpy(np.array(array, dtype=float)) for array in arrays]


def test_wasserstein_and_hinge_by_hand():
    real, fake = tensors([2.0, 0.5, -1.0], [-3.0, 0.0, 0.25])
    assert losses.wasserstein_critic(real, fake).item() == pytest.approx(-(1.5 / 3 + 2.75 / 3))
    assert losses.hinge_critic(real, fake).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1 + 1.25) / 3)
    assert losses.wasserstein_generator(fake) == losses.hinge_generator(fake) == pytest.approx(2.75 / 3)


def distance(x, y):
    """Mean distance of a point of x and a point of y, by a double loop."""
    return float(np.mean([math.dist(a, b) for a, b in product(x, y)]))


def every_triple(real, fake):
    """The batches in which each real point meets each pair of generated ones."""
    return tensors(*(np.array(points) for points in zip(*product(real, fake, fake), strict=True)))


def test_cramer_generator_loss_is_the_energy_distance_less_its_constant():
    loss = losses.cramer_generator(*every_triple(REAL, FAKE)).item()
    energy = 2 * distance(REAL, FAKE) - distance(REAL, REAL) - distance(FAKE, FAKE)
    assert loss - distance(REAL, REAL) == pytest.approx(energy, rel=1e-12)
    assert energy > 0.1


def test_energy_distance_of_a_sample_to_itself_is_zero():
    assert losses.cramer_generator(*every_triple(REAL, REAL)).item() == pytest.approx(distance(REAL, REAL), rel=1e-12)


def test_cramer_critic_sees_the_difference_of_its_witness():
    origin = np.zeros((1, 3))
    of_real, of_fake = (distance(x, FAKE) - distance(x, origin) for x in (REAL, FAKE))
    loss = losses.cramer_critic(*every_triple(REAL, FAKE)).item()
    assert loss == pytest.approx(-(of_real - of_fake), rel=1e-12)


def rational_quadratic_and_dot(a, b):
    squared = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
    mixture = (1 + squared / 0.2) ** -0.1 + (1 + squared / 2) ** -1 + (1 + squared / 20) ** -10
    return mixture + sum(p * q for p, q in zip(a, b, strict=True))


def test_kernel_by_hand():
    x, y = tensors([[1.0, 2.0]], [[3.0, 1.0]])  # squared distance 5, dot product 5
    assert losses.kernel(x, y).item() == pytest.approx(26**-0.1 + 1 / 3.5 + 1.25**-10 + 5)
    assert losses.kernel(x, x).item() == pytest.approx(3 + 5)


def test_mmd_against_a_double_loop():
    def within(x):
        pairs = [(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
        return np.mean([rational_quadratic_and_dot(a, b) for a, b in pairs])

    between = np.mean([rational_quadratic_and_dot(a, b) for a, b in product(REAL, FAKE)])
    expected = within(REAL) + within(FAKE) - 2 * between
    assert losses.mmd_generator(*tensors(REAL, FAKE)).item() == pytest.approx(expected, rel=1e-12)
    assert losses.mmd_critic(*tensors(REAL, FAKE)).item() == pytest.approx(-expected, rel=1e-12)


def test_mmd_of_equal_distributions_is_zero_on_average_unless_the_diagonal_is_taken_for_constant():
    draws = torch.from_numpy(RANDOM.normal(size=(100, 2, 8, 3)))
    unbiased = torch.stack([losses.mmd_generator(x, y) for x, y in draws])
    error = unbiased.std() / len(draws) ** 0.5
    assert abs(unbiased.mean()) < 3 * error
    biased = torch.stack([losses.mmd_generator(x, y, constant_diagonal=True) for x, y in draws[:10]])
    left = draws.square().sum(dim=(2, 3)).sum(dim=1) / (8 * 7)  # the squared lengths of both samples
    torch.testing.assert_close(biased, (unbiased + left)[:10])
    assert left.mean() > 6 * error


def test_mmd_witness_against_a_double_loop():
    x = FAKE[:2] + 0.3
    expected = [
        np.mean([rational_quadratic_and_dot(a, b) for b in REAL])
        - np.mean([rational_quadratic_and_dot(a, b) for b in FAKE])
        for a in x
    ]
    np.testing.assert_allclose(losses.mmd_witness(*tensors(x, REAL, FAKE)), expected, rtol=1e-12)


def test_gradient_penalty_of_a_critic_whose_slope_is_known():
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 3, 4, 8, generator=random)

    def critic(x):
        return 2 * x.flatten(1).sum(1)  # a slope of 2 at each of 3 x 4 x 8 values

    image = losses.gradient_penalty(critic, real, fake, losses.mixing_weights(len(real), random)).item()
    height = losses.gradient_penalty(critic, real, fake, losses.mixing_weights(len(real), random), "height").item()
    assert image == pytest.approx((2 * 96**0.5 - 1) ** 2, rel=1e-5)
    assert height == pytest.approx((2 * 4**0.5 - 1) ** 2, rel=1e-5)


def test_gradient_penalty_looks_between_real_and_fake_images():
    random = torch.Generator().manual_seed(0)
    real, fake = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.square().sum(dim=(1, 2, 3)) / 2  # a slope of x, whose norm is 2 u at the mixture u

    penalty = losses.gradient_penalty(critic, real, fake, losses.mixing_weights(len(real), random)).item()
    mix = seen[0][:, 0, 0, 0]
    assert (seen[0] == mix[:, None, None, None]).all() and 0 <= mix.min() < 0.1 and 0.9 < mix.max() <= 1
    assert penalty == pytest.approx((2 * mix - 1).square().mean().item(), rel=1e-5)


def test_activation_penalty_by_hand():
    layers = tensors([[1.0, 2.0], [3.0, 0.0]], [[2.0], [-4.0]])
    assert losses.activation_penalty(layers).item() == pytest.approx(14 / 4 + 20 / 2)
