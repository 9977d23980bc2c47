"""Beyond the paper, x12: photographs from orbit, whose licence lets pictures of them and generators travel."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ganfp import metrics
from ganfp.attributors.prnu import max_levels, residuals
from ganfp.paper import x3
from ganfp.paper.attribution import accuracy, seed_setup
from ganfp.paper.judge import Evidence, claim, every, reach, shown
from ganfp.paper.record import Record, Result, estimate, pick, reference_folder, reference_records
from ganfp.paper.sections import Study
from ganfp.paper.table import Table, crossed
from ganfp.runs import shipping
from ganfp.runs.recipes.base import IMAGES, Recipe
from ganfp.runs.recipes.samples import Sample, Setup
from ganfp.runs.run import Run

WORLD, PUBLISHED = "eurosat", "orbit"
NAMES = {x3.DRAWINGS: "drawn faces", x3.PHOTOGRAPHS: "photographs of faces", WORLD: "photographs from orbit"}
SHOWN = 10  # pictures of real images that travel with the repository
SIGMA = 5.0  # grey levels of noise that the denoiser looks for: camera forensics' value
MOST = 50.0  # percent
TRAVELS = "generated here"  # column: by generators of the repository, without the photographs


def _noise_needs(run: Run) -> list[Recipe]:
    return list(seed_setup(run).part("test"))


def noise(run: Run) -> Result:
    """What a denoiser takes for noise in each source's test images: root mean square in grey levels, metric ``noise``.

    Arrays: ``pictures``, the first real images, uint8 (10, 3, R, R), of the one world whose licence lets them travel.
    """
    setup, result = seed_setup(run), Result()
    for name, sample in zip(setup.classes, setup.part("test"), strict=True):
        images = np.asarray(run.array(sample, IMAGES))
        left = residuals(images, SIGMA, max_levels(images.shape[-1]))
        found = metrics.mean(np.sqrt((left**2).mean(axis=(1, 2, 3))))
        result.records.append(estimate(run, name, "noise", found, setup="noise", classes=len(setup.classes)))
        if name == "real" and run.dataset.partition(":")[0] == WORLD:
            result.arrays["pictures"] = images[:SHOWN]
    return result


STUDIES = {PUBLISHED: Study(noise, _noise_needs, arrays=True)}


def study() -> Result:
    """What the reference runs published of photographs from orbit, and beside it of drawn and photographed faces.

    Photographs cannot be fetched here, so this measures nothing; ``LookupError`` if there are no records of them.
    """
    beside = [r for r in reference_records() if r.table in ("1", "3") or r.metric == "noise" or r.dataset == WORLD]
    found = [r for r in beside if r.dataset in NAMES]
    if not pick(found, dataset=WORLD):
        raise LookupError(f"results/reference has no records of {WORLD}; `ganfp reference --measure` makes them")
    return Result(found, Result.load(reference_folder(), f"{PUBLISHED}-{WORLD}").arrays)


# ---------------------------------------------------------------------------- what needs no photograph


def setup(run: Run) -> Setup:
    """The ProGANs of this world that travel with the repository, which differ in the seed alone."""
    gans = [one for one in shipping.manifest(shipping.folder()) if one["file"].startswith(f"{WORLD}-ProGAN-seed-")]
    sources = []
    for one in gans:
        path = str(shipping.folder() / one["file"])
        origin = shipping.Shipped("progan", one["sha256"], path=path, seconds=one["seconds"], resolution=32)
        sources.append((f"ProGAN_seed_{one['recipe']['seeds']['init']}", origin))
    return run.setup(PUBLISHED, sources)


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Images of these generators, and what PRNU says of them; nothing where none is at hand."""
    task = setup(runs[0])
    return [*task.part("test"), runs[0].evaluation("prnu", task)] if task.sources else []


def samples(run: Run) -> dict[str, Sample]:
    """Test images of each of these generators."""
    return dict(zip(setup(run).classes, setup(run).part("test"), strict=True))


def without_photographs(run: Run) -> Result:
    """Accuracy of PRNU on images that these generators make now."""
    r = accuracy(run, "prnu", setup(run), column=TRAVELS)
    seen = {one["images_seen"] for one in shipping.manifest(shipping.folder()) if one["file"].startswith(WORLD)}
    return Result([replace(r, dataset=WORLD, paper=None, gan_images=max(seen))])


def noise_table(found: Sequence[Record], name: str, caption: str) -> Table:
    """What a denoiser takes for noise in real images and in the first GAN's, by world."""
    two = [r for r in found if r.metric == "noise" and r.row in ("real", "ProGAN_seed_1")]
    named = [replace(r, column=text) for dataset, text in NAMES.items() for r in pick(two, dataset=dataset)]
    return crossed(named, name, caption, unit="", corner="grey levels")


@claim("orbit-travels", "x12", "3", "Without a photograph, PRNU attributes most images of generators of photographs.")
def _travels(e: Evidence) -> tuple[str, str]:
    return reach({"PRNU": e.found("generators from orbit", row="PRNU", column=TRAVELS)[0]}, MOST)


@claim("noise-unlearned", "x12", "3", "Real images hold more noise than the images of the GANs that learned from them.")
def _noise(e: Evidence) -> tuple[str, str]:
    real, *gans = e.found("noise", setup="noise")
    return every(e.above(real, r) for r in gans), f"{shown({r.row: r for r in (real, *gans)})} grey levels"
