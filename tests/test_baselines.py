"""Methods of the literature: their features against cases worked out by hand, and that each is an attributor."""

import numpy as np
import pytest
import torch

from ganfp.attributors import LATER, METHODS, attributor_class, entry, load, prnu
from ganfp.attributors.baselines import linear, scratch
from ganfp.attributors.baselines.manifpt import ManiFPTPixels
from ganfp.attributors.baselines.residual import ResidualSpectrum

NETWORKS = {"patches": {"images": 96, "fmap_max": 32, "checks": 2}, "resnet": {"images": 64, "checks": 2}}


def features(method, images):
    return np.asarray(attributor_class(method)()._features(images))


def grey(image):
    """An image (H, W) in three equal colours, alone in a batch: (1, 3, H, W)."""
    return np.stack([image] * 3)[None].astype(np.float32)


def wave(size, frequency, amplitude):
    """A cosine along the rows, around 100."""
    return np.broadcast_to(100 + amplitude * np.cos(2 * np.pi * frequency * np.arange(size) / size), (size, size))


@pytest.fixture(scope="module")
def sources():
    """Real images and two sources that leave a pattern each: images (N, 3, 16, 16), labels (N,)."""
    random = np.random.default_rng(0)
    content = random.integers(60, 180, (3, 40, 3, 4, 4)).repeat(4, -1).repeat(4, -2)
    checkers, stripes = np.indices((16, 16)).sum(axis=0) % 2, np.indices((16, 16))[1] % 2
    content[1] += 20 * checkers
    content[2] += 20 * stripes
    noisy = content + random.integers(-2, 3, content.shape)
    return noisy.reshape(-1, 3, 16, 16).astype(np.uint8), np.repeat(["real", "gan", "other"], 40)


# ---------------------------------------------------------------------------- every one is an attributor


def test_the_papers_methods_and_the_later_ones_are_apart():
    assert not set(METHODS) & set(LATER) and len({m.row for m in (METHODS | LATER).values()}) == len(METHODS | LATER)
    assert entry("dct").row == "DCT"
    with pytest.raises(ValueError, match="unknown attribution method 'dtc'; known: azimuthal, blockdct"):
        entry("dtc")


@pytest.mark.parametrize("method", LATER)
def test_learns_saves_and_answers_one_by_one(method, sources, tmp_path):
    images, labels = sources
    kind = attributor_class(method)
    assert kind.method == method
    fitted = kind(**NETWORKS.get(method, {})).fit(images[::2], labels[::2], validation=(images[1::2], labels[1::2]))
    fitted.save(tmp_path)
    again, some = load(tmp_path), images[:9]
    assert np.array_equal(again.scores(some), fitted.scores(some))
    np.testing.assert_allclose([again.scores(image[None])[0] for image in some], again.scores(some), atol=2e-3)
    if method not in (*NETWORKS, "decay", "colour", "blockdct"):  # slow, or blind to a fixed pattern
        assert fitted.score(images[1::2], labels[1::2]) > 0.6  # chance is a third
    assert kind.cost(NETWORKS.get(method, {}), 1000, 32) > 0


def test_the_linear_model_is_a_standardised_logistic_regression(sources):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    images, labels = sources
    ours = attributor_class("blockdct")(penalty=0.01).fit(images, labels)
    x = features("blockdct", images)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000)).fit(x, labels)
    assert theirs[-1].n_iter_ < linear.LinearAttributor.iterations  # both have converged
    centred = [s - s.mean(axis=1, keepdims=True) for s in (ours.scores(images), theirs.decision_function(x))]
    np.testing.assert_allclose(*centred, atol=0.02)
    assert list(ours.classes_) == list(theirs.classes_)


def test_two_classes_have_a_column_each(sources):
    images, labels = sources
    two = attributor_class("residual")().fit(images[:80], labels[:80])
    scores = two.scores(images[:80])
    np.testing.assert_allclose(scores[:, 0], -scores[:, 1], atol=1e-4)
    assert two.score(images[:80], labels[:80]) > 0.9


# ---------------------------------------------------------------------------- by hand


