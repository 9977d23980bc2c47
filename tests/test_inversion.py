"""Inversion: a generator finds its own images again, and nobody else's."""

import numpy as np
import pytest
import torch

from ganfp import inversion
from ganfp.images import quantise

SIDE, LATENT = 8, 5


def generator(seed):
    """A smooth generator whose images are known exactly: a random linear map of the latent, squashed."""
    weights = torch.randn(LATENT, 3 * SIDE**2, generator=torch.Generator().manual_seed(seed)) / LATENT**0.5
    return lambda z: torch.tanh(z @ weights).unflatten(1, (3, SIDE, SIDE))


@pytest.fixture(scope="module")
def own(one_thread):
    return quantise(generator(1)(torch.randn(6, LATENT, generator=torch.Generator().manual_seed(9)))).numpy()


def test_a_generator_makes_its_own_images_but_for_their_rounding(own):
    found = inversion.invert(generator(1), own, LATENT)
    assert (found.errors < 1).all()
    stranger = inversion.invert(generator(2), own, LATENT)
    assert (stranger.errors > 20).all()


def test_what_is_given_back_belongs_together(own):
    found = inversion.invert(generator(1), own, LATENT, starts=1, steps=(3, 3))
    assert found.remade.dtype == np.uint8 and found.remade.shape == own.shape and found.latents.shape == (6, LATENT)
    assert (quantise(generator(1)(torch.from_numpy(found.latents))).numpy() == found.remade).all()
    apart = np.sqrt(((found.remade.astype(float) - own) ** 2).reshape(6, -1).mean(axis=1))
    np.testing.assert_allclose(found.errors, apart, rtol=1e-5)


def test_more_starts_never_end_farther_away_than_the_best_of_them(own):
    """With one stage only the best start is kept, so that the error is the least over the starts."""
    z = torch.randn(6, 4, LATENT, generator=torch.Generator().manual_seed(3))
    x = torch.from_numpy(own).float() / 127.5 - 1
    errors = inversion._squares(generator(1), z, x)
    best = inversion._best(generator(1), z, x, 1)
    assert torch.equal(inversion._squares(generator(1), best, x)[:, 0], errors.min(dim=1).values)


def test_the_seed_decides_and_batches_do_not(own, monkeypatch):
    how = {"starts": 2, "steps": (4, 4)}
    first = inversion.invert(generator(1), own, LATENT, seed=4, **how)
    monkeypatch.setattr(inversion, "PASSES", 4)  # two images at a time
    again = inversion.invert(generator(1), own, LATENT, seed=4, **how)
    np.testing.assert_allclose(first.latents, again.latents, atol=1e-4)
    other = inversion.invert(generator(1), own, LATENT, seed=5, **how)
    assert (first.latents != other.latents).any()


def test_what_cannot_be_is_refused(own):
    with pytest.raises(ValueError, match="starts and steps must be 1 or more, not 0"):
        inversion.invert(generator(1), own, LATENT, starts=0)
    with pytest.raises(TypeError, match="must be uint8"):
        inversion.invert(generator(1), own / 255, LATENT)
