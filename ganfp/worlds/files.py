"""Anybody's images, from an npz file or a folder, as uint8 (N, 3, R, R).

One rule brings an image of any size to R x R: the largest centred square, then the exact mean over the area
of each new pixel, rounded to nearest (halves up).  Where the side is a multiple of R that is the plain box
mean; otherwise a source pixel on a border counts by the share that lies inside (Pillow's BOX filter takes it
whole or not at all).  Nothing is ever enlarged, and a square of side R passes unchanged.

Greyscale is repeated to three channels, and an alpha channel is dropped (the stored colours stay, as in the
official code; compositing would invent a background); a warning counts both.  What is not 8 bits per channel,
not readable or too small is a ``ValueError`` that names the file: an image is never skipped.
"""

from __future__ import annotations

import hashlib
import logging
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

IMAGE_SUFFIXES = frozenset(".avif .bmp .gif .jfif .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split())
_CHUNK = (
    1 << 24
)  # source bytes that an npz is read by; the memory beyond the result is a small multiple of it
_PLANES = 1 << 21  # source pixels that are averaged at a time

log = logging.getLogger(__name__)
Item = TypeVar("Item")


def fingerprint(path: str | Path) -> str:
    """SHA-256, as hex, of an npz file or a folder of images: changed files are another data set.

    A file: its bytes.  A folder: the sorted relative names of its images, each with the SHA-256 of its bytes,
    so that a renamed image counts as a change (it moves in the order) and a touched one does not.
    """
    path = existing(path)
    if path.is_file():
        return sha256(path)
    digest = hashlib.sha256()
    files = images_in(path)[0]
    with ThreadPoolExecutor(_workers()) as pool:
        for file, content in zip(files, pool.map(sha256, files), strict=True):
            digest.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def existing(path: str | Path) -> Path:
    """The path, ``~`` expanded; ``FileNotFoundError`` where there is nothing."""
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    return path


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --------------------------------------------------------------------------------------------------------
# Centred square and area average


def square_mean(images: np.ndarray, resolution: int, name: str | Path) -> np.ndarray:
    """Largest centred square, and its area mean: uint8 (..., H, W) -> uint8 (..., R, R), R = ``resolution``.

    ``name`` is what the ``ValueError`` calls images that are too small.
    """
    height, width = images.shape[-2:]
    side = min(height, width)
    if side < resolution:
        raise ValueError(
            f"{name} is {width} x {height} px: too small for {resolution} px; images are never enlarged"
        )
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side]
    return area_mean(np.ascontiguousarray(square), resolution)


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


# --------------------------------------------------------------------------------------------------------
# npz


def load_npz(path: str | Path, resolution: int) -> np.ndarray:
    """Images of an npz file as uint8 (N, 3, resolution, resolution), in the file's order.

    The file holds one uint8 array called ``images``, or only one array: (N, H, W, C) or (N, C, H, W) with
    1, 3 or 4 channels, or greyscale (N, H, W).  It is read in pieces: memory is that of the result.
    Raises ``ValueError`` that names the file for anything else, ``FileNotFoundError`` where there is none.
    """
    path = existing(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not an npz file; write folder:{path}")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_array_name(path, archive)) as stream:
            shape, layout = _header(path, stream)
            return _read_npz(path, stream, shape, layout, resolution)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"{path} is not an npz file, or a damaged one: {error}") from error