def test_dct_of_a_flat_image_is_its_mean_and_nothing_else():
    found = np.exp(features("dct", grey(np.full((8, 8), 50.0)))).reshape(3, 8, 8)
    np.testing.assert_allclose(found[:, 0, 0], 50 * 8, rtol=1e-3)
    np.testing.assert_allclose(found.reshape(3, -1)[:, 1:], 1e-3, rtol=0.1)


def test_azimuthal_power_of_a_wave_and_a_point():
    """Ring 1 of 8 x 8 has eight coefficients: the wave is in two, half its amplitude times 64, the point in all."""
    image = wave(8, 1, 10.0).copy()
    image[0, 0] += 50
    found = features("azimuthal", grey(image))[0]
    zero, point, both = 20 * np.log10([100 * 64 + 50, 50, 50 + 10 * 64 / 2])
    assert found[0] == pytest.approx(1)
    assert found[1] * zero == pytest.approx((2 * both + 6 * point) / 8, rel=1e-3)
    np.testing.assert_allclose(found[2:] * zero, point, rtol=1e-3)


def test_azimuthal_power_by_loops():
    """Of noise, counted around the centre of the shifted spectrum, as the paper's figures show it."""
    image = np.random.default_rng(2).integers(0, 256, (3, 12, 12))
    grey = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
    spectrum = 20 * np.log10(np.abs(np.fft.fftshift(np.fft.fft2(grey))))
    rings = {}
    for i, j in np.ndindex(12, 12):
        rings.setdefault(round(((i - 6) ** 2 + (j - 6) ** 2) ** 0.5), []).append(spectrum[i, j])
    expected = np.array([np.mean(rings[k]) for k in sorted(rings)]) / spectrum[6, 6]
    np.testing.assert_allclose(features("azimuthal", image[None].astype(np.uint8))[0], expected, rtol=1e-4)


def test_rings_of_frequency():
    assert np.bincount(linear.rings(8).ravel()).tolist() == [1, 8, 12, 16, 22, 4, 1]
    assert linear.ring_means(np.ones((2, 8, 8), np.float32)) == pytest.approx(np.ones((2, 7)))


def test_a_single_point_does_not_decay():
    """Its power is the same at every frequency: the law is 1 (k / k_T)^0."""
    point = np.zeros((16, 16))
    point[3, 5] = 200
    np.testing.assert_allclose(features("decay", grey(point)), 0, atol=1e-4)


def test_decay_is_a_line_through_logarithms():
    image = np.random.default_rng(1).integers(0, 256, (1, 3, 32, 32)).astype(np.float32)
    power = np.abs(np.fft.fft2(image[0, 0])) ** 2
    frequency = np.fft.fftfreq(32, 1 / 32)
    ring = np.rint(np.hypot(frequency[:, None], frequency[None]))
    k = np.arange(12, 17)
    values = np.log([power[ring == one].mean() / power[0, 0] for one in k])
    slope, level = np.polyfit(np.log(k / 12), values, 1)
    np.testing.assert_allclose(features("decay", image)[0, :2], [level, slope], rtol=1e-3)


def test_scale_of_the_blocks_coefficients():
    """Four blocks that hold one cosine each, 10, -10, 30 and -30 times: deviation sqrt 500."""
    from scipy.fft import idctn

    unit = np.zeros((8, 8))
    unit[2, 3] = 1
    one = idctn(unit, norm="ortho")
    found = features("blockdct", grey(np.block([[10 * one, -10 * one], [30 * one, -30 * one]])))[0]
    assert found[2 * 8 + 3 - 1] == pytest.approx((500 / 2) ** 0.5, rel=1e-3)
    assert np.delete(found, 2 * 8 + 3 - 1).max() < 0.1
    with pytest.raises(ValueError, match="15 px are too small for BlockDCT"):
        features("blockdct", grey(np.zeros((15, 15))))


def test_pairs_of_neighbours_are_counted():
    image = np.zeros((1, 3, 3, 3), np.uint8)
    image[0, 1] = [[1, 2, 2], [1, 2, 1], [0, 0, 0]]
    found = attributor_class("cooccurrence")()._features(image).toarray().reshape(3, 256, 256)
    assert found[1, 1, 2] == 2 and found[1, 2, 2] == found[1, 2, 1] == 1 and found[1, 0, 0] == 2
    assert found[0, 0, 0] == found[2, 0, 0] == 6 and found.sum() == 18


