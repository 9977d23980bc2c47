"""Relighting in the spirit of SfSNet (Sengupta et al. 2018): another light, the same picture.

An image is taken as albedo times shading, ``I = A S``.  A Lambertian surface under distant light has a shading that
nine spherical harmonics of its normals describe (Ramamoorthi and Hanrahan 2001; Basri and Jacobs 2003):

    S_c(n) = sum_k L_ck H_k(n),    c = red, green, blue

SfSNet estimates A, n and L.  Here n is a smooth prior or given, L is fitted by least squares, and A is not needed: the
light is replaced by a *ratio image*, I' = I S_new / S_old, which is smooth wherever n is.  So the high frequencies of
the image survive, and with them most of a fingerprint.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganfp.images import to_bytes

TERMS = 9
SHAPES = ("head", "dome")
HEAD_WIDTH, HEAD_HEIGHT, HEAD_DEPTH = 0.35, 0.45, 0.9  # of the bell, in half picture widths; the first two as sigmas
RIDGE = 0.05  # of the fit: the square of how far pixels are from a shading of their own, by their albedo
DARKEST = 0.2  # of a shading whose mean is 1: a fit can be negative, light cannot
RATIO = (0.4, 2.5)  # what a ratio image is clamped to

# Of spherical harmonics, times what Lambert's law leaves of their order: pi, 2 pi / 3, pi / 4.
_C1, _C2, _C3, _C4, _C5 = 0.886227, 1.023327, 0.247708, 0.858086, 0.429043
_LAMBERT = [torch.pi, *[2 * torch.pi / 3] * 3, *[torch.pi / 4] * 5]

# The random lights: one lamp before the picture, and light from everywhere.  x is right, y up, z to the viewer.
AZIMUTH, ELEVATION = 80.0, (-10.0, 60.0)  # degrees: to either side; from below the horizon to high above it
KEY = (0.4, 0.8)  # the lamp's share of all light
TINT = 0.1  # how far its red and blue are from its green, at most


def harmonics(normals: Tensor) -> Tensor:
    """The nine terms H_k(n) of normals (..., 3, H, W), unit vectors: (..., 9, H, W), in SfSNet's order."""
    x, y, z = normals.unbind(-3)
    square = _C3 * (2 * z * z - x * x - y * y), _C4 * x * z, _C4 * y * z, _C5 * (x * x - y * y), _C4 * x * y
    return torch.stack([torch.full_like(x, _C1), _C2 * z, _C2 * x, _C2 * y, *square], dim=-3)


@lru_cache(maxsize=16)
def prior(size: int, shape: str = "head") -> Tensor:
    """A shape prior: normals (3, size, size), smooth everywhere, of a surface before the picture.

    ``head``: a bell in the middle, higher than wide, on a flat background.  ``dome``: a paraboloid that fills the
    picture and is 45 degrees steep at its sides.  Bump or hollow makes no difference to a fit.
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}, not {shape!r}")
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) * (2 / size) - 1
    x, y = centres[None, :].expand(size, size), -centres[:, None].expand(size, size)
    if shape == "head":
        bell = HEAD_DEPTH * (-((x / HEAD_WIDTH) ** 2 + (y / HEAD_HEIGHT) ** 2) / 2).exp()
        x, y = bell * x / HEAD_WIDTH**2, bell * y / HEAD_HEIGHT**2
    normals = torch.stack([x, y, torch.ones_like(x)])
    return normals / normals.norm(dim=0, keepdim=True)


def fit(images: Tensor, normals: Tensor, ridge: float = RIDGE) -> Tensor:
    """The lighting L (N, 3, 9) that explains images (N, 3, H, W) in [0, 1] best if their albedo were constant.

    The least of mean (I - S)^2 + ridge |L - L_flat|^2 for each image and channel, where L_flat, from everywhere, gives
    the image its mean: without the ridge a dark face before a bright wall is taken for a strange light.
    normals: (3, H, W), or (N, 3, H, W).
    """
    basis = harmonics(normals.double()).flatten(-2)  # (9, P) or (N, 9, P)
    pixels = images.double().flatten(-2)
    mean = pixels.mean(dim=-1, keepdim=True)
    square = basis @ basis.mT / basis.shape[-1] + ridge * torch.eye(TERMS, dtype=basis.dtype, device=basis.device)
    lights = (pixels - mean) @ torch.linalg.solve(square, basis).mT / basis.shape[-1]
    lights[..., :1] += mean / _C1
    return lights


def shading(lights: Tensor, normals: Tensor) -> Tensor:
    """Shading (N, 3, H, W) of lights (N, 3, 9), at least DARKEST.  Its mean is 1 in every channel: the rest is left to
    the albedo, since what is replaced is where the light comes from, not the picture's colour."""
    basis = harmonics(normals.double())
    found = (lights.double() @ basis.flatten(-2)).unflatten(-1, basis.shape[-2:])
    mean = found.mean(dim=(-2, -1), keepdim=True)
    return (found / mean.clamp(min=1e-6)).clamp(min=DARKEST)


