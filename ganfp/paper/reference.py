"""The reference run: which generators are trained for it, in which order, and what is measured with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ganfp import metrics
from ganfp.experiments import (
    critics,
    existence,
    how_long,
    immunizability,
    persistence,
    training_sets,
)
from ganfp.gans import GANS
from ganfp.paper.record import Result, reference_folder
from ganfp.runs import building, shipping
from ganfp.runs.recipes import GAN
from ganfp.runs.run import Run
from ganfp.worlds import DRAWN

FIRST_SEEDS = 5
FIRST_RUNGS = (1, 100, 1000, 100_000)  # of the paper's ladder


def generators(runs: Sequence[Run]) -> list[GAN]:
    """All generators of the reference run, the most wanted first.

    For each data set the first seeds, the other architectures, the first rungs of the ladder; then, data set by data
    set again, the other seeds and rungs.
    """
    early = [gan for run in runs for gan in _early(run)]
    late = [gan for run in runs for gan in _all(run) if gan not in early]
    return early + late


def _early(run: Run) -> list[GAN]:
    seeds = [run.gan("progan", seed) for seed in range(1, min(FIRST_SEEDS, run.profile.seeds) + 1)]
    others = [run.gan(name) for name in GANS if name != "progan"]
    rungs = [run.gan("progan", swapped=i) for i in run.rungs if i in run.scaled(FIRST_RUNGS)]
    return seeds + others + rungs


def _all(run: Run) -> list[GAN]:
    seeds = [run.gan("progan", seed) for seed in range(1, run.profile.seeds + 1)]
    return seeds + [run.gan("progan", swapped=i) for i in run.rungs]


def train(runs: Sequence[Run], say: Callable[[str], None], jobs: int | None = None, device: str = "cpu") -> list[Path]:
    """Train what is not shipped yet, in order, and ship each generator as soon as it is finished.

    Raises ``ValueError`` for a data set that is not drawn: what learned from others' photographs is not for everybody.
    """
    for run in runs:
        if run.dataset not in DRAWN:
            raise ValueError(
                f"generators of {run.dataset} are not shipped; `ganfp build --profile reference` trains them"
            )
    store, target = runs[0].store, shipping.folder()
    todo = [gan for gan in generators(runs) if shipping.find(gan, target) is None]
    say(f"{len(todo)} of {len(generators(runs))} generators are still to be trained")
    shipped = []

    def ship(recipe) -> None:
        if isinstance(recipe, GAN):
            shipped.append(shipping.ship(recipe, store, target))
            say(f"shipped {shipped[-1].name}")

    for gan in [gan for gan in todo if store.has(gan)]:
        ship(gan)
    rest = [gan for gan in todo if not store.has(gan)]
    building.build(rest, store, device=device, jobs=jobs, done=ship, in_order=True)
    return shipped


# ---------------------------------------------------------------------------- what is measured

CLASSIFIER_SEEDS = 3
PHOTOGRAPHS = ("table1", "table3")  # of these: a ladder of training sets would take five GANs more
STUDIES: dict[str, Callable[[Run], Result]] = {
    "table1": lambda run: existence.table(run, "1"),
    "table2": lambda run: existence.table(run, "2"),
    "table3": lambda run: existence.table(run, "3"),
    "training_sets": training_sets.by_rung,
}
ONCE: dict[str, Callable[[Run], Result]] = {  # many networks more on every data set
    "table4": persistence.bands,
    "table5": persistence.patches,
    "table6": persistence.selected,
    "table6_equal_n": persistence.equal_n,
    "attacks": immunizability.table,
}
BESIDE: dict[str, Callable[[Run], Result]] = {  # of one drawn world
    "how_long": how_long.study,
    "critics": critics.critics,
    "strengths": immunizability.strengths,
    "defences": immunizability.matrix,
}
FIGURES = ("critics",)  # whose arrays a page shows; the others are published as numbers alone


def measure(
    runs: Sequence[Run], say: Callable[[str], None], jobs: int | None = None, seeds: int = CLASSIFIER_SEEDS
) -> list[Path]:
    """Measure the tables of the reference run and write their records into ``results/reference``.

    Tables 1 to 3 are measured with several ``seeds``, which move the latents of all images, too; the records hold the
    means.  Tables 4 to 8 have one seed, and so have the studies beside them, which are of the first data set.  Of
    photographs only Tables 1 and 3 to 8 are measured; their GANs are trained first, and stay in the store.  Raises
    ``ValueError`` for a drawn data set of which a generator is missing.
    """
    for run in runs:
        if run.dataset in DRAWN and not run.shipped:
            raise ValueError(f"not all generators of {run.dataset} are shipped; run `ganfp reference` to its end first")
    for run in runs:
        studies = STUDIES if run.dataset in DRAWN else {name: STUDIES[name] for name in PHOTOGRAPHS}
        numbers = [name[-1] for name in studies if name.startswith("table")]
        again = [replace(run, seed=run.seed + i) for i in range(seeds)]
        run.build([recipe for one in again for recipe in existence.needs(one, numbers)], jobs=jobs)
        for name, study in studies.items():
            _publish(name, over_seeds([study(one) for one in again], run), run, say)
        run.build([*persistence.needs(run), *immunizability.needs(run)], jobs=jobs)
        for name, study in ONCE.items():
            _publish(name, over_seeds([study(run)], run), run, say)
    first = runs[0]
    if first.dataset in DRAWN:
        extra = [*how_long.needs(first), *immunizability.extra_needs(first)]
        first.build(extra, jobs=jobs)
        for name, study in BESIDE.items():
            _publish(name, over_seeds([study(first)], first), first, say)
    return sorted(reference_folder().glob("*.json"))


def _publish(name: str, result: Result, run: Run, say: Callable[[str], None]) -> None:
    """Write a result under the name of the kind of data set: where a user's files are is nobody's business."""
    if not result.records:
        return  # a study that has nothing to say of such images
    kind = run.dataset.partition(":")[0]
    records = [r | {"dataset": kind} for r in result.records]
    Result(records, result.arrays if name in FIGURES else {}).save(reference_folder(), f"{name}-{kind}")
    say(f"measured {name} on {run.dataset}")


def over_seeds(results: Sequence[Result], run: Run) -> Result:
    """One result of several that differ in the seed: the mean of every number, and of every array.

    An accuracy's interval covers the choice of test images and the seeds: Student's interval of the mean over the
    seeds, but never narrower than Wilson's of all test images together.  ``params.seeds`` has the single numbers.
    """
    records = [_mean(same, run) for same in zip(*(result.records for result in results), strict=True)]
    numeric = {key for key, value in results[0].arrays.items() if value.dtype.kind in "if"}
    arrays = {
        key: sum(result.arrays[key] for result in results) / len(results) if key in numeric else value
        for key, value in results[0].arrays.items()
    }
    return Result(records, arrays)


def _mean(same: Sequence[dict], run: Run) -> dict:
    first, values = same[0], [r["value"] for r in same]
    place = ("table", "dataset", "row", "column", "metric")
    if any([r[key] for key in place] != [first[key] for key in place] for r in same):
        raise ValueError(f"results of different experiments cannot be averaged: {[r['row'] for r in same]}")
    mean = sum(values) / len(values)
    found = {**first, "value": mean, "reference": None, "n": sum(r["n"] for r in same)}
    kept = {k: v for k, v in first["params"].items() if k not in ("chosen", "by_class", "seed")}
    found["params"] = {**kept, "seeds": values, "hardware": building.hardware(run.device)}
    if first["metric"] == "paired_p":
        only = {key: sum(r["params"][key] for r in same) for key in first["params"] if key.startswith("only_")}
        found["params"] |= only
        found["value"] = metrics.discordant_p(*only.values())
    elif first["metric"] == "accuracy":
        found["ci_low"], found["ci_high"] = metrics.interval_over_seeds(values, found["n"])
    return found
