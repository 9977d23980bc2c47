"""Attacks that try to wash a fingerprint out of an image (Section 4.4).

Each takes uint8 images (N, 3, H, H) as a tensor on any device, and :class:`Draws`, and gives the like.  Its options are
its distribution: what is random is drawn for every image anew, and where both ends of a range are equal nothing is.
The paper states the distributions and nothing more; each other choice is stated where it is made.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganfp import relighting
from ganfp.images import to_bytes
from ganfp.seeding import mix

CHUNK_PIXELS = 2**18  # worked on at a time: what a chunk needs stays in cache
BLOCK = 32  # rows of a banded matrix that are multiplied at a time


@dataclass(frozen=True)
class Draws:
    """Random numbers that belong to single images.

    A draw is a function of ``seed``, of an image's number and of what it is for: an image meets the same attack in
    whatever batch and order, and wherever the arithmetic is done.
    """

    seed: int
    numbers: np.ndarray  # (N,) int64, not negative: the number of each image

    def __getitem__(self, chosen) -> Draws:
        return Draws(self.seed, self.numbers[chosen])

    def uniform(self, purpose: str, count: int = 1) -> Tensor:
        """(N, count) float32, uniform in [0, 1), in steps of 2^-24."""
        if not len(self.numbers):
            return torch.empty(0, count)
        # A counter-based generator can start anywhere; one of its blocks gives eight numbers of 32 bits.
        first, last, blocks = int(self.numbers.min()), int(self.numbers.max()), -(-count // 8)
        bits = np.random.Philox(key=mix(self.seed, *purpose.encode()), counter=[first * blocks, 0, 0, 0])
        drawn = np.random.Generator(bits).random((last - first + 1, 8 * blocks), dtype=np.float32)
        if last - first + 1 > len(self.numbers) or (np.diff(self.numbers) != 1).any():
            drawn = drawn[self.numbers - first]
        return torch.from_numpy(drawn)[:, :count]

    def normal(self, purpose: str, shape: Sequence[int]) -> Tensor:
        """(N, *shape) float32, standard normal by inversion; at most 5.4 in size, as its uniform numbers have steps."""
        centred = self.uniform(purpose, int(np.prod(shape))).mul_(2).sub_(1 - 2**-24)
        return centred.erfinv_().mul_(2**0.5).unflatten(1, tuple(shape))

    def between(self, purpose: str, low: float, high: float) -> Tensor:
        """(N,) float32, uniform in [low, high)."""
        return low + (high - low) * self.uniform(purpose)[:, 0]

    def integer(self, purpose: str, low: int, high: int) -> Tensor:
        """(N,) int64, uniform from low to high, both included."""
        return low + (self.uniform(purpose)[:, 0].double() * (high - low + 1)).long()


def noise(images: Tensor, random: Draws, low: float = 5, high: float = 20, reading: str = "variance") -> Tensor:
    """Independent Gaussian noise on every value; its variance is uniform in [low, high], in grey levels of 0 ... 255.

    reading: ``variance`` as the paper writes, a standard deviation of 2.2 to 4.5; or ``deviation``, as others read it.
    """
    if reading not in ("variance", "deviation"):
        raise ValueError(f"reading must be variance or deviation, not {reading!r}")
    _check_range("noise", low, high, 0, np.inf)
    strength = random.between("noise strength", low, high)
    deviation = strength.sqrt() if reading == "variance" else strength
    grain = random.normal("noise", images.shape[1:]).mul_(deviation[:, None, None, None])
    return to_bytes(grain.to(images.device).add_(images))


def blur(images: Tensor, random: Draws, sides: Sequence[int] = (1, 3, 5, 7, 9), meant_for: int = 0) -> Tensor:
    """Gaussian blur; the side k of its kernel is one of ``sides``, each as likely, and k = 1 leaves the image as it is.

    The paper gives no sigma: OpenCV's rule is taken, 0.3 ((k - 1) / 2 - 1) + 0.8 pixels.  Borders are mirrored about
    the outermost pixel.  meant_for: if not 0, the kernels are for images of that side and are scaled to the images'.
    """
    if any(side < 1 or side % 2 == 0 for side in sides) or not len(sides):
        raise ValueError(f"sides must be odd numbers from 1 on, not {sides}")
    scale = images.shape[-1] / meant_for if meant_for else 1.0

    def blurred(part: Tensor, places: np.ndarray, kind: int) -> Tensor:
        if sides[kind] == 1:
            return part
        rows, radius = blur_matrix(images.shape[-1], sides[kind], scale)
        rows = rows.to(part.device)
        return to_bytes(banded(banded(part.float(), rows, radius, -1), rows, radius, -2))

    return grouped(images, random.integer("blur", 0, len(sides) - 1).numpy(), blurred)


def crop(images: Tensor, random: Draws, low: float = 0.05, high: float = 0.20) -> Tensor:
    """Cut out a square at a random place and resize it back; low ... high is the share of the side that is lost.

    The share is uniform; what is lost is rounded to whole pixels, one at least, and lies before or after the square in
    any split, across and along independently.  Resized by bilinear interpolation, pixel centres at halves.
    """
    _check_range("crop", low, high, 0, 0.9)
    size = images.shape[-1]
    lost = (random.between("crop", low, high) * size).round().clamp(min=1)
    left, top = ((random.uniform(f"crop {way}")[:, 0] * (lost + 1)).floor() for way in ("left", "top"))
    x, y = (resized(size, start, size - lost) for start in (left, top))
    places = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1).to(images.device)
    return to_bytes(F.grid_sample(images.float(), places, padding_mode="border", align_corners=False))


def jpeg(images: Tensor, random: Draws, low: int = 10, high: int = 75, subsampling: str = "4:2:0") -> Tensor:
    """Through a JPEG file of libjpeg's, by Pillow; its quality is a whole number, uniform from low to high.

    Chroma has half the resolution, 4:2:0, as encoders have it unless they are asked not to; else ``4:4:4``, ``4:2:2``.
    """
    if not 1 <= low <= high <= 100:
        raise ValueError(f"jpeg: low and high must be whole numbers with 1 <= low <= high <= 100, not {low}, {high}")
    from PIL import Image
    from PIL.JpegImagePlugin import JpegImageFile

    pixels = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    out = np.empty_like(pixels)
    for i, quality in enumerate(random.integer("jpeg", low, high).tolist()):
        file = io.BytesIO()
        Image.fromarray(pixels[i]).save(file, "JPEG", quality=quality, subsampling=subsampling)
        file.seek(0)
        out[i] = JpegImageFile(file)
    return torch.from_numpy(out).permute(0, 3, 1, 2).contiguous().to(images.device)


def relight(
    images: Tensor, random: Draws, shape: str = "head", lights: Tensor | None = None, normals: Tensor | None = None
) -> Tensor:
    """Another light by a smooth ratio image: see :mod:`ganfp.relighting`.

    shape: of the prior, ``head`` or ``dome``; or, instead, normals: (3, H, H), or (N, 3, H, H) such as SfSNet's.
    lights: (M, 3, 9), of which each image gets one by chance, such as :func:`ganfp.relighting.fit` of other images; by
    default a lamp of random direction, strength and tint.
    """
    if lights is None:
        new = relighting.random_lamps(random.uniform("lamp", 4))
    else:
        new = lights[random.integer("light", 0, len(lights) - 1)]
    if normals is None:
        normals = relighting.prior(images.shape[-1], shape)
    x = images.float().div_(255)
    return to_bytes(relighting.relit(x, new.to(x.device), normals.to(x.device)).mul_(255))


def combine(images: Tensor, random: Draws, probability: float = 0.5, shape: str = "head") -> Tensor:
    """Attacks in :data:`ORDER`, the paper's, each with that probability for each image; shape: of the relighting."""
    _check_range("combination", probability, probability, 0, 1)
    for name in ORDER:
        options = {"shape": shape} if name == "relighting" else {}

        def attacked(part: Tensor, places: np.ndarray, is_there: bool, name=name, options=options) -> Tensor:
            return ATTACKS[name].change(part, random[places], **options) if is_there else part

        images = grouped(images, random.uniform(f"is there {name}")[:, 0].numpy() < probability, attacked)
    return images