def ratio_image(old: Tensor, new: Tensor, normals: Tensor) -> Tensor:
    """S_new / S_old (N, 3, H, W) of two lightings (N, 3, 9), clamped to RATIO; 1 everywhere if they are the same."""
    return (shading(new, normals) / shading(old, normals)).clamp(*RATIO)


def relit(images: Tensor, lights: Tensor, normals: Tensor) -> Tensor:
    """Images (N, 3, H, W) in [0, 1] under other lights (N, 3, 9); not clamped to [0, 1]."""
    return images * ratio_image(fit(images, normals), lights, normals).to(images.dtype)


def lamp(azimuth: Tensor, elevation: Tensor, key: Tensor, tint: Tensor) -> Tensor:
    """The lighting (N, 3, 9) of one distant lamp and of light from everywhere; each argument (N,).

    azimuth, elevation: in degrees, to the right and upwards.  key: the lamp's share of all light, 0 to 1, which is
    key (1 + tint) in red and key (1 - tint) in blue.
    """
    azimuth, elevation = torch.deg2rad(azimuth.double()), torch.deg2rad(elevation.double())
    direction = torch.stack([elevation.cos() * azimuth.sin(), elevation.sin(), elevation.cos() * azimuth.cos()], -1)
    # max(0, n l) = sum_k Y_k(l) H_k(n), where H has Lambert's factor and Y has not
    toward = harmonics(direction[..., None, None]).flatten(-3) / direction.new_tensor(_LAMBERT)
    share = (key.double()[:, None] * (1 + tint.double()[:, None] * tint.new_tensor([1, 0, -1]))).clamp(0, 1)
    lights = share[..., None] * toward[:, None]
    lights[..., 0] += (1 - share) / _C1
    return lights


def relight(
    images: np.ndarray, azimuth: float = 60.0, elevation: float = 20.0, key: float = 0.6, tint: float = 0.0,
    shape: str = "head",
) -> np.ndarray:  # fmt: skip
    """Images uint8 (N, 3, H, H) under one new lamp (Section 4.4), with the numbers of :func:`ganfp.relighting.lamp`.

    shape: of the surface before the picture, ``head`` or ``dome``.
    """
    x = torch.from_numpy(np.array(images)).float().div_(255)
    new = lamp(*(torch.full((len(x),), number) for number in (azimuth, elevation, key, tint)))
    return to_bytes(relit(x, new, prior(x.shape[-1], shape)).mul_(255)).numpy()


def random_lamps(uniform: Tensor) -> Tensor:
    """Lightings (N, 3, 9) from uniform numbers (N, 4) in [0, 1): azimuth, elevation, key and tint, each uniform."""
    spans = uniform.new_tensor([(-AZIMUTH, AZIMUTH), ELEVATION, KEY, (-TINT, TINT)])
    return lamp(*(spans[:, 0] + uniform * (spans[:, 1] - spans[:, 0])).unbind(-1))
