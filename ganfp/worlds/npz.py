"""Anybody's images, from an npz file, brought to one size as those of a folder are."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganfp.worlds.files import COLOURS, existing, square_mean, warn

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
        raise ValueError(f"{path} has shape {shape}: channels first or last? Neither axis rules the other out")
    if last:
        return _Layout(*shape[1:], last=True)
    if first:
        return _Layout(*shape[2:], shape[1], last=False)
    # (H, W, 3) and (3, H, W) are more likely one image in colour than several in grey
    if len(shape) == 3 and shape[2] not in channels and shape[0] not in (3, 4):
        return _Layout(*shape[1:], 1, last=False)
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
    warn(path, Counter({COLOURS.get(layout.channels): shape[0]}))
    return out


def _pieces(path: Path, stream, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """The array in flat pieces of whole images, to the end of the stream, where zip checks its checksum."""
    size = int(np.prod(shape[1:], dtype=np.int64))
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        data = stream.read(count * size)
        if len(data) < count * size:
            raise ValueError(f"{path} is truncated: {start + len(data) // size} of {shape[0]} images are there")
        yield np.frombuffer(data, np.uint8)
    if stream.read(1):
        raise ValueError(f"{path} is damaged: bytes follow its last image")
