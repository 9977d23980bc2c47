"""Marra et al. 2019, which the paper calls PRNU: the mean denoising residual of a source is its fingerprint.

Marra, Gragnaniello, Verdoliva, Poggi: "Do GANs leave artificial fingerprints?", MIPR 2019.  Which denoiser
the paper's baseline used is not known; here it is the wavelet-domain Wiener filter of Mihcak, Kozintsev,
Ramchandran (ICASSP 1999), the standard of camera forensics.  It runs on batches: the wavelet transform
is a product with two matrices that PyWavelets defines, the local variances are sums of shifted arrays.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganfp.attributors.base import Attributor, Labelled, Progress, check_images, cut, on_device, standardised

WAVELET = "db4"
RADII = (1, 2, 3, 4)  # windows of 3, 5, 7 and 9 coefficients
SIGMAS = (0.5, 1.0, 2.0, 5.0, 10.0)
LEVELS = (1, 2, 4)
CHUNK_PIXELS = 2**18


@dataclass(eq=False, kw_only=True)
class PRNU(Attributor):
    """Correlates an image's denoising residual with each source's mean residual.

    sigma: strength of the denoiser in grey levels of 0 ... 255; levels: depth of its wavelet transform,
    capped at what the size allows (4 at 128 px, 2 at 32 px).  None chooses from ``SIGMAS`` and ``LEVELS`` by
    validation accuracy, the smaller on a tie, with fingerprints of at most search_images per class, and takes
    5 and 4 (camera forensics' values) without validation.  The final fingerprints are means over all training
    images.

    Colour stays as three channels of one long vector; weighting them to grey would average out what differs
    between them.  Scores are correlations in [-1, 1]; a flat residual scores 0.  ``fingerprints_``: float32
    (K, 3, H, W).
    """

    method: ClassVar[str] = "prnu"
    sigma: float | None = None
    levels: int | None = None
    search_images: int = 512

    def _check_settings(self) -> None:
        _check_denoiser(1.0 if self.sigma is None else self.sigma, 1 if self.levels is None else self.levels)

    def _fit(self, images: np.ndarray, codes: np.ndarray, validation: Labelled | None, progress: Progress) -> None:
        sigmas, depths = ((5.0,), (4,)) if validation is None else (SIGMAS, LEVELS)
        sigmas = sigmas if self.sigma is None else (self.sigma,)
        depths = depths if self.levels is None else (self.levels,)
        deepest = max_levels(self.resolution_)
        grid = [(sigma, depth) for depth in sorted({min(d, deepest) for d in depths}) for sigma in sigmas]
        best = grid[0]
        if validation is not None and len(grid) > 1:
            few = np.sort(np.concatenate([np.flatnonzero(codes == c)[: self.search_images] for c in np.unique(codes)]))
            accuracies, each = [], len(few) + len(validation[0])
            for tried, denoiser in enumerate(grid):
                progress(tried * each / (len(grid) * each + len(images)))
                self._estimate(images[few], codes[few], *denoiser)
                accuracies.append((self._scores(validation[0]).argmax(axis=1) == validation[1]).mean())
            best = grid[int(np.argmax(accuracies))]
        self._estimate(images, codes, *best)

    def _estimate(self, images: np.ndarray, codes: np.ndarray, sigma: float, levels: int) -> None:
        """The fingerprint of each class, with one denoiser."""
        self.chosen_ = {"sigma": sigma, "levels": levels}
        # float64: in float32 the sum of many images stops growing by what a single one of them adds
        sums = torch.zeros(len(self.classes_), images[0].size, dtype=torch.float64, device=self.device)
        for part in _chunks(images):
            member = F.one_hot(torch.from_numpy(codes[part]).to(self.device), len(self.classes_)).T.double()
            sums += member @ self._residuals(images[part]).flatten(1).double()
        counts = torch.from_numpy(np.bincount(codes, minlength=len(self.classes_))).to(self.device)
        self.fingerprints_ = (sums / counts[:, None]).unflatten(1, images.shape[1:]).float().cpu().numpy()

    def _residuals(self, images: np.ndarray) -> Tensor:
        return denoising_residual(on_device(images, self.device).float(), **self.chosen_)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        fingerprints = standardised(torch.from_numpy(self.fingerprints_).to(self.device))
        parts = [standardised(self._residuals(images[part])) @ fingerprints.T for part in _chunks(images)]
        return torch.cat(parts).clamp_(-1, 1).cpu().numpy()

    def _state(self) -> dict[str, np.ndarray]:
        return {"fingerprints": self.fingerprints_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.fingerprints_ = state["fingerprints"]


def residuals(images: np.ndarray, sigma: float, levels: int, device: str = "cpu") -> np.ndarray:
    """What the denoiser takes away from images: float32 (N, 3, H, W), in grey levels.

    images: uint8 (N, 3, H, H); sigma > 0 in grey levels of 0 ... 255; levels: wavelet depth, capped at
    :func:`max_levels`.  Smooth content is (nearly) absent, noise and fine pattern remain.
    """
    _check_denoiser(sigma, levels)
    images = check_images(images)
    levels = min(levels, max_levels(images.shape[-1]))
    out = np.empty(images.shape, dtype=np.float32)
    for part in _chunks(images):
        out[part] = denoising_residual(on_device(images[part], device).float(), sigma, levels).cpu().numpy()
    return out


def max_levels(size: int) -> int:
    """The deepest wavelet transform that images of that side allow; ``ValueError`` below 14 px: none."""
    import pywt

    levels = pywt.dwt_max_level(size, WAVELET)
    if levels < 1:
        raise ValueError(f"images of {size} px are too small for PRNU: {WAVELET} needs at least 14 px")
    return levels


def denoising_residual(x: Tensor, sigma: float, levels: int) -> Tensor:
    """x (N, C, H, H) minus its Wiener-filtered version (Mihcak et al.), in one recursion over the scales.

    A detail coefficient c with local signal variance v is denoised to c v / (v + sigma^2), so its residual is
    c sigma^2 / (v + sigma^2).  v is the least over four windows of max(mean c^2 - sigma^2, 0), which makes
    the denominator max(min mean c^2, sigma^2).  The approximation counts as noise-free.  The transform is
    linear: the inverse of the residual coefficients is the residual, and no denoised image is needed.
    """
    if levels == 0:
        return torch.zeros_like(x)
    forward, back = _wavelet_matrices(x.shape[-1], x.device, x.dtype)
    c = forward @ (x @ forward.T)
    half = c.shape[-1] // 2
    low, high = slice(half), slice(half, None)
    noise = torch.empty_like(c)
    noise[..., low, low] = denoising_residual(c[..., low, low], sigma, levels - 1)
    for band in ((..., low, high), (..., high, low), (..., high, high)):
        variance = _least_local_mean(c[band].square()).clamp_(min=sigma**2)
        noise[band] = c[band] * (sigma**2 / variance)
    return back @ (noise @ back.T)


def _least_local_mean(power: Tensor) -> Tensor:
    """For each entry of (N, C, H, W) the least of its means over the windows.  Each window grows out of the last."""
    h, w = power.shape[-2:]
    r = RADII[-1]
    padded = F.pad(power, (r, r, r, r), mode="reflect")
    columns = padded[..., r : r + h, :].clone()
    least = torch.full_like(power, torch.inf)
    for radius in RADII:
        columns += padded[..., r - radius : r - radius + h, :]
        columns += padded[..., r + radius : r + radius + h, :]
        mean = columns[..., r : r + w].clone()
        for shift in range(1, radius + 1):
            mean += columns[..., r - shift : r - shift + w]
            mean += columns[..., r + shift : r + shift + w]
        mean /= (2 * radius + 1) ** 2
        torch.minimum(least, mean, out=least)
    return least


@lru_cache(maxsize=32)
def _wavelet_matrices(size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """One level of the transform of that length, (2m, size), and its inverse, (size, 2m).

    PyWavelets applied to unit vectors: the matrices are its transform, and their products run on any device.
    Borders continue by reflection ("symmetric"): a periodic one would see an edge where the picture ends.
    """
    import pywt

    forward = np.concatenate(pywt.dwt(np.eye(size), WAVELET, mode="symmetric", axis=0))
    back = pywt.idwt(*np.split(np.eye(len(forward)), 2), WAVELET, mode="symmetric", axis=0)[:size]
    return torch.from_numpy(forward).to(device, dtype), torch.from_numpy(back).to(device, dtype)


def _check_denoiser(sigma: float, levels: int) -> None:
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, in grey levels, not {sigma}")
    if levels < 1:
        raise ValueError(f"levels must be at least 1, not {levels}")


def _chunks(images: np.ndarray) -> list[slice]:
    return cut(images, CHUNK_PIXELS // images.shape[-1] ** 2)
