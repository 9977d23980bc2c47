"""The attacks beside what a user would pick instead: a loop over images with Pillow and OpenCV, and kornia.

    python benchmarks/attacks.py [--seconds 1] [--size 32 --size 128]

Prints microseconds per image on one thread, and how many times as long each of the others takes: all in one run, on the
same images, with the same distribution of strengths.  OpenCV and kornia are not among the project's dependencies; what
is missing is said and left out (noise and crops in the loop need numpy and Pillow alone).
"""

from __future__ import annotations

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy is imported, or it has no effect

import argparse  # noqa: E402
import io  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402

from ganfp import attacks, relighting  # noqa: E402
from ganfp.worlds import faces  # noqa: E402

try:
    import cv2
except ImportError:
    cv2 = None
try:
    import kornia
except ImportError:
    kornia = None


# ---------------------------------------------------------------- the loop, as one would write it for (H, W, 3) images


def loop_noise(image: np.ndarray, rng) -> np.ndarray:
    deviation = np.sqrt(rng.uniform(5, 20))
    return np.clip(np.rint(image + rng.normal(0, deviation, image.shape)), 0, 255).astype(np.uint8)


def loop_blur(image: np.ndarray, rng) -> np.ndarray:
    side = int(rng.choice([1, 3, 5, 7, 9]))
    return cv2.GaussianBlur(image, (side, side), 0.3 * ((side - 1) / 2 - 1) + 0.8)


def loop_crop(image: np.ndarray, rng) -> np.ndarray:
    size = len(image)
    side = size - max(1, round(rng.uniform(0.05, 0.2) * size))
    x, y = rng.integers(0, size - side + 1, 2)
    part = Image.fromarray(image[y : y + side, x : x + side])
    return np.asarray(part.resize((size, size), Image.Resampling.BILINEAR))


def loop_jpeg(image: np.ndarray, rng) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=int(rng.integers(10, 76)), subsampling="4:2:0")
    return np.asarray(Image.open(file))


def loop_relight(image: np.ndarray, rng) -> np.ndarray:
    """The same formula, image by image, in numpy."""
    lights = relighting.random_lamps(torch.from_numpy(rng.random((1, 4)))).numpy()[0]
    basis = BASIS[len(image)]
    pixels = image.reshape(-1, 3).T / 255.0
    flat = pixels.mean(axis=1, keepdims=True)
    square = basis @ basis.T / basis.shape[1] + relighting.RIDGE * np.eye(9)
    old = np.linalg.solve(square, basis @ (pixels - flat).T / basis.shape[1]).T
    old[:, :1] += flat / relighting._C1
    shades = []
    for light in (lights, old):
        shade = light @ basis
        shades.append(np.maximum(shade / shade.mean(axis=1, keepdims=True), relighting.DARKEST))
    ratio = np.clip(shades[0] / shades[1], *relighting.RATIO)
    return np.clip(np.rint(255 * pixels * ratio), 0, 255).astype(np.uint8).T.reshape(image.shape)


def loop_combine(image: np.ndarray, rng) -> np.ndarray:
    for step in (loop_relight, loop_crop, loop_blur, loop_jpeg, loop_noise):
        if rng.random() < 0.5:
            image = step(np.ascontiguousarray(image), rng)
    return image


LOOPS = {
    "noise": loop_noise,
    "blur": loop_blur,
    "cropping": loop_crop,
    "compression": loop_jpeg,
    "relighting": loop_relight,
    "combination": loop_combine,
}
NEEDS_OPENCV = ("blur", "combination")
BASIS: dict[int, np.ndarray] = {}


def looped(name: str, images: np.ndarray, _: int) -> np.ndarray:
    """The loop, from and to (N, 3, H, H) as everything here."""
    rng = np.random.default_rng(0)
    pixels = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return np.stack([LOOPS[name](image, rng) for image in pixels]).transpose(0, 3, 1, 2)


# ---------------------------------------------------------------- kornia: what it has, on batches of floats


def kornia_blur(x: torch.Tensor) -> torch.Tensor:
    """A kernel for each image costs a call for each kernel."""
    choice, out = np.random.default_rng(0).integers(0, 5, len(x)), x.clone()
    for i, side in enumerate((3, 5, 7, 9), start=1):
        sigma = 0.3 * ((side - 1) / 2 - 1) + 0.8
        chosen = np.flatnonzero(choice == i)
        out[chosen] = kornia.filters.gaussian_blur2d(x[chosen], (side, side), (sigma, sigma), "reflect")
    return out


def kornia_jpeg(x: torch.Tensor) -> torch.Tensor:
    quality = torch.from_numpy(np.random.default_rng(0).integers(10, 76, len(x)).astype(np.float32))
    return kornia.enhance.jpeg_codec_differentiable(x, quality)


def kornia_crop(x: torch.Tensor) -> torch.Tensor:
    size = x.shape[-1]
    return kornia.augmentation.RandomResizedCrop((size, size), (0.64, 0.9025), (1.0, 1.0), p=1.0)(x)


def kornia_noise(x: torch.Tensor) -> torch.Tensor:
    return kornia.augmentation.RandomGaussianNoise(0.0, 3.5 / 255, p=1.0)(x)  # one strength: it has no range


KORNIA = {"noise": kornia_noise, "blur": kornia_blur, "cropping": kornia_crop, "compression": kornia_jpeg}


def by_kornia(name: str, images: np.ndarray, _: int) -> np.ndarray:
    x = torch.from_numpy(images).float() / 255
    with torch.inference_mode():
        return (KORNIA[name](x) * 255).round().clamp(0, 255).to(torch.uint8).numpy()


def microseconds(function: Callable, name: str, images: np.ndarray, seconds: float) -> float:
    """Per image: the fastest of the repetitions that fit into the given time; of the processor, not of the clock."""
    function(name, images, 0)
    times, end = [], time.process_time() + seconds
    while not times or time.process_time() < end:
        start = time.process_time()
        function(name, images, 0)
        times.append(time.process_time() - start)
    return 1e6 * min(times) / len(images)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each measurement")
    parser.add_argument("--size", type=int, action="append", help="side of the images; 32 and 128 by default")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for module, name in ((cv2, "OpenCV"), (kornia, "kornia")):
        if module is None:
            print(f"{name} is not installed: its columns stay empty (pip install opencv-python-headless kornia)")
    if cv2 is not None:
        cv2.setNumThreads(1)
    print(f"{'size':>5}  {'attack':<12} {'ours, us':>9} {'loop, us':>9} {'ratio':>6} {'kornia, us':>11} {'ratio':>6}")
    for size in options.size or (32, 128):
        images = faces.draw(256 if size <= 32 else 32, size, seed=1)
        BASIS[size] = relighting.harmonics(relighting.prior(size)).flatten(1).numpy()
        for name in attacks.ATTACKS:
            ours = microseconds(attacks.attack, name, images, options.seconds)
            line = f"{size:>5}  {name:<12} {ours:>9.1f}"
            can_loop = cv2 is not None or name not in NEEDS_OPENCV
            for function, can in ((looped, can_loop), (by_kornia, kornia is not None and name in KORNIA)):
                width = 9 if function is looped else 11
                other = microseconds(function, name, images, options.seconds) if can else None
                line += f" {'-':>{width}} {'-':>6}" if other is None else f" {other:>{width}.1f} {other / ours:>6.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
