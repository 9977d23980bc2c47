"""Table 1 without a network: what the official save paths alone give away, and what one quantiser leaves of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganfp import metrics
from ganfp.experiments.existence import architecture_setup
from ganfp.gans import savepaths
from ganfp.paper.record import Result, accuracy_record
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample
from ganfp.runs.run import Run

CUES = {"extremes": "reaches 0, reaches 255", "lowest_bits": "and the two lowest bits"}
DEPTHS = range(1, 9)  # of the decision tree, chosen on the validation images


def parts(run: Run, split: str, save_path: str) -> list[Sample]:
    """The samples of Table 1's sources, saved by one path; real images are what they are."""
    return [
        replace(sample, save_path=save_path) if not isinstance(sample.origin, Images) else sample
        for sample in architecture_setup(run).part(split)
    ]


def needs(run: Run) -> list[Recipe]:
    """Table 1's images, saved as the official code does."""
    return [sample for split in ("train", "validation", "test") for sample in parts(run, split, "official")]


def control(run: Run) -> Result:
    """Attribute Table 1's images by cues of the save path alone: by a decision tree on two bits, then on six numbers.

    Arrays, for each save path: ``extremes_PATH`` (K, 2), percent of the test images of each source that reach 0 and
    that reach 255; ``lowest_bits_PATH`` (K, 4), percent of the values whose two lowest bits are 0 ... 3.
    """
    setup = architecture_setup(run)
    result = Result(arrays={"classes": np.array(setup.classes)})
    for path in savepaths.SAVE_PATHS:
        cues = {split: _cues(run, split, path) for split in ("train", "validation", "test")}
        result.arrays[f"extremes_{path}"] = np.array([100 * x[:, :2].mean(axis=0) for x in cues["test"]])
        result.arrays[f"lowest_bits_{path}"] = np.array([100 * x[:, 2:].mean(axis=0) for x in cues["test"]])
        for name, columns in {"extremes": slice(0, 2), "lowest_bits": slice(0, 6)}.items():
            predicted, depth = _decide(setup, {split: np.concatenate(x)[:, columns] for split, x in cues.items()})
            measured = metrics.accuracy(setup.labels("test"), predicted)
            result.records.append(
                accuracy_record(
                    run, CUES[name], measured, setup="save_path", column=path, classes=len(setup.sources),
                    params={"depth": depth},
                )  # fmt: skip
            )
    return result


def _cues(run: Run, split: str, path: str) -> list[np.ndarray]:
    """(n, 6) of each source: reaches 0, reaches 255, shares of the four endings."""
    images = [np.asarray(run.sample(sample)) for sample in parts(run, split, path)]
    return [np.concatenate([savepaths.extremes(x), savepaths.lowest_bits(x)], axis=1) for x in images]


def _decide(setup, cues: dict[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """Predictions for the test images, and the depth of the tree that was best on the validation images."""
    from sklearn.tree import DecisionTreeClassifier

    trees = [
        DecisionTreeClassifier(max_depth=depth, random_state=0).fit(cues["train"], setup.labels("train"))
        for depth in DEPTHS
    ]
    best = max(trees, key=lambda tree: tree.score(cues["validation"], setup.labels("validation")))
    return best.predict(cues["test"]), best.max_depth
