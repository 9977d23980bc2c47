"""Does the way in which images were saved give their source away?  Two controls that look at no fingerprint.

A classifier may learn that one source came as JPEG and the other as PNG instead of learning the sources (page x2).
"""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganfp import metrics
from ganfp.features import ghosts
from ganfp.files import sha256
from ganfp.metrics import Accuracy
from ganfp.wild import stream
from ganfp.wild.prepare import Preparation
from ganfp.worlds.reader import opened

PER_SOURCE = 100  # images of which ghosts are looked for
LARGEST = 128  # px of a square in which they are looked for
POINTS = 5  # between two shares of ghosts, below which no warning is given


class Header(NamedTuple):
    """What a file says before its pixels: format, colour mode, size, JPEG's tables; and the digest of all its bytes."""

    format: str
    mode: str
    size: tuple[int, int]
    tables: str
    digest: str


def header(path: Path) -> Header:
    """The header of an image file; ``ValueError`` names one that has none."""
    with opened(path, path) as image:
        tables = getattr(image, "quantization", None) or {}
        known = str(sorted((key, list(table)) for key, table in tables.items()))
        return Header(str(image.format), image.mode, image.size, known, sha256(path))


def by_headers(
    train: Sequence[Header], sources: Sequence[str], test: Sequence[Header], truth: Sequence[str]
) -> Accuracy:
    """How many test images are named rightly by the most frequent source of their format, mode, size and tables."""
    seen: dict[tuple, Counter[str]] = {}
    for one, source in zip(train, sources, strict=True):
        seen.setdefault(one[:-1], Counter())[source] += 1  # all but the digest
    common = Counter(sources)
    named = [seen.get(one[:-1], common).most_common(1)[0][0] for one in test]
    return metrics.accuracy(list(truth), named)


def by_ghosts(paths: Sequence[Path], sources: Sequence[str], size: int) -> dict[str, Accuracy]:
    """The share of each source's images that show a JPEG ghost, in one square of at most ``PER_SOURCE`` of them."""
    shares = {}
    for source in sorted(set(sources)):
        some = [path for path, one in zip(paths, sources, strict=True) if one == source][:PER_SOURCE]
        items = stream.read(some, Preparation("tiles", min(size, LARGEST), 1))  # with the phase of JPEG's grid
        squares = [item.squares for item in items if item.squares is not None]
        if squares:
            found = ghosts.dips(ghosts.differences(np.concatenate(squares))).max(axis=1) > ghosts.THRESHOLD
            shares[source] = metrics.share(found)
    return shares


def warnings(headers: Accuracy, shares: dict[str, Accuracy], chance: float) -> list[str]:
    """What the controls give reason to say; ``chance``: percent that the most frequent source alone would have."""
    said = []
    if headers.low > chance:
        said.append(
            f"format leak: the files' headers alone (format, colour mode, size, JPEG tables) name "
            f"{headers.value:.1f} % of the test images rightly, where {chance:.1f} % is chance"
        )
    pairs = combinations(shares.values(), 2)
    if any(abs(a.value - b.value) > POINTS and (a.low > b.high or b.low > a.high) for a, b in pairs):
        shown = ", ".join(f"{source} {share.value:.0f} %" for source, share in shares.items())
        why = "JPEG ghosts, or strong patterns that repeat every 2, 4 or 8 pixels, are not equally frequent"
        said.append(f"format leak: {why}: {shown}")
    if said:
        said.append(
            "the accuracy may be that of a detector of formats: bring all sources through the same steps (format, "
            "size, quality) and train again; page x2 of the book shows how far this goes"
        )
    return said
