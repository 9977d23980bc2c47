"""Our network tuned to compare: the loss, the traces that are made up, and what is left as it was."""

import numpy as np
import pytest
import torch

from ganfp.attributors.cnn import CNN
from ganfp.attributors.siamese import LEVELS, Siamese, contrastive, traces

SIDE, EACH = 16, 32
SMALL = {"fmap_base": 64, "fmap_max": 8, "images": 320, "batch": 16, "learning_rate": 0.005, "checks": 1, "flip": False}


@pytest.fixture(scope="module")
def fitted(one_thread):
    rng = np.random.default_rng(0)
    images = rng.normal(128, 5, (2 * EACH, 3, SIDE, SIDE)).round().clip(0, 255).astype(np.uint8)
    labels = np.repeat(["a", "b"], EACH)
    images[labels == "b"] //= 2
    return CNN(**SMALL).fit(images, labels), images, labels


def tuned(fitted, **settings):
    cnn, images, labels = fitted
    return Siamese.of(cnn, **settings).fine_tune(images, labels, lambda some, numbers: some)


def test_the_loss_by_hand():
    """Two points of one label at a right angle to the third: e^10 against e^10 + 1; the third has no equal."""
    points = torch.tensor([[2.0, 0.0], [0.5, 0.0], [0.0, 7.0]])
    found = contrastive(points, torch.tensor([4, 4, 9]), 0.1)
    assert float(found) == pytest.approx(np.log(1 + np.exp(-10)), rel=1e-3)
    assert float(contrastive(points, torch.tensor([1, 2, 1]), 0.1)) == pytest.approx((10 + np.log(2)) / 2, rel=0.1)
    assert float(contrastive(points, torch.arange(3), 0.1)) == 0


def test_every_point_is_drawn_to_its_equals():
    points = torch.randn(12, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.arange(12) % 3
    (slope,) = torch.autograd.grad(contrastive(points, labels, 0.1), points)
    assert torch.isfinite(slope).all()
    assert contrastive(points - 0.05 * slope, labels, 0.1) < contrastive(points, labels, 0.1)


def test_traces_are_as_loud_as_said_and_of_many_spectra():
    made = traces(64, 32, torch.Generator().manual_seed(0)) * 127.5
    loud = made.square().mean(dim=(1, 2, 3)).sqrt()
    assert made.shape == (64, 3, 32, 32) and LEVELS[0] <= loud.min() < 0.8 < 2.5 < loud.max() <= LEVELS[1] + 1e-3
    coarse = torch.nn.functional.avg_pool2d(made, 4).square().mean(dim=(1, 2, 3)).sqrt() / loud
    assert coarse.min() < 0.15 < 0.5 < coarse.max()  # white noise: a quarter


def test_it_is_a_copy_that_learns_the_same_way_again(fitted):
    cnn, images, _ = fitted
    before = cnn.features(images)
    first, again = tuned(fitted), tuned(fitted)
    assert (cnn.features(images) == before).all() and (first.features(images) == again.features(images)).all()
    assert not np.allclose(first.features(images), before)
    assert (first.fingerprints_ == cnn.fingerprints_).all()  # nothing is classified, so nothing moves these
    assert first.get_params()["images"] == cnn.images and first.classes_.tolist() == ["a", "b"]


def test_it_learns_to_compare(fitted):
    """Images with a trace of one source that it never saw lie nearer together than before."""
    longer = tuned(fitted, images=8000, batch=64, learning_rate=0.02, optimiser="muon")
    random = torch.Generator().manual_seed(5)
    marks = (127.5 * traces(4, SIDE, random).numpy()).round()
    marks *= 4 / np.sqrt((marks**2).mean(axis=(1, 2, 3), keepdims=True))
    images = fitted[1][:EACH]
    shown = np.concatenate([images + mark for mark in marks]).round().clip(0, 255).astype(np.uint8)
    labels = torch.arange(4).repeat_interleave(EACH)

    def loss(network):
        points = torch.from_numpy(network.features(shown))
        return float(contrastive(points - points.mean(dim=0), labels, 0.1))

    assert loss(longer) < loss(fitted[0])
