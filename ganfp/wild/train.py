"""From labelled files to a model: what is held out, how long a network learns, how good it is."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import metrics
from ganfp.attributors import attributor_class
from ganfp.attributors.prnu import max_levels
from ganfp.machine import cores
from ganfp.wild import leak, stream
from ganfp.wild.collect import LeftOut, natural
from ganfp.wild.leak import Header
from ganfp.wild.model import Answers, Model
from ganfp.wild.prepare import TILES, Preparation
from ganfp.wild.stream import Report

PARTS = {"train": 0.65, "validation": 0.15, "test": 0.2}
LEAST = 20  # images of a source
IN_MEMORY = 1 << 31  # bytes of squares, beyond which they are kept in a file
LARGEST = 128  # px of squares, where nobody says another size: larger ones are worth more seconds than they give
SHOWINGS = 12  # of each training square to a network ...
IMAGES = {"cnn": (40_000, 3_000_000), "visnet": (14_400, 1_000_000)}  # ... but so many squares at least and at most
NETWORKS: dict[str, dict[str, Any]] = {  # the schedules of profile quick
    "cnn": dict(
        fmap_max=128, learning_rate=0.02, rise=0.2, decay=0.5, flip=False, checks=10, optimiser="muon", boost=3.0,
        precision="auto",
    ),
    "visnet": dict(fmap_max=64, batch=16, learning_rate=0.008, rise=0.3, decay=0.5, ema=0.99, flip=False, checks=10),
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Files, with the source and header of each, and its cluster: files of one name in several sources are one.

    Clusters are numbered in the natural order of their names.
    """

    paths: list[Path]
    sources: list[str]
    headers: list[Header]
    clusters: list[int]

    def __getitem__(self, chosen: Sequence[int]) -> "Labelled":
        return Labelled(*([values[i] for i in chosen] for values in vars(self).values()))


def looked_at(files: Sequence[tuple[Path, str]], left: LeftOut) -> Labelled:
    """The files that are images, each picture once; what is not is added to ``left``.

    Bytes that lie under two sources have no source, and are left out of both.
    """

    def look(one: tuple[Path, str]) -> Header | str:
        try:
            return leak.header(one[0])
        except (ValueError, OSError) as error:
            return str(error).removeprefix(f"{one[0]} ")

    with ThreadPoolExecutor(min(8, cores())) as pool:
        headers = list(pool.map(look, files))
    owners: dict[str, dict[str, Path]] = {}  # of each content, with the first file of each
    for (path, source), header in zip(files, headers, strict=True):
        if isinstance(header, Header):
            owners.setdefault(header.digest, {}).setdefault(source, path)
    good: list[tuple[Path, str, Header]] = []
    for (path, source), header in zip(files, headers, strict=True):
        if isinstance(header, str):
            left.add(path, header)
        elif len(owns := owners[header.digest]) > 1:
            left.add(path, f"has the same bytes under several sources: {', '.join(sorted(owns))}")
        elif owns[source] != path:
            left.add(path, f"is a copy of {owns[source]}")
        else:
            good.append((path, source, header))
    if not good:
        raise ValueError(f"none of {len(files)} files can be used, such as {left[-1][0]}: {left[-1][1]}")
    paths, sources, found = map(list, zip(*good, strict=True))
    return Labelled(paths, sources, found, clusters(paths, sources))


def clusters(paths: Sequence[Path], sources: Sequence[str]) -> list[int]:
    """The cluster of each file: those are one whose paths below their sources' folders differ in the suffix alone."""
    parents: dict[str, set[Path]] = {}
    for path, source in zip(paths, sources, strict=True):
        parents.setdefault(source, set()).add(path.parent)
    homes = {source: os.path.commonpath(folders) for source, folders in parents.items()}
    names = [path.relative_to(homes[source]).with_suffix("") for path, source in zip(paths, sources, strict=True)]
    number = {name: i for i, name in enumerate(sorted(set(names), key=natural))}
    return [number[name] for name in names]


