"""What the explorer's scripts need of fitted attributors, as named arrays and one description."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save

from ganfp import relighting
from ganfp.attributors import prnu, pyramid
from ganfp.attributors.autoencoder import AutoEncoder
from ganfp.attributors.base import Attributor
from ganfp.attributors.cnn import CNN
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.visnet import VisNet
from ganfp.layers import SLOPE, EqualLinear

MANTISSA = 13  # bits that weights keep: probabilities move by less than 1e-3, which the 10 of float16 do not reach
DENOISER = {"sigma": 5.0, "levels": 4}  # of the residual where no PRNU says another: camera forensics' values
FRONT = {pyramid.Down: "down", pyramid.Residual: "high", pyramid.Boost: "boost"}

Layer = tuple[str, dict[str, Any], torch.nn.Module | None]  # what it does, its options, whose weights it has


@dataclass(frozen=True)
class Reader:
    """One way to read an image: a fitted CNN, VisNet or PRNU, and what the page calls it, as (group, label)."""

    attributor: Attributor
    group: str
    label: str


@dataclass(frozen=True)
class Exhibit:
    """What a page shows: readers of the same classes, the first of which is asked first, and a drawer of images.

    images: uint8 (N, 3, R, R).  owners: (N,), what the drawer files each under, a class where the source is known.
    names: (N,), what each image is called.  shape: of relighting, ``head`` or ``dome``.  readable: names of classes as
    people read them.
    """

    readers: Sequence[Reader]
    images: np.ndarray
    owners: Sequence[str]
    names: Sequence[str]
    shape: str = "head"
    readable: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = self.readers[0].attributor
        for other in (reader.attributor for reader in self.readers):
            if not isinstance(other, CNN | VisNet | prnu.PRNU):
                raise ValueError(f"the explorer shows cnn, visnet and prnu, and no {other.method}")
            if other.resolution_ != first.resolution_ or list(other.classes_) != list(first.classes_):
                raise ValueError(f"a {other.method} knows other sources, or images of another size, than the first model")

    def packed(self) -> bytes:
        """The page's data: a safetensors file in byte planes, compressed, with the description in its metadata."""
        first, arrays, readers = self.readers[0].attributor, {}, []
        size, denoiser = first.resolution_, DENOISER
        for i, reader in enumerate(self.readers):
            made, temperature = reader.attributor, reader.attributor.temperature_
            described: dict[str, Any] = {"group": reader.group, "label": reader.label, "temperature": temperature}
            if isinstance(made, prnu.PRNU):
                denoiser = made.chosen_
                arrays[f"{i}.models"] = made.fingerprints_
            else:
                visible = isinstance(made, VisNet)
                network = made.network_.reconstruct if visible else made.network_
                described["layers"] = _exported(layers(network), f"{i}", arrays)
                if visible:
                    arrays[f"{i}.models"] = made.fingerprints_
                    described |= {"inner": made.logits == "inner", "trained_temperature": made.trained_temperature}
            readers.append(described | {"method": made.method})
        denoiser = {**denoiser, "levels": min(denoiser["levels"], prnu.max_levels(size))}
        for level in range(denoiser["levels"]):
            forward, back = prnu._wavelet_matrices(size, torch.device("cpu"), torch.float32)
            arrays |= {f"wavelet.{level}.forward": forward.numpy(), f"wavelet.{level}.back": back.numpy()}
            size = len(forward) // 2
        arrays |= _light(first.resolution_, self.shape) | {"images": np.ascontiguousarray(self.images)}
        described = {
            "resolution": first.resolution_, "classes": first.classes_.tolist(), "readers": readers,
            "readable": {name: self.readable.get(name, name) for name in {*first.classes_.tolist(), *self.owners}},
            "denoiser": denoiser, "owners": list(self.owners), "names": list(self.names),
        }  # fmt: skip
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return compressed(save(arrays, {"page": json.dumps(described)}))


def layers(network: torch.nn.Module) -> Iterator[Layer]:
    """The layers of an attribution network or of visNet's auto-encoder, in the order in which they are applied."""
    if isinstance(network, AttributionNetwork):
        for part in network.front:
            yield FRONT[type(part)], {"gain": part.gain} if isinstance(part, pyramid.Boost) else {}, None
    for stage in network.stages:
        yield from _convolutions(stage.first, stage.second)
        yield "halve", {}, None
    if isinstance(network, AutoEncoder):
        yield from _convolutions(*network.middle)
        for pair in network.decoder:
            yield "double", {}, None
            yield from _convolutions(*pair)
        yield "convolve", {"slope": 1.0}, network.to_rgb
        yield "tanh", {}, None
        return
    yield from _convolutions(network.last)
    dense = isinstance(network.dense, EqualLinear)
    yield ("dense", {"slope": SLOPE}, network.dense) if dense else ("average", {}, None)
    yield "dense", {"slope": 1.0}, network.classify


def _convolutions(*found: torch.nn.Module) -> Iterator[Layer]:
    for one in found:
        yield "convolve", {"slope": SLOPE}, one


def _exported(found: Iterator[Layer], prefix: str, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    described = []
    for number, (kind, options, owner) in enumerate(found):
        if owner is not None:
            name = f"{prefix}.{number}"
            arrays[name] = rounded(owner.kernel().detach().cpu().numpy())
            arrays[f"{name}.bias"] = owner.bias.detach().cpu().numpy()
            options = {**options, "weight": name}
        described.append({"kind": kind, **options})
    return described


def rounded(values: np.ndarray) -> np.ndarray:
    """Float32 values with the nearest mantissas of :data:`MANTISSA` bits, which leave bytes of zeros to compress."""
    drop = 23 - MANTISSA
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + np.uint32(1 << drop - 1)) >> drop << drop).astype(np.uint32).view(np.float32)


def compressed(file: bytes) -> bytes:
    """Bytes 0, 4, 8, ... of a file, then bytes 1, 5, 9, ... and so on, and all that through gzip: floats that are of
    similar size have equal bytes at equal places."""
    padded = np.frombuffer(file + bytes(-len(file) % 4), np.uint8)
    return gzip.compress(padded.reshape(-1, 4).T.tobytes(), compresslevel=6, mtime=0)


def _light(size: int, shape: str) -> dict[str, np.ndarray]:
    """Relighting's harmonics at each pixel, and the linear map that fits a lighting to pixels: (9, size^2) each."""
    normals, pixels = relighting.prior(size, shape), torch.zeros(1, 1, size, size)
    fitted = torch.autograd.functional.jacobian(lambda x: relighting.fit(x, normals), pixels)
    basis = relighting.harmonics(normals)
    return {"light.basis": basis.flatten(1).float().numpy(), "light.fit": fitted.reshape(len(basis), -1).numpy()}
