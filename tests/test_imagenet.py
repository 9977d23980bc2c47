"""Features of an ImageNet trunk in Inception's place."""

import numpy as np
import pytest
import torch

from ganfp.features import perceptual
from ganfp.features._tvcompat import import_torchvision
from ganfp.features.imagenet import SIDE, imagenet_features
from ganfp.paper import s4_1
from ganfp.paper.attribution import extractor_name
from ganfp.runs.recipes.extractors import ContentNetwork, PerceptualTrunk
from ganfp.runs.run import begin


@pytest.fixture
def trunk(tmp_path):
    """A file with the weights of an untrained SqueezeNet, and the network."""
    torch.manual_seed(0)
    network = import_torchvision().models.squeezenet1_1(weights=None).features.eval()
    np.savez(tmp_path / "trunk.npz", **{key: value.numpy() for key, value in network.state_dict().items()})
    return tmp_path / "trunk.npz", network


@torch.inference_mode()
def test_features_are_the_means_of_the_last_layer(trunk):
    path, network = trunk
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), dtype=np.uint8)
    x = torch.nn.functional.interpolate(torch.from_numpy(images) / 255.0, size=(SIDE, SIDE), mode="bilinear")
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[:, :, None, None]
    expected = network((x - mean) / deviation).mean(dim=(2, 3)).numpy()
    found = imagenet_features(images, path)
    assert found.shape == (3, 512) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)  # the constants of perceptual.py have 3 digits
    with pytest.raises(ValueError, match="empty"):
        imagenet_features(images[:0], path)


def test_they_are_for_photographs_and_drawings_keep_their_own(trunk, tmp_path, monkeypatch):
    monkeypatch.setenv(perceptual.VARIABLE, str(trunk[0]))
    photographs = tmp_path / "photographs.npz"
    np.savez(photographs, images=np.zeros((100, 8, 8, 3), np.uint8))
    run = begin("smoke", f"npz:{photographs}")
    assert isinstance(run.extractor, PerceptualTrunk) and extractor_name(run) == "ImageNet features"
    drawn = begin("smoke")
    assert isinstance(drawn.extractor, ContentNetwork) and extractor_name(drawn) == "content network"


def test_page_4_1_says_nothing_of_a_content_network_that_is_not_used(trunk, tmp_path, monkeypatch):
    monkeypatch.setenv(perceptual.VARIABLE, str(trunk[0]))
    np.savez(tmp_path / "photographs.npz", images=np.zeros((100, 8, 8, 3), np.uint8))
    assert s4_1.content_report(begin("smoke", f"npz:{tmp_path / 'photographs.npz'}")) == []
