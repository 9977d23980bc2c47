"""Perceptual distance, and the nearest real image of each generated one (paper, Section 4.3: artifact-free subset).

LPIPS (Zhang et al. 2018, Equation 1) runs two images through a trunk, scales the features of some layers to unit
length at each position, and adds up weighted squared differences: mean over positions, sum over layers.  That is
the squared Euclidean distance of two vectors, one per image, so all pairs of two sets are one matrix product.

Its weights, the heads of the lpips package, were fitted to torchvision's own ImageNet trunks.  Without them, another
trunk gives a deep-feature distance, and the content network a content-feature distance, which needs no file.
"""

import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganfp.features._tvcompat import import_torchvision
from ganfp.features.content import ContentNetwork
from ganfp.files import sha256
from ganfp.images import to_float

VARIABLE = "GANFP_PERCEPTUAL"
BATCH = 64  # images at a time through a trunk
EPSILON = 1e-10  # added to each length, as the lpips package does
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # ImageNet's mean and deviation, for images in [-1, 1]


class Trunk(NamedTuple):
    """A network of torchvision: its name there, its file in torch's cache, the layers that are looked at."""

    model: str
    file: str  # ends in the first digits of its own SHA-256
    taps: tuple[int, ...]
    smallest: int  # side of the smallest images that it can read


TRUNKS = {
    "alex": Trunk("alexnet", "alexnet-owt-7be5be79.pth", (1, 4, 7, 9, 11), 32),
    "vgg": Trunk("vgg16", "vgg16-397923af.pth", (3, 8, 15, 22, 29), 16),
    "squeeze": Trunk("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", (1, 4, 7, 9, 10, 11, 12), 32),
}


class Nearest(NamedTuple):
    """For each image its nearest reference image."""

    distance: np.ndarray  # (N,) float32
    index: np.ndarray  # (N,) int64


