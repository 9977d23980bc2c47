"""EuroSAT as published (Helber et al., 2019; MIT licence): photographs of Europe from orbit, by Sentinel-2.

Wanted is the folder of the RGB release, with one folder for each of its ten kinds of land use, in which files are
``Forest_1.jpg`` and so on, 64 x 64 px; smaller resolutions are their exact area mean.  The order is by number, then by
kind, so that consecutive parts have equally many of each kind.

Whoever has prepared images may name an npz file of them instead, in the order in which they are to be taken.
"""

import re
from pathlib import Path

import numpy as np

from ganfp.worlds import files, reader
from ganfp.worlds.npz import load_npz

SIDE = 64


def load(path: str | Path, resolution: int, count: int | None = None) -> np.ndarray:
    """The first ``count`` images (all without one) as uint8 (N, 3, resolution, resolution).

    ``resolution`` is 64 or 64 divided by a power of two.  Raises ``ValueError`` that names the file for an image of
    another size or name, and for one that cannot be read.
    """
    if resolution > SIDE or SIDE % resolution:
        raise ValueError(f"eurosat has {SIDE} px, or that divided by 2, 4, 8 ...; {resolution} px cannot be had")
    path = files.existing(path)
    if path.suffix == ".npz":
        return load_npz(path, resolution)[:count]

    def read(file: Path) -> tuple[np.ndarray, reader.Notes]:
        planes, notes = reader.decode(file, file)
        if planes.shape[1:] != (SIDE, SIDE):
            size = f"{planes.shape[2]} x {planes.shape[1]} px"
            raise ValueError(f"{file} is {size}; EuroSAT's images have {SIDE} x {SIDE}")
        return files.area_mean(planes, resolution), notes

    return files.read_all(_in_order(path)[:count], read, resolution, path)


def fingerprint(path: str | Path) -> str:
    """SHA-256, as hex, of the names and bytes of all images."""
    return files.fingerprint(path)


def _in_order(path: Path) -> list[Path]:
    """The images of all kinds, by number and kind."""
    placed = {}
    for file in reader.images_in(path)[0]:
        match = re.fullmatch(r"([A-Za-z]+)_([0-9]+)", file.stem)
        if not match or match[1] != file.parent.name:
            raise ValueError(f"{file} is not named like EuroSAT's images, such as Forest/Forest_1.jpg")
        placed[int(match[2]), match[1]] = file
    return [placed[key] for key in sorted(placed)]
