"""Table 1 without a network (Section 4.2): what the official save paths give away, and what one quantiser leaves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ganfp import metrics
from ganfp.gans import savepaths
from ganfp.paper.attribution import architecture_setup, clusters, difference
from ganfp.paper.judge import Evidence, at_least, claim, every
from ganfp.paper.record import Record, Result, accuracy_record, one, pick
from ganfp.paper.table import Table, crossed, plain, readable
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample, Setup
from ganfp.runs.run import Run

EXTREMES, LOWEST_BITS = "reaches 0, reaches 255", "and the two lowest bits"
CUES = {EXTREMES: slice(0, 2), LOWEST_BITS: slice(0, 6)}
DEPTHS = range(1, 9)  # of the decision tree, chosen on the validation images
SPLITS = ("train", "validation", "test")


def parts(run: Run, split: str, path: str) -> list[Sample]:
    """The samples of Table 1's sources, saved by one path; real images are what they are."""
    samples = architecture_setup(run).part(split)
    return [x if isinstance(x.origin, Images) else replace(x, save_path=path) for x in samples]


def needs(run: Run) -> list[Sample]:
    """Table 1's images, saved by our quantiser and as the official code does."""
    return [sample for path in savepaths.SAVE_PATHS for split in SPLITS for sample in parts(run, split, path)]


def control(run: Run) -> Result:
    """Attribute Table 1's images by cues of the save path alone: by a decision tree on two bits, then on six numbers.

    Records: an accuracy by cue (row) and save path (column), and their difference on the same latents.  Arrays, for
    each save path: ``extremes_PATH`` (K, 2), percent of the test images of each source that reach 0 and that reach 255;
    ``lowest_bits_PATH`` (K, 4), percent of the values whose two lowest bits are 0 ... 3.
    """
    setup = architecture_setup(run)
    truth, result, named = setup.labels("test"), Result(arrays={"classes": np.array(setup.classes)}), {}
    for path in savepaths.SAVE_PATHS:
        cues = {split: _cues(run, split, path) for split in SPLITS}
        result.arrays[f"extremes_{path}"] = np.array([100 * x[:, :2].mean(axis=0) for x in cues["test"]])
        result.arrays[f"lowest_bits_{path}"] = np.array([100 * x[:, 2:].mean(axis=0) for x in cues["test"]])
        for cue, columns in CUES.items():
            named[cue, path], depth = _decide(setup, {s: np.concatenate(x)[:, columns] for s, x in cues.items()})
            measured = metrics.accuracy(truth, named[cue, path], clusters(setup))
            known = {"setup": "save_path", "column": path, "classes": len(setup.sources), "params": {"depth": depth}}
            result.records.append(accuracy_record(run, cue, measured, **known))
    for cue in CUES:
        a, b = (one(result.records, row=cue, column=path, metric="accuracy") for path in ("official", "ours"))
        result.records.append(difference(run, setup, a, b, named[cue, "official"], named[cue, "ours"]))
    return result


def _cues(run: Run, split: str, path: str) -> list[np.ndarray]:
    """(n, 6) of each source: reaches 0, reaches 255, shares of the four endings."""
    images = [np.asarray(run.sample(sample)) for sample in parts(run, split, path)]
    return [np.concatenate([savepaths.extremes(x), savepaths.lowest_bits(x)], axis=1) for x in images]


def _decide(setup: Setup, cues: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
    """Predictions for the test images, and the depth of the tree that was best on the validation images."""
    from sklearn.tree import DecisionTreeClassifier

    trees = [DecisionTreeClassifier(max_depth=depth, random_state=0) for depth in DEPTHS]
    trees = [tree.fit(cues["train"], setup.labels("train")) for tree in trees]
    best = max(trees, key=lambda tree: tree.score(cues["validation"], setup.labels("validation")))
    return best.predict(cues["test"]), best.max_depth


@claim("save-path-leaks", "4.2", "1", "The official ways of saving alone give sources away, to two bits of an image.")
def _leaks(e: Evidence, path: str = "official") -> tuple[str, str]:
    r = _cue(e, EXTREMES, path)
    return every([at_least(r, r.chance)]), f"{r.value:.1f} %, chance {r.chance:.0f} %"


@claim("save-path-closed", "4.2", "1", "One quantiser for all sources takes away a part of what the saving tells.")
def _closed(e: Evidence) -> tuple[str, str]:
    pairs = {cue: [_cue(e, cue, path) for path in ("official", "ours")] for cue in CUES}
    said = "; ".join(f"{cue}: {a.value:.1f} % and then {b.value:.1f} %" for cue, (a, b) in pairs.items())
    return every(e.above(*pair) for pair in pairs.values()), said


@claim("save-path-remains", "4.2", "1", "Also after one quantiser, two bits of an image tell something of its source.")
def _remains(e: Evidence) -> tuple[str, str]:
    return _leaks(e, "ours")


def _cue(e: Evidence, cue: str, path: str) -> Record:
    return e.number("", cue, path, setup="save_path")


def extremes_table(arrays: Mapping[str, np.ndarray], name: str, caption: str, of: Sequence[Record] = ()) -> Table:
    """Percent of the images of each source that reach exactly 0 and 255, by the official code and by our quantiser."""
    columns = np.hstack([arrays["extremes_official"], arrays["extremes_ours"]])
    rows = [[readable(c), *(f"{x:.1f}" for x in values)] for c, values in zip(arrays["classes"], columns, strict=True)]
    return plain(["source", "official: 0", "255", "ours: 0", "255"], rows, name, caption, of=of)


def cues_table(records: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of cues of the save path, by save path."""
    found = pick(records, metric="accuracy", setup="save_path")
    return crossed(found, name, caption, corner="a decision tree on whether an image", unit=" saving, %")
