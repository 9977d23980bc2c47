"""Does it matter how many training images two GANs share (Section 4.2, Table 2)?  Each rung by itself, and a trend."""

from __future__ import annotations

import numpy as np

from ganfp import metrics
from ganfp.experiments import existence
from ganfp.experiments.attribution import METHODS, predictions
from ganfp.paper.record import Result, record
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import CURVE, SEEN, Beginnings
from ganfp.runs.run import Run

BEYOND = 512  # images for which the trainings are followed after the last has met its first exchanged image


def beginnings_recipe(run: Run) -> Beginnings:
    """The first steps of every rung's training, beside the base training's: this profile's own, on its own images."""
    gans = tuple(run.gan("progan", swapped=i) for i in run.scaled(run.profile.ladder))
    return Beginnings(gans, BEYOND)


def needs(run: Run) -> list[Recipe]:
    """What the functions below load beside Table 2's own artifacts."""
    return [beginnings_recipe(run)]


def beginnings(run: Run) -> Result:
    """Are the trainings of all rungs equal until one is shown an image that the others are not?

    Arrays: ``seen`` (T,), images shown; ``swapped`` (R,), images exchanged on each rung; ``difference`` (T, R), the
    largest difference of a weight from the base training's; ``first`` (R,), images shown when a rung's first
    exchanged image comes.  A record per rung, metric ``equal_until``: the images shown at the last moment at which not
    a bit differed.
    """
    recipe = beginnings_recipe(run)
    seen, difference = run.array(recipe, SEEN), run.array(recipe, CURVE)
    swapped = np.array([gan.subset.swapped for gan in recipe.gans])
    first = np.array([gan.subset.first_seen(run.base_images, gan.seeds.order) for gan in recipe.gans])
    result = Result(arrays={"seen": seen, "difference": difference, "swapped": swapped, "first": first})
    for i, column, exchanged in zip(swapped, difference.T, first, strict=True):
        equal = seen[np.flatnonzero(column > 0)[0] - 1] if column.any() else seen[-1]
        params = {
            "swapped": int(i),
            "base": run.base_images,
            "first_swapped": int(exchanged),
            "batch": int(np.diff(seen).max()),
        }
        name = f"ProGAN_subset_diff_{i}"
        result.records.append(
            record(run, name, "equal_until", int(equal), setup="training_sets", params=params, n=int(seen[-1]))
        )
    return result


def by_rung(run: Run) -> Result:
    """Accuracy of every method on the images of each rung of Table 2, and whether it follows the rung.

    Records, metric ``accuracy``: one per method and rung, ``params.swapped`` the rung.  Metric ``trend``: one per
    method, the p-value of :func:`metrics.trend` against log i; ``params.slope`` its sign, ``params.tau`` and
    ``params.p_rungs`` Kendall's correlation over the rungs, each taken as one observation.
    """
    setup = existence.training_set_setup(run)
    truth = setup.labels("test")
    result = Result()
    for method, row in METHODS.items():
        right = predictions(run, method, setup) == truth
        found = [(i, right[truth == f"ProGAN_subset_diff_{i}"]) for i in run.rungs]
        for i, hits in found:
            low, high = metrics.wilson(hits.mean(), len(hits))
            result.records.append(
                record(
                    run,
                    row,
                    "accuracy",
                    100 * hits.mean(),
                    setup="training_sets",
                    interval=(100 * low, 100 * high),
                    n=len(hits),
                    classes=len(setup.sources),
                    params={"swapped": i, "base": run.trained_as.base_images, "variant": f"{i} images exchanged"},
                )
            )
        result.records.append(_trend(run, row, found))
    return result


def _trend(run: Run, row: str, found: list[tuple[int, np.ndarray]]) -> dict:
    from scipy.stats import kendalltau

    steps = np.log10([i for i, _ in found])
    correct, counts = ([f(hits) for _, hits in found] for f in (np.sum, len))
    test = metrics.trend(correct, counts, steps)
    tau = kendalltau(steps, [hits.mean() for _, hits in found])
    exact = {"tau": None, "p_rungs": None} if np.isnan(tau.statistic) else {"tau": tau.statistic, "p_rungs": tau.pvalue}
    params = {"slope": test.slope, **exact, "rungs": len(found)}
    return record(run, row, "trend", test.p, setup="training_sets", n=int(sum(counts)), params=params)
