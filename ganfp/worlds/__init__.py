"""Real images: drawn by code, or anybody's own files.

Every data set is uint8 (N, 3, R, R).  A name is ``faces`` or ``bedrooms`` (drawn; any number), ``npz:PATH`` or
``folder:PATH`` (a user's own; all images), or ``celeba:PATH``, ``lsun:PATH``, ``eurosat:PATH`` (as published; any
number, from the first image on).  Where several are meant, commas stand between them.
"""

import os
import re
from importlib import import_module
from types import ModuleType

import numpy as np

DRAWN = ("faces", "bedrooms")
PUBLISHED = ("celeba", "lsun", "eurosat")  # the first images are read, as many as are asked for
FILES = ("npz", "folder", *PUBLISHED)


def drawn(kind: str) -> ModuleType:
    """The renderer of a drawn data set: ``draw``, ``factors``, ``content`` and more."""
    return import_module(f"{__name__}.{kind}")


def load(name: str, resolution: int, count: int, seed: int) -> np.ndarray:
    """The images of a data set: ``count`` drawn with ``seed``, the first ``count`` published, or all of a user's."""
    kind, path = parse(name)
    if kind in DRAWN:
        return drawn(kind).draw(count, resolution, seed)
    if kind in PUBLISHED:
        return import_module(f"{__name__}.{kind}").load(path, resolution, count)
    home, function = ("npz", "load_npz") if kind == "npz" else ("files", "load_folder")
    return getattr(import_module(f"{__name__}.{home}"), function)(path, resolution)


def parse(name: str) -> tuple[str, str]:
    """``"faces"`` -> ("faces", ""); ``"npz:PATH"`` -> ("npz", "PATH"); anything else raises ``ValueError``."""
    kind, _, path = name.partition(":")
    if (kind in DRAWN and not path) or (kind in FILES and path):
        return kind, path
    known = [*DRAWN, *(f"{kind}:PATH" for kind in FILES)]
    raise ValueError(f"unknown dataset {name!r}; known are {', '.join(known)}")


def label(name: str) -> str:
    """What pages and figures call a data set: its kind and the last part of its path, ``folder:my_photos``.

    A file's name is a stranger's text: what could mean something to Markdown, HTML, Jinja or mathtext becomes ``-``.
    """
    kind, path = parse(name)
    shown = re.sub(r"(?:[^\w.]|\b_+|_+\b|\.{2,})+", "-", os.path.basename(os.path.abspath(os.path.expanduser(path))))
    return f"{kind}:{shown[:60]}" if path else kind


def names(text: str) -> list[str]:
    """``"faces,npz:a.npz"`` -> ["faces", "npz:a.npz"]; a comma counts where another data set's name follows it."""
    found = re.split(rf",\s*(?=(?:{'|'.join(DRAWN)})(?:,|$)|(?:{'|'.join(FILES)}):)", text)
    for name in found:
        parse(name)
    if len(set(found)) < len(found):
        raise ValueError(f"dataset {text!r} names a data set twice")
    return found


def absolute(text: str) -> str:
    """The same data sets, by paths that mean the same in any working folder."""
    pairs = map(parse, names(text))
    return ",".join(f"{kind}:{os.path.abspath(os.path.expanduser(path))}" if path else kind for kind, path in pairs)


def digest(name: str) -> str:
    """A digest of a user's files, so that a changed file is a new data set; empty for a drawn one."""
    kind, path = parse(name)
    if kind in DRAWN:
        return ""
    return import_module(f"{__name__}.{kind if kind in PUBLISHED else 'files'}").fingerprint(path)


SPLITS = ("gan", "train", "validation", "test")


def split(n: int, held: dict[str, int]) -> dict[str, range]:
    """Cut N real images once: ``held`` says how many go to train, validation and test, the GANs get the rest.

    The parts are consecutive, in the order of :data:`SPLITS`: a file that keeps each person's photographs together is
    cut (nearly) between persons.  ``ValueError`` if the GANs would get fewer than half as many as are held out.
    """
    sizes = [held[name] for name in SPLITS[1:]]
    if n < (least := sum(sizes) + (sum(sizes) + 1) // 2):
        raise ValueError(
            f"{n} real images are too few: {sum(sizes)} are held out for attribution (training, validation, test), "
            f"and the GANs need half as many more; give {least} or more, or choose a smaller profile"
        )
    edges = np.cumsum([0, n - sum(sizes), *sizes])
    return {name: range(a, b) for name, a, b in zip(SPLITS, edges[:-1].tolist(), edges[1:].tolist(), strict=True)}