def _array_name(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    if "images.npy" in names:
        return "images.npy"
    if len(names) != 1:
        keys = ", ".join(name.removesuffix(".npy") for name in names) or "none"
        raise ValueError(f"{path} must hold an array called 'images', or one array only; it holds: {keys}")
    return names[0]


@dataclass(frozen=True)
class _Layout:
    height: int
    width: int
    channels: int
    last: bool  # whether the channels are the last axis

    def planes(self, piece: np.ndarray) -> np.ndarray:
        """A flat piece of the array as (n, C, H, W)."""
        if self.last:
            return piece.reshape(-1, self.height, self.width, self.channels).transpose(0, 3, 1, 2)
        return piece.reshape(-1, self.channels, self.height, self.width)


def _header(path: Path, stream) -> tuple[tuple[int, ...], _Layout]:
    try:
        version = np.lib.format.read_magic(stream)
        header_1, header_2 = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
        shape, fortran, dtype = (header_1 if version == (1, 0) else header_2)(stream)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if dtype != np.uint8:
        raise ValueError(f"{path} holds an array of {dtype}; images must be uint8, 0 to 255")
    if fortran:
        raise ValueError(f"{path} is in Fortran order; save np.ascontiguousarray(images)")
    if 0 in shape:
        raise ValueError(f"{path} holds no images: its array has shape {shape}")
    return shape, _layout(path, shape)


def _layout(path: Path, shape: tuple[int, ...]) -> _Layout:
    """Which axes are which.  Raises ``ValueError`` where the shape does not tell."""
    channels = (1, 3, 4)
    first = len(shape) == 4 and shape[1] in channels
    last = len(shape) == 4 and shape[3] in channels
    if first and last:
        raise ValueError(
            f"{path} has shape {shape}: channels first or last? Neither axis rules the other out"
        )
    if last:
        return _Layout(shape[1], shape[2], shape[3], last=True)
    if first:
        return _Layout(shape[2], shape[3], shape[1], last=False)
    # (H, W, 3) and (3, H, W) are more likely one image in colour than several in grey
    if len(shape) == 3 and shape[2] not in channels and shape[0] not in (3, 4):
        return _Layout(shape[1], shape[2], 1, last=False)
    raise ValueError(
        f"{path} has shape {shape}; images are (N, H, W, C) or (N, C, H, W) with C = 1, 3 or 4, or (N, H, W)"
    )


def _read_npz(path: Path, stream, shape: tuple[int, ...], layout: _Layout, resolution: int) -> np.ndarray:
    out = np.empty((shape[0], 3, resolution, resolution), np.uint8)
    done = 0
    for piece in _pieces(path, stream, shape):
        squares = square_mean(layout.planes(piece)[:, :3], resolution, path)
        out[done : done + len(squares)] = squares  # one channel of grey broadcasts to three
        done += len(squares)
    _warn(path, Counter({_COLOURS.get(layout.channels): shape[0]}))
    return out


def _pieces(path: Path, stream, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The array in flat pieces of whole images, to the end of the stream, where zip checks its checksum."""
    size = int(np.prod(shape[1:], dtype=np.int64))
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        data = stream.read(count * size)
        if len(data) < count * size:
            raise ValueError(
                f"{path} is truncated: {start + len(data) // size} of {shape[0]} images are there"
            )
        yield np.frombuffer(data, np.uint8)
    if stream.read(1):
        raise ValueError(f"{path} is damaged: bytes follow its last image")


# --------------------------------------------------------------------------------------------------------
# Folder


def load_folder(path: str | Path, resolution: int, count: int | None = None) -> np.ndarray:
    """Images of a folder and its sub-folders as uint8 (N, 3, resolution, resolution), by relative name.

    Files with a suffix of ``IMAGE_SUFFIXES`` are images; the others and hidden ones are left out and counted
    in the log.  An orientation in the EXIF data is applied; of an animation the first frame counts.  With a
    ``count`` no more than that are read, from the first on.
    Raises ``ValueError`` that names the file or the folder, ``FileNotFoundError`` where there is none.
    """
    path = existing(path)
    if not path.is_dir():
        raise ValueError(f"{path} is a file, not a folder of images; an npz file is read with npz:{path}")
    files, others = images_in(path)
    if others:
        log.info("%s: %d files without an image suffix left out", path, others)

    def read(file: Path) -> tuple[np.ndarray, str | None]:
        planes, note = decode(file, file)
        return square_mean(planes, resolution, file), note

    return read_all(files[:count], read, resolution, path)


def load_exact(path: str | Path, resolution: int) -> tuple[list[Path], np.ndarray]:
    """The image files of a folder and their pixels, uint8 (N, 3, resolution, resolution), untouched.

    Another size raises ``ValueError`` that names the file: a fingerprint does not survive a resize.
    """
    path = existing(path)
    files, _ = images_in(path)

    def read(file: Path) -> tuple[np.ndarray, str | None]:
        planes, note = decode(file, file)
        if planes.shape[1:] != (resolution, resolution):
            height, width = planes.shape[1:]
            raise ValueError(
                f"{file} is {width} x {height} px, not {resolution} x {resolution}; "
                "resizing would destroy the fingerprint"
            )
        return planes, note

    return files, read_all(files, read, resolution, path)


def read_all(
    items: Sequence[Item], read: Callable[[Item], tuple[np.ndarray, str | None]], resolution: int, name: str | Path
) -> np.ndarray:
    """Images as uint8 (N, 3, resolution, resolution), in the order of ``items``; the first bad one ends the reading.

    ``read`` gives an item's planes, uint8 (1 or 3, resolution, resolution), and what was done to its colours, as
    :func:`decode` says it; it is called by several threads.  ``name`` is what the warnings call all of them.
    """
    out = np.empty((len(items), 3, resolution, resolution), np.uint8)

    def fill(i: int) -> str | None:
        out[i], note = read(items[i])  # one channel of grey broadcasts to three
        return note

    with ThreadPoolExecutor(_workers()) as pool:
        try:
            notes = Counter(pool.map(fill, range(len(items))))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _warn(name, notes)
    return out


def images_in(path: Path) -> tuple[list[Path], int]:
    """Image files under a folder, sorted by relative name, and the number of other files."""
    images, others = [], 0
    for folder, folders, names in os.walk(path):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                images.append(Path(folder, name))
            else:
                others += 1
    if not images:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise ValueError(f"{path} holds no images: none of its {others} files ends in {known}")
    return sorted(images, key=lambda file: file.relative_to(path).as_posix()), others


def decode(source: Path | BinaryIO, name: str | Path) -> tuple[np.ndarray, str | None]:
    """An image file (a path, or its bytes as a stream) as uint8 (1 or 3, H, W), and what was done to its colours.

    ``name`` is what the ``ValueError`` calls an image that cannot be read or is not 8 bits per channel.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(source) as image:
            tiles = str(image.tile)  # how the bytes are packed; gone once the image is loaded
            image.load()
            image = ImageOps.exif_transpose(image)
    except Exception as error:  # decoders raise whatever they meet: OSError, SyntaxError, struct.error, ...
        raise ValueError(f"{name} is not a readable image: {error}") from error
    # Pillow cuts 16-bit colour to 8 bits without a word, and only the raw mode of the tiles tells.
    mode = "16-bit RGB" if ";16" in tiles and image.mode in ("RGB", "RGBA", "LA") else image.mode
    if mode not in _MODES:
        raise ValueError(f"{name} has colour mode {mode}; save it as 8-bit RGB or greyscale")
    note = "transparent" if "transparency" in image.info else _MODES[mode]
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")  # the palette's colours, whatever its transparency
    pixels = np.asarray(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1), note


_COLOURS = {1: "grey", 4: "transparent"}
_MODES = {
    "1": "grey",
    "L": "grey",
    "LA": "grey",
    "P": None,
    "PA": "transparent",
    "RGB": None,
    "RGBA": "transparent",
}
_NOTES = {
    "grey": "greyscale, repeated to three channels",
    "transparent": "with an alpha channel, which was dropped",
}


def _warn(name: str | Path, notes: Counter) -> None:
    for note, text in _NOTES.items():
        if notes[note]:
            log.warning("%s: %d images are %s", name, notes[note], text)


def _workers() -> int:
    return min(8, os.cpu_count() or 1)
