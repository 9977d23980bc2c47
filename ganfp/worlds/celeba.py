"""CelebA as published (Liu et al., ICCV 2015): the aligned images, cropped as the paper crops them.

Wanted is a folder of the aligned and cropped release, 178 x 218 px, ``000001.jpg`` (img_align_celeba) or
``000001.png`` (img_align_celeba_png).  The crop is 128 px, centred at (x, y) = (89, 121): columns 25 to 152, rows 57 to
184 (Section 4.1, centre from the official code).  Smaller resolutions are its exact area mean.

The order is that of the numbers.  With the published ``identity_CelebA.txt`` in the folder or beside it the order is by
person, then number: consecutive parts then share no person, except one whose photographs an edge happens to divide.

Whoever has the crops already may name an npz file of them instead: uint8 ``images``, and who is on them in ``identity``
(N,) if the order is to be by person.
"""

import hashlib
import logging
import os
import re
from pathlib import Path

import numpy as np

from ganfp.worlds import files, reader
from ganfp.worlds.npz import load_npz, numbers

WIDTH, HEIGHT, SIDE = 178, 218, 128
LEFT, TOP = 89 - SIDE // 2, 121 - SIDE // 2
IDENTITIES = "identity_CelebA.txt"

log = logging.getLogger(__name__)


def load(path: str | Path, resolution: int, count: int | None = None) -> np.ndarray:
    """The first ``count`` images (all without one) as uint8 (N, 3, resolution, resolution).

    ``resolution`` is 128 or 128 divided by a power of two.  Raises ``ValueError`` that names the file for an image
    of another size or name, one that cannot be read, and an identity file that is damaged or not complete.
    """
    if resolution > SIDE or SIDE % resolution:
        raise ValueError(f"celeba has {SIDE} px, or that divided by 2, 4, 8 ...; {resolution} px cannot be had")
    path = files.existing(path)
    if path.suffix == ".npz":
        return _prepared(path, resolution)[:count]
    images = _in_order(path)[:count]
    if jpeg := sum(image.suffix.lower() != ".png" for image in images):
        log.warning(
            "%s: %d images are JPEG: at 128 px the grid of 8 x 8 blocks stays in every real image, always at phase %s, "
            "and a classifier may learn it instead of the GAN; at 32 px it nearly vanishes; prefer the PNG release",
            path, jpeg, (LEFT % 8, TOP % 8),
        )  # fmt: skip

    def read(file: Path) -> tuple[np.ndarray, reader.Notes]:
        planes, notes = reader.decode(file, file)
        height, width = planes.shape[1:]
        if (width, height) != (WIDTH, HEIGHT):
            raise ValueError(
                f"{file} is {width} x {height} px; wanted is CelebA's aligned and cropped release, {WIDTH} x {HEIGHT} "
                "px (img_align_celeba or img_align_celeba_png); images of another kind are read with folder:PATH"
            )
        crop = planes[:, TOP : TOP + SIDE, LEFT : LEFT + SIDE]
        return files.area_mean(np.ascontiguousarray(crop), resolution), notes

    return files.read_all(images, read, resolution, path)


def fingerprint(path: str | Path) -> str:
    """SHA-256, as hex, of the names and bytes of all images, and of the identity file where there is one."""
    path = files.existing(path)
    if path.suffix == ".npz":
        return files.fingerprint(path)
    identities = _identity_file(path)
    parts = files.fingerprint(path), files.sha256(identities) if identities else ""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _prepared(path: Path, resolution: int) -> np.ndarray:
    """Crops from an npz file, by person where it says who is on them."""
    images = load_npz(path, resolution)
    person = numbers(path, "identity", len(images))
    if person is None:
        log.info("%s: no identity there; parts may share persons", path)
        return images
    return images[np.argsort(person, kind="stable")]


def _in_order(path: Path) -> list[Path]:
    """The images by number, or by person and number."""
    if not path.is_dir():
        raise ValueError(f"{path} is a file; unpack it and name the folder, the one with 000001.jpg or 000001.png")
    numbered: dict[str, Path] = {}
    for file in reader.images_in(path)[0]:
        if not re.fullmatch(r"[0-9]{6}", file.stem):
            raise ValueError(f"{file} is not named like CelebA's images, 000001.jpg or 000001.png")
        if file.stem in numbered:
            raise ValueError(f"{file} and {numbered[file.stem]} are the same image; name the folder of one release")
        numbered[file.stem] = file
    identities = _identity_file(path)
    if not identities:
        log.info("%s: no %s there or beside it; parts may share persons", path, IDENTITIES)
        return [numbered[number] for number in sorted(numbered)]
    person = _persons(identities)
    if missing := sorted(numbered.keys() - person):
        raise ValueError(f"{identities} does not say who is on {numbered[missing[0]]}, and {len(missing) - 1} others")
    log.info("%s: ordered by person, from %s", path, identities)
    return [numbered[number] for number in sorted(numbered, key=lambda number: (person[number], number))]


def _identity_file(path: Path) -> Path | None:
    there = path / IDENTITIES, Path(os.path.abspath(path)).parent / IDENTITIES
    return next(filter(Path.is_file, there), None)


def _persons(file: Path) -> dict[str, int]:
    """Who is on each image, by the image's number; lines are ``000001.jpg 2880``."""
    persons = {}
    for i, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1):
        match = re.fullmatch(r"([0-9]{6})\.(?:jpg|png)\s+([0-9]+)", line.strip())
        if match:
            persons[match[1]] = int(match[2])
        elif line.strip():
            raise ValueError(f"{file}, line {i} is {line[:40]!r}; expected are lines like '000001.jpg 2880'")
    return persons