ORDER = ("relighting", "cropping", "blur", "compression", "noise")  # of the combination


@dataclass(frozen=True)
class Strengths:
    """An attack at one strength for all images: its axis, where on it nothing happens, and the options elsewhere."""

    axis: str
    none: float
    options: Mapping[float, Mapping[str, Any]]


@dataclass(frozen=True)
class Entry:
    """An attack: the function, the strengths that it is studied at, if any, and whether it is one of the paper's."""

    change: Callable[..., Tensor]
    strengths: Strengths | None = None
    papers: bool = False


def _fixed(*values: float, scale: int = 1, **options: Any) -> dict[float, dict[str, Any]]:
    """Options of attacks whose range is a single value, by ``scale`` times that value."""
    return {scale * value: {"low": value, "high": value, **options} for value in values}


_DEVIATION = Strengths("standard deviation, grey levels", 0, _fixed(1, 2, 4.5, 10, 20, reading="deviation"))
_SIDE = Strengths("side of the kernel, pixels", 1, {side: {"sides": (side,)} for side in (3, 5, 7, 9)})
_SHARE = Strengths("share of the side cut off, %", 0, _fixed(0.05, 0.1, 0.2, 0.3, scale=100))
_QUALITY = Strengths("JPEG quality", 100, _fixed(95, 75, 50, 25, 10))

