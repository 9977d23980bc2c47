"""The artifact-free tenth of Section 4.3: which test images are perceptually closest to real ones.

Every source is selected by one rule, the real one included: which images of a class are kept is then no cue in itself.
"""

from itertools import product

import numpy as np

from ganfp import metrics
from ganfp.paper.attribution import seed_setup
from ganfp.paper.record import Record, record
from ganfp.runs.recipes.base import DISTANCES, Recipe
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
