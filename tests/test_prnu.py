"""PRNU: the denoiser against its definition, planted fingerprints, invariances."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from ganfp.attributors import prnu
from ganfp.attributors.prnu import PRNU, denoising_residual, residuals

pywt = pytest.importorskip("pywt", reason="PRNU needs PyWavelets")
SIZE = 32


def scenes(count: int, seed: int, size: int = SIZE) -> np.ndarray:
    """Smooth random pictures with a little noise, float64 in grey levels."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(size=(count, 3, size, size)), (0, 0, 3, 3), mode="wrap")
    return 128 + 30 * smooth / smooth.std() + rng.normal(0, 2, smooth.shape)


def quantised(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def planted(patterns: np.ndarray, per_class: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Scenes with one pattern (K, 3, H, W) per source added, and their labels."""
    images = scenes(per_class * len(patterns), seed) + np.repeat(patterns, per_class, axis=0)
    return quantised(images), [f"source {i}" for i in range(len(patterns)) for _ in range(per_class)]


def reference_residual(channel: np.ndarray, sigma: float, levels: int) -> np.ndarray:
    """One channel, window by window and coefficient by coefficient, in float64."""
    coefficients = pywt.wavedec2(channel.astype(float), "db4", mode="symmetric", level=levels)
    for scale in range(1, levels + 1):
        bands = []
        for band in coefficients[scale]:
            height, width = band.shape
            extended = np.pad(band**2, 4, mode="reflect")
            denoised = np.empty_like(band)
            for i in range(height):
                for j in range(width):
                    signal = np.inf
                    for r in (1, 2, 3, 4):
                        window = extended[i + 4 - r : i + 5 + r, j + 4 - r : j + 5 + r]
                        signal = min(signal, max(0.0, window.mean() - sigma**2))
                    denoised[i, j] = band[i, j] * signal / (signal + sigma**2)
            bands.append(denoised)
        coefficients[scale] = tuple(bands)
    denoised = pywt.waverec2(coefficients, "db4", mode="symmetric")
    return channel - denoised[: channel.shape[0], : channel.shape[1]]


@pytest.mark.parametrize(("size", "levels"), [(14, 1), (17, 1), (28, 2), (45, 2)])
def test_residual_is_image_minus_wiener_filtered_image(size, levels):
    sigma = 3.0
    images = quantised(scenes(1, 0, size))
    images[0, 0, : size // 2] = 0  # an edge, where windows of different size disagree
    expected = np.array([[reference_residual(c, sigma, levels) for c in image] for image in images])
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(residuals(images, sigma, levels), expected, atol=1e-3)


def test_depth_is_capped_at_what_the_size_allows():
    images = quantised(scenes(2, 0))
    np.testing.assert_array_equal(residuals(images, 5, 4), residuals(images, 5, 2))
    assert PRNU(levels=4).fit(images, ["a", "b"]).chosen_["levels"] == 2
    with pytest.raises(ValueError, match="13 px are too small"):
        residuals(images[..., :13, :13], 5, 1)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 99), st.floats(0.1, 10), st.floats(0.2, 20), st.floats(-100, 100))
def test_residual_scales_with_the_image_and_ignores_its_brightness(seed, scale, sigma, offset):
    x = torch.from_numpy(scenes(1, seed))
    base = denoising_residual(x, sigma, 2)
    scaled = denoising_residual(scale * x, scale * sigma, 2)
    torch.testing.assert_close(scaled, scale * base, atol=1e-9, rtol=0)
    torch.testing.assert_close(denoising_residual(x + offset, sigma, 2), base, atol=1e-9, rtol=0)


def test_scores_ignore_brightness():
    images, labels = planted(np.random.default_rng(1).normal(0, 2, (3, 3, SIZE, SIZE)), 20, 0)
    images = np.clip(images, 20, 235)
    model = PRNU(sigma=5, levels=2).fit(images, labels)
    np.testing.assert_allclose(model.scores(images + np.uint8(20)), model.scores(images), atol=1e-5)


def test_planted_fingerprints_are_recovered_and_classified():
    patterns = np.random.default_rng(1).normal(0, 1.0, (4, 3, SIZE, SIZE))  # half the scenes' noise
    model = PRNU().fit(*planted(patterns, 200, 0), validation=planted(patterns, 25, 1))
    found = model.fingerprints_
    assert found.shape == (4, 3, SIZE, SIZE) and found.dtype == np.float32
    # What reaches the residual is the pattern's fine part; compare with what the denoiser leaves of it.
    visible = denoising_residual(torch.from_numpy(patterns), 1e6, model.chosen_["levels"]).numpy()
    for got, want in zip(found - found.mean(axis=0), visible - visible.mean(axis=0), strict=True):
        assert np.corrcoef(got.ravel(), want.ravel())[0, 1] > 0.9
    images, labels = planted(patterns, 50, 2)
    assert (model.predict(images) == np.array(labels)).mean() > 0.95
    shares = model.predict_proba(images)
    loss = -np.log(shares[np.arange(200), np.repeat(np.arange(4), 50)]).mean()
    assert loss < 0.3


def test_exchangeable_sources_stay_at_chance():
    images, labels = planted(np.zeros((4, 3, SIZE, SIZE)), 60, 0)
    held, test = planted(np.zeros((4, 3, SIZE, SIZE)), 50, 1), planted(np.zeros((4, 3, SIZE, SIZE)), 150, 2)
    accuracy = (PRNU().fit(images, labels, held).predict(test[0]) == np.array(test[1])).mean()
    assert abs(accuracy - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 600)


def test_scores_are_correlations():
    patterns = np.random.default_rng(1).normal(0, 30, (2, 3, SIZE, SIZE))
    images, labels = planted(patterns, 1, 0)
    model = PRNU(sigma=5, levels=2).fit(images, labels)
    flat = np.full((1, 3, SIZE, SIZE), 99, np.uint8)
    scores = model.scores(np.concatenate([images, flat]))
    assert scores.min() >= -1 and scores.max() <= 1
    np.testing.assert_allclose(np.diag(scores), 1, atol=1e-6)  # the fingerprint of a single image is its residual
    residual = residuals(images, 5, 2).reshape(2, -1)
    np.testing.assert_allclose(scores[0, 1], np.corrcoef(residual)[0, 1], atol=1e-5)
    np.testing.assert_allclose(scores[2], 0, atol=0.05)  # nothing but rounding is left of a flat image


def test_chunks_do_not_matter(monkeypatch):
    images, labels = planted(np.random.default_rng(1).normal(0, 2, (2, 3, SIZE, SIZE)), 20, 0)
    whole = PRNU(sigma=2, levels=2).fit(images, labels)
    monkeypatch.setattr(prnu, "CHUNK_PIXELS", 3 * SIZE * SIZE)
    parts = PRNU(sigma=2, levels=2).fit(images, labels)
    np.testing.assert_allclose(parts.fingerprints_, whole.fingerprints_, atol=1e-4)
    np.testing.assert_allclose(parts.scores(images), whole.scores(images), atol=1e-5)


def test_search_may_see_fewer_images_but_the_fingerprint_is_the_mean_of_all():
    images, labels = planted(np.random.default_rng(1).normal(0, 2, (2, 3, SIZE, SIZE)), 30, 0)
    model = PRNU(search_images=5).fit(images, labels, (images[::7], labels[::7]))
    expected = residuals(images, **model.chosen_).reshape(2, 30, 3, SIZE, SIZE).mean(axis=1)
    np.testing.assert_allclose(model.fingerprints_, expected, atol=1e-4)


def test_the_mean_of_many_equal_residuals_is_that_residual():
    """Sums in float32 would be off in the last digits; every source shows the same two pictures."""
    images = quantised(scenes(2, 3, 14))
    model = PRNU(sigma=5, levels=1).fit(np.repeat(images, 3000, axis=0), ["a"] * 3000 + ["b"] * 3000)
    np.testing.assert_array_equal(model.fingerprints_, residuals(images, 5, 1))


def test_a_pattern_of_up_sampling_identifies_a_source():
    """Patterns of period 2, which a camera pipeline would discard."""
    rows, columns = np.indices((SIZE, SIZE))
    periodic = np.stack([rows % 2, (rows + columns) % 2]) * 2.0 - 1
    patterns = np.repeat(periodic[:, None], 3, axis=1)
    train, test = planted(patterns, 100, 0), planted(patterns, 100, 1)
    plain = PRNU(sigma=5, levels=2).fit(*train).predict(test[0])
    assert (plain == np.array(test[1])).mean() > 0.95


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_gives_the_same_residuals():
    images = quantised(scenes(4, 0, 64))
    np.testing.assert_allclose(residuals(images, 3, 3, "cuda"), residuals(images, 3, 3), atol=1e-3)


@pytest.mark.parametrize("settings", [{"sigma": 0}, {"levels": 0}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        PRNU(**settings).fit(*planted(np.zeros((2, 3, SIZE, SIZE)), 1, 0))


def test_progress_counts_the_last_fit_by_its_images():
    images, labels = planted(np.random.default_rng(1).normal(0, 2, (2, 3, SIZE, SIZE)), 60, 0)
    shares = []
    PRNU(search_images=5).fit(images, labels, (images[::60], labels[::60]), shares.append)
    assert shares == sorted(shares) and 0.4 < shares[-1] < 0.6  # nine of ten trials of 12 images, before a fit to 120
