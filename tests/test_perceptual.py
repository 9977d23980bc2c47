"""Perceptual distance against the lpips package, and its nearest neighbour against all pairs."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from ganfp.features import perceptual
from ganfp.features._tvcompat import import_torchvision
from ganfp.features.content import ContentNetwork
from ganfp.files import sha256
from ganfp.runs.recipes import base
from ganfp.runs.recipes.base import DISTANCES, NEIGHBOURS
from ganfp.runs.recipes.extractors import PerceptualTrunk
from ganfp.runs.recipes.features import NearestReal
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Setup, Source

IMAGES = Images("faces", 32, 40, 6, 4, 6)
SETUP = Setup("real", (Source("real", IMAGES),), 6, 4, 4)


def images(n, side, seed=0):
    """Smooth random pictures and some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (n, 3, 4, 4)).repeat(side // 4, axis=2).repeat(side // 4, axis=3)
    return np.clip(coarse + rng.normal(0, 20, (n, 3, side, side)), 0, 255).astype(np.uint8)


def package(net, weighted):
    """The lpips package's own network on a seeded trunk, without a download."""
    import_torchvision()
    import lpips

    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=net, lpips=weighted, pnet_rand=True, verbose=False).eval()


def trunk_of(network):
    """The trunk of the lpips package as one list of layers, as torchvision has it."""
    layers = [layer for name, part in network.net.named_children() if name.startswith("slice") for layer in part]
    return nn.Sequential(*layers)


def content():
    torch.manual_seed(1)
    return ContentNetwork({"a": 2}, channels=(8, 16, 16))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(("net", "side"), [("alex", 32), ("alex", 64), ("squeeze", 32), ("vgg", 16)])
def test_equals_the_lpips_package(net, side, weighted):
    reference = package(net, weighted)
    distance = perceptual.trunk_distance(net, trunk_of(reference), weighted)
    a, b = images(6, side), images(6, side, 1)
    with torch.inference_mode():
        expected = reference(*(torch.from_numpy(x / 127.5 - 1).float() for x in (a, b))).flatten().numpy()
    assert expected.min() > 0
    np.testing.assert_allclose(distance.pairs(a, b), expected, rtol=1e-4)
    assert distance.name == ("LPIPS" if weighted else "deep-feature distance") + f" ({net})"


@pytest.mark.parametrize("memory", [2**30, 60_000, 1])  # everything at once, blocks of a few, one by one
def test_nearest_is_that_of_all_pairs(memory):
    distance = perceptual.content_distance(content())
    a, b = images(23, 16), images(40, 16, 1)
    table = np.stack([distance.pairs(np.repeat(x[None], len(b), 0), b) for x in a])
    found = distance.nearest(a, b, memory)
    assert (found.index == table.argmin(axis=1)).all()
    np.testing.assert_allclose(found.distance, table.min(axis=1), rtol=1e-5)


def test_an_image_is_nearest_to_itself_and_almost_itself():
    distance = perceptual.content_distance(content())
    b = images(40, 16)
    a = b[::3].copy()
    assert (distance.nearest(a, b).distance == 0).all()
    a[:, :, 0, 0] ^= 1  # one grey level in one pixel
    found = distance.nearest(a, b)
    assert (found.index == np.arange(0, 40, 3)).all() and found.distance.max() < 1e-3


def test_content_layers_are_unit_length_at_every_position():
    distance = perceptual.content_distance(content())
    assert distance.name == "content-feature distance"
    length = distance.vectors(images(4, 16)).square().sum(dim=1)
    assert (length <= 3 + 1e-5).all() and (length > 2).all()  # at most 1 a layer; less where all channels are zero


def test_memory_is_bounded(monkeypatch):
    distance, held = perceptual.content_distance(content()), []
    vectors = perceptual.PerceptualDistance.vectors

    def watched(self, block):
        found = vectors(self, block)
        held.append(found.nbytes)
        return found

    monkeypatch.setattr(perceptual.PerceptualDistance, "vectors", watched)
    monkeypatch.setattr(perceptual, "BATCH", 4)
    budget = 40 * distance.vectors(images(1, 16)).nbytes
    distance.nearest(images(100, 16), images(200, 16, 1), budget)
    assert max(held) <= budget / 2  # the images under way; a block of the others takes a quarter


