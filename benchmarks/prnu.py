"""Denoising residuals: batched, against a loop over images with PyWavelets and SciPy.

    python benchmarks/prnu.py [--seconds 3]

Prints milliseconds per image on one thread, the ratio, and the largest difference between the two results.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pywt
import torch
from scipy.ndimage import uniform_filter

from ganfp.attributors.prnu import max_levels, residuals

SIGMA = 5.0


def loop(images: np.ndarray, sigma: float, levels: int) -> np.ndarray:
    """The filter as one would write it for one picture, channel by channel."""
    out = np.empty(images.shape, dtype=np.float32)
    for i, image in enumerate(images):
        for c, channel in enumerate(image.astype(np.float32)):
            coefficients = pywt.wavedec2(channel, "db4", level=levels)
            for scale in range(1, len(coefficients)):
                coefficients[scale] = tuple(wiener(band, sigma) for band in coefficients[scale])
            height, width = channel.shape
            out[i, c] = channel - pywt.waverec2(coefficients, "db4")[:height, :width]
    return out


def wiener(band: np.ndarray, sigma: float) -> np.ndarray:
    power = band**2
    least = np.min([uniform_filter(power, window, mode="mirror") for window in (3, 5, 7, 9)], axis=0)
    signal = np.maximum(least - sigma**2, 0)
    return band * signal / (signal + sigma**2)


def milliseconds(function: Callable, images: np.ndarray, levels: int, seconds: float) -> float:
    """Per image: the fastest of the repetitions that fit into the given time."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        function(images, SIGMA, levels)
        times.append(time.perf_counter() - start)
    return 1000 * min(times) / len(images)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each measurement")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    print(f"{'size':>6} {'levels':>6} {'loop ms':>8} {'batched ms':>10} {'ratio':>6} {'difference':>10}")
    for size, count in ((32, 256), (128, 32)):
        images = np.random.default_rng(0).integers(0, 256, (count, 3, size, size), dtype=np.uint8)
        levels = max_levels(size)
        difference = np.abs(residuals(images, SIGMA, levels) - loop(images, SIGMA, levels)).max()
        fast = milliseconds(residuals, images, levels, seconds)
        slow = milliseconds(loop, images, levels, seconds)
        print(f"{size:>6} {levels:>6} {slow:>8.3f} {fast:>10.3f} {slow / fast:>6.1f} {difference:>10.1e}")


if __name__ == "__main__":
    main()