def test_exposure_and_chromaticity():
    image = np.zeros((1, 3, 4, 4), np.uint8)
    image[0, :, 0] = 255  # a row of white
    image[0, 0, 1] = 250  # a row of red
    image[0, :, 2] = 3  # a row of nearly black
    found = features("colour", image)[0]
    under, over, colours = found[:30].reshape(3, 10), found[30:60].reshape(3, 10), found[60:].reshape(16, 16)
    assert under[0].tolist() == [0.25] * 3 + [0.5] * 7 and under[1].tolist() == [0.5] * 3 + [0.75] * 7
    assert over[0].tolist() == [0.25] * 5 + [0.5] * 5 and over[2].tolist() == [0.25] * 10
    assert colours[5, 5] == 0.75 and colours[15, 0] == 0.25  # greys and black at 1/3, 1/3; red at 1, 0


def test_spectrum_and_autocorrelation_of_a_residual(monkeypatch):
    noise = grey(wave(16, 4, 2.0)) - 100
    monkeypatch.setattr(prnu, "residuals", lambda *_, **__: noise.copy())
    found = ResidualSpectrum()._features(np.zeros((1, 3, 16, 16), np.uint8))[0]
    power, lags = np.exp(found[: 16 * 9]).reshape(16, 9), found[16 * 9 :].reshape(9, 5)
    assert power[0, 4] == pytest.approx(16**2, rel=1e-3)  # half the amplitude times 256 pixels over 16, squared
    assert np.delete(power.ravel(), 4).max() < 1e-4
    np.testing.assert_allclose(lags[4], [1, 0, -1, 0, 1], atol=1e-3)  # a period of four pixels
    np.testing.assert_allclose(lags[:, 0], 1, atol=1e-3)  # and none down the columns


def test_an_artifact_is_the_way_to_the_nearest_real_image():
    real = np.zeros((3, 3, 8, 8), np.uint8)
    real[1], real[2] = 100, 130
    fake = np.full((2, 3, 8, 8), 94, np.uint8)
    fitted = ManiFPTPixels(penalty=0.1).fit(np.concatenate([real, fake]), ["real"] * 3 + ["gan"] * 2)
    np.testing.assert_allclose(fitted._features(fake), -6 / 255, atol=1e-6)
    own = fitted._training_features(np.concatenate([real, fake]), np.array([1, 1, 1, 0, 0]))[:, 0] * 255
    np.testing.assert_allclose(own, [-100, -30, 30, -6, -6], atol=1e-3)  # a real image is not its own neighbour
    with pytest.raises(ValueError, match="needs two training images of class 'real', not 0"):
        ManiFPTPixels().fit(real, ["a", "b", "b"])


def test_contrastive_loss_of_two_pairs():
    features = torch.tensor([[1.0, 0], [2, 0], [0, 1], [0, 3]])
    found = scratch.contrastive(features, torch.tensor([0, 0, 1, 1]), temperature=0.5)
    assert float(found) == pytest.approx(-np.log(np.exp(2) / (np.exp(2) + 2)), rel=1e-5)


def test_the_patch_network_halves_four_times():
    network = scratch.PatchNetwork(16, classes=5, width=64)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(c.in_channels, c.out_channels, c.stride[0]) for c in convolutions[:4]] == [
        (3, 8, 2), (8, 8, 1), (8, 16, 2), (16, 16, 1),
    ]  # fmt: skip
    assert network.features[:-2](torch.zeros(2, 3, 16, 16)).shape == (2, 64, 1, 1)
    assert len([m for m in scratch.PatchNetwork(8, 5, 64).modules() if isinstance(m, torch.nn.Conv2d)]) == 6


def test_resnet_is_torchvisions():
    resnet = attributor_class("resnet")()
    resnet._take_classes(["a", "b", "c"], 32)
    assert sum(p.numel() for p in resnet._network().parameters()) == 11_176_512 + 3 * 513
