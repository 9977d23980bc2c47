"""Supplement A: the FD ratio (Equations 5 to 7), and what small samples do to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ganfp import metrics
from ganfp.paper.attribution import fd_ratio, feature_name, ratios_of, seed_setup
from ganfp.paper.record import Record, Result, pick
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

CONVENTIONS = {"matched": "equal n on both sides", "paper": "the paper's convention"}
SIZES = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)  # images per source
REPEATS = 10


def sizes(run: Run) -> list[int]:
    """Numbers of images per source that this run's test images allow."""
    return [n for n in SIZES if n <= run.profile.real.test]


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page loads, of the first data set."""
    return [ratios for n in sizes(runs[0]) for ratios in ratios_of(runs[0], seed_setup(runs[0]), n).values()]


@dataclass
class NullStudy:
    """Curves over the number of images per class, for sources that do not differ."""

    ratios: dict[str, list[float]] = field(default_factory=dict)
    distances: dict[str, list[float]] = field(default_factory=dict)


def null_study(sizes: Sequence[int], dimensions: int, classes: int, seed: int) -> NullStudy:
    """FD ratios and Fréchet distances of samples of one white Gaussian, each a mean over ``REPEATS`` draws."""
    rng = np.random.default_rng(seed)
    study = NullStudy({label: [] for label in CONVENTIONS.values()}, {"simulated": [], "predicted": []})
    for n in sizes:
        ratios, distances = {label: [] for label in CONVENTIONS.values()}, []
        for _ in range(REPEATS):
            features = rng.normal(size=(classes * n, dimensions))
            labels = np.repeat(np.arange(classes), n).astype(str)
            for convention, label in CONVENTIONS.items():
                ratios[label].append(metrics.fd_ratio(features, labels, convention).ratio)
            distances.append(metrics.frechet_distance(features[:n], features[n : 2 * n]))
        for label, values in ratios.items():
            study.ratios[label].append(float(np.mean(values)))
        study.distances["simulated"].append(float(np.mean(distances)))
        study.distances["predicted"].append(metrics.small_sample_bias(np.eye(dimensions), n))
    return study


def ladder(run: Run) -> Result:
    """The FD ratio of both features on the seed setup, by both conventions, with fewer and fewer test images."""
    setup, result = seed_setup(run), Result()
    for n in sizes(run):
        for row, ratios in ratios_of(run, setup, n).items():
            for convention, ratio in ratios.load(run.path).items():
                known = {"setup": setup.name, "classes": len(setup.sources), "n": n * len(setup.sources)}
                params = {"per_class": n, "convention": convention}
                variant = f"{CONVENTIONS[convention]}, {n} a source"
                result.records.append(fd_ratio(run, row, ratio, variant=variant, params=params, **known))
    return result


def curves(run: Run, records: Sequence[Record]) -> dict[str, list[float]]:
    """FD ratios over the sizes, by feature and convention."""
    return {
        f"{feature_name(run, row)}, {label}": [
            r.value for r in pick(records, row=row) if r.params["convention"] == convention
        ]
        for row in dict.fromkeys(r.row for r in records)
        for convention, label in CONVENTIONS.items()
    }


def ends(records: Sequence[Record]) -> str:
    """FD ratios of this run at the smallest and the largest number of images."""
    low, high = (f(r.params["per_class"] for r in records) for f in (min, max))
    parts = []
    for row in dict.fromkeys(r.row for r in records):
        mine = pick(records, row=row)
        at = {(r.params["convention"], r.params["per_class"]): r.value for r in mine}
        parts.append(
            f"for the {mine[0].params['features']} from {at['matched', low]:.2f} to {at['matched', high]:.2f} with "
            f"equal numbers, and from {at['paper', low]:.2f} to {at['paper', high]:.2f} by the paper's convention"
        )
    return f"From {low} to {high:,} images per source the ratio goes {'; '.join(parts)}."
