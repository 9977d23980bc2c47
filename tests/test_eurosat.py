"""EuroSAT as published: found, in order, at its size, and nothing else taken for it."""

import numpy as np
import pytest
from PIL import Image

from ganfp import worlds
from ganfp.worlds import eurosat

KINDS = ("Forest", "River")


@pytest.fixture
def published(tmp_path):
    """Two kinds, eleven images each, every one of a colour of its own."""
    for k, kind in enumerate(KINDS):
        (tmp_path / kind).mkdir()
        for i in range(1, 12):
            Image.new("RGB", (64, 64), (100 * k, 20 * i, 0)).save(tmp_path / kind / f"{kind}_{i}.png")
    return tmp_path


def test_the_order_is_by_number_then_kind(published):
    images = worlds.load(f"eurosat:{published}", 32, 6, seed=0)
    assert images.shape == (6, 3, 32, 32) and images.dtype == np.uint8
    assert images[:, :2, 0, 0].tolist() == [[0, 20], [100, 20], [0, 40], [100, 40], [0, 60], [100, 60]]


def test_an_npz_keeps_its_order(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=images)
    found = eurosat.load(tmp_path / "some.npz", 32, 3)
    np.testing.assert_array_equal(found, images[:3].transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [("River/Forest_12.png", 64, "not named like EuroSAT's"), ("River/River_12.png", 48, "48 x 48 px; EuroSAT's")],
)
def test_another_image_is_refused_by_name(published, name, size, message):
    Image.new("RGB", (size, size)).save(published / name)
    with pytest.raises(ValueError, match=message) as error:
        eurosat.load(published, 32)
    assert name.split("/")[1] in str(error.value)


def test_a_resolution_that_cannot_be_had(published):
    with pytest.raises(ValueError, match="128 px cannot be had"):
        eurosat.load(published, 128)


def test_a_changed_file_is_another_data_set(published):
    before = eurosat.fingerprint(published)
    Image.new("RGB", (64, 64), (1, 1, 1)).save(published / "River" / "River_1.png")
    assert eurosat.fingerprint(published) != before
