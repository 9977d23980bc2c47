"""Section 3.3: fingerprints that are images; three ways to compare them, and training on mirrored images."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from ganfp import metrics
from ganfp.attributors.visnet import VisNet, correlation, floor
from ganfp.paper.attribution import clusters, difference, seed_setup
from ganfp.paper.judge import Evidence, claim, every, shown
from ganfp.paper.record import Record, Result, accuracy_record, pick, reference_records
from ganfp.paper.sections import beyond
from ganfp.paper.table import DASH, Table, small, with_interval
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

LOGITS: dict[str, dict] = {  # "fixed" is the paper's Equation 3, which has no temperature
    "learned": {}, "fixed": {"logits": "fixed", "temperature": 1.0}, "inner": {"logits": "inner"},
}  # fmt: skip
MIRRORING: dict[str, dict] = {"as they are": {"flip": False}, "mirrored": {"flip": True}}


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """The images that networks are tested on, of the first data set only."""
    return seed_setup(runs[0]).part("test")


def compared(variants: Mapping[str, dict]) -> Callable[[Run], list[Recipe]]:
    """What a comparison of variants of visNet loads of a run."""
    return lambda run: [*(_compared(run, changes) for changes in variants.values()), *needs([run])]


def _compared(run: Run, changes: dict) -> Fit:
    """A variant of visNet; all that are compared are trained on equally many images."""
    return run.fit("visnet", seed_setup(run), images=run.profile.logits.images, **changes)


@beyond("logits", compared(LOGITS), arrays=True)
def logits(run: Run) -> Result:
    """Equation 3 with a learned temperature, as printed (none), and the official code's inner product.

    Arrays: ``classes`` and ``models_NAME`` (K, 3, R, R).  Records, by row: accuracy, with ``params``:
    ``cross_entropy`` of the test images, in nats; ``floor``, the least that is possible at the trained temperature;
    ``start``, the mean absolute correlation of model fingerprints with their random start.
    """

    def about(network: VisNet, scores: np.ndarray, truth: np.ndarray) -> dict:
        temperature = None if network.logits == "inner" else network.trained_temperature
        codes = torch.from_numpy(np.searchsorted(network.classes_, truth))
        return {
            "temperature": temperature,
            "cross_entropy": float(F.cross_entropy(torch.from_numpy(scores).double(), codes)),
            "floor": None if temperature is None else floor(len(network.classes_), temperature),
            "start": float(np.abs(network.agreement_with_start()).mean()),
        }

    return _variants(run, "logits", LOGITS, about)


@beyond("mirroring", compared(MIRRORING), arrays=True)
def mirroring(run: Run) -> Result:
    """visNet trained on images as they are, and on images that are mirrored at random, as the official code does.

    Arrays as :func:`logits` has them.  Records, by row: accuracy, with ``params``: ``symmetry``, the mean correlation
    of model fingerprints with their own mirror images.
    """

    def about(network: VisNet, *_) -> dict:
        models = torch.from_numpy(network.fingerprints_)
        return {"symmetry": float(correlation(models, models.flip(-1)).diagonal().mean())}

    return _variants(run, "mirroring", MIRRORING, about)


def _variants(run: Run, name: str, variants: Mapping[str, dict], about: Callable[..., dict]) -> Result:
    """Accuracy and fingerprints of variants of visNet, and how far the first is above the others.

    ``about`` gives further ``params`` of their records.
    """
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    result, answers = Result(arrays={"classes": np.array(setup.classes)}), []
    for row, changes in variants.items():
        fit = _compared(run, changes)
        network = VisNet.load(run.path(fit))
        scores = network.scores(images)
        answers.append(np.array(network.classes_)[scores.argmax(axis=1)])
        result.arrays[f"models_{row}"] = network.fingerprints_[network.columns(setup.classes)]
        measured = metrics.accuracy(truth, answers[-1], clusters(setup))
        known = {"setup": name, "classes": len(setup.classes), "seconds": run.seconds(fit)}
        known["params"] = {"images": network.images, **about(network, scores, truth)}
        result.records.append(accuracy_record(run, row, measured, **known))
    first, *others = result.records
    for other, named in zip(others, answers[1:], strict=True):
        result.records.append(difference(run, setup, first, other, answers[0], named))
    return result


@claim("temperature-helps", "3.3", "3", "Correlations divided by a learned temperature attribute better than without.")
def _temperature_helps(e: Evidence) -> tuple[str, str]:
    learned, fixed = (e.number("", row, setup="logits") for row in ("learned", "fixed"))
    return every([e.above(learned, fixed)]), shown({"learned": learned, "as printed": fixed})


@claim("start-stays", "3.3", "3", "The official code's fingerprints are still mostly the noise they were started from.")
def _start_stays(e: Evidence) -> tuple[str, str]:
    r = e.number("", "inner", setup="logits")
    start, half = r.params["start"], 0.5**0.5  # a correlation whose square is half of the variance
    return every([1 if start >= half else -1]), f"mean correlation with it {start:.2f}, half of the variance at 0.71"


@claim("mirroring-costs", "3.3", "3", "To mirror the training images costs accuracy.")
def _mirroring_costs(e: Evidence) -> tuple[str, str]:
    plain, mirrored = (e.number("", row, setup="mirroring") for row in MIRRORING)
    return every([e.above(plain, mirrored)]), shown({"as they are": plain, "mirrored": mirrored})


@claim("mirroring-symmetric", "3.3", "3", "Mirrored training images make the fingerprints more symmetric.")
def _mirroring_symmetric(e: Evidence) -> tuple[str, str]:
    plain, mirrored = (e.number("", row, setup="mirroring").params["symmetry"] for row in MIRRORING)
    sign = int(np.sign(mirrored - plain))
    return every([sign]), f"mean correlation with their mirror images {plain:.2f}, mirrored {mirrored:.2f}"


LABELS = {
    "learned": "correlation, temperature learned", "fixed": "correlation, as printed", "inner": "inner product",
    "as they are": "images as they are", "mirrored": "images mirrored at random",
}  # fmt: skip
BESIDE = {  # what a table shows of the params, and under which names
    "logits": {
        "cross_entropy": "cross-entropy", "floor": "its floor", "temperature": "temperature", "start": "first noise",
    },  # fmt: skip
    "mirroring": {"symmetry": "symmetry"},
}


def comparison_table(records: Sequence[Record], name: str, caption: str) -> Table:
    """What :func:`logits` or :func:`mirroring` measured, and below it the same of the reference run, if it has it."""
    here = pick(records, metric="accuracy")
    place = {"setup": here[0].setup, "dataset": here[0].dataset, "metric": "accuracy"}
    elsewhere, beside, rows = pick(reference_records(), **place), BESIDE[here[0].setup], []
    for run, found in {here[0].profile: here, "reference": elsewhere}.items():  # one row if they are the same
        for r in found:
            label = LABELS[r.row] + " " + small(f"{run}, {r.params['images']:,} images")
            values = (r.params[key] for key in beside)
            rows.append([label, with_interval(r), *(DASH if v is None else f"{v:.3f}" for v in values)])
    return Table(name, caption, ["", "accuracy, %", *beside.values()], rows, of=[*here, *elsewhere])
