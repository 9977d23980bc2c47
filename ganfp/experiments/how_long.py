"""How long must a GAN be trained before only a fingerprint tells it from another (page x1)?"""

from __future__ import annotations

from ganfp.experiments import attribution
from ganfp.experiments.existence import seed_setup
from ganfp.paper.record import Result, reference_folder
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import Snapshot
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SEEDS = 3  # GANs that are followed


def setups(run: Run) -> dict[int, Setup]:
    """{real, ProGAN_seed_1, ...}, three seeds, as they were after each number of images, the last included."""
    real, *gans = seed_setup(run).sources[: SEEDS + 1]
    found = {}
    for seen in run.profile.snapshots:
        early = [(gan.name, Snapshot(run.gan("progan", i), seen)) for i, gan in enumerate(gans, 1)]
        found[seen] = run.setup("seeds", [(real.name, real.origin), *early])
    last = run.setup("seeds", [(s.name, s.origin) for s in (real, *gans)])
    return found | {run.profile.gans["progan"].total_images: last}


def needs(run: Run) -> list[Recipe]:
    """What :func:`study` loads."""
    if run.trained_as is not run:
        return []
    return [recipe for setup in setups(run).values() for recipe in attribution.needs(run, setup)]


def study(run: Run) -> Result:
    """Accuracy of every method and FD ratio of both features against the images that each GAN was trained on.

    Records as those of Table 3, of no table, with ``params.images`` and a ``variant``.  A run whose GANs were trained
    elsewhere cannot know what they were on their way, and has the records of the run that trained them.
    """
    if run.trained_as is not run:
        return followed(run)
    run.build(needs(run))
    result = Result()
    for seen, setup in setups(run).items():
        for r in attribution.evaluate(run, setup, table="").records:
            if not r["params"].get("variant"):
                r["params"] |= {"images": seen, "variant": f"after {seen} images"}
                result.records.append(r)
    return result


def followed(run: Run) -> Result:
    """The study of the reference run on the same data set; ``LookupError`` says what to do if there is none."""
    try:
        return Result.load(reference_folder(), f"how_long-{run.dataset}")
    except FileNotFoundError:
        raise LookupError(
            f"the shipped GANs of {run.dataset} were not followed on their way; to train GANs that are, use the "
            f"profile {run.profile.name}-from-scratch"
        ) from None
