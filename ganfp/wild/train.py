"""From labelled files to a model: what is held out, how long a network learns, how good it is, what it may have learned."""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganfp import metrics
from ganfp.attributors import METHODS, attributor_class
from ganfp.machine import cores
from ganfp.metrics import Accuracy
from ganfp.wild import leak, stream
from ganfp.wild.collect import LeftOut, natural
from ganfp.wild.leak import Header
from ganfp.wild.model import Answers, Model
from ganfp.wild.prepare import TILES, Preparation

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
    """Files of the same length as their sources, headers, and clusters: files of one name in several sources are one."""

    paths: list[Path]
    sources: list[str]
    headers: list[Header]
    clusters: list[int]

    def __getitem__(self, chosen: Sequence[int]) -> "Labelled":
        return Labelled(*([values[i] for i in chosen] for values in vars(self).values()))


@dataclass
class Trained:
    """A model, and what was measured on the test images, by method: accuracy of each, confusion of the model's."""

    model: Model
    accuracies: dict[str, Accuracy]
    confusion: np.ndarray
    headers: Accuracy
    ghosts: dict[str, Accuracy]
    warnings: list[str] = field(default_factory=list)


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
    owners: dict[str, set[str]] = {}
    for (_, source), header in zip(files, headers, strict=True):
        if isinstance(header, Header):
            owners.setdefault(header.digest, set()).add(source)
    paths, sources, good, first = [], [], [], {}
    for (path, source), header in zip(files, headers, strict=True):
        if isinstance(header, str):
            left.append((path, header))
        elif len(owners[header.digest]) > 1:
            left.append((path, f"has the same bytes under several sources: {', '.join(sorted(owners[header.digest]))}"))
        elif header.digest in first:
            left.append((path, f"is a copy of {first[header.digest]}"))
        else:
            first[header.digest] = path
            paths.append(path), sources.append(source), good.append(header)
    stems = {stem: i for i, stem in enumerate(dict.fromkeys(path.stem for path in paths))}
    return Labelled(paths, sources, good, [stems[path.stem] for path in paths])


def fitting(labelled: Labelled, preparation: Preparation, left: LeftOut) -> Labelled:
    """The files of which the preparation makes squares, by their headers; the others are added to ``left``."""
    good = []
    for i, header in enumerate(labelled.headers):
        try:
            preparation.check(*header.size)
            good.append(i)
        except ValueError as error:
            left.append((labelled.paths[i], str(error)))
    return labelled[good]


