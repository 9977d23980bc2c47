"""Spectrum, autocorrelation and the grid of up-sampling, against waves and noise that are known."""

import numpy as np
import pytest

from ganfp.features.spectra import autocorrelation, grid_power, spectrum

RNG = np.random.default_rng(0)


def wave(u, v, side=16):
    """A cosine of u cycles down and v across, in all colours: (1, 3, side, side)."""
    y, x = np.mgrid[:side, :side] / side
    return np.broadcast_to(np.cos(2 * np.pi * (u * y + v * x)), (1, 3, side, side)) + 7.0


def test_a_wave_has_its_power_at_its_frequency():
    power = spectrum(wave(2, 3))[0]
    assert power.sum() == pytest.approx(1)
    assert power[8 + 2, 8 + 3] == pytest.approx(0.5) and power[8 - 2, 8 - 3] == pytest.approx(0.5)


def test_autocorrelation_is_the_correlation_with_shifted_copies():
    x = RNG.standard_normal((2, 3, 8, 8))
    centred = x - x.mean(axis=(-2, -1), keepdims=True)
    found = autocorrelation(x)
    for k in range(2):
        for dy, dx in [(0, 0), (1, 0), (2, 3), (-4, 1)]:
            shifted = np.roll(centred[k], (dy, dx), axis=(-2, -1))
            expected = (centred[k] * shifted).sum() / (centred[k] ** 2).sum()
            assert found[k, (4 + dy) % 8, (4 + dx) % 8] == pytest.approx(expected)


def test_a_grid_stands_out_of_the_frequencies_around_it():
    noise = RNG.standard_normal((1, 3, 32, 32))
    for u, v in [(16, 0), (0, 16), (16, 16)]:
        value, low, _ = grid_power(noise + 0.5 * wave(u, v, 32))[0]
        assert value > 20 and low > 4
    assert grid_power(noise + 0.5 * wave(8, 8, 32))[0][1] < 1  # a pattern of period 4 is not of 2


def high_passed(noise):
    """Noise whose power grows with the frequency, as that of a denoiser's residual does."""
    side = noise.shape[-1]
    f = np.abs(np.fft.fftfreq(side))
    return np.fft.ifft2(np.fft.fft2(noise) * np.hypot(f[:, None], f)).real


@pytest.mark.parametrize("shape", [np.asarray, high_passed])
def test_noise_rarely_has_a_grid(shape):
    """The interval leaves out 1 in about one case of twenty, whether the spectrum is flat or rises."""
    noise = shape(np.random.default_rng(1).standard_normal((400, 3, 32, 32)))
    value, low, high = grid_power(noise, draws=2000).T
    assert np.mean(value) == pytest.approx(1, abs=0.25)
    assert ((low > 1) | (high < 1)).mean() < 0.1
    assert 0.005 < (low > 1).mean() < 0.08  # not more often than that, nor never


def test_a_small_fingerprint_has_no_frequencies_to_compare_with():
    with pytest.raises(ValueError, match="8 pixels are too small for a radius of 2"):
        grid_power(RNG.standard_normal((1, 3, 8, 8)))
