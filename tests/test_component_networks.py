"""The variants of the attribution network: bands against textbook pyramids, patches against layers and gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.ndimage import correlate

from ganfp.attributors import Attributor, pyramid
from ganfp.attributors.cnn import CNN
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.summary import layers, patch, receptive_fields
from ganfp.layers import count_parameters

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
PATCHES = {128: 3, 64: 10, 32: 24, 16: 52, 8: 108, 4: 128}  # Table 5: pooling starts at -> patch
WIDTH = dict(fmap_base=128, fmap_max=16)


def pictures(side, n=2):
    return torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (n, 3, side, side)))


def textbook_down(x):
    return np.stack([[correlate(c, KERNEL, mode="mirror")[::2, ::2] for c in image] for image in x])


def textbook_up(x):
    wide = np.zeros((*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3]))
    wide[..., ::2, ::2] = x
    return np.stack([[correlate(c, 4 * KERNEL, mode="mirror") for c in image] for image in wide])


@pytest.mark.parametrize("side", [4, 8, 32])
def test_pyramid_steps_are_the_textbooks(side):
    x = pictures(side)
    np.testing.assert_allclose(pyramid.down(x), textbook_down(x.numpy()), atol=1e-12)
    np.testing.assert_allclose(pyramid.up(x), textbook_up(x.numpy()), atol=1e-12)


def test_bands_add_up_to_the_image():
    x, total = pictures(32), None
    for steps in (3, 2, 1, 0):  # 4 px, then each finer band
        total = pyramid.band("low", 3)(x) if total is None else pyramid.up(total)
        if steps < 3:
            total = total + pyramid.band("high", steps)(x)
    torch.testing.assert_close(total, x)


def test_a_flat_image_has_no_high_band_and_keeps_its_level():
    x = torch.full((1, 3, 16, 16), 0.4, dtype=torch.float64)
    assert pyramid.band("high", 0)(x).abs().max() < 1e-12
    torch.testing.assert_close(pyramid.band("low", 2)(x), torch.full((1, 3, 4, 4), 0.4, dtype=torch.float64))


def test_a_checkerboard_lives_in_the_top_band_alone():
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64).repeat(1, 3, 8, 8)
    assert pyramid.band("low", 1)(board).abs().max() < 1e-12
    torch.testing.assert_close(pyramid.band("high", 0)(board), board)


@pytest.mark.parametrize(("pool_at", "side"), PATCHES.items())
def test_receptive_fields_of_table_5_follow_from_the_layers(pool_at, side):
    assert patch(AttributionNetwork(128, 11, pool_at=pool_at, **WIDTH), 128) == side


@pytest.mark.parametrize("pool_at", [32, 16, 8])
def test_what_a_feature_depends_on_is_its_receptive_field(pool_at):
    """Gradients know nothing of kernels and strides."""
    torch.manual_seed(0)
    network = AttributionNetwork(64, 2, pool_at=pool_at, **WIDTH).double()
    x = pictures(64, 1).requires_grad_()
    middle = pool_at // 2
    network.last(network.stages(network.front(x)))[0, :, middle, middle].sum().backward()
    for other in (1, 2):
        seen = np.flatnonzero(x.grad[0].abs().sum(dim=(0, other)).numpy())
        assert seen[-1] - seen[0] + 1 == len(seen) == patch(network, 64)


def test_the_window_of_a_residual_is_what_it_depends_on():
    x = pictures(32, 1).requires_grad_()
    pyramid.Residual()(x)[0, 0, 16, 16].backward()
    rows = np.flatnonzero(x.grad[0, 0].abs().sum(dim=1).numpy())
    found = layers(AttributionNetwork(32, 2, band="high", factor=1, **WIDTH), 3, 32, 32)
    assert found[0].window == rows[-1] - rows[0] + 1 == 9


def test_shapes_follow_figure_2():
    def shapes(**part):
        found = layers(AttributionNetwork(128, 11, **part), 3, 128, 128)
        return [x.output for x in found if "conv" not in x.kind]

    down = [(3, 64, 64), (3, 32, 32), (3, 16, 16), (3, 8, 8)]
    assert shapes(factor=16) == [*down, (512, 4, 4), (512,), (11,)]  # (b), from 8 x 8
    assert shapes(band="high", factor=8) == [*down[:3], (3, 16, 16), (256, 8, 8), (512, 4, 4), (512,), (11,)]  # (c)
    found = layers(AttributionNetwork(128, 11, pool_at=64), 3, 128, 128)  # (d)
    assert [x.output for x in found] == [(16, 128, 128), (32, 128, 128), (32, 64, 64), (512, 64, 64), (512,), (11,)]


def test_parameters_of_the_official_pre_downsampling_networks():
    counts = [count_parameters(AttributionNetwork(128, 11, factor=f)) / 1e6 for f in (1, 2, 4, 8, 16, 32)]
    assert [round(c, 2) for c in counts] == [8.92, 8.90, 8.85, 8.63, 7.75, 4.21]
    operations = [sum(x.macs for x in layers(AttributionNetwork(128, 11, factor=f), 3, 128, 128)) for f in (2, 8, 32)]
    assert [round(m / 1e6, 1) for m in operations] == [460.7, 231.6, 4.4]


def test_averaging_before_the_last_layer_is_figure_2ds_averaging_after_it():
    torch.manual_seed(0)
    network = AttributionNetwork(32, 3, pool_at=16, **WIDTH)
    x = pictures(32).float()
    maps = F.leaky_relu(network.last(network.stages(x)), 0.2)
    layer = network.classify
    scores = F.conv2d(maps, (layer.weight * layer.scale)[:, :, None, None], layer.bias)
    torch.testing.assert_close(scores.mean(dim=(2, 3)), network(x))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"band": "middle"}, 'band must be "low" or "high"'),
        ({"factor": 3}, r"factor must be among \[1, 2, 4, 8\] for images of 32 px, not 3"),
        ({"factor": 16}, "factor must be among"),
        ({"pool_at": 2}, "pool_at must be 0 or among"),
        ({"pool_at": 32, "factor": 2}, r"pool_at must be 0 or among \[16, 8, 4\] for a band of 16 px"),
    ],
)
def test_parts_that_do_not_exist_are_refused(part, message):
    with pytest.raises(ValueError, match=message):
        AttributionNetwork(32, 2, **part)


@pytest.mark.parametrize("part", [{"factor": 4}, {"band": "high"}, {"band": "high", "factor": 4}, {"pool_at": 16}])
def test_variants_learn_and_come_back_from_their_files(part, tmp_path):
    rng = np.random.default_rng(1)
    images = rng.integers(90, 160, (120, 3, 16, 16)).astype(np.uint8)
    images[60:] = images[60:] // 2 + 70  # less contrast, in every band and patch
    labels = np.repeat(["a", "b"], 60)
    settings = dict(images=2400, batch=16, learning_rate=0.003, checks=3, seed=3)
    fitted = CNN(**WIDTH, **settings, **part).fit(images[::2], labels[::2], validation=(images[1::2], labels[1::2]))
    assert (fitted.predict(images) == labels).mean() > 0.7
    assert fitted.features(images).shape == (120, 16) and fitted.fingerprints_.shape == (2, 16)
    fitted.save(tmp_path)
    assert np.array_equal(Attributor.load(tmp_path).scores(images), fitted.scores(images))


def test_fields_end_where_everything_is_seen():
    found = layers(AttributionNetwork(32, 2, pool_at=16, **WIDTH), 3, 32, 32)
    assert receptive_fields(found) == [(3, 1), (5, 1), (6, 2), (10, 2)] and len(found) == 6