def fitting(labelled: Labelled, preparation: Preparation, left: LeftOut) -> Labelled:
    """The files of which the preparation makes squares, by their headers; the others are added to ``left``."""
    good = []
    for i, header in enumerate(labelled.headers):
        try:
            preparation.check(*header.size)
            good.append(i)
        except ValueError as error:
            left.add(labelled.paths[i], str(error))
    if not good:
        raise ValueError(f"none of {len(labelled.paths)} images can be used: {left[-1][0]} {left[-1][1]}")
    return labelled[good]


def choose(headers: Sequence[Header], methods: Sequence[str], kind: str | None, size: int | None, tiles: int | None):
    """The preparation: what was asked for, else squares as they are where all have one size, else tiles.

    Without a size squares as they are have that of most of them; others have the largest power of two that nine images
    in ten hold, and :data:`LARGEST` at most.  ``ValueError`` for a size that one of the methods cannot take.
    """
    sides = np.sort([min(header.size) for header in headers])
    square = {header.size for header in headers} == {(sides[0], sides[0])}
    networks = sorted(NETWORKS.keys() & methods)
    fits = sides[0] >= 8 and not sides[0] & (sides[0] - 1) or not networks
    if kind is None:
        kind = "exact" if square and fits and size in (None, sides[0]) else "tiles"
    if size is None:
        power = 1 << int(sides[len(sides) // 10]).bit_length() - 1
        squares = Counter(min(header.size) for header in headers if header.size[0] == header.size[1])
        most = squares.most_common(1)[0][0] if squares else int(sides[0])
        size = most if kind == "exact" else min(LARGEST, power)
    if networks and size & (size - 1):
        other = "name a power of two, with --prepare tiles, centre or box, or another --method"
        raise ValueError(f"--size: {networks[0]} cannot take squares of {size} px; {other}")
    if "prnu" in methods:
        max_levels(size)  # raises for too small a size, before anything is read
    return Preparation(kind, size, tiles or TILES)


def divide(labelled: Labelled) -> dict[str, Labelled]:
    """Training, validation and test files of each source, in this order of its names: neighbours stay together.

    Files of one name in several sources, as attacked copies have, go into one part.  So the names are divided, those of
    each set of sources that share so many by themselves: sources of unequal size have their share of each part.
    ``ValueError`` names a source with too few images.
    """
    names = sorted(set(labelled.sources))
    for name in names:
        if (count := labelled.sources.count(name)) < LEAST:
            raise ValueError(f"{name} has {count} images that can be used; a source needs {LEAST} or more")
    owners: dict[int, set[str]] = {}
    for cluster, source in zip(labelled.clusters, labelled.sources, strict=True):
        owners.setdefault(cluster, set()).add(source)
    often = Counter(map(frozenset, owners.values()))
    groups: dict[frozenset[str], list[int]] = {}  # what few share is divided together, in a group of its own
    for cluster, shared in sorted(owners.items()):
        groups.setdefault(frozenset(shared) if often[frozenset(shared)] >= LEAST else frozenset(), []).append(cluster)
    place = {cluster: i / len(group) for group in groups.values() for i, cluster in enumerate(group)}
    edges = np.cumsum(list(PARTS.values()))
    part = np.searchsorted(edges[:-1], [place[cluster] for cluster in labelled.clusters], "right")
    parts = {name: labelled[np.flatnonzero(part == i).tolist()] for i, name in enumerate(PARTS)}
    for name, one in parts.items():
        if missing := set(names) - set(one.sources):
            raise ValueError(f"{min(missing)} has no {name} images: give it more images, or names of its own")
    return parts


def settings(method: str, squares: int, size: int, images: int | None) -> dict[str, Any]:
    """The settings of a method for so many training squares; a network is shown ``images``, or as many as suit them.

    The network grows with the size, so that its first stage has at least eight feature maps.
    """
    if method not in NETWORKS:
        return {}
    least, most = IMAGES[method]
    shown = images or min(most, max(least, SHOWINGS * squares))
    return {**NETWORKS[method], "images": shown, "fmap_base": max(512, 8 * size)}


def squares_of(
    labelled: Labelled, preparation: Preparation, scratch: Path, left: LeftOut, report: Report
) -> tuple[np.ndarray, np.ndarray, Labelled]:
    """All squares uint8 (n, 3, S, S), how many of each file, and the files that have any."""
    tiles = preparation.tiles if preparation.kind == "tiles" else 1
    out = room((len(labelled.paths) * tiles, 3, preparation.size, preparation.size), scratch)
    counts, good, at = [], [], 0
    items = (item for some in stream.each(labelled.paths, preparation, list, report) for item in some)
    for i, item in enumerate(items):
        if item.squares is None:
            left.add(item.path, item.reason)
            continue
        out[at : at + len(item.squares)] = item.squares
        at += len(item.squares)
        counts.append(len(item.squares))
        good.append(i)
    if not good:
        raise ValueError(f"none of {len(labelled.paths)} images can be read, such as {left[-1][0]}: {left[-1][1]}")
    return out[:at], np.array(counts), labelled[good]


def room(shape: tuple[int, ...], scratch: Path) -> np.ndarray:
    """An empty uint8 array: in memory, or, where it is large, in a file below ``scratch`` that nobody sees."""
    size = int(np.prod(shape, dtype=np.int64))
    if size <= IN_MEMORY:
        return np.empty(shape, np.uint8)
    with tempfile.TemporaryFile(dir=scratch) as file:
        if hasattr(os, "posix_fallocate"):  # a full disk is an error now, and no crash later
            os.posix_fallocate(file.fileno(), 0, size)
        return np.memmap(file, np.uint8, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=shape)


def train(
    labelled: Labelled, methods: Sequence[str], preparation: Preparation, scratch: Path, left: LeftOut,
    images: int | None = None, device: str = "cpu", seed: int = 0,
    progress: Callable[[str], Report] = lambda what: lambda share: None,
) -> Model:  # fmt: skip
    """Fit each method, take the one that names most validation images rightly, and measure all on the test images.

    scratch: a folder with room for what does not fit into memory.  progress: from what is done to what is told its
    share.  What was measured is in the model's ``facts``: ``accuracies`` of each method, ``confusion`` (rows are the
    truth), how many test images look like ``none`` of these, the controls of :mod:`ganfp.wild.leak` and its warnings.
    """
    read = {
        name: squares_of(part, preparation, scratch, left, progress(f"reading {name}"))
        for name, part in divide(labelled).items()
    }
    labels = {name: np.repeat(files.sources, counts) for name, (_, counts, files) in read.items()}
    (squares, _, learned), held, (_, _, files) = read["train"], read["validation"], read["test"]
    found: dict[str, tuple[Model, float, Answers]] = {}
    for method in methods:
        kind = attributor_class(method)
        known = settings(method, len(squares), preparation.size, images)
        more = {"seed": seed} if "seed" in kind.__dataclass_fields__ else {}
        model = Model(kind(**known, **more, device=device), preparation)
        model.attributor.fit(squares, labels["train"], (held[0], labels["validation"]), progress(f"training {method}"))
        validation, test = (model.pooled(*read[name][:2]) for name in ("validation", "test"))
        model.calibrate(validation.scores, model.attributor.columns(held[2].sources))
        found[method] = model, float((validation.sources == held[2].sources).mean()), test
    model, _, test = max(found.values(), key=lambda one: one[1])
    headers = leak.by_headers(learned.headers, learned.sources, files.headers, files.sources)
    ghosts = leak.by_ghosts(files.paths, files.sources, preparation.size)
    classes, truth = model.attributor.classes_, files.sources
    chance = 100 * max(Counter(truth).values()) / len(truth)
    right = {name: metrics.accuracy(truth, one.sources, files.clusters) for name, (*_, one) in found.items()}
    warnings = leak.warnings(headers, ghosts, chance)
    if right[model.attributor.method].low <= chance:
        remedy = "add images, or let --method all choose another method"
        warnings.append(f"{model.attributor.method} is not shown to be better than chance ({chance:.1f} %): {remedy}")
    model.facts = {
        "accuracies": {name: vars(one) for name, one in right.items()}, "none": [int(test.unknown.sum()), len(truth)],
        "confusion": metrics.confusion_matrix(truth, test.sources, classes).tolist(),
        "images": {name: {c: one.sources.count(c) for c in classes.tolist()} for name, (_, _, one) in read.items()},
        "headers": vars(headers), "ghosts": {name: vars(share) for name, share in ghosts.items()},
        "warnings": warnings,
    }  # fmt: skip
    return model
