"""Persistence (Section 4.3): which parts of an image carry the fingerprint?  Tables 4 to 6, Figures 5, 14 and 28."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ganfp import metrics, worlds
from ganfp.attributors import pyramid, summary
from ganfp.attributors.network import SMALLEST, AttributionNetwork
from ganfp.experiments import attribution, existence
from ganfp.experiments.attribution import METHODS, attributor, features_of, predictions
from ganfp.experiments.existence import seed_setup
from ganfp.images import to_float
from ganfp.paper import published as paper
from ganfp.paper.record import Result, accuracy_record, record
from ganfp.runs.recipes.base import DISTANCES, IMAGES, NEIGHBOURS, Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SHARE = 0.1  # of each source's test images, the perceptually closest to real ones
FEWEST = 4  # images of a source that an FD ratio needs
DRAWS = 99  # random tenths: the smallest two-sided p-value is 2/100
BANDS = {"L-f": "low", "H-f": "high"}

# ---------------------------------------------------------------------------- what is trained


def factors(run: Run) -> list[int]:
    """Downsampling factors that the run's resolution allows, those of the paper's Table 4 as far as they go."""
    return [f for f in map(int, paper.block("4")["accuracy"]) if run.profile.resolution // f >= SMALLEST]


def band(column: str, factor: int) -> dict:
    """The settings of the network of a cell of Table 4; none at factor 1, where both columns hold the plain network."""
    if factor == 1:
        return {}
    return {"factor": factor} if column == "L-f" else {"band": "high", "factor": factor}


TOP_BAND = {"band": "high", "factor": 1}


def poolings(run: Run) -> list[int]:
    """Resolutions at which a post-pooling network can start to average, smallest first."""
    return [run.profile.resolution // f for f in reversed(factors(run))]


def needs(run: Run) -> list[Recipe]:
    """Every artifact that Tables 4, 5 and 6 load."""
    setup = seed_setup(run)
    parts = [band(column, factor) for column in BANDS for factor in factors(run)]
    parts += [TOP_BAND, *({"pool_at": side} for side in poolings(run))]
    variants = [run.evaluation("cnn", setup, **part) for part in parts]
    return [*variants, *attribution.needs(run, setup), *selection_needs(run)]


def selection_needs(run: Run) -> list[Recipe]:
    """What the artifact-free subset is chosen by."""
    return [run.nearest(seed_setup(run))]


def seconds(run: Run) -> float:
    """Core-seconds that Tables 4 to 6 took beside what Tables 1 to 3 had made before, whenever that was."""
    from ganfp.runs.building import closure

    before = {recipe.key for recipe in closure(existence.needs(run))}
    return sum(run.seconds(recipe) for recipe in closure(needs(run)) if recipe.key not in before)


# ---------------------------------------------------------------------------- Figures 2b to 2d


def picture(run: Run, resolution: int) -> np.ndarray:
    """A real image (3, R, R) uint8 to explain with: this run's first, or, at another resolution, a drawn one."""
    if resolution == run.profile.resolution:
        return np.array(run.sample(seed_setup(run).part("test")[0])[0])
    return worlds.drawn(_world(run)).draw(1, resolution, run.seed)[0]


def _world(run: Run) -> str:
    return run.dataset if run.dataset in worlds.DRAWN else worlds.DRAWN[0]


