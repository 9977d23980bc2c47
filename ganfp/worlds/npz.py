"""Anybody's images, from an npz file, brought to one size as those of a folder are."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganfp.worlds.files import existing, square_mean, warn
from ganfp.worlds.reader import COLOURS

_CHUNK = 1 << 24  # source bytes that an npz is read by; the memory beyond the result is a small multiple of it


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
            shape, channels = _header(path, stream)
            out, done = np.empty((shape[0], 3, resolution, resolution), np.uint8), 0
            for piece in _pieces(path, stream, shape):
                planes = piece[:, None] if channels is None else np.moveaxis(piece, channels, 1)[:, :3]
                squares = square_mean(planes, resolution, path)
                out[done : done + len(squares)] = squares  # one channel of grey broadcasts to three
                done += len(squares)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"{path} is not an npz file, or a damaged one: {error}") from error
    if note := COLOURS[shape[channels] if channels else 1]:
        warn(path, {note: shape[0]})
    return out


def _array_name(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    if "images.npy" in names:
        return "images.npy"
    if len(names) != 1:
        keys = ", ".join(name.removesuffix(".npy") for name in names) or "none"
        raise ValueError(f"{path} must hold an array called 'images', or one array only; it holds: {keys}")
    return names[0]


def _header(path: Path, stream) -> tuple[tuple[int, ...], int | None]:
    """The array's shape, and which of its axes has the channels, if any: (N, H, W) has none."""
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
    axes = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] in COLOURS]
    if len(axes) == 2:
        raise ValueError(f"{path} has shape {shape}: channels first or last? Neither axis rules the other out")
    # (H, W, 3) and (3, H, W) are more likely one image in colour than several in grey
    if not axes and (len(shape) != 3 or shape[2] in COLOURS or shape[0] in (3, 4)):
        images = "(N, H, W, C) or (N, C, H, W) with C = 1, 3 or 4, or (N, H, W)"
        raise ValueError(f"{path} has shape {shape}; images are {images}")
    return shape, axes[0] if axes else None


def _pieces(path: Path, stream, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The array in pieces of whole images, to the end of the stream, where zip checks its checksum."""
    size = int(np.prod(shape[1:], dtype=np.int64))
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        data = stream.read(count * size)
        if len(data) < count * size:
            raise ValueError(f"{path} is truncated: {start + len(data) // size} of {shape[0]} images are there")
        yield np.frombuffer(data, np.uint8).reshape(-1, *shape[1:])
    if stream.read(1):
        raise ValueError(f"{path} is damaged: bytes follow its last image")
