"""Beyond the paper, x1: how long must a GAN be trained before only a fingerprint tells it from another?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ganfp.paper import attribution, remedies
from ganfp.paper.attribution import METHODS, seed_setup
from ganfp.paper.judge import HOLDS, NOT_SHOWN, REFUTED, RESTORED, Evidence, NotMeasured, claim, every, falling, weakest
from ganfp.paper.record import Record, Result, pick, record
from ganfp.paper.sections import beyond
from ganfp.runs.recipes.attribution import Learning
from ganfp.runs.recipes.base import CURVE, Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SEEDS = 3  # GANs that are followed
SEARCHED = (remedies.ADAM, remedies.BOOSTED, remedies.MUON, remedies.BOTH)
SEARCHES = 3  # seeds of the network
SHOWN = 0.6  # of the images that a profile shows its network
CHECKS = 30


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


def evaluations(run: Run) -> list[Recipe]:
    """Every method on the GANs of each length."""
    own = run.by_itself
    return [recipe for setup in setups(own).values() for recipe in attribution.needs(own, setup)]


@beyond("how_long", evaluations)
def study(run: Run) -> Result:
    """Accuracy of every method and FD ratio of both features against the images that each GAN was trained on.

    Records as those of Table 3, of no table, with ``gan_images`` and a ``variant``.
    """
    run, found = run.by_itself, []
    for seen, setup in setups(run).items():
        series = {"early": _is_early(run, seen)}
        for r in attribution.evaluate(run, setup).records:
            if not r.variant:
                known = {"gan_images": seen, "params": {**r.params, **series}}
                found.append(replace(r, variant=f"after {seen} images", **known))
    return Result(found)


def _is_early(run: Run, seen: int) -> bool:
    return bool(run.profile.early and seen <= run.profile.early.progan.total_images)


def searches(run: Run) -> dict[tuple[int, str, int], Learning]:
    """Trainings of our network on GANs of each length: by their images, the way it is trained, and its seed.

    All are shown as many images, at a rate that rises and then stays, so that no schedule says when it has to learn.
    """
    run = run.by_itself
    steady = {"images": round(SHOWN * run.profile.methods["cnn"].images), "rise": 0.1, "decay": 0.0, "checks": CHECKS}
    return {
        (seen, way, seed): Learning(run.fit("cnn", setup, **remedies.WAYS[way] | steady | {"seed": run.seed + seed}))
        for seen, setup in setups(run).items()
        for way in SEARCHED
        for seed in range(SEARCHES)
    }


@beyond("search", lambda run: list(searches(run).values()))
def search(run: Run) -> Result:
    """How many images our network must be shown before it finds the fingerprints, against those the GANs were shown.

    A record for each length and way, metric ``images_to_find``: the median over the network's seeds, each in
    ``params.each``, None where the network did not find them within ``params.shown`` images; such a one counts as more.
    Found is what has covered half of the way from chance to 100 % on the validation images.
    """
    run, wanted, found = run.by_itself, searches(run), {}
    for (seen, way, _), recipe in wanted.items():
        curve, chance = run.array(recipe, CURVE), 100 / len(recipe.fit.setup.sources)
        above = curve[curve[:, 1] >= (chance + 100) / 2, 0]
        found.setdefault((seen, way), []).append(int(above[0]) if len(above) else None)
    shown = int(run.array(recipe, CURVE)[-1, 0])
    known = {"setup": "seeds", "classes": len(recipe.fit.setup.sources)}
    records = []
    for (seen, way), each in found.items():
        middle = float(np.median([shown if one is None else one for one in each]))
        more = {"variant": f"{way}, after {seen} images", "gan_images": seen, "params": {"each": each, "shown": shown}}
        more["params"]["early"] = _is_early(run, seen)
        records.append(record(run, way, "images_to_find", middle, **known, **more))
    return Result(records)


def _by_length(e: Evidence, row: str) -> list[Record]:
    found = [r for r in pick(e.records, row=row, metric="accuracy", table="") if r.variant.startswith("after ")]
    if len(found) < 2:
        raise NotMeasured(f"{row} by the length of the GANs' training not measured")
    return sorted(found, key=lambda r: r.gan_images)


def _series(found: Sequence[Record]) -> list[list[Record]]:
    """Those of the early trainings, and those of the others: two GANs, each falling by itself."""
    parts = [[r for r in found if r.params.get("early", False) is early] for early in (True, False)]
    return [part for part in parts if len(part) > 1]


def _shown(e: Evidence, rows: Sequence[str]) -> str:
    return "; ".join(f"{row} {', '.join(f'{r.value:.1f}' for r in _by_length(e, row))}" for row in rows)


@claim("longer-hides-content", "x1", "3", "The longer GANs are trained, the less raw pixels tell them apart.")
def _content_falls(e: Evidence) -> tuple[str, str]:
    rows = ("kNN", "Eigenface")
    return weakest(falling(e, part) for row in rows for part in _series(_by_length(e, row))), _shown(e, rows)


@claim("longer-keeps-fingerprints", "x1", "3", "However long GANs are trained, ours and PRNU still tell them apart.")
def _fingerprints_stay(e: Evidence) -> tuple[str, str]:
    rows = ("Ours", "PRNU")
    signs = [e.above(found[-1], found[0], RESTORED) for found in (_by_length(e, row) for row in rows)]
    return every(signs), f"{_shown(e, rows)}; {RESTORED:g} points allowed"


def _searches(e: Evidence, way: str) -> list[Record]:
    found = e.found("images that our network needs", least=2, row=way, metric="images_to_find")
    return sorted(found, key=lambda r: r.gan_images)


def _needed(r: Record) -> list[float]:
    """Images that each seed needed, infinity where it did not find."""
    return [float("inf") if one is None else one for one in r.params["each"]]


def _as_said(found: Sequence[Record]) -> str:
    middle = [(f"{r.value:,.0f}", f"more than {r.params['shown']:,}") for r in found]
    return ", ".join(more if None in r.params["each"] else said for r, (said, more) in zip(found, middle, strict=True))


@claim("longer-hides-fingerprints", "x1", "3", "The longer a GAN is trained, the more images ours needs with Adam.")
def _fingerprints_hide(e: Evidence) -> tuple[str, str]:
    """Every seed against every seed, on the shortest training and on the longest."""
    found = _searches(e, remedies.ADAM)
    first, last = _needed(found[0]), _needed(found[-1])
    outcome = HOLDS if max(first) < min(last) else REFUTED if max(last) < min(first) else NOT_SHOWN
    return outcome, _as_said(found)


@claim("remedy-finds", "x1", "3", "With Muon and a boosted input ours finds fingerprints at every length.")
def _remedy_finds(e: Evidence) -> tuple[str, str]:
    found = _searches(e, remedies.BOTH)
    outcome = HOLDS if all(None not in r.params["each"] for r in found) else REFUTED
    return outcome, _as_said(found)


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
