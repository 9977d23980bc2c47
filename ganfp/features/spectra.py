"""By frequency: the power of images, and a fingerprint's spectrum, autocorrelation and grid of up-sampling."""

import numpy as np


def spectrum(fingerprints: np.ndarray) -> np.ndarray:
    """Power by frequency but 0 of (K, 3, R, R), mean over colours, 0 in the middle; each sums to 1: (K, R, R)."""
    power = (np.abs(_waves(fingerprints)) ** 2).mean(axis=1)
    return np.fft.fftshift(power / power.sum(axis=(-2, -1), keepdims=True), axes=(-2, -1))


def autocorrelation(fingerprints: np.ndarray) -> np.ndarray:
    """Correlation of (K, 3, R, R) with itself, shifted cyclically, no shift in the middle, where it is 1: (K, R, R).

    It is the Fourier transform of :func:`spectrum` (Wiener and Khinchin).
    """
    power = np.fft.ifftshift(spectrum(fingerprints), axes=(-2, -1))
    return np.fft.fftshift(np.fft.fft2(power).real, axes=(-2, -1))


def grid_power(fingerprints: np.ndarray, radius: int = 2, draws: int = 20_000, seed: int = 0) -> np.ndarray:
    """How many times the power of a pattern of period 2 is that of the frequencies around it, of (K, 3, R, R).

    Enlargement by 2 that repeats every pixel leaves such a pattern: at the corners and the middles of the edges of a
    spectrum.  Each is compared with what is at most ``radius`` away, so that to rise is not to peak.  (K, 3): the mean
    ratio and its 95 % interval, from how widely the ratio scatters over ``draws`` triples of frequencies elsewhere; of
    noise 3 to 8 in 100 lie wholly above 1, the more the steeper its spectrum.  ``ValueError`` below 8 x ``radius`` px.
    """
    half = fingerprints.shape[-1] // 2
    if half < 4 * radius:
        raise ValueError(f"fingerprints of {2 * half} pixels are too small for a radius of {radius}")
    waves, shifts = _waves(fingerprints), range(-radius, radius + 1)
    power = (np.abs(waves) ** 2).mean(axis=1)
    around = np.mean([np.roll(power, (i, j), (-2, -1)) for i in shifts for j in shifts if i or j], axis=0)
    # coefficients of period 2 are real and scatter more than complex ones: of these only the real part, half of the
    # power, is like them
    ratios = (waves.real**2).mean(axis=1) / around
    measured = ratios[:, [0, half, half], [half, 0, half]].mean(axis=1)
    away = np.abs((np.arange(2 * half) + half // 2) % half - half // 2) > radius  # from the mean and from the grid
    elsewhere = 2 * ratios[:, away[:, None] | away]
    triples = np.random.default_rng(seed).integers(elsewhere.shape[1], size=(draws, 3))
    scatter = np.percentile(elsewhere[:, triples].mean(axis=-1), [97.5, 2.5], axis=1)
    return np.stack([measured, *(measured / scatter)], axis=1)


def radial_power(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of images (N, C, R, R) in rings of frequency 1, 2, ... R / 2 cycles per picture: both (R / 2,)."""
    size = images.shape[-1]
    power = (np.abs(np.fft.fft2(images, norm="ortho")) ** 2).mean(axis=(0, 1))
    frequency = np.fft.fftfreq(size, 1 / size)
    ring = np.rint(np.hypot(frequency[:, None], frequency[None])).astype(int)
    rings = np.arange(1, size // 2 + 1)
    return rings, np.array([power[ring == r].mean() for r in rings])


def _waves(fingerprints: np.ndarray) -> np.ndarray:
    return np.fft.fft2(fingerprints - fingerprints.mean(axis=(-2, -1), keepdims=True))
