"""The artifact-free tenth of Section 4.3: the test images that are perceptually closest to real ones, in pictures.

Every source is selected by one rule, the real one included: which images of a class are kept is then no cue in itself.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ganfp import metrics
from ganfp.paper.attribution import seed_setup
from ganfp.paper.record import Record, record
from ganfp.runs.recipes.base import DISTANCES, IMAGES, NEIGHBOURS, Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

SHARE = 0.1  # of each source's test images, the perceptually closest to real ones
FEWEST = 4  # images of a source that an FD ratio needs
REST = "not selected"


def needs(run: Run) -> list[Recipe]:
    """The test images, and which real image is nearest to each."""
    return [run.nearest(seed_setup(run)), *seed_setup(run).part("test")]


def distance_name(run: Run) -> str:
    """What the perceptual distance of this run is: LPIPS, a deep-feature distance, or the content-feature distance."""
    return run.nearest(seed_setup(run)).distance(run.path).name


def closest(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which images are selected: of each class the closest tenth, at least four, (N,) bool."""
    kept = np.zeros(len(labels), bool)
    for name in dict.fromkeys(labels):
        mine = np.flatnonzero(labels == name)
        count = min(len(mine), max(FEWEST, round(SHARE * len(mine))))
        kept[mine[np.argsort(distance[mine], kind="stable")[:count]]] = True
    return kept


def kept(run: Run) -> np.ndarray:
    """Which test images of the seed setup are selected, (N,) bool; of the real class by the same rule."""
    setup = seed_setup(run)
    return closest(run.array(run.nearest(setup), DISTANCES), setup.labels("test"))


def brightness(run: Run, kept: np.ndarray) -> list[Record]:
    """Mean grey level, 0 to 255, of the central half of the selected images of each source, and of its others."""
    images, truth = load_part(seed_setup(run), "test", run.path)
    quarter, found = run.profile.resolution // 4, []
    grey = images[..., quarter:-quarter, quarter:-quarter].mean(axis=(1, 2, 3))
    for name, (part, rows) in product(dict.fromkeys(truth), {"selected": kept, REST: ~kept}.items()):
        mean = metrics.mean(grey[rows & (truth == name)])
        known = {"interval": (mean.low, mean.high), "column": "middle", "setup": part, "figure": "5", "n": mean.n}
        found.append(record(run, name, "brightness", mean.value, **known))
    return found


def by_distance(run: Run, count: int, farthest: bool = False) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By source, the test images nearest to or farthest from real ones, and the rows of their nearest real images."""
    setup, nearest, found = seed_setup(run), run.nearest(seed_setup(run)), {}
    by_source = (run.array(nearest, name).reshape(len(setup.sources), -1) for name in (DISTANCES, NEIGHBOURS))
    for name, sample, distance, index in zip(setup.classes, setup.part("test"), *by_source, strict=True):
        order = np.argsort(-distance if farthest else distance, kind="stable")[:count]
        found[name] = np.asarray(run.sample(sample))[order], index[order]
    return found


def samples(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The test images of each source that are nearest to real ones, nearest first: name -> (count, 3, R, R)."""
    return {name: images for name, (images, _) in by_distance(run, count).items()}


def with_neighbours(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The nearest and the farthest images of the first GAN, each row above its nearest real images."""
    name, real, found = seed_setup(run).classes[1], run.images.part(run.array(run.images, IMAGES), "gan"), {}
    for row, beside_it, farthest in (("nearest", "real, beside them", False), ("farthest", "real, beside these", True)):
        images, index = by_distance(run, count, farthest)[name]
        found |= {f"{row} of {name}": images, beside_it: real[index]}
    return found
