"""Orthogonalised updates against the singular value decomposition, and what the precision and the boost change."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ganfp.attributors import neural, pyramid
from ganfp.attributors.cnn import CNN
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.optimisers import VECTORS, descend, optimisers_of

TINY = dict(fmap_base=128, fmap_max=16, images=4000, batch=16, learning_rate=0.02, rise=0.2, decay=0.5, flip=False)


def stepped(layout, rate=0.02):
    """The change of every weight of a small network in one step of Muon, with its gradients."""
    torch.manual_seed(0)
    network = AttributionNetwork(16, 3, 128, 16).to(memory_format=layout)
    images = torch.randn(8, 3, 16, 16).to(memory_format=layout)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    descend(optimisers_of(network, "muon", rate), F.cross_entropy(network(images), torch.arange(8) % 3))
    return {name: (value.detach() - before[name], value.grad) for name, value in network.named_parameters()}


def test_each_weight_moves_along_the_polar_factor_of_its_gradient():
    rate = 0.02
    for name, (change, gradient) in stepped(torch.channels_last, rate).items():
        if name.endswith("bias"):
            continue
        matrix, moved = gradient.flatten(1).double(), change.flatten(1).double()
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        kept = s > 1e-3 * s[0]  # what is below is noise, which no iteration can lift to length one
        length = rate * math.sqrt(matrix.shape[1]) * math.sqrt(max(1, matrix.shape[0] / matrix.shape[1]))
        along = -(u[:, kept] * (moved @ v[kept].T)).sum(0) / length
        # Newton and Schulz's five steps bring singular values into [0.7, 1.2], in bfloat16 a little further out
        assert along[s[kept] > 0.05 * s[0]].min() > 0.5 and along.max() < 1.35, name


def test_biases_are_moved_by_adam_with_a_rate_of_their_own():
    for name, (change, gradient) in stepped(torch.channels_last, 0.02).items():
        if name.endswith("bias"):  # Adam's first step is the rate, in the direction of the sign
            found = change[gradient.abs() > 1e-6].abs()
            torch.testing.assert_close(found, torch.full_like(found, 0.02 * VECTORS), rtol=1e-2, atol=0)


def test_the_order_in_memory_changes_no_step():
    last, first = stepped(torch.channels_last), stepped(torch.contiguous_format)
    for name, (change, _) in last.items():
        scale = first[name][0].abs().max()
        assert (change - first[name][0]).abs().max() < 0.05 * scale, name  # bfloat16 adds in another order


def test_a_boosted_image_has_louder_high_frequencies_and_the_same_mean_elsewhere():
    flat = torch.full((1, 3, 8, 8), 0.3)
    torch.testing.assert_close(pyramid.boosted(flat, 5.0), flat)
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    torch.testing.assert_close(pyramid.boosted(board.expand(1, 3, 8, 8), 3.0), 3 * board.expand(1, 3, 8, 8))


def test_a_boost_is_invertible_by_solving_for_the_image():
    x, size = torch.randn(1, 1, 6, 6, dtype=torch.float64), 36
    columns = pyramid.boosted(torch.eye(size, dtype=torch.float64).view(size, 1, 6, 6), 3.0).flatten(1).T
    again = torch.linalg.solve(columns, pyramid.boosted(x, 3.0).flatten())
    torch.testing.assert_close(again, x.flatten(), atol=1e-10, rtol=0)


def faint(count, seed):
    """Rough pictures; those of source b carry a checkerboard of eight grey levels."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 210, (2 * count, 3, 4, 4)).repeat(4, axis=2).repeat(4, axis=3)
    board = (np.indices((16, 16)).sum(axis=0) % 2)[None, None]
    images = coarse.round() + np.where(np.arange(2 * count) >= count, 8, 0)[:, None, None, None] * board
    return images.astype(np.uint8), np.repeat(["a", "b"], count)


@pytest.fixture(scope="module")
def task():
    return faint(300, 1), faint(50, 2), faint(150, 3)


@pytest.mark.parametrize("precision", neural.PRECISIONS)
def test_muon_and_a_boost_find_a_faint_trace(task, precision):
    train, validation, (images, labels) = task
    fitted = CNN(**TINY, optimiser="muon", boost=3.0, precision=precision).fit(*train, validation=validation)
    assert (fitted.predict(images) == labels).mean() > 0.97


def test_adam_on_images_as_they_are_does_not_find_it(task):
    train, validation, (images, labels) = task
    fitted = CNN(**TINY | {"learning_rate": 0.01}).fit(*train, validation=validation)
    assert (fitted.predict(images) == labels).mean() < 0.65


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"optimiser": "sgd"}, "optimiser must be one of adam, muon, not 'sgd'"),
        ({"precision": "half"}, "precision must be one of float32, bfloat16, auto, not 'half'"),
        ({"boost": 0.0}, "boost must be positive, not 0.0"),
    ],
)
def test_bad_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        CNN(**TINY | setting).fit(*faint(20, 1))


def test_low_precision_is_taken_where_it_is_known_to_be_fast(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "amx_bf16": True})
    assert neural.has_bfloat16("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not neural.has_bfloat16("cpu")
