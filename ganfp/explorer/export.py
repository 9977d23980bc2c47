"""What the explorer's scripts need of fitted attributors: named arrays and one description."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch import nn

from ganfp import layers, relighting
from ganfp.attributors import network, prnu, pyramid
from ganfp.attributors.autoencoder import AutoEncoder
from ganfp.attributors.base import Attributor
from ganfp.attributors.visnet import VisNet

MANTISSA = 14  # bits that weights keep: probabilities move by less than 1e-3, which the 10 of float16 do not reach
DENOISER = {"sigma": 5.0, "levels": 4}  # of the residual where no PRNU says another: camera forensics' values
KINDS = {
    pyramid.Down: "down", pyramid.Residual: "high", pyramid.Boost: "boost", nn.AvgPool2d: "halve",
    network.PixelConv2d: "convolve", layers.EqualConv2d: "convolve", layers.EqualLinear: "dense",
    network.Mean: "average",
}  # fmt: skip


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
    names: (N,), what each image is called.  shape: of relighting, ``head`` or ``dome``.  readable: names of owners as
    people read them.  ``ValueError`` for readers that cannot be shown, or not together.
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
            if other.method not in ("cnn", "visnet", "prnu"):
                raise ValueError(f"the explorer shows cnn, visnet and prnu, and no {other.method}")
            if other.resolution_ != first.resolution_ or list(other.classes_) != list(first.classes_):
                raise ValueError(f"a {other.method} knows other sources, or another size, than the first model")

    def packed(self) -> bytes:
        """The page's data: a safetensors file in byte planes, compressed, with the description in its metadata."""
        first, denoiser = self.readers[0].attributor, DENOISER
        arrays = {"images": self.images} | _light(first.resolution_, self.shape)
        readers: list[dict[str, Any]] = []
        for i, reader in enumerate(self.readers):
            made: Any = reader.attributor
            known = {"group": reader.group, "label": reader.label, "method": made.method}
            known["temperature"] = made.temperature_
            if made.method != "cnn":
                arrays[f"{i}.models"] = made.fingerprints_
            if isinstance(made, VisNet):
                known |= {"inner": made.logits == "inner", "trained_temperature": made.trained_temperature}
            if made.method == "prnu":
                denoiser = made.chosen_
            else:
                known["layers"] = _layers(getattr(made.network_, "reconstruct", made.network_), f"{i}", arrays)
            readers.append(known)
        size, levels = first.resolution_, min(denoiser["levels"], prnu.max_levels(first.resolution_))
        for level in range(levels):
            forward, back = prnu._wavelet_matrices(size, torch.device("cpu"), torch.float32)
            arrays |= {f"wavelet.{level}.forward": forward.numpy(), f"wavelet.{level}.back": back.numpy()}
            size = len(forward) // 2
        page = {
            "resolution": first.resolution_, "classes": first.classes_.tolist(), "readable": dict(self.readable),
            "readers": readers, "denoiser": denoiser | {"levels": levels}, "owners": list(self.owners),
            "names": list(self.names),
        }  # fmt: skip
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # networks keep channels last
        return compressed(save(whole, {"page": json.dumps(page)}))


def _layers(whole: nn.Module, prefix: str, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """The layers of an attribution network or of visNet's auto-encoder, which both list them as they apply them."""
    found: list[dict[str, Any]] = []
    enlarged = set(whole.decoder) if isinstance(whole, AutoEncoder) else set()
    for number, module in enumerate(whole.modules()):
        if module in enlarged:
            found.append({"kind": "double"})
        if kind := KINDS.get(type(module)):
            found.append({"kind": kind, **({"gain": module.gain} if kind == "boost" else {})})
            if kind in ("convolve", "dense"):
                found[-1] |= {"weight": (name := f"{prefix}.{number}"), "slope": layers.SLOPE}
                arrays[name] = rounded(module.kernel().detach().cpu().numpy())
                arrays[f"{name}.bias"] = module.bias.detach().cpu().numpy()
    found[-1]["slope"] = 1.0
    return [*found, {"kind": "tanh"}] if isinstance(whole, AutoEncoder) else found


def rounded(values: np.ndarray) -> np.ndarray:
    """Float32 values with the nearest mantissas of :data:`MANTISSA` bits, whose zeros at the end can be compressed."""
    drop = 23 - MANTISSA
    return ((np.ascontiguousarray(values).view(np.uint32) + (1 << drop - 1)) >> drop << drop).view(np.float32)


def compressed(file: bytes) -> bytes:
    """Bytes 0, 4, 8, ... of a file, then 1, 5, 9, ... and so on, through gzip: floats share some of their bytes."""
    padded = np.frombuffer(file + bytes(-len(file) % 4), np.uint8)
    return gzip.compress(padded.reshape(-1, 4).T.tobytes(), compresslevel=6, mtime=0)


def _light(size: int, shape: str) -> dict[str, np.ndarray]:
    """Relighting's harmonics at each pixel, and the linear map that fits a lighting to pixels: (9, size^2) each."""
    normals, pixels = relighting.prior(size, shape), torch.zeros(1, 1, size, size)
    fitted = torch.autograd.functional.jacobian(lambda x: relighting.fit(x, normals), pixels)
    basis = relighting.harmonics(normals)
    return {"light.basis": basis.flatten(1).float().numpy(), "light.fit": fitted.reshape(len(basis), -1).numpy()}