@dataclass(frozen=True)
class PerceptualDistance:
    """A perceptual distance between uint8 images (N, 3, R, R)."""

    name: str
    layers: Callable[[Tensor], Sequence[Tensor]]  # maps images in [-1, 1] to feature maps (n, C, H, W)
    weights: Sequence[Tensor] | None = None  # of each channel, for each map, not negative; None: ones
    device: str | torch.device = "cpu"

    @torch.inference_mode()
    def vectors(self, images: np.ndarray) -> Tensor:
        """A vector per image, (N, D) float32: squared Euclidean distances between them are perceptual distances."""
        if not len(images):
            raise ValueError("images is empty: there is nothing to compare")
        for start in range(0, len(images), BATCH):
            block = torch.cat(self._parts(images[start : start + BATCH]), dim=1)
            if not start:
                found = torch.empty(len(images), block.shape[1], device=block.device)
            found[start : start + BATCH] = block
        return found

    def _parts(self, images: np.ndarray) -> list[Tensor]:
        parts = []
        for i, x in enumerate(self.layers(to_float(images, self.device))):
            x = x / (x.square().sum(dim=1, keepdim=True).sqrt() + EPSILON)
            scale = 1 / (x.shape[2] * x.shape[3]) ** 0.5
            if self.weights is not None:
                scale = scale * self.weights[i].to(x.device).sqrt()[:, None, None]
            parts.append((x * scale).flatten(1))
        return parts

    @torch.inference_mode()
    def pairs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The distance of each image of ``first`` to its partner in ``second``, (N,) float32."""
        if len(first) != len(second):
            raise ValueError(f"first and second must be equally many images, not {len(first)} and {len(second)}")
        blocks = [
            (self.vectors(first[i : i + BATCH]) - self.vectors(second[i : i + BATCH])).square().sum(dim=1)
            for i in range(0, len(first), BATCH)
        ]
        return torch.cat(blocks).cpu().numpy() if blocks else np.zeros(0, np.float32)

    @torch.inference_mode()
    def nearest(
        self, images: np.ndarray, reference: np.ndarray, memory: float = 2**30,
        progress: Callable[[float], None] | None = None,
    ) -> Nearest:  # fmt: skip
        """The nearest of the ``reference`` images for each image: all pairs are compared, none is left out.

        ``memory`` bounds the bytes of vectors held at a time, beside those of one batch in the trunk.  Images that lie
        within rounding (1e-6 of the spread) of each other count as equally near.  All vectors are taken relative to
        the mean of some of them: |a|^2 + |b|^2 - 2 a b loses its digits where a and b are long and nearly equal.
        """
        if not len(images) or not len(reference):
            raise ValueError(f"images and reference must not be empty; they hold {len(images)} and {len(reference)}")
        size = 4 * self.vectors(images[:1]).shape[1]
        rows = [max(1, int(memory / part // size)) for part in (2, 4)]
        centre = self.vectors(reference[: min(rows[1], 4 * BATCH)]).mean(dim=0)
        index = np.empty(len(images), np.int64)
        for start in range(0, len(images), rows[0]):
            queries = self.vectors(images[start : start + rows[0]]).sub_(centre)
            best = torch.full((len(queries),), torch.inf, device=queries.device)
            found = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
            for first in range(0, len(reference), rows[1]):
                block = self.vectors(reference[first : first + rows[1]]).sub_(centre)
                # |a|^2 is the same for every candidate b
                values, at = torch.addmm(block.square().sum(dim=1), queries, block.T, alpha=-2).min(dim=1)
                closer = values < best
                best, found = torch.where(closer, values, best), torch.where(closer, at + first, found)
                if progress:
                    share = min(1.0, (first + rows[1]) / len(reference))
                    progress((start + share * len(queries)) / len(images))
            index[start : start + rows[0]] = found.cpu().numpy()
        return Nearest(self.pairs(images, reference[index]), index)


def content_distance(network: ContentNetwork) -> PerceptualDistance:
    """The content-feature distance: every layer of a content network, all channels alike."""

    def layers(images: Tensor) -> list[Tensor]:
        return [images := stage(images) for stage in stages]

    network.eval()
    stages = [network.layers[i : i + 3] for i in range(0, len(network.layers), 3)]  # each ends in a ReLU
    return PerceptualDistance("content-feature distance", layers, device=next(network.parameters()).device)


def trunk_distance(net: str, features: nn.Sequential, weighted: bool, device="cpu") -> PerceptualDistance:
    """The distance of a trunk: ``features`` as torchvision's model of ``net`` has them; ``weighted`` by its heads."""
    features = features.to(device).eval()
    ends = [tap + 1 for tap in TRUNKS[net].taps]
    stages = [features[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    shift, scale = (torch.tensor(x, device=device)[:, None, None] for x in (SHIFT, SCALE))

    def layers(images: Tensor) -> list[Tensor]:
        if min(images.shape[2:]) < TRUNKS[net].smallest:
            raise ValueError(f"trunk {net!r} reads images of {TRUNKS[net].smallest} px or more, not {images.shape[-1]}")
        x = (images - shift) / scale
        return [x := stage(x) for stage in stages]

    name = f"LPIPS ({net})" if weighted else f"deep-feature distance ({net})"
    return PerceptualDistance(name, layers, heads(net) if weighted else None, device)


def load_trunk(path: str | Path, device: str | torch.device = "cpu") -> PerceptualDistance:
    """The distance of the trunk in a file (.pth, .safetensors or .npz): LPIPS if it is torchvision's own.

    Keys are torchvision's, with or without ``features.`` before them.  ``ValueError`` for any other network.
    """
    path = Path(path)
    net, state = _recognised(path)
    with torch.device("meta"):  # weights are read, not drawn
        features = _features(net)
    features.load_state_dict(state, assign=True)
    # torchvision's own file has a digest that begins as its name ends
    official = sha256(path).startswith(Path(TRUNKS[net].file).stem.rpartition("-")[2])
    return trunk_distance(net, features.requires_grad_(False), official, device)


def find_trunk(named: str = "", resolution: int = 32) -> Path | None:
    """The file of a trunk: the one that is named, or in the environment variable GANFP_PERCEPTUAL, or torch's cache.

    From the cache the first that can read images of ``resolution``, or None; ``FileNotFoundError`` for a missing file.
    """
    if named := named or os.environ.get(VARIABLE, ""):
        path = Path(named).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f"no trunk weights at {path}; name another file in {VARIABLE}, or none")
        return path
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    paths = (cache / trunk.file for trunk in TRUNKS.values() if trunk.smallest <= resolution)
    return next(filter(Path.is_file, paths), None)


def heads(net: str) -> list[Tensor]:
    """The weights of each layer's channels, as the lpips package ships them (version 0.1)."""
    spec = importlib.util.find_spec("lpips")
    if spec is None:
        raise ImportError("LPIPS needs the heads of its package: pip install lpips")
    path = Path(spec.origin).parent / "weights" / "v0.1" / f"{net}.pth"
    state = torch.load(path, map_location="cpu", weights_only=True)
    found = [state[f"lin{i}.model.1.weight"].flatten() for i in range(len(TRUNKS[net].taps))]
    assert all((weight >= 0).all() for weight in found), f"the heads of {net!r} hold negative weights"
    return found


def _features(net: str) -> nn.Sequential:
    return getattr(import_torchvision().models, TRUNKS[net].model)(weights=None).features


def _recognised(path: Path) -> tuple[str, dict[str, Tensor]]:
    """Which network a file holds, by the shapes of its tensors, and the weights of its convolutions."""
    state = {k.removeprefix("features."): v for k, v in _read(path).items() if not k.startswith("classifier.")}
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    for net in TRUNKS:
        with torch.device("meta"):
            if shapes == {name: tuple(value.shape) for name, value in _features(net).state_dict().items()}:
                return net, state
    known = ", ".join(trunk.model for trunk in TRUNKS.values())
    raise ValueError(f"{path} holds the weights of none of torchvision's {known}")


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    if path.suffix == ".safetensors":
        return load_file(path)
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # what is no pickle of tensors can fail in any way
        raise ValueError(f"{path} is not a file of weights ({error})") from error