def choose(headers: Sequence[Header], methods: Sequence[str], kind: str | None, size: int | None, tiles: int | None):
    """The preparation: what was asked for, else squares as they are where all have one size, else tiles.

    Without a size tiles have the largest power of two that nine images in ten hold, and :data:`LARGEST` at most.
    """
    sides = np.sort([min(header.size) for header in headers])
    one = {header.size for header in headers}
    square = one == {(sides[0], sides[0])}
    fits = sides[0] >= 8 and not sides[0] & (sides[0] - 1) or not {"cnn", "visnet"} & set(methods)
    if kind is None:
        kind = "exact" if square and fits and size in (None, sides[0]) else "tiles"
    if size is None:
        power = 1 << int(sides[len(sides) // 10]).bit_length() - 1
        size = int(sides[0]) if kind == "exact" else min(LARGEST, power)
    return Preparation(kind, size, tiles or TILES)


def divide(labelled: Labelled) -> dict[str, Labelled]:
    """Training, validation and test files of each source, in this order of its names: neighbours stay together.

    Where most files have namesakes in another source, as attacked copies have, namesakes go into one part.  ``ValueError``
    names a source with too few images.
    """
    sources = np.array(labelled.sources)
    names, clusters = sorted(set(labelled.sources)), np.array(labelled.clusters)
    for name in names:
        if (count := int((sources == name).sum())) < LEAST:
            raise ValueError(f"{name} has {count} images that can be used; a source needs {LEAST} or more")
    _, sizes = np.unique(clusters, return_counts=True)
    paired = (sizes > 1).sum() > len(sizes) / 2
    share = np.empty(len(sources))
    if paired:
        order = sorted(set(labelled.clusters), key=lambda c: natural(Path(labelled.paths[labelled.clusters.index(c)].stem)))
        place = dict(zip(order, np.arange(len(order)) / len(order), strict=True))
        share[:] = [place[cluster] for cluster in labelled.clusters]
    else:
        for name in names:
            rows = np.flatnonzero(sources == name)
            share[rows] = np.arange(len(rows)) / len(rows)
        labelled = Labelled(*list(vars(labelled).values())[:3], list(range(len(sources))))
    edges = np.cumsum(list(PARTS.values()))
    part = np.searchsorted(edges[:-1], share, "right")
    parts = {name: labelled[np.flatnonzero(part == i).tolist()] for i, name in enumerate(PARTS)}
    for name, one in parts.items():
        if missing := set(names) - set(one.sources):
            raise ValueError(f"{min(missing)} has no {name} images: its names come all before or after the others'")
    return parts


def settings(method: str, squares: int, size: int, images: int | None) -> dict[str, Any]:
    """The settings of a method for so many training squares; ``images``: how many a network is shown, if not the default.

    The network grows with the size, so that its first stage has at least eight feature maps.
    """
    if method not in NETWORKS:
        return {}
    least, most = IMAGES[method]
    shown = images or min(most, max(least, SHOWINGS * squares))
    return {**NETWORKS[method], "images": shown, "fmap_base": max(512, 8 * size)}


def squares_of(
    labelled: Labelled, preparation: Preparation, scratch: Path, left: LeftOut, seen: Callable[[int], object] = int
) -> tuple[np.ndarray, np.ndarray, Labelled]:
    """All squares uint8 (n, 3, S, S), how many of each file, and the files that have any."""
    tiles = preparation.tiles if preparation.kind == "tiles" else 1
    out = room((len(labelled.paths) * tiles, 3, preparation.size, preparation.size), scratch)
    counts, good, at = [], [], 0
    for i, item in enumerate(stream.read(labelled.paths, preparation, seen)):
        if item.squares is None:
            left.append((item.path, item.reason))
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
    progress: Callable[[str], Callable[[float], None]] = lambda what: lambda share: None,
) -> Trained:  # fmt: skip
    """Fit each method, take the one that names most validation images rightly, and measure it on the test images.

    scratch: a folder with room for what does not fit into memory.  progress: from what is done to what is told its share.
    """
    parts = divide(labelled)
    read: dict[str, tuple[np.ndarray, np.ndarray, Labelled]] = {}
    for name, part in parts.items():
        report, done = progress(f"reading {name}"), 0

        def seen(more: int, report=report, total=len(part.paths)) -> None:
            nonlocal done
            done += more
            report(done / total)

        read[name] = squares_of(part, preparation, scratch, left, seen)
    labels = {name: np.repeat(files.sources, counts) for name, (_, counts, files) in read.items()}
    found: dict[str, tuple[Model, Accuracy, Accuracy, np.ndarray]] = {}
    for method in methods:
        kind = attributor_class(method)
        known = settings(method, len(read["train"][0]), preparation.size, images)
        more = {"seed": seed} if "seed" in kind.__dataclass_fields__ else {}
        attributor = kind(**known, **more, device=device)
        held = read["validation"][0], labels["validation"]
        attributor.fit(read["train"][0], labels["train"], held, progress(f"training {method}"))
        model = Model(attributor, preparation)
        validation, test = ((_pooled(model, *read[name][:2]), read[name][2]) for name in ("validation", "test"))
        model.calibrate(validation[0], attributor.columns(validation[1].sources))
        chosen, right = (_accuracy(model, *one) for one in (validation, test))
        found[method] = model, chosen, right, test[0]
    best = max(found, key=lambda method: found[method][1].value)
    model, _, accuracy, scores = found[best]
    files, classes = read["test"][2], model.attributor.classes_
    named = classes[scores.argmax(axis=1)]
    learned = read["train"][2]
    headers = leak.by_headers(learned.headers, learned.sources, files.headers, files.sources)
    shares = leak.by_ghosts(files.paths, files.sources, preparation.size)
    chance = 100 * max(files.sources.count(name) for name in classes) / len(files.sources)
    confusion = metrics.confusion_matrix(files.sources, named, classes)
    known = Answers(model, scores, np.ones(len(scores), int), np.ones(len(scores), int))
    model.facts = {
        "method": METHODS[best].row, "test": vars(accuracy), "confusion": confusion.tolist(),
        "images": {name: {c: one[2].sources.count(c) for c in classes} for name, one in read.items()},
        "none": [int(known.unknown.sum()), len(scores)], "headers": vars(headers), "ghosts": {name: vars(share) for name, share in shares.items()},
    }  # fmt: skip
    rights = {method: one[2] for method, one in found.items()}
    return Trained(model, rights, confusion, headers, shares, leak.warnings(headers, shares, chance))


def _pooled(model: Model, squares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    scores = model.attributor.scores(squares).astype(np.float64)
    return np.add.reduceat(scores, np.cumsum(counts) - counts) / counts[:, None]


def _accuracy(model: Model, scores: np.ndarray, files: Labelled) -> Accuracy:
    named = model.attributor.classes_[scores.argmax(axis=1)]
    return metrics.accuracy(files.sources, named, files.clusters)
