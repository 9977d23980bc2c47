"""The network with visible fingerprints: its size, its equations, its training."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize

from ganfp.attributors import Attributor
from ganfp.attributors.autoencoder import AutoEncoder, Critic
from ganfp.attributors.summary import layers
from ganfp.attributors.visnet import FingerprintNetwork, VisNet, correlation, floor
from ganfp.images import to_float
from ganfp.layers import count_parameters
from ganfp.paper import published as paper
from ganfp.runs import profiles

TINY = dict(
    fmap_base=128, fmap_max=16, images=3200, batch=16, learning_rate=0.005, ema=0.9, checks=4, seed=3, flip=False
)


def sources(count, seed):
    """Smooth pictures; source b carries a fixed pattern."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(60, 190, (2 * count, 3, 1, 1)) + np.zeros((2 * count, 3, 16, 16))
    base[count:] += pattern()
    return base.round().astype(np.uint8), np.repeat(["a", "b"], count)


def pattern():
    return np.random.default_rng(0).choice([-20, 20], (3, 16, 16))


@pytest.fixture(scope="module")
def fitted():
    return VisNet(**TINY).fit(*sources(100, 1), validation=sources(40, 2))


def test_parameters_at_profile_paper():
    size = profiles.load("paper")
    width = size.methods["visnet"].fmap_base, size.methods["visnet"].fmap_max
    with torch.device("meta"):
        network = FingerprintNetwork(size.resolution, 11, *width, "fixed", 1.0)
        critic = Critic(size.resolution, *width)
    counts = paper.load()["parameters"]
    assert count_parameters(network.reconstruct) == counts["visNet, auto-encoder"] == 14_154_259
    assert network.fingerprints[0].numel() == counts["visNet, one model fingerprint"]
    assert count_parameters(critic) == counts["visNet, critic"]
    assert count_parameters(network) == 14_154_259 + 11 * 49_152  # a fixed temperature is no parameter


def test_the_autoencoder_narrows_to_4_by_4_and_back():
    found = [x.output for x in layers(AutoEncoder(128), 3, 128, 128)]
    assert min(side for _, side, _ in found) == 4 and (512, 4, 4) in found
    assert found[-1] == (3, 128, 128) and found[-2] == (16, 128, 128)
    images = torch.rand(2, 3, 16, 16)
    assert AutoEncoder(16, 128, 16)(images).abs().max() <= 1


def test_correlation_is_pearsons():
    a, b = torch.randn(4, 3, 8, 8) + 5, torch.randn(3, 3, 8, 8) - 2
    expected = [[stats.pearsonr(x.flatten(), y.flatten()).statistic for y in b] for x in a]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-6)


@pytest.mark.parametrize(("classes", "temperature"), [(2, 1.0), (5, 1.0), (11, 1.0), (4, 0.3)])
def test_no_vectors_get_below_the_floor_and_the_best_reach_it(classes, temperature):
    rng = np.random.default_rng(classes)

    def loss(values):  # of unit vectors in enough dimensions, those of the images free as well
        images, models = values.reshape(2, classes, classes)
        images, models = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (images, models))
        logits = images @ models.T / temperature
        return np.mean(np.logaddexp.reduce(logits, axis=1) - np.diag(logits))

    found = minimize(loss, rng.standard_normal(2 * classes**2), method="L-BFGS-B").fun
    least = floor(classes, temperature)
    assert least - 1e-9 <= found < least + 2e-3
    assert least < math.log(classes)


def test_the_papers_floor():
    assert floor(11, 1.0) == pytest.approx(1.465, abs=5e-4) and floor(5, 1.0) == pytest.approx(0.764, abs=5e-4)


def test_the_three_logits_by_hand():
    residual = torch.randn(2, 3, 8, 8)
    networks = {name: FingerprintNetwork(8, 4, 64, 8, name, 0.25) for name in ("learned", "fixed", "inner")}
    for name in ("learned", "fixed"):
        expected = correlation(residual, networks[name].fingerprints) / 0.25
        torch.testing.assert_close(networks[name].compare(residual), expected)
        assert networks[name].log_temperature.requires_grad == (name == "learned")
    inner = networks["inner"]
    expected = torch.einsum("nchw,kchw->nk", residual, inner.fingerprints) / (3 * 8 * 8) ** 0.5
    torch.testing.assert_close(inner.compare(residual), expected)
    assert 0.9 < inner.fingerprints.std() < 1.1 and networks["learned"].fingerprints.std() < 0.02


