"""Anybody's images, from a folder, as uint8 (N, 3, R, R).

One rule brings an image of any size to R x R: the largest centred square, then the exact mean over the area of each new
pixel, rounded to nearest (halves up); a source pixel on a border counts by the share that lies inside (Pillow's BOX
filter takes it whole or not at all).  Nothing is ever enlarged, and a square of side R passes unchanged.

Greyscale is repeated to three channels, and an alpha channel is dropped (the stored colours stay, as in the official
code; compositing would invent a background); a warning counts both.  What is not 8 bits per channel, not readable or
too small is a ``ValueError`` that names the file: an image is never skipped.
"""

import hashlib
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image

from ganfp.files import sha256
from ganfp.machine import cores

IMAGE_SUFFIXES = set(".avif .bmp .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .ppm .tga .tif .tiff .webp".split())
_SIGNED = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")  # formats known by their first bytes
_WORKERS = min(8, cores())
_PLANES = 1 << 21  # source pixels that are averaged at a time

log = logging.getLogger(__name__)
Item = TypeVar("Item")


def fingerprint(path: str | Path) -> str:
    """SHA-256, as hex, of an npz file or a folder of images: changed files are another data set.

    A file: its bytes.  A folder: the sorted relative names of its images, each with the SHA-256 of its bytes: renaming
    an image counts as a change (it moves in the order), touching it does not.
    """
    path = existing(path)
    if path.is_file():
        return sha256(path)
    digest = hashlib.sha256()
    files = images_in(path)[0]
    with ThreadPoolExecutor(_WORKERS) as pool:
        for file, content in zip(files, pool.map(sha256, files), strict=True):
            digest.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def existing(path: str | Path) -> Path:
    """The path, ``~`` expanded; ``FileNotFoundError`` where there is nothing."""
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    return path


def square_mean(images: np.ndarray, resolution: int, name: str | Path) -> np.ndarray:
    """Largest centred square's area mean: uint8 (..., H, W) -> (..., resolution, resolution); ``name``: in errors."""
    height, width = images.shape[-2:]
    side = min(height, width)
    if side < resolution:
        raise ValueError(f"{name} is {width} x {height} px: too small for {resolution} px; images are never enlarged")
    top, left = (height - side) // 2, (width - side) // 2
    return area_mean(np.ascontiguousarray(images[..., top : top + side, left : left + side]), resolution)


