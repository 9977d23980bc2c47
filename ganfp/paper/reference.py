"""The reference run: which generators are trained for it, in which order, and how its records are published."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ganfp.gans import GANS
from ganfp.paper.pooling import pooled
from ganfp.paper.record import Result, reference_folder
from ganfp.paper.sections import Study, studies
from ganfp.runs import building, shipping
from ganfp.runs.recipes.gans import GAN
from ganfp.runs.run import Run
from ganfp.worlds import DRAWN

FIRST_SEEDS = 5
FIRST_RUNGS = (1, 100, 1000, 100_000)  # of the paper's ladder
CLASSIFIER_SEEDS = 3

# ---------------------------------------------------------------------------- what is trained


def generators(runs: Sequence[Run]) -> list[GAN]:
    """All generators of the reference run, the most wanted first.

    For each data set the first seeds, the other architectures, the first rungs of the ladder; then, data set by data
    set again, the other seeds and rungs.
    """
    early = [gan for run in runs for gan in _generators(run, FIRST_SEEDS, run.scaled(FIRST_RUNGS))]
    late = [gan for run in runs for gan in _generators(run, run.profile.seeds, run.rungs) if gan not in early]
    return early + late


def _generators(run: Run, seeds: int, rungs: Sequence[int]) -> list[GAN]:
    some = [run.gan("progan", seed) for seed in range(1, min(seeds, run.profile.seeds) + 1)]
    others = [run.gan(name) for name in GANS if name != "progan"]
    return some + others + [run.gan("progan", swapped=i) for i in run.rungs if i in rungs]


def train(runs: Sequence[Run], say: Callable[[str], None], jobs: int | None = None, device: str = "cpu") -> list[Path]:
    """Train what is not shipped yet, in order, and ship each generator as soon as it is finished.

    Raises ``ValueError`` for a data set that is not drawn: what learned from others' photographs is not for everybody,
    and ``FileNotFoundError`` outside a checkout.
    """
    for run in runs:
        if run.dataset not in DRAWN:
            raise ValueError(
                f"generators of {run.dataset} are not shipped; `ganfp build --profile reference` trains them"
            )
    store, target = runs[0].store, shipping.folder()
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is missing: the reference run is made in a checkout")
    todo = [gan for gan in generators(runs) if shipping.find(gan, where=[target]) is None]
    shipping.refuse_another(todo, target)  # now, and not after hours
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


def measure(
    runs: Sequence[Run], say: Callable[[str], None], jobs: int | None = None, seeds: int = CLASSIFIER_SEEDS,
    only: Sequence[str] = (),
) -> list[Path]:  # fmt: skip
    """Measure every :class:`~ganfp.paper.sections.Study` and write its records into ``results/reference``.

    ``only``: the names of some, instead of all; ``ValueError`` for one that is not there.

    A study with several ``seeds``, which move the latents of all images, too, is pooled over them.  Photographs' GANs
    are trained first, and stay in the store.  Raises ``ValueError`` for a drawn data set of which a generator is
    missing.
    """
    for run in runs:
        if run.dataset in DRAWN and not run.shipped:
            raise ValueError(f"not all generators of {run.dataset} are shipped; run `ganfp reference` to its end first")
    if unknown := sorted(set(only) - set(studies())):
        raise ValueError(f"unknown studies {', '.join(unknown)}; known are {', '.join(studies())}")
    for name, study in [pair for pair in studies().items() if not only or pair[0] in only]:
        for run in _asked(runs, study):
            again = [replace(run, seed=run.seed + i) for i in range(seeds if study.seeds else 1)]
            run.build([recipe for one in again for recipe in study.needs(one)], jobs=jobs)
            results = [study.measure(one) for one in again]
            arrays = results[0].arrays if study.arrays else {}
            publish(name, Result(pooled([r.records for r in results], building.hardware(run.device)), arrays), run, say)
    return sorted(reference_folder().glob("*.json"))


def _asked(runs: Sequence[Run], study: Study) -> list[Run]:
    some = runs if study.every_dataset else [run for run in runs[:1] if run.dataset in DRAWN]
    return [run for run in some if study.photographs or run.dataset in DRAWN]


def publish(name: str, result: Result, run: Run, say: Callable[[str], None]) -> None:
    """Write a result under the name of the kind of data set: where a user's files are is nobody's business."""
    if not result.records:
        return  # a study that has nothing to say of such images
    kind = run.dataset.partition(":")[0]
    records = [replace(r, dataset=kind) for r in result.records]
    Result(records, result.arrays).save(reference_folder(), f"{name}-{kind}")
    say(f"measured {name} on {run.dataset}")
