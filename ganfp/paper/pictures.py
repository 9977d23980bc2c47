"""Pictures of the sources: the first test images, and those that are nearest to real ones."""

import numpy as np

from ganfp.paper.attribution import seed_setup
from ganfp.runs.recipes.base import DISTANCES, IMAGES, NEIGHBOURS
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run


def samples(run: Run, setup: Setup, count: int = 10) -> dict[str, np.ndarray]:
    """The first test images of every source (Figures 4, 8-12, 22-26): name -> uint8 (count, 3, R, R)."""
    sources = zip(setup.classes, setup.part("test"), strict=True)
    return {name: np.array(run.sample(sample)[:count]) for name, sample in sources}


def nearest(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The test images of each source that are nearest to real ones (Figures 5, 14, 28): name -> (count, 3, R, R)."""
    return {name: images for name, (images, _) in _ordered(run, count).items()}


def with_neighbours(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The nearest and the farthest images of the first GAN, each row above its nearest real images."""
    setup, real = seed_setup(run), run.images.part(run.array(run.images, IMAGES), "gan")
    name, found = setup.classes[1], {}
    for row, below, farthest in (("nearest", "real, beside them", False), ("farthest", "real, beside these", True)):
        images, index = _ordered(run, count, farthest)[name]
        found |= {f"{row} of {name}": images, below: real[index]}
    return found


def _ordered(run: Run, count: int, farthest: bool = False) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    setup, nearest = seed_setup(run), run.nearest(seed_setup(run))
    distances, neighbours = (
        np.asarray(run.array(nearest, name)).reshape(len(setup.sources), -1) for name in (DISTANCES, NEIGHBOURS)
    )
    found = {}
    for source, sample, distance, index in zip(setup.classes, setup.part("test"), distances, neighbours, strict=True):
        order = np.argsort(-distance if farthest else distance, kind="stable")[:count]
        found[source] = np.asarray(run.sample(sample))[order], index[order]
    return found
