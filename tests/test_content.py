"""The content network on discs whose place, brightness and colour are known."""

import numpy as np
import pytest
import torch

from ganfp.features.content import FILE, ContentNetwork, train_content

CATEGORIES = {"x": 0, "light": 0, "colour": 3}


def discs(n, resolution=16, seed=0):
    """A disc at height 1/2: ``x`` of its centre, ``light`` of the background, which channel it lights up."""
    rng = np.random.default_rng(seed)
    factors = {"x": rng.random(n), "light": rng.random(n), "colour": rng.integers(0, 3, n)}
    row, column = np.mgrid[:resolution, :resolution] / (resolution - 1)
    disc = (column - (0.2 + 0.6 * factors["x"][:, None, None])) ** 2 + (row - 0.5) ** 2 < 0.04
    images = np.empty((n, 3, resolution, resolution), np.uint8)
    images[:] = (150 * factors["light"])[:, None, None, None]
    for channel in range(3):
        images[:, channel][disc & (factors["colour"] == channel)[:, None, None]] = 255
    return images, factors


def train(images, factors, **options):
    settings = {"steps": 80, "batch": 32, "channels": (16, 32, 32), **options}
    return train_content(images, factors, CATEGORIES, **settings)


@pytest.fixture(scope="module")
def trained():
    return train(*discs(800))


def test_it_learns_the_factors(trained):
    network, history = trained
    table = network.report(*discs(300, seed=1))
    assert {name: row["metric"] for name, row in table.items()} == {"x": "r2", "light": "r2", "colour": "accuracy"}
    assert table["x"]["value"] > 0.9 and table["light"]["value"] > 0.9 and table["colour"]["value"] > 0.95
    assert table["x"]["chance"] == 0 and 0.3 < table["colour"]["chance"] < 0.45
    assert len(history["loss"]) == 80 and np.mean(history["loss"][-10:]) < 0.2 * np.mean(history["loss"][:10])


def test_it_learns_nothing_from_shuffled_factors():
    images, factors = discs(400)
    order = np.random.default_rng(0).permutation(400)
    network, _ = train(images, {name: value[order] for name, value in factors.items()}, steps=30)
    table = network.report(*discs(300, seed=1))
    assert table["x"]["value"] < 0.2 and table["light"]["value"] < 0.2 and table["colour"]["value"] < 0.6


def test_features_are_float32_whatever_the_batch_and_keep_the_mode(trained):
    network, _ = trained
    images, _ = discs(50, seed=2)
    features = network.features(images)
    assert features.shape == (50, 32) and features.dtype == np.float32 and features.std(axis=0).max() > 0
    np.testing.assert_allclose(network.features(images, batch=7), features, rtol=1e-4, atol=1e-5)
    assert network.features(images[:0]).shape == (0, 32)
    network.train()
    np.testing.assert_array_equal(network.features(images), features)
    assert network.training
    network.eval()


@pytest.mark.parametrize("resolution", [8, 11, 64])
def test_any_resolution_from_8(resolution):
    network = ContentNetwork(CATEGORIES)
    assert network.features(discs(3, resolution)[0]).shape == (3, 128)


def test_the_same_seed_gives_the_same_network_and_leaves_torchs_own_alone():
    images, factors = discs(100)
    before = torch.random.get_rng_state()
    first, second, other = (train(images, factors, steps=5, seed=s)[0].state_dict() for s in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["layers.0.weight"], other["layers.0.weight"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_it_repeats_itself_and_agrees_with_the_cpu():
    images, factors = discs(100)
    first, second = (train(images, factors, steps=5, device="cuda")[0] for _ in range(2))
    features = first.features(images)
    np.testing.assert_array_equal(second.features(images), features)
    np.testing.assert_allclose(first.cpu().features(images), features, rtol=1e-2, atol=1e-2)


def test_save_and_load(trained, tmp_path):
    network, _ = trained
    images, factors = discs(40, seed=3)
    network.save(tmp_path / "net")
    again = ContentNetwork.load(tmp_path / "net")
    assert again.categories == CATEGORIES and not again.training
    np.testing.assert_array_equal(again.features(images), network.features(images))
    assert again.report(images, factors) == network.report(images, factors)

    with pytest.raises(FileNotFoundError, match="elsewhere"):
        ContentNetwork.load(tmp_path / "elsewhere")
    (tmp_path / "net" / FILE).write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=FILE):
        ContentNetwork.load(tmp_path / "net")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": None}, "'x' is missing"),
        ({"x": np.zeros(3)}, "'x' must hold one value for each of 100"),
        ({"x": np.full(100, 1.5)}, r"'x' must hold numbers in \[0, 1\]"),
        ({"x": np.full(100, np.nan)}, r"'x' must hold numbers in \[0, 1\]"),
        ({"colour": np.full(100, 3)}, "'colour' must hold integers below 3"),
        ({"colour": np.full(100, 0.5)}, "'colour' must hold integers below 3"),
        ({"light": np.full(100, 0.5)}, r"\['light'\] never vary"),
    ],
)
def test_it_refuses_factors_that_do_not_fit(change, message):
    images, factors = discs(100)
    factors = {name: value for name, value in {**factors, **change}.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        train(images, factors)


def test_other_refusals():
    images, factors = discs(100)
    with pytest.raises(ValueError, match="images must be uint8"):
        train(images / 255, factors)
    with pytest.raises(ValueError, match="at least 8 pixels"):
        train(images[..., :7], factors)
    with pytest.raises(ValueError, match="batch"):
        train(images, factors, batch=101)
    with pytest.raises(ValueError, match="categories"):
        ContentNetwork({"x": 1})
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        train(images, factors, learning_rate=1e30)
