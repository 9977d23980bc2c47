"""Brushes shared by the drawn data sets: soft shapes, palettes, a canvas that is lit once, grain; their factors.

One call draws one shape into every picture of a chunk: a picture's numbers are ``(B, 1, 1)``, its pixels ``(B, G, G)``.
Coordinates run from -1 to 1, x to the right, y upwards.  A shape is a signed distance, positive inside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganfp.images import quantise

Table = dict[str, np.ndarray]  # by name, (n, ...)


def pixel_grid(size: int) -> tuple[Tensor, Tensor]:
    """Pixel centres of a ``size`` x ``size`` picture: x of shape (1, 1, size), y of shape (1, size, 1)."""
    centres = (torch.arange(size, dtype=torch.float32) + 0.5) * (2 / size) - 1
    return centres[None, None, :], -centres[None, :, None]


def fill(distance: Tensor, edge: float) -> Tensor:
    """Coverage in [0, 1] of the shape where ``distance`` > 0, its smoothstep edge ``edge`` units wide."""
    t = (distance * (1 / edge)).add_(0.5).clamp_(0, 1)
    return (t * -2).add_(3).mul_(t).mul_(t)


def stroke(distance: Tensor, half: float | Tensor, edge: float) -> Tensor:
    """Coverage of the line ``|distance| < half``; one thinner than its edge fades instead of thickening."""
    return fill(distance + half, edge) - fill(distance - half, edge)


def outline(inside: Tensor, edge: float) -> Tensor:
    """Coverage of the shape where ``inside`` > 0, in whatever unit, with an edge ``edge`` pixels wide.

    The distance to the outline is the value over its slope from pixel to pixel, which is exact where the function
    is linear; ``inside`` is (B, G, G), or (B, 1, G) and (B, G, 1) where it depends on column or row alone.
    """
    inside = inside.contiguous()
    slopes = [_twice_slope(inside, axis).square_() for axis in (1, 2) if inside.shape[axis] > 1]
    slope = slopes[0] if len(slopes) == 1 else slopes[0].add_(slopes[1])
    distance = slope.clamp_(min=1e-18).rsqrt_().mul_(inside)
    return distance.mul_(2 / edge).add_(0.5).clamp_(0, 1)


def _twice_slope(values: Tensor, axis: int) -> Tensor:
    """Difference between the neighbours of each pixel along an axis; twice that to the one neighbour at a border."""
    step, last = values.stride(axis), values.shape[axis] - 1
    flat, slope = values.view(-1), torch.empty_like(values)
    torch.sub(flat[2 * step:], flat[:-2 * step], out=slope.view(-1)[step:-step])  # borders mix rows or pictures
    for place, low in ((0, 0), (last, last - 1)):
        border = values.narrow(axis, low + 1, 1) - values.narrow(axis, low, 1)
        slope.narrow(axis, place, 1).copy_(border.mul_(2))
    return slope


def bump(dx: Tensor, dy: Tensor, width: float | Tensor, height: float | Tensor) -> Tensor:
    """(1 - q / 6)^3, close to the Gaussian exp(-q / 2) of these deviations, but exactly 0 at a distance and faster."""
    core = _bell(dx, dy, width, height)
    return core * core * core


def bump_slope(dx: Tensor, dy: Tensor, width: float | Tensor, height: float | Tensor) -> Tensor:
    """What to multiply with ``dx / width**2`` and ``dy / height**2`` for the two slopes of :func:`bump`."""
    return -_bell(dx, dy, width, height).square()


def _bell(dx: Tensor, dy: Tensor, width: float | Tensor, height: float | Tensor) -> Tensor:
    distance = (dx * (6**-0.5 / width)).square_().add_((dy * (6**-0.5 / height)).square_())
    return distance.neg_().add_(1).clamp_(min=0)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products along axis 1, which has three entries: (B, 3, ...) -> (B, 1, ...)."""
    return (a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2])[:, None]


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, 3, ...) scaled to length 1."""
    return vectors / dot(vectors, vectors).sqrt_()


def palette(colours: str, t: np.ndarray, cyclic: bool = False) -> np.ndarray:
    """Colours in [0, 1], (n, 3), at ``t`` in [0, 1] along a curve through evenly spaced anchors, hex RGB."""
    anchors = np.frombuffer(bytes.fromhex(colours), np.uint8).reshape(-1, 3) / 255
    if cyclic:
        anchors = np.concatenate([anchors, anchors[:1]])
    places = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(t, places, channel) for channel in anchors.T], axis=1)


def box_average(pixels: Tensor, factor: int) -> Tensor:
    """Mean over ``factor`` x ``factor`` blocks of the last two axes."""
    flat = pixels.reshape(-1, 1, *pixels.shape[-2:])
    pooled = torch.nn.functional.avg_pool2d(flat, factor) if factor > 1 else flat
    return pooled.reshape(*pixels.shape[:-2], *pooled.shape[-2:])


class Canvas:
    """Layers of albedo, gloss and surface normals, painted back to front and lit once at the end.

    ``colour`` (B, 3, G, G) in [0, 1], ``normal`` (B, 3, G, G) with x right, y up, z to the viewer, ``gloss``
    (B, G, G) and ``bare`` (B, G, G), the share of each pixel that still shows the background.
    """

    def __init__(self, background: Tensor):
        self.backdrop, self.colour, self.normal = background, background.clone(), torch.zeros_like(background)
        self.normal[:, 2] = 1
        self.gloss, self.bare = torch.zeros_like(background[:, 0]), torch.ones_like(background[:, 0])

    def paint(self, colour: Tensor, alpha: Tensor) -> None:
        """Lay ``colour`` over what is there; the surface below keeps its normals."""
        self.colour.lerp_(colour.expand_as(self.colour), alpha[:, None])

    def add(self, colour: Tensor, alpha: Tensor, normal: Tensor, gloss: float) -> None:
        """Lay a new surface over what is there."""
        self.paint(colour, alpha)
        self.normal.lerp_(normal, alpha[:, None])
        self.gloss.lerp_(self.gloss.new_tensor(gloss), alpha)
        self.bare.addcmul_(self.bare, alpha, value=-1)

    def lit(self, light: Tensor, key: Tensor, ambient: Tensor, wrap: float = 0.2) -> Tensor:
        """Light everything but the background: albedo x (ambient + key x Lambert), and a soft highlight.

        ``light``, the unit direction to it, and the colours are (B, 3, 1, 1); by ``wrap`` it reaches round a little.
        """
        self.normal = unit(self.normal)
        halfway = unit(light + light.new_tensor([0, 0, 1])[:, None, None])
        lambert = dot(self.normal, light).add_(wrap).mul_(1 / (1 + wrap)).clamp_(min=0)
        highlight = dot(self.normal, halfway).clamp_(min=0)
        for _ in range(4):
            highlight = highlight.square_()
        sky = 1 + 0.12 * self.normal[:, 1:2]
        shaded = self.colour * (ambient * sky + key * lambert) + key * (self.gloss[:, None] * highlight)
        return shaded.lerp_(self.backdrop, self.bare[:, None])


# (cycles to the right, cycles up, amplitude in grey levels); the last four lie in the bands of 32, 32, 64 and 128 px
_GRAIN = ((4, 1, 0.4), (-3, 5, 0.4), (7, -4, 0.5), (2, 9, 0.5), (-12, 3, 0.6), (9, 11, 0.6), (-21, 10, 0.6),
          (35, 28, 0.5))  # fmt: skip


def grain(shift: Tensor, size: int, resolution: int) -> Tensor:
    """A faint texture, as of canvas: sinusoids that ``resolution`` pixels can hold, (B, size, size), of 0 ... 1.

    ``shift`` (B, 1, 1) in [0, 1] moves each wave a whole number of times round its circle: there is no fixed pattern.
    """
    x, y = pixel_grid(size)
    texture = torch.zeros(len(shift), size, size)
    for number, (right, up, amplitude) in enumerate(_GRAIN):
        if max(abs(right), abs(up)) < resolution / 2:
            wave = np.pi * (right * x + up * y)
            phase = 2 * np.pi * (number + 1) * shift.double()
            texture.addcmul_(torch.sin(wave), (amplitude / 255 * torch.cos(phase)).float())
            texture.addcmul_(torch.cos(wave), (amplitude / 255 * torch.sin(phase)).float())
    return texture


CHUNK_PIXELS = 2**17  # per tensor, half a megabyte: what a chunk works on stays in cache


@dataclass(frozen=True)
class Renderer:
    """What every drawn world does with its own factors and brushes; its methods are the world's public functions.

    ``kinds`` maps each factor to its number of categories, 0 for a continuous one; the colours of ``circle`` lie on a
    circle.  ``parameters(f, 2 * f - 1)`` turns factors into what brushes need: numbers (n, ...), all pictures' at once
    and in double precision, so that no byte depends on the chunks.  ``paint(chunk, size, resolution, maps)`` gives an
    image in 0 ... 1, masks and normals, the fields of ``scene``, drawn ``finer`` times as large, at 64 px or more.
    """

    what: str
    kinds: Mapping[str, int]
    frequencies: Mapping[str, Sequence[float]]
    circle: str
    scene: type
    parameters: Callable[[Table, Table], Table]
    paint: Callable[[SimpleNamespace, int, int, bool], tuple[Tensor, Sequence[Tensor], Tensor]]
    finer: int = 1

    def factors(self, n: int, seed: int = 0) -> Table:
        """Draw the factors of ``n`` pictures: float32 (n,) in [0, 1], or int64 (n,) categories.

        The first m of n pictures are the same whatever n.
        """
        columns = zip(self.kinds.items(), np.random.default_rng(seed).random((n, len(self.kinds))).T, strict=True)
        return {
            name: np.searchsorted(np.cumsum(self.frequencies[name])[:-1], column, side="right") if categories
            else column.astype(np.float32)
            for (name, categories), column in columns
        }  # fmt: skip

    @property
    def content_kinds(self) -> dict[str, int]:
        """What :meth:`content` gives, by name: the number of categories, 0 for a number in [0, 1]."""
        kept = {name: count for name, count in self.kinds.items() if name not in (self.circle, "grain")}
        return kept | {f"{self.circle}_sine": 0, f"{self.circle}_cosine": 0}

    def content(self, factors: Table) -> Table:
        """What a network may be asked about a picture: no grain, and of the circle its sine and cosine in [0, 1]."""
        angle = 2 * np.pi * factors[self.circle]
        waves = {f"{self.circle}_sine": (1 + np.sin(angle)) / 2, f"{self.circle}_cosine": (1 + np.cos(angle)) / 2}
        return {name: waves[name] if name in waves else factors[name] for name in self.content_kinds}

    def draw(self, n: int, resolution: int = 32, seed: int = 0) -> np.ndarray:
        """Draw ``n`` pictures: uint8 (n, 3, resolution, resolution), the same pictures at every resolution."""
        return self.render(self.factors(n, seed), resolution, maps=False).image

    def render(self, factors: Table, resolution: int = 32, maps: bool = True) -> Any:
        """The scene that ``factors`` describe, with its masks and normals if ``maps``.

        Raises ``ValueError`` for a factor that is unknown, missing or out of range, and for a resolution that is
        not a power of two from 8 to 512.
        """
        n = self._check(factors, resolution)
        size = max(self.finer * resolution, 64)
        factor, step = size // resolution, max(1, CHUNK_PIXELS // size**2)
        numbers, parts = self.numbers(factors), []
        for start in range(0, max(n, 1), step):
            chunk = SimpleNamespace(**{name: value[start : start + step] for name, value in numbers.items()})
            image, masks, normals = self.paint(chunk, size, resolution, maps)
            part = [quantise(box_average(image.clamp_(0, 1), factor) * 2 - 1)]
            if maps:
                part += [*(box_average(mask, factor) for mask in masks), unit(box_average(normals, factor))]
            parts.append(part)
        return self.scene(*(torch.cat(pieces).numpy() for pieces in zip(*parts, strict=True)))

    def numbers(self, factors: Table) -> dict[str, Tensor]:
        """What the brushes need, float32: numbers (n, 1, 1), colours and directions (n, 3, 1, 1)."""
        f = {name: np.asarray(value, None if self.kinds[name] else np.float64) for name, value in factors.items()}
        found = self.parameters(f, {name: 2 * value - 1 for name, value in f.items()})
        return {name: torch.from_numpy(np.asarray(value, np.float32))[..., None, None] for name, value in found.items()}

    def _check(self, factors: Table, resolution: int) -> int:
        """How many pictures ``factors`` describe; ``ValueError`` names what is missing, unknown or out of range."""
        if resolution not in (8, 16, 32, 64, 128, 256, 512):
            raise ValueError(f"resolution must be a power of two from 8 to 512, not {resolution!r}")
        if unknown := sorted(set(factors) - set(self.kinds)):
            raise ValueError(f"unknown factors {unknown}; {self.what} has {list(self.kinds)}")
        if missing := [name for name in self.kinds if name not in factors]:
            raise ValueError(f"missing factors {missing}; start from factors(n) and change what you need")
        shapes = {name: np.shape(value) for name, value in factors.items()}
        shape = next(iter(shapes.values()))
        if len(set(shapes.values())) > 1 or len(shape) != 1:
            raise ValueError(f"factors must be arrays of one length, not {shapes}")
        for name, categories in self.kinds.items():
            value, top = np.asarray(factors[name]), max(categories - 1, 1)
            if not ((value >= 0) & (value <= top)).all() or (categories and value.dtype.kind not in "iu"):
                kind = f"integers from 0 to {top}" if categories else "numbers in [0, 1]"
                raise ValueError(f"factor {name!r} must hold {kind}")
        return shape[0]
