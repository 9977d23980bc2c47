"""Anybody's images, from a folder, as uint8 (N, 3, R, R).

One rule brings an image of any size to R x R: the largest centred square, then the exact mean over the area of each new
pixel, rounded to nearest (halves up); a source pixel on a border counts by the share that lies inside (Pillow's BOX
filter takes it whole or not at all).  Nothing is ever enlarged, and a square of side R passes unchanged.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from ganfp.files import sha256
from ganfp.machine import cores
from ganfp.worlds.reader import Notes, decode, images_in, in_words

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
            digest.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode("utf-8", "surrogateescape"))
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

    Which files are images is said by :func:`ganfp.worlds.reader.images_in`, and how they are read by ``decode`` there;
    no more than ``count`` are looked at, from the first on.  What cannot be read or is too small is left out, and a
    warning says how many are and why.
    Raises ``ValueError`` where none is left, ``FileNotFoundError`` where there is no folder.
    """
    path = existing(path)
    if not path.is_dir():
        raise ValueError(f"{path} is a file, not a folder of images; an npz file is read with npz:{path}")
    files, others = images_in(path)

    def read(file: Path) -> tuple[np.ndarray, Notes]:
        planes, notes = decode(file, file)
        return square_mean(planes, resolution, file), notes

    return read_all(files[:count], read, resolution, path, [f"{file} {reason}" for file, reason in others])


def read_all(
    items: Sequence[Item], read: Callable[[Item], tuple[np.ndarray, Notes]], resolution: int, name: str | Path,
    left_out: Sequence[str] | None = None,
) -> np.ndarray:  # fmt: skip
    """Images as uint8 (N, 3, resolution, resolution), in the order of ``items``.

    ``read``, called by several threads, gives an item's planes, uint8 (1 or 3, resolution, resolution), and what
    :func:`ganfp.worlds.reader.decode` did to it.  ``name`` is what the warnings call all of them.  The first bad one
    ends the reading, unless it is said what has been ``left_out`` already, and why: then it is left out, too.
    """
    out = np.empty((len(items), 3, resolution, resolution), np.uint8)

    def fill(i: int) -> tuple[Notes, str]:
        try:
            out[i], notes = read(items[i])  # one channel of grey broadcasts to three
        except ValueError as error:
            if left_out is None:
                raise
            return (), str(error)
        return notes, ""

    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            done = list(pool.map(fill, range(len(items))))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    reasons = [*(left_out or ()), *(reason for _, reason in done if reason)]
    good = [i for i, (_, reason) in enumerate(done) if not reason]
    if not good and reasons:
        raise ValueError(f"{name} holds no image that can be used: {reasons[0]}")
    if reasons:
        log.warning("%s: %d files left out, such as: %s", name, len(reasons), reasons[0])
    warn(name, Counter(note for notes, _ in done for note in notes))
    return out if len(good) == len(items) else out[good]


def warn(name: str | Path, notes: Mapping[str, int]) -> None:
    """Log what was done to how many images."""
    for text in in_words(notes.items()):
        log.warning("%s: %s", name, text)
