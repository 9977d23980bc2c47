"""Is it this generator?  Search for the latent that makes an image, and look at what is left of the image.

Albright and McCloskey, "Source generator attribution via inversion", CVPR workshops 2019: a generator can make its own
images (nearly) exactly, and others' it cannot.  No attributor is trained, but the generator must be at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganfp.attributors.base import check_images
from ganfp.images import quantise, to_float
from ganfp.seeding import mix

STARTS, KEPT = 4, 1  # latents that the search begins with, and how many of them it goes on with
STEPS = 30, 100  # of gradient descent before and after the worse are left behind
RATE = 0.2  # of Adam, falling to 0 along a quarter of a wave
PASSES = 512  # images that pass the generator at a time


@dataclass(frozen=True)
class Inversion:
    """What a generator can make of N images: ``errors`` (N,), root mean squares in grey levels, of its nearest images
    ``remade``, uint8 (N, 3, R, R), which it makes of ``latents`` (N, D)."""

    errors: np.ndarray
    remade: np.ndarray
    latents: np.ndarray


def invert(
    generate: Callable[[Tensor], Tensor], images: np.ndarray, latent: int, seed: int = 0,
    starts: int = STARTS, steps: tuple[int, int] = STEPS, device: str = "cpu",
) -> Inversion:  # fmt: skip
    """The nearest images to ``images``, uint8 (N, 3, R, R), that a generator makes.

    generate: latents (n, latent) ~ N(0, 1) -> images (n, 3, R, R) in [-1, 1], differentiable.  Least squares by Adam,
    from ``starts`` random latents for each image; after the first of ``steps`` the best :data:`KEPT` go on.  An image's
    starts depend on ``seed`` and on its place.
    """
    images = check_images(images)
    if starts < 1 or min(steps) < 1:
        raise ValueError(f"starts and steps must be 1 or more, not {starts} and {steps}")
    wanted, found = to_float(images, device), []
    random = torch.Generator().manual_seed(mix(seed))
    first = torch.randn(len(images), starts, latent, generator=random)
    for some in torch.arange(len(images)).split(max(1, PASSES // starts)):
        z, x = first[some].to(device), wanted[some]
        for count, kept in zip(steps, (min(KEPT, starts), 1), strict=True):
            z = _best(generate, _descended(generate, z, x, count), x, kept)
        found.append(z[:, 0])
    z = torch.cat(found)
    with torch.no_grad():
        remade = torch.cat([quantise(generate(part)) for part in z.split(PASSES)]).cpu().numpy()
    errors = np.sqrt(((remade.astype(np.float32) - images) ** 2).mean(axis=(1, 2, 3)))
    return Inversion(errors, remade, z.cpu().numpy())


def _descended(generate: Callable[[Tensor], Tensor], z: Tensor, x: Tensor, steps: int) -> Tensor:
    """Latents (N, S, D) after so many steps towards images x (N, 3, R, R)."""
    z = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([z], betas=(0.9, 0.99))
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = RATE * float(np.cos(0.5 * np.pi * step / steps))
        optimiser.zero_grad()
        _squares(generate, z, x).sum().backward()
        optimiser.step()
    return z.detach()


def _squares(generate: Callable[[Tensor], Tensor], z: Tensor, x: Tensor) -> Tensor:
    """Mean squared error (N, S) of what latents (N, S, D) make."""
    made = generate(z.flatten(0, 1)).unflatten(0, z.shape[:2])
    return (made - x[:, None]).square().mean(dim=(2, 3, 4))


@torch.no_grad()
def _best(generate: Callable[[Tensor], Tensor], z: Tensor, x: Tensor, count: int) -> Tensor:
    """The best of each image's latents, (N, count, D), the best first."""
    order = _squares(generate, z, x).topk(count, largest=False).indices
    return z.take_along_dim(order[:, :, None], dim=1)
