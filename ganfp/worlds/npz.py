"""Anybody's images, from an npz file, brought to one size as those of a folder are."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ganfp.machine import memory
from ganfp.worlds.files import existing, square_mean, warn
from ganfp.worlds.reader import COLOURS, LARGEST

Shape = tuple[int, ...]
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
    with _opened(path) as archive, archive.open(name := _array_name(path, archive)) as stream:
        shape, channels = _image_shape(path, *_header(stream))
        _check_size(path, shape, archive.getinfo(name).file_size - stream.tell(), resolution)
        out, done = np.empty((shape[0], 3, resolution, resolution), np.uint8), 0
        for piece in _pieces(path, stream, shape):
            planes = piece[:, None] if channels is None else np.moveaxis(piece, channels, 1)[:, :3]
            squares = square_mean(planes, resolution, path)
            out[done : done + len(squares)] = squares  # one channel of grey broadcasts to three
            done += len(squares)
    if note := COLOURS[shape[channels] if channels else 1]:
        warn(path, {note: shape[0]})
    return out


def numbers(path: Path, name: str, count: int) -> np.ndarray | None:
    """The whole numbers (count,) that an npz file has under a name; None where it does not have the name."""
    with _opened(path) as archive:
        if f"{name}.npy" not in archive.namelist():
            return None
        with archive.open(f"{name}.npy") as stream:
            shape, _, dtype = _header(stream)
            if shape != (count,) or dtype.kind not in "iu":
                raise ValueError(f"{path}: {name} has shape {shape} and holds {dtype}; wanted is one number an image")
            return np.frombuffer(stream.read(count * dtype.itemsize), dtype).reshape(shape)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever the readers of zip and of numpy's headers meet is a ``ValueError`` that names the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} is not an npz file, or a damaged one: {error}") from error


def _array_name(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    if "images.npy" in names:
        return "images.npy"
    if len(names) != 1:
        keys = ", ".join(name.removesuffix(".npy") for name in names) or "none"
        raise ValueError(f"{path} must hold an array called 'images', or one array only; it holds: {keys}")
    return names[0]


def _header(stream) -> tuple[Shape, bool, np.dtype]:
    version = np.lib.format.read_magic(stream)
    header_1, header_2 = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
    return (header_1 if version == (1, 0) else header_2)(stream)


def _image_shape(path: Path, shape: Shape, fortran: bool, dtype: np.dtype) -> tuple[Shape, int | None]:
    """The array's shape, and which of its axes has the channels, if any: (N, H, W) has none."""
    if dtype != np.uint8:
        raise ValueError(f"{path} holds an array of {dtype}; images must be uint8, 0 to 255")
    if fortran:
        raise ValueError(f"{path} is in Fortran order; save np.ascontiguousarray(images)")
    if min(shape, default=0) < 1:
        raise ValueError(f"{path} holds no images: its array has shape {shape}")
    axes = [axis for axis in (1, 3) if len(shape) == 4 and shape[axis] in COLOURS]
    if len(axes) == 2:
        raise ValueError(f"{path} has shape {shape}: channels first or last? Neither axis rules the other out")
    # (H, W, 3) and (3, H, W) are more likely one image in colour than several in grey
    if not axes and (len(shape) != 3 or shape[2] in COLOURS or shape[0] in (3, 4)):
        images = "(N, H, W, C) or (N, C, H, W) with C = 1, 3 or 4, or (N, H, W)"
        raise ValueError(f"{path} has shape {shape}; images are {images}")
    return shape, axes[0] if axes else None


def _check_size(path: Path, shape: Shape, there: int, resolution: int) -> None:
    """Refuse what the header promises and the file does not hold, and what would not fit, before anything is read."""
    size, result = math.prod(shape[1:]), 3 * shape[0] * resolution**2
    if there < shape[0] * size:
        raise ValueError(f"{path} is truncated: {max(0, there) // size} of {shape[0]} images are there")
    if there > shape[0] * size:
        raise ValueError(f"{path} is damaged: bytes follow its last image")
    if size > 4 * LARGEST:
        raise ValueError(f"{path} has shape {shape}: images of more than {LARGEST:,} pixels are not read")
    if result > memory():
        raise ValueError(f"{path} holds {shape[0]:,} images: {result:,} bytes at {resolution} px, more than the memory")


def _pieces(path: Path, stream, shape: Shape) -> Iterator[np.ndarray]:
    """The array in pieces of whole images, to the end of the stream, where zip checks its checksum."""
    size = math.prod(shape[1:])
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        data = stream.read(count * size)
        if len(data) < count * size:
            raise ValueError(f"{path} is truncated: {start + len(data) // size} of {shape[0]} images are there")
        yield np.frombuffer(data, np.uint8).reshape(-1, *shape[1:])
    stream.read(1)  # zip checks its checksum when it meets the end