ATTACKS: dict[str, Entry] = {
    "noise": Entry(noise, _DEVIATION, papers=True),
    "blur": Entry(blur, _SIDE, papers=True),
    "cropping": Entry(crop, _SHARE, papers=True),
    "compression": Entry(jpeg, _QUALITY, papers=True),
    "relighting": Entry(relight, papers=True),
    "combination": Entry(combine, papers=True),
}


def attack(name: str, images: np.ndarray, seed: int, first: int = 0, device: str = "cpu", **options) -> np.ndarray:
    """Images uint8 (N, 3, H, H) after an attack; image i has the number ``first + i``."""
    return attack_numbered(name, images, Draws(seed, np.arange(first, first + len(images))), device, **options)


def attack_numbered(name: str, images: np.ndarray, random: Draws, device: str = "cpu", **options) -> np.ndarray:
    """The same for images of any numbers, chunk by chunk; ``ValueError`` for an unknown name."""
    if name not in ATTACKS:
        raise ValueError(f"unknown attack {name!r}; known are {', '.join(ATTACKS)}")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise ValueError(f"images must be uint8 (N, 3, H, H), square, not {images.dtype} {images.shape}")
    if len(random.numbers) != len(images):
        raise ValueError(f"{len(random.numbers)} numbers for {len(images)} images")
    out = np.empty(images.shape, np.uint8)
    step = max(1, CHUNK_PIXELS // images.shape[-1] ** 2)
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        batch = torch.from_numpy(np.array(images[part])).to(device)
        out[part] = ATTACKS[name].change(batch, random[part], **options).cpu().numpy()
    return out


@lru_cache(maxsize=64)
def blur_matrix(size: int, side: int, scale: float = 1.0) -> tuple[Tensor, int]:
    """The blur along one axis as a matrix (size, size), and its kernel's radius in pixels, cut off as its side says."""
    radius = int(np.ceil((side - 1) / 2 * scale))
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    sigma = (0.3 * ((side - 1) / 2 - 1) + 0.8) * scale  # OpenCV's rule
    weights = (-(offsets**2) / (2 * sigma**2)).exp()
    weights /= weights.sum()
    places = torch.arange(size)[:, None] + offsets.long()
    places = (places.abs() - (size - 1)).abs().neg().add(size - 1).abs()  # mirrored about the first and last pixel
    rows = torch.zeros(size, size, dtype=torch.float64).scatter_add_(1, places, weights.expand(size, -1))
    return rows.float(), radius


def banded(x: Tensor, matrix: Tensor, radius: int, axis: int) -> Tensor:
    """Images (N, C, H, H) times (H, H) along axis -1 or -2; entries farther than radius from the diagonal are zero."""
    size, parts = len(matrix), []
    for start in range(0, size, BLOCK):
        near = slice(max(0, start - radius), start + BLOCK + radius)
        rows = matrix[start : start + BLOCK, near]
        parts.append(x[..., near] @ rows.T if axis == -1 else rows @ x[..., near, :])
    return torch.cat(parts, dim=axis)


def grouped(images: Tensor, group: np.ndarray, change: Callable[[Tensor, np.ndarray, Any], Tensor]) -> Tensor:
    """Images (N, ...), each group of them changed by itself, in their old order.

    group: (N,).  change: is given the images of a group, their places (n,) among all, and the group's value.
    """
    if not len(group):
        return images
    values = np.unique(group)
    places = [np.flatnonzero(group == value) for value in values]
    order = torch.from_numpy(np.concatenate(places)).to(images.device)
    parts = images.index_select(0, order).split([len(p) for p in places])
    changed = [change(*of_group) for of_group in zip(parts, places, values, strict=True)]
    return torch.cat(changed).index_select(0, order.argsort())  # faster than writing rows of bytes to their places


def resized(size: int, start: Tensor, length: Tensor) -> Tensor:
    """Where ``size`` pixels lie that replace pixels start ... start + length - 1, as ``grid_sample`` counts: (N, size).

    start, length: (N,).
    """
    at = (torch.arange(size) + 0.5) * (length / size)[:, None] - 0.5
    at = start[:, None] + at.clamp(min=0).minimum(length[:, None] - 1)  # beyond the outermost centres, as there
    return (at + 0.5) * (2 / size) - 1


def _check_range(name: str, low: float, high: float, least: float, most: float) -> None:
    if not least <= low <= high <= most:
        raise ValueError(f"{name}: the range must lie within {least:g} ... {most:g}, not {low:g} ... {high:g}")
