"""Inception features, as FID and the paper's baseline use them, from a weights file that the user names.

The network is torch-fidelity's port of the TensorFlow graph of 2015 (Szegedy et al. 2016), whose resize, padding
and pooling differ from torchvision's Inception v3; features of the two must not be mixed.
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn

VARIABLE = "GANFP_INCEPTION"
FILE = "weights-inception-2015-12-05-6726825d.pth"
_HOW = (
    f"fetch {FILE} (91 MiB) from the release v0.2.0 of github.com/toshas/torch-fidelity "
    f"and pass its path as `weights` or in the environment variable {VARIABLE}"
)


def inception_features(
    images: np.ndarray, weights: str | Path | None = None, device: str | torch.device = "cpu", batch: int = 32
) -> np.ndarray:
    """Pool features, float32 (N, 2048), of uint8 images (N, 3, H, W) of any size (enlarged to 299 pixels).

    ``weights``: the file; None: that in the environment variable GANFP_INCEPTION.  ``FileNotFoundError`` says which to
    fetch, ``ValueError`` that it holds something else, ``ImportError`` that torch-fidelity is missing.
    """
    images = np.asanyarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be uint8 (N, 3, H, W), not {images.dtype} {images.shape}")
    network = load_inception(weights, device)
    features = np.empty((len(images), 2048), dtype=np.float32)
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            chunk = torch.from_numpy(np.array(images[start : start + batch])).to(device)
            features[start : start + batch] = network(chunk)[0].cpu().numpy()
    return features


def load_inception(weights: str | Path | None = None, device: str | torch.device = "cpu") -> nn.Module:
    """torch-fidelity's network with the user's weights, in evaluation mode; errors as above."""
    path = find_weights(weights)
    network_class = _network_class()
    try:
        # the class would unpickle anything, so it only ever sees a file that has proved to be plain tensors
        torch.load(path, map_location="cpu", weights_only=True)
        network = network_class("inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path))
    except Exception as error:  # what is no pickle, or another network's, can fail in any way
        raise ValueError(f"{path} does not hold the weights of this Inception network: {_HOW}") from error
    return network.to(device)


def find_weights(weights: str | Path | None = None) -> Path:
    """The weights file that is named, or that GANFP_INCEPTION names; ``FileNotFoundError`` says what to fetch."""
    weights = weights or os.environ.get(VARIABLE)
    if not weights:
        raise FileNotFoundError(f"no Inception weights named: {_HOW}")
    path = Path(weights).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"no Inception weights at {path}: {_HOW}")
    return path


def _network_class() -> type[nn.Module]:
    """torch-fidelity's Inception, imported below a stand-in for its package, which is then removed.

    The package itself imports torchvision, which does not load beside every torch, and which this does not need.
    """
    package, module = "torch_fidelity", "torch_fidelity.feature_extractor_inceptionv3"
    if package in sys.modules:
        return importlib.import_module(module).FeatureExtractorInceptionV3
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ImportError("Inception features need torch-fidelity: pip install torch-fidelity")
    stand_in = ModuleType(package)
    stand_in.__path__ = list(spec.submodule_search_locations)
    sys.modules[package] = stand_in
    try:
        return importlib.import_module(module).FeatureExtractorInceptionV3
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]
