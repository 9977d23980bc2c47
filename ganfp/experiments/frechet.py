"""The FD ratio and its small-sample bias (Supplement A)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ganfp import metrics
from ganfp.experiments import attribution, existence
from ganfp.paper.record import Result, record
from ganfp.runs.run import Run

CONVENTIONS = {"matched": "equal n on both sides", "paper": "the paper's convention"}
REPEATS = 10


@dataclass
class NullStudy:
    """Curves over the number of images per class, for sources that do not differ."""

    ratios: dict[str, list[float]] = field(default_factory=dict)
    distances: dict[str, list[float]] = field(default_factory=dict)


def null_study(sizes: list[int], dimensions: int, classes: int, seed: int) -> NullStudy:
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


@dataclass
class Ladder(Result):
    """FD ratios against the number of test images per source."""

    sizes: list[int] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)


def ladder(run: Run) -> Ladder:
    """The FD ratio of both features on the seed setup, by both conventions, with fewer and fewer test images."""
    setup = existence.seed_setup(run)
    sizes = [n for n in (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000) if n <= setup.test]
    found = Ladder(sizes=sizes)
    for row, features in attribution.features_of(run, setup).items():
        features = np.asarray(features).reshape(len(setup.sources), setup.test, -1)
        name = attribution.extractor_name(run) if row == "Inception" else row
        for convention, label in CONVENTIONS.items():
            for n in sizes:
                few, names = features[:, :n].reshape(len(setup.sources) * n, -1), np.repeat(setup.classes, n)
                ratio = metrics.fd_ratio(few, names, convention, run.seed, attribution.HALVINGS)
                found.series.setdefault(f"{name}, {label}", []).append(ratio.ratio)
                found.records.append(
                    record(
                        run,
                        row,
                        "fd_ratio",
                        ratio.ratio,
                        setup=setup.name,
                        n=n * len(setup.sources),
                        classes=len(setup.sources),
                        params={
                            "variant": f"{label}, {n} a source",
                            "per_class": n,
                            "convention": convention,
                            "features": name,
                        },
                    )
                )
    return found