@pytest.fixture
def no_trunk(monkeypatch, tmp_path):
    monkeypatch.delenv(perceptual.VARIABLE, raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_a_trunk_is_found_by_name_or_in_torchs_cache(no_trunk, monkeypatch):
    assert perceptual.find_trunk() is None
    (no_trunk / perceptual.TRUNKS["squeeze"].file).write_bytes(b"x")
    assert perceptual.find_trunk().name.startswith("squeezenet")
    assert perceptual.find_trunk(resolution=16) is None  # too small for it
    monkeypatch.setenv(perceptual.VARIABLE, str(no_trunk / "other.pth"))
    with pytest.raises(FileNotFoundError, match=perceptual.VARIABLE):
        perceptual.find_trunk()


@pytest.mark.parametrize("suffix", [".pth", ".npz", ".safetensors"])
def test_only_torchvisions_own_weights_make_it_lpips(no_trunk, suffix, monkeypatch):
    from safetensors.torch import save_file

    trunk = trunk_of(package("squeeze", False))
    state, path = trunk.state_dict(), no_trunk / f"mine{suffix}"
    if suffix == ".pth":
        torch.save({f"features.{k}": v for k, v in state.items()} | {"classifier.1.bias": torch.zeros(2)}, path)
    elif suffix == ".npz":
        np.savez(path, **{k: v.numpy() for k, v in state.items()})
    else:
        save_file(state, path)
    found = perceptual.load_trunk(path)
    assert found.name == "deep-feature distance (squeeze)" and found.weights is None
    a, b = images(3, 32), images(3, 32, 1)
    expected = perceptual.trunk_distance("squeeze", trunk, False).pairs(a, b)
    np.testing.assert_allclose(found.pairs(a, b), expected, rtol=1e-5)
    # the same file under the digest that its name would need
    named = perceptual.TRUNKS["squeeze"]._replace(file=f"squeezenet1_1-{sha256(path)[:8]}.pth")
    monkeypatch.setitem(perceptual.TRUNKS, "squeeze", named)
    assert perceptual.load_trunk(path).name == "LPIPS (squeeze)"


def test_a_run_takes_the_trunk_that_is_named_and_knows_it_by_its_content(no_trunk, monkeypatch):
    from ganfp.runs.run import begin

    plain = begin("smoke").nearest(SETUP)
    assert plain.extractor.kind == "content"
    for name in ("a.npz", "b.npz"):
        np.savez(no_trunk / name, x=np.zeros(3))
        monkeypatch.setenv(perceptual.VARIABLE, str(no_trunk / name))
        named = begin("smoke").nearest(SETUP)
        assert named.extractor.path == str(no_trunk / name) and named.key != plain.key
    monkeypatch.setenv(perceptual.VARIABLE, str(no_trunk / "a.npz"))
    assert begin("smoke").nearest(SETUP).key == named.key


def test_nearest_real_images_by_a_trunk(no_trunk, tmp_path):
    from ganfp.runs import building
    from ganfp.runs.store import Store

    path = no_trunk / "mine.npz"
    np.savez(path, **{k: v.numpy() for k, v in trunk_of(package("squeeze", False)).state_dict().items()})
    recipe = NearestReal(PerceptualTrunk(sha256(path), str(path)), SETUP, IMAGES)
    store = Store(tmp_path / "store")
    for need in building.closure([recipe]):
        building.make(need, store.root)
    folder, distance = store.folder(recipe), recipe.distance(store.folder)
    real = IMAGES.part(np.load(store.folder(IMAGES) / base.IMAGES), "gan")
    queries = np.load(store.folder(SETUP.part("test")[0]) / base.IMAGES)
    table = np.stack([distance.pairs(np.repeat(x[None], len(real), 0), real) for x in queries])
    assert (np.load(folder / NEIGHBOURS) == table.argmin(axis=1)).all()
    np.testing.assert_allclose(np.load(folder / DISTANCES), table.min(axis=1), rtol=1e-5)
    assert distance.name == "deep-feature distance (squeeze)"


def test_clear_errors(no_trunk):
    distance = perceptual.content_distance(content())
    with pytest.raises(ValueError, match="must not be empty"):
        distance.nearest(images(0, 16), images(2, 16))
    with pytest.raises(ValueError, match="equally many"):
        distance.pairs(images(1, 16), images(2, 16))
    np.savez(no_trunk / "other.npz", weight=np.zeros(3))
    with pytest.raises(ValueError, match="none of torchvision's alexnet"):
        perceptual.load_trunk(no_trunk / "other.npz")
    (no_trunk / "text.pth").write_text("no weights")
    with pytest.raises(ValueError, match="not a file of weights"):
        perceptual.load_trunk(no_trunk / "text.pth")
    trunk = trunk_of(package("alex", False))
    with pytest.raises(ValueError, match="32 px or more, not 16"):
        perceptual.trunk_distance("alex", trunk, False).vectors(images(1, 16))