def test_learns_the_pattern_and_shows_it(fitted):
    images, labels = sources(100, 4)
    assert (fitted.predict(images) == labels).mean() > 0.8
    a, b = fitted.fingerprints_
    difference, truth = (b - a).ravel(), pattern().ravel()
    assert abs(np.corrcoef(difference, truth)[0, 1]) > 0.5  # what tells the sources apart is what can be seen
    assert fitted.chosen_["validation_accuracy"] == max(row["accuracy"] for row in fitted.history_)


def test_responses_are_correlations_and_their_images_add_up(fitted):
    images, _ = sources(5, 5)
    fingerprints = fitted.image_fingerprints(images)
    np.testing.assert_allclose(fingerprints, fitted.reconstructions(images) - to_float(images).numpy(), atol=1e-6)
    responses = fitted.responses(images)
    expected = np.corrcoef(fingerprints.reshape(10, -1), fitted.fingerprints_.reshape(2, -1))[:10, 10:]
    np.testing.assert_allclose(responses, expected, atol=1e-5)
    np.testing.assert_allclose(fitted.response_images(images).sum(axis=(2, 3)), responses, atol=1e-5)
    np.testing.assert_allclose(fitted.scores(images), responses / fitted.trained_temperature, atol=1e-4)


def test_training_lowers_each_loss_and_learns_the_temperature(fitted):
    first, last = fitted.history_[0], fitted.history_[-1]
    assert last["pixel"] < first["pixel"] and last["classification"] < first["classification"]
    assert fitted.trained_temperature != pytest.approx(0.1)
    fixed = VisNet(**{**TINY, "images": 160, "logits": "fixed", "temperature": 0.5}).fit(*sources(20, 1))
    assert fixed.trained_temperature == pytest.approx(0.5)


def test_the_critic_tells_reconstructions_from_originals():
    torch.manual_seed(0)
    one = VisNet(**TINY)
    critic = Critic(16, 128, 16)
    x, y = torch.rand(8, 3, 16, 16), torch.rand(8, 3, 16, 16)
    optimiser = torch.optim.Adam(critic.parameters(), 0.003)
    random = torch.Generator().manual_seed(0)
    for _ in range(30):
        optimiser.zero_grad()
        one._critic_loss(critic, x * 0.2, y, torch.rand(8, 1, 1, 1, generator=random)).backward()
        optimiser.step()
    scores = critic(torch.cat([x * 0.2, y]), batches=2)
    assert scores[:8].mean() > scores[8:].mean()


def test_same_seed_same_weights_and_another_seed_another():
    one, again, other = (VisNet(**{**TINY, "images": 160, "seed": s}).fit(*sources(20, 1)) for s in (3, 3, 4))
    assert np.array_equal(one.fingerprints_, again.fingerprints_)
    assert not np.array_equal(one.fingerprints_, other.fingerprints_)
    moved = one.fingerprints_ - one._built(one._network, one.seed).fingerprints.detach().numpy()
    assert 0.5 < np.abs(one.agreement_with_start()).min() < 1 and np.abs(moved).max() < 160 / 16 * 0.05


def test_round_trip_through_files(fitted, tmp_path):
    fitted.save(tmp_path)
    images, _ = sources(5, 6)
    loaded = Attributor.load(tmp_path)
    assert isinstance(loaded, VisNet) and np.array_equal(loaded.scores(images), fitted.scores(images))
    np.testing.assert_array_equal(loaded.agreement_with_start(), fitted.agreement_with_start())


def test_few_images_and_no_validation():
    images, labels = sources(3, 7)
    one = VisNet(**{**TINY, "images": 64}).fit(images, labels)  # six images, of which four make a batch
    assert one.temperature_ == 1 and one.chosen_ == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"logits": "cosine"}, "logits must be one of learned, fixed, inner, not 'cosine'"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"batch": 30}, "batch must be a multiple of 4"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        VisNet(**settings).fit(*sources(3, 1))


def test_a_loss_that_is_not_finite_is_an_error():
    with pytest.raises(FloatingPointError, match="learning_rate"):
        VisNet(**{**TINY, "learning_rate": 1e30, "images": 160}).fit(*sources(20, 1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_fits_repeats_itself_and_its_weights_load_on_the_cpu(tmp_path):
    settings = {**TINY, "device": "cuda"}
    one, again = (VisNet(**settings).fit(*sources(100, 1), validation=sources(40, 2)) for _ in range(2))
    images, labels = sources(100, 4)
    assert np.array_equal(one.fingerprints_, again.fingerprints_) and one.score(images, labels) > 0.8
    one.save(tmp_path)
    np.testing.assert_allclose(Attributor.load(tmp_path).scores(images), one.scores(images), atol=1e-2)