def area_mean(images: np.ndarray, resolution: int) -> np.ndarray:
    """Mean over the area of each new pixel: uint8 (..., S, S) -> uint8 (..., R, R), R = ``resolution``."""
    side = images.shape[-1]
    if side == resolution:
        return images.copy()
    weights = _coverage(side, resolution)
    planes = images.reshape(-1, side, side)
    out = np.empty((len(planes), resolution, resolution), np.uint8)
    step = max(1, _PLANES // side**2)
    for start in range(0, len(planes), step):
        # Whole numbers that floats of this type hold exactly: nothing is rounded before the last line.
        total = weights @ planes[start : start + step].astype(weights.dtype) @ weights.T
        out[start : start + step] = (2 * total.astype(np.int64) + side**2) // (2 * side**2)
    return out.reshape(*images.shape[:-2], resolution, resolution)


@lru_cache(maxsize=64)
def _coverage(side: int, resolution: int) -> np.ndarray:
    """Overlap (resolution, side) of new and old pixels, in units of which an old pixel has ``resolution``."""
    new, old = np.arange(resolution)[:, None] * side, np.arange(side)[None] * resolution
    overlap = np.minimum(new + side, old + resolution) - np.maximum(new, old)
    exact = np.float32 if 255 * side**2 < 2**24 else np.float64
    return overlap.clip(min=0).astype(exact)


def load_folder(path: str | Path, resolution: int, count: int | None = None) -> np.ndarray:
    """Images of a folder and its sub-folders as uint8 (N, 3, resolution, resolution), by relative name.

    Which files are images is said by :func:`images_in`; no more than ``count`` are read, from the first on.  An
    orientation in the EXIF data is applied; of an animation the first frame counts.
    Raises ``ValueError`` that names the file or the folder, ``FileNotFoundError`` where there is none.
    """
    path = existing(path)
    if not path.is_dir():
        raise ValueError(f"{path} is a file, not a folder of images; an npz file is read with npz:{path}")
    files = _images(path)

    def read(file: Path) -> tuple[np.ndarray, str | None]:
        planes, note = decode(file, file)
        return square_mean(planes, resolution, file), note

    return read_all(files[:count], read, resolution, path)


def load_exact(path: str | Path, resolution: int | None = None) -> tuple[list[Path], np.ndarray, list[str]]:
    """Images of a folder: their paths, uint8 (N, 3, resolution, resolution), and what is wrong with each other file.

    A fingerprint does not survive a resize: an image of another size is wrong, as is one that cannot be read.  Without
    ``resolution`` the first square image says it.  ``ValueError`` if all are wrong.
    """
    files = _images(existing(path))
    side = resolution or _first_square(files, path)
    out = np.empty((len(files), 3, side, side), np.uint8)

    def fill(i: int) -> tuple[str, str | None]:
        try:
            if (size := _size(files[i])) != (side, side):  # from its header: what is large is refused at once
                wrong = f"{files[i]} is {size[0]} x {size[1]} px, not {side} x {side}"
                raise ValueError(f"{wrong}; it is not resized, which would destroy a fingerprint")
            out[i], note = decode(files[i], files[i])
        except ValueError as error:
            return str(error), None
        return "", note

    with ThreadPoolExecutor(_WORKERS) as pool:
        done = list(pool.map(fill, range(len(files))))
    good, wrong = [i for i, (text, _) in enumerate(done) if not text], [text for text, _ in done if text]
    if not good:
        raise ValueError(f"{path} holds no image that can be used: {wrong[0]}")
    warn(path, Counter(note for _, note in done))
    return [files[i] for i in good], out[good] if wrong else out, wrong


def _first_square(files: Sequence[Path], folder: str | Path) -> int:
    for file in files:
        with suppress(ValueError):
            if (size := _size(file))[0] == size[1]:
                return size[0]
    raise ValueError(f"{folder} holds no square image that can be read")


def _size(file: Path) -> tuple[int, int]:
    """Width and height, as an image's header says them."""
    try:
        with Image.open(file) as image:
            return image.size
    except Exception as error:  # as in `decode`
        raise ValueError(f"{file} is not a readable image: {error}") from error


def read_all(
    items: Sequence[Item], read: Callable[[Item], tuple[np.ndarray, str | None]], resolution: int, name: str | Path
) -> np.ndarray:
    """Images as uint8 (N, 3, resolution, resolution), in the order of ``items``; the first bad one ends the reading.

    ``read``, called by several threads, gives an item's planes, uint8 (1 or 3, resolution, resolution), and what
    :func:`decode` did to its colours.  ``name`` is what the warnings call all of them.
    """
    out = np.empty((len(items), 3, resolution, resolution), np.uint8)

    def fill(i: int) -> str | None:
        out[i], note = read(items[i])  # one channel of grey broadcasts to three
        return note

    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            notes = Counter(pool.map(fill, range(len(items))))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    warn(name, notes)
    return out


def images_in(path: Path) -> tuple[list[Path], list[Path]]:
    """The images under a folder, sorted by relative name, and the other files.

    Images are regular files with a suffix of ``IMAGE_SUFFIXES`` or the first bytes of an image.  What is hidden is
    neither.  ``ValueError`` if there is no image.
    """
    images: list[Path] = []
    others: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for file in (Path(folder, name) for name in names if not name.startswith(".")):
            known = file.is_file() and (file.suffix.lower() in IMAGE_SUFFIXES or _is_image(file))
            (images if known else others).append(file)
    if not images:
        raise ValueError(f"{path} holds no images: none of its {len(others)} files is a regular file of a known format")
    return sorted(images, key=lambda file: file.relative_to(path).as_posix()), others


def _images(path: Path) -> list[Path]:
    """The same, once it is said how many files are left out."""
    images, others = images_in(path)
    if others:
        log.warning("%s: %d files left out that are no images, such as %s", path, len(others), min(others).name)
    return images


def _is_image(file: Path) -> bool:
    try:
        with Image.open(file, formats=_SIGNED):
            return True
    except Exception:  # as in `decode`
        return False


def decode(source: Path | BinaryIO, name: str | Path) -> tuple[np.ndarray, str | None]:
    """An image file (a path, or its bytes as a stream) as uint8 (1 or 3, H, W), and what was done to its colours.

    ``name`` is what the ``ValueError`` calls an image that cannot be read or is not 8 bits per channel.
    """
    try:
        with Image.open(source) as image:
            tiles = str(image.tile)  # how the bytes are packed; gone once the image is loaded
            image.load()
            image = _upright(image)
    except Exception as error:  # decoders raise whatever they meet: OSError, SyntaxError, struct.error, ...
        raise ValueError(f"{name} is not a readable image: {error}") from error
    # Pillow cuts deeper colour to 8 bits without a word; only the tiles tell, by their raw mode or largest value.
    deep = ";16" in tiles or any(int(top) > 255 for top in re.findall(r"args=\('\w+', (\d+)\)", tiles))
    mode = "RGB of more than 8 bits" if deep and image.mode in ("RGB", "RGBA", "LA") else image.mode
    if mode not in _MODES:
        raise ValueError(f"{name} has colour mode {mode}; save it as 8-bit RGB or greyscale")
    note = "transparent" if "transparency" in image.info else _MODES[mode]
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # the palette's colours, whatever its transparency
    pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), note


def _upright(image):
    """The image as its EXIF orientation says; one that cannot be read says nothing."""
    try:
        turn = _TURNS.get(image.getexif().get(0x0112))
    except Exception:  # as in `decode`
        turn = None
    return image.transpose(Image.Transpose[turn]) if turn else image


_TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip
COLOURS = {1: "grey", 3: None, 4: "transparent"}  # by the number of channels
_MODES = {"1": "grey", "L": "grey", "LA": "grey", "P": None, "PA": "transparent", "RGB": None, "RGBA": "transparent"}
_NOTES = {"grey": "greyscale, repeated to three channels", "transparent": "with an alpha channel, which was dropped"}


def warn(name: str | Path, notes: Counter) -> None:
    for note, text in _NOTES.items():
        if notes[note]:
            log.warning("%s: %d images are %s", name, notes[note], text)
