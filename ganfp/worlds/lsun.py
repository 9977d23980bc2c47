"""LSUN as published (Yu et al., arXiv 1506.03365): one LMDB per category, or a folder of the images exported from it.

An entry of the LMDB is an encoded image under its name, 40 hexadecimal digits.  The first images are taken, in the
order of the names: the paper uses the first 200,000 bedrooms (official code; the "20,000" of Section 4.1 must be a
slip).  They were reduced to a shorter side of 256 px and then compressed with losses: at 128 px a faint trace of the
blocks, now 4 x 4 px, stays in every real image.
"""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np

from ganfp.worlds import files, lmdb_reader, reader

DATA = "data.mdb"


def load(path: str | Path, resolution: int, count: int | None = None) -> np.ndarray:
    """The first ``count`` images (all without one) as uint8 (N, 3, resolution, resolution), by name.

    Memory is that of the result: entries are read one by one.  Raises ``ValueError`` that names the file and the key
    for an entry that is not a readable image or too small, ``ImportError`` if an LMDB is named and lmdb is missing.
    """
    path = files.existing(path)
    database = _database(path)
    if not database:
        return files.load_folder(path, resolution, count)
    with lmdb_reader.opened(database, count) as entries:
        if not entries.keys:
            raise ValueError(f"{database} holds no images")

        def read(key: bytes) -> tuple[np.ndarray, reader.Notes]:
            name = f"{database}, key {key.decode('ascii', 'backslashreplace')}"
            planes, notes = reader.decode(BytesIO(entries.value(key)), name)
            return files.square_mean(planes, resolution, name), notes

        return files.read_all(entries.keys, read, resolution, database)


def fingerprint(path: str | Path) -> str:
    """SHA-256, as hex: of the names and bytes of a folder's images, but of an LMDB, which may be huge, of less.

    An LMDB is known by its size in bytes, pages and entries, its last transaction, and its first and last entry.
    Whatever is written through LMDB shows.  What does not are bytes changed behind LMDB's back, and another database
    written in the same way, with all sizes equal, that differs only in between.
    """
    path = files.existing(path)
    database = _database(path)
    if not database:
        return files.fingerprint(path)
    with lmdb_reader.opened(database, 0) as entries:
        digest = hashlib.sha256(repr(tuple(entries.facts["numbers"])).encode())
        for part in entries.ends:  # none in an empty one
            digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _database(path: Path) -> Path | None:
    """The file of an LMDB; None for a folder of images."""
    if path.is_file():
        return path
    if (path / DATA).is_file():
        return path / DATA
    if inside := sorted(file.parent for file in path.glob(f"*/{DATA}")):
        raise ValueError(f"{path} holds {len(inside)} LMDB, none of its own; name one: lsun:{inside[0]}")
    return None
