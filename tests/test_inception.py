"""Inception features: what is said without the right file, and the real network with random weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from ganfp.features import inception
from ganfp.features.inception import FILE, VARIABLE, inception_features, load_inception

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A state dict at random, on a scale at which the features neither die nor explode."""

    class Random(inception._network_class()):
        def load_state_dict(self, *_):
            pass  # what is drawn at construction stays

    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "empty.pth")
    torch.manual_seed(0)
    network = Random("inception-v3-compat", ["2048"], feature_extractor_weights_path=folder / "empty.pth")
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), folder / "random.pth")
    return folder / "random.pth"


def test_features_of_small_images(weights):
    features = inception_features(IMAGES, weights)
    assert features.shape == (3, 2048) and features.dtype == np.float32
    assert (features >= 0).all() and features.std(axis=0).mean() > 1e-3
    np.testing.assert_allclose(inception_features(IMAGES, weights, batch=2), features, rtol=1e-4, atol=1e-5)


def test_features_are_torch_fidelitys_and_repeat_themselves(weights, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(weights))
    network = load_inception()
    assert not network.training
    with torch.inference_mode():
        (expected,) = network(torch.from_numpy(IMAGES[:1]))
    np.testing.assert_array_equal(inception_features(IMAGES[:1]), expected.numpy())


def test_without_a_file_it_says_which_to_fetch(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(FileNotFoundError, match=rf"no Inception weights named: .*{FILE}.*torch-fidelity.*{VARIABLE}"):
        inception_features(IMAGES)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "moved.pth"))
    with pytest.raises(FileNotFoundError, match=rf"moved\.pth.*{FILE}"):
        inception_features(IMAGES)


class Payload:
    def __reduce__(self):
        return print, ("code in a weights file was run",)


@pytest.mark.parametrize(
    "content",
    [b"text", b"", torch.zeros(3), {"fc.weight": torch.zeros(1000, 2048)}, Payload()],
    ids=["text", "empty", "tensor", "torchvision", "code"],
)
def test_a_file_that_holds_something_else_is_named_and_never_run(content, tmp_path, capsys):
    path = tmp_path / "other.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ValueError, match=rf"other\.pth does not hold .*{FILE}"):
        load_inception(path)
    assert "code" not in capsys.readouterr().out


@pytest.mark.parametrize("images", [IMAGES / 255, IMAGES[0], IMAGES[:, :1]])
def test_images_must_be_uint8_rgb(images):
    with pytest.raises(ValueError, match="images must be uint8"):
        inception_features(images, "unused.pth")


def test_torchvision_is_not_imported_and_no_stand_in_stays_behind():
    code = (
        "import sys; from ganfp.features.inception import _network_class; _network_class(); "
        "print(*[m for m in sys.modules if m.startswith(('torchvision', 'torch_fidelity'))])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
