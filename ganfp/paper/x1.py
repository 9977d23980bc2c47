"""Beyond the paper, x1: how long must a GAN be trained before only a fingerprint tells it from another?"""

from collections.abc import Sequence
from dataclasses import replace

from ganfp.paper import attribution
from ganfp.paper.attribution import METHODS, seed_setup
from ganfp.paper.judge import RESTORED, Evidence, NotMeasured, claim, every, falling, weakest
from ganfp.paper.record import Record, Result, pick, reference_folder
from ganfp.paper.sections import Study
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SEEDS = 3  # GANs that are followed


def setups(run: Run) -> dict[int, Setup]:
    """{real, ProGAN_seed_1, ...}, three seeds, as they were after each number of images, the last included.

    Before them those of the profile's ``early`` trainings, if it has some.
    """
    found = {}
    if early := run.profile.early:
        gans = {**run.profile.gans, "progan": early.progan}
        found = setups(replace(run, profile=replace(run.profile, gans=gans, snapshots=early.snapshots, early=None)))
    real, *gans = seed_setup(run).sources[: SEEDS + 1]
    for seen in run.profile.snapshots:
        then = [(gan.name, run.snapshot(i, seen)) for i, gan in enumerate(gans, 1)]
        found[seen] = run.setup("seeds", [(real.name, real.origin), *then])
    last = run.setup("seeds", [(s.name, s.origin) for s in (real, *gans)])
    return found | {run.profile.gans["progan"].total_images: last}


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page loads, of the first data set: nothing if its GANs were trained elsewhere."""
    run = runs[0]
    if run.trained_as is not run:
        return []
    return [recipe for setup in setups(run).values() for recipe in attribution.needs(run, setup)]


def study(run: Run) -> Result:
    """Accuracy of every method and FD ratio of both features against the images that each GAN was trained on.

    Records as those of Table 3, of no table, with ``gan_images`` and a ``variant``.  A run whose GANs were trained
    elsewhere cannot know what they were on their way, and has the records of the run that trained them.
    """
    if run.trained_as is not run:
        return followed(run)
    run.build(needs([run]))
    found = []
    for seen, setup in setups(run).items():
        for r in attribution.evaluate(run, setup).records:
            if not r.variant:
                found.append(replace(r, gan_images=seen, variant=f"after {seen} images"))
    return Result(found)


def followed(run: Run) -> Result:
    """The study of the reference run on the same data set; ``LookupError`` says what to do if there is none."""
    try:
        return Result.load(reference_folder(), f"how_long-{run.dataset}")
    except FileNotFoundError:
        raise LookupError(
            f"the shipped GANs of {run.dataset} were not followed on their way; to train GANs that are, use the "
            f"profile {run.profile.name}-from-scratch"
        ) from None


STUDIES = {"how_long": Study(study, lambda run: needs([run]), every_dataset=False, photographs=False)}


def _by_length(e: Evidence, row: str) -> list[Record]:
    found = [r for r in pick(e.records, row=row, metric="accuracy", table="") if r.variant.startswith("after ")]
    if len(found) < 2:
        raise NotMeasured(f"{row} by the length of the GANs' training not measured")
    return sorted(found, key=lambda r: r.gan_images)


def _shown(e: Evidence, rows: Sequence[str]) -> str:
    return "; ".join(f"{row} {', '.join(f'{r.value:.1f}' for r in _by_length(e, row))}" for row in rows)


@claim("longer-hides-content", "x1", "3", "The longer GANs are trained, the less raw pixels tell them apart.")
def _content_falls(e: Evidence) -> tuple[str, str]:
    rows = ("kNN", "Eigenface")
    return weakest(falling(e, _by_length(e, row)) for row in rows), _shown(e, rows)


@claim("longer-keeps-fingerprints", "x1", "3", "However long GANs are trained, ours and PRNU still tell them apart.")
def _fingerprints_stay(e: Evidence) -> tuple[str, str]:
    rows = ("Ours", "PRNU")
    signs = [e.above(found[-1], found[0], RESTORED) for found in (_by_length(e, row) for row in rows)]
    return every(signs), f"{_shown(e, rows)}; {RESTORED:g} points of loss allowed"


def ends(records: Sequence[Record]) -> str:
    """Every method and the content's FD ratio after the shortest and the longest training."""
    first, last = (f(r.gan_images for r in records) for f in (min, max))
    at = {(r.row, r.metric, r.gan_images): r for r in records}
    parts = [
        f"{row} {at[row, 'accuracy', first].value:.1f} % and then {at[row, 'accuracy', last].value:.1f} %"
        for row in METHODS.values()
    ]
    content = [at["Inception", "fd_ratio", n].value for n in (first, last)]
    return (
        f"After {first:,} and after {last:,} images: {', '.join(parts)}; chance is "
        f"{at['Ours', 'accuracy', last].chance:.0f} %. By content the sources are {content[0]:.1f} and then "
        f"{content[1]:.1f} times as far apart as two halves of one."
    )