def pyramids(image: np.ndarray, gain: float = 3.0) -> dict[str, list[np.ndarray]]:
    """All low and high bands of an image (3, R, R) uint8, largest first, float32; high ones times ``gain``."""
    x = to_float(image[None])
    steps = range((image.shape[-1] // SMALLEST).bit_length())
    return {
        column: [scale * pyramid.band(name, i)(x)[0].numpy() for i in steps]
        for (column, name), scale in zip(BANDS.items(), (1.0, gain), strict=True)
    }


# ---------------------------------------------------------------------------- Tables 4 and 5


def bands(run: Run) -> Result:
    """Table 4: accuracy of networks that see one frequency band.

    Variant "top band": the band between the full and half the resolution, which the paper leaves out.  Metric
    ``paired_p``: McNemar's test of the high against the low band at one resolution, on the same images.
    """
    run.build(needs(run))
    setup, result = seed_setup(run), Result()
    for factor in factors(run):
        cells = {column: band(column, factor) for column in BANDS}
        for column, part in cells.items():
            result.records.append(_accuracy(run, setup, "4", str(factor), column, part, factor=factor))
        if factor == 1:
            top = {"factor": 1, "variant": "top band"}
            result.records.append(_accuracy(run, setup, "4", "1", "H-f", TOP_BAND, **top))
        else:
            result.records.append(_paired(run, setup, str(factor), cells))
    return result


def patches(run: Run) -> Result:
    """Table 5: accuracy of networks that average what they see in patches; rows are patch sides in pixels."""
    run.build(needs(run))
    setup, result = seed_setup(run), Result()
    for side in poolings(run):
        part = {"pool_at": side}
        row = str(patch(run, side))
        result.records.append(_accuracy(run, setup, "5", row, "Ours", part, pooling=side))
    return result


def patch(run: Run, pool_at: int) -> int:
    """Side in pixels of the patches of a post-pooling network, read off its layers."""
    return summary.patch(network(run, pool_at=pool_at), run.profile.resolution)


def network(run: Run, **part) -> AttributionNetwork:
    """An untrained network of the run's size, to be looked at."""
    size = run.profile.classifier
    return AttributionNetwork(run.profile.resolution, run.profile.seeds + 1, size.fmap_base, size.fmap_max, **part)


def _accuracy(run: Run, setup: Setup, table: str, row: str, column: str, part: Mapping, **params) -> dict:
    named = predictions(run, "cnn", setup, **part)
    measured = metrics.accuracy(setup.labels("test"), named, attribution.latents(setup))
    params["chosen"] = attributor(run, "cnn", setup, **part).chosen_
    return accuracy_record(
        run, row, measured, table=table, setup=setup.name, column=column, classes=len(setup.sources), params=params,
        seconds=run.seconds(run.fit("cnn", setup, **part)),
    )  # fmt: skip


def _paired(run: Run, setup: Setup, row: str, cells: Mapping[str, Mapping]) -> dict:
    low, high = (predictions(run, "cnn", setup, **cells[column]) for column in BANDS)
    test, nets = attribution.paired(setup, high, low)
    params = {"only_high": test.only_first, "only_low": test.only_second} | nets
    return record(
        run,
        row,
        "paired_p",
        test.p,
        table="4",
        setup=setup.name,
        column="H-f against L-f",
        n=len(high),
        classes=len(setup.sources),
        params=params,
    )


# ---------------------------------------------------------------------------- Table 6


def nearest(run: Run, setup: Setup) -> dict[str, np.ndarray]:
    """For each test image of a setup its ``distance`` to the nearest real image for GANs, and the ``index`` of that."""
    found = run.nearest(setup)
    return {"distance": run.array(found, DISTANCES), "index": run.array(found, NEIGHBOURS)}


def distance_name(run: Run) -> str:
    """What the perceptual distance of this run is: LPIPS, a deep-feature distance, or the content-feature distance."""
    return run.nearest(seed_setup(run)).distance(run.path).name


def closest(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which images are selected: of each class the closest tenth, at least four, (N,) bool."""
    kept = np.zeros(len(labels), bool)
    for name in dict.fromkeys(labels):
        mine = np.flatnonzero(labels == name)
        count = min(len(mine), max(FEWEST, round(SHARE * len(mine))))
        kept[mine[np.argsort(distance[mine], kind="stable")[:count]]] = True
    return kept


def selected(run: Run) -> Result:
    """Table 6: the methods of Table 3, as they were trained, on the tenth of the test images nearest to real ones.

    The real class is selected by the same rule.  Variants: "not selected", the other nine tenths; "generated",
    the selected generated images alone.  Arrays: ``classes``; ``distance`` (K, n) of all test images by source.
    """
    setup = seed_setup(run)
    truth, distance = setup.labels("test"), nearest(run, setup)["distance"]
    kept = closest(distance, truth)
    parts = {"": kept, "not selected": ~kept, "generated": kept & (truth != "real")}
    result = Result(arrays={"classes": np.array(setup.classes), "distance": distance.reshape(len(setup.sources), -1)})
    for method, row in METHODS.items():
        predicted = predictions(run, method, setup)
        for variant, chosen in parts.items():
            result.records.append(_selected_accuracy(run, row, setup, predicted, chosen, variant))
    for row, features in features_of(run, setup).items():
        result.records += attribution.fd_ratios(run, row, features[kept], truth[kept], "selected", "6")
    return result


def _selected_accuracy(run: Run, row: str, setup: Setup, predicted: np.ndarray, chosen: np.ndarray, variant: str):
    truth, named = setup.labels("test")[chosen], predicted[chosen]
    measured = metrics.accuracy(truth, named, attribution.latents(setup)[chosen])
    by_class = metrics.per_class_accuracy(truth, named)
    params = {"by_class": {name: [a.value, a.low, a.high] for name, a in by_class.items()}}
    params |= {"distance": distance_name(run)} | ({"variant": variant} if variant else {})
    classes = len(setup.sources)
    return accuracy_record(run, row, measured, table="6", setup="selected", classes=classes, params=params)


def equal_n(run: Run) -> Result:
    """What is left of the fall of the FD ratio from Table 3 to Table 6 at equal numbers of images.

    Per feature three records of Table 6: ``fd_ratio_all`` on all test images, ``fd_ratio_random`` as the mean and
    95 % range over random tenths, ``fd_ratio_selected``, whose ``params.p`` is the share of random tenths, two-sided,
    that lie as far out.  ``inter`` and ``intra`` are the distances that the ratio is made of.
    """
    setup = seed_setup(run)
    truth = setup.labels("test")
    kept = closest(nearest(run, setup)["distance"], truth)
    rng = np.random.default_rng(run.seed)
    draws = [closest(rng.random(len(truth)), truth) for _ in range(DRAWS)]
    result = Result()
    for row, features in features_of(run, setup).items():
        features = np.asarray(features)
        every, chosen, *random = (_ratio(run, features[rows], truth[rows]) for rows in (truth != "", kept, *draws))
        ratios = np.array([found.ratio for found in random])
        tail = min((ratios <= chosen.ratio).sum(), (ratios >= chosen.ratio).sum())
        p = float(min(1.0, 2 * (1 + tail) / (1 + DRAWS)))
        spread = tuple(np.quantile(ratios, (0.025, 0.975)))
        shown = {"features": attribution.extractor_name(run) if row == "Inception" else "fingerprint"}
        for which, found, interval, extra in (
            ("all", [every], None, {}),
            ("random", random, spread, {"draws": DRAWS}),
            ("selected", [chosen], None, {"p": p}),
        ):
            ratio, inter, intra = (float(np.mean([getattr(x, k) for x in found])) for k in ("ratio", "inter", "intra"))
            n = len(truth) if which == "all" else int(kept.sum())
            params = shown | {"inter": inter, "intra": intra} | extra
            known = dict(table="6", setup="selected", interval=interval, n=n, classes=len(setup.sources))
            result.records.append(record(run, row, f"fd_ratio_{which}", ratio, params=params, **known))
    return result


def _ratio(run: Run, features: np.ndarray, labels: np.ndarray) -> metrics.FDRatio:
    return metrics.fd_ratio(features, labels, "matched", run.seed, attribution.HALVINGS)


# ---------------------------------------------------------------------------- Figures 5, 14 and 28


def selected_samples(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The test images of each source that are nearest to real ones, nearest first: name -> (count, 3, R, R)."""
    return {name: images for name, (images, _) in _ordered(run, count).items()}


def with_neighbours(run: Run, count: int = 10) -> dict[str, np.ndarray]:
    """The nearest and the farthest images of the first GAN, each row above its nearest real images."""
    setup, real = seed_setup(run), run.images.part(run.array(run.images, IMAGES), "gan")
    name = setup.classes[1]
    found = {}
    for row, beside, farthest in (("nearest", "real, beside them", False), ("farthest", "real, beside these", True)):
        images, index = _ordered(run, count, farthest)[name]
        found |= {f"{row} of {name}": images, beside: real[index]}
    return found


def _ordered(run: Run, count: int, farthest: bool = False) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found, setup = {}, seed_setup(run)
    by_source = (array.reshape(len(setup.sources), -1) for array in nearest(run, setup).values())
    for source, sample, distance, index in zip(setup.sources, setup.part("test"), *by_source, strict=True):
        order = np.argsort(-distance if farthest else distance, kind="stable")[:count]
        found[source.name] = np.asarray(run.sample(sample))[order], np.asarray(index)[order]
    return found
