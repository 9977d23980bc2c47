"""Existence and uniqueness (Section 4.2): Tables 1, 2 and 3, the same-seed control, Figures 1, 4, 8-12 and 22-26."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ganfp import metrics
from ganfp.experiments import attribution
from ganfp.experiments.attribution import METHODS, accuracy, evaluate, extractor_name
from ganfp.gans import GANS, training
from ganfp.paper.record import Result, joined, record
from ganfp.runs.recipes.base import FEATURES, POINTS, Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

# ---------------------------------------------------------------------------- setups


def architecture_setup(run: Run) -> Setup:
    """{real, ProGAN, SNGAN, CramerGAN, MMDGAN}: GANs that differ in the architecture and in the loss (Table 1)."""
    gans = [(entry.label, run.generator(name)) for name, entry in GANS.items()]
    return run.setup("architectures", [("real", run.images), *gans])


def training_set_setup(run: Run) -> Setup:
    """{real, ProGAN_subset_diff_i}: ProGANs of one seed whose training sets differ in i images (Table 2)."""
    gans = [(f"ProGAN_subset_diff_{i}", run.generator("progan", swapped=i)) for i in run.rungs]
    return run.setup("training_sets", [("real", run.images), *gans])


def seed_setup(run: Run) -> Setup:
    """{real, ProGAN_seed_1, ProGAN_seed_2, ...}: GANs that are equal in all but the seed (Table 3)."""
    gans = [(f"ProGAN_seed_{i}", run.generator("progan", i)) for i in range(1, run.profile.seeds + 1)]
    return run.setup("seeds", [("real", run.images), *gans])


def twin_setup(run: Run) -> Setup:
    """ProGAN_seed_1 and a second training of it, in every detail the same: the sanity check of Section 4.2."""
    gans = {"ProGAN_seed_1": run.gan("progan"), "ProGAN_seed_1_again": run.gan("progan", replica=1)}
    return run.setup("same_seed", gans.items())


VISNET = "Our visNet"  # as the paper prints its row
SETUPS = {"1": architecture_setup, "2": training_set_setup, "3": seed_setup}


def needs(run: Run, numbers: Sequence[str] = tuple(SETUPS)) -> list[Recipe]:
    """Every artifact that Tables 1 to 3 of a data set load, or those of them that are named."""
    tables = [recipe for number in numbers for recipe in attribution.needs(run, SETUPS[number](run))]
    return [*tables, *([run.evaluation("visnet", seed_setup(run))] if "3" in numbers else [])]


def extra_needs(run: Run) -> list[Recipe]:
    """What the pages load beside the tables, of one data set only: the same-seed control and Figure 1."""
    setup = seed_setup(run)
    return [
        *(run.evaluation(method, twin_setup(run)) for method in METHODS),
        run.embedding(run.features(setup), setup),
        run.embedding(run.evaluation("cnn", setup), setup),
    ]


# ---------------------------------------------------------------------------- Tables 1, 2 and 3


def table(run: Run, number: str) -> Result:
    """Table 1 (architectures), 2 (training sets) or 3 (seeds) of a data set: see :func:`attribution.evaluate`.

    Table 3 has a row more, for the network with visible fingerprints of Section 3.3.
    """
    setup = SETUPS[number](run)
    result = evaluate(run, setup, number)
    if number == "3":
        visnet = accuracy(run, "visnet", VISNET, setup, number, result.arrays)
        result.records.insert(len(METHODS), visnet)
    return result


def tables(runs: Sequence[Run], number: str) -> Result:
    """The same for every data set, joined; what is missing is made first, on all cores."""
    runs[0].build(recipe for run in runs for recipe in needs(run, [number]))
    return joined({run.dataset: table(run, number) for run in runs})


# ---------------------------------------------------------------------------- the same-seed control


def same_seed(run: Run) -> Result:
    """Are two trainings with one seed equal, and can any method tell their images apart?

    The bytes of the two generators are compared before any attribution; their samples come from different
    latents.  The control passes if no method differs from chance, 50 %: ``params.p`` is the exact p-value of each.
    """
    setup = twin_setup(run)
    run.build(run.evaluation(method, setup) for method in METHODS)
    result = Result(arrays={"classes": np.array(setup.classes)})
    once, again = (run.path(source.origin) / training.GENERATOR for source in setup.sources)
    equal = once.read_bytes() == again.read_bytes()
    difference = training.largest_difference(*(training.load_generator(p.parent)[0] for p in (once, again)))
    for method, row in METHODS.items():
        found = accuracy(run, method, row, setup, "", result.arrays)
        p = metrics.chance_p(round(found["value"] / 100 * found["n"]), found["n"], found["classes"])
        found["params"] |= {"equal_bytes": equal, "largest_weight_difference": difference, "p": p}
        result.records.append(found)
    return result


# ---------------------------------------------------------------------------- Figures 1, 4, 8-12 and 22-26


def figure1(run: Run) -> Result:
    """Content (or Inception) features and fingerprints of the same test images in the plane by t-SNE.

    Arrays: ``labels``; ``Inception`` and ``Our fingerprint``, (N, 2) each.  Records: how many of the ten nearest
    neighbours in the feature space itself are of the same source, in percent, which no layout can flatter.
    """
    setup = seed_setup(run)
    recipes_of = {"Inception": run.features(setup), "Our fingerprint": run.evaluation("cnn", setup)}
    result = Result()
    for row, features in recipes_of.items():
        embedding = run.embedding(features, setup)
        labels = setup.labels("test")[embedding.rows()]
        result.arrays["labels"] = labels
        result.arrays[row] = run.array(embedding, POINTS)
        purity = neighbour_purity(run.array(features, FEATURES)[embedding.rows()], labels)
        result.records.append(
            record(
                run,
                row,
                "neighbour_purity",
                purity,
                figure="1",
                setup=setup.name,
                n=len(labels),
                classes=len(setup.sources),
                params={"features": extractor_name(run) if row == "Inception" else "fingerprint"},
            )
        )
    return result


def neighbour_purity(features: np.ndarray, labels: np.ndarray, k: int = 10) -> float:
    """Mean share, in percent, of the k nearest other images that come from the same source."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)
    return 100 * float((labels[neighbours] == labels[:, None]).mean())


def samples(run: Run, setup: Setup, count: int = 10) -> dict[str, np.ndarray]:
    """The first test images of every source (Figures 4, 8-12, 22-26): name -> uint8 (count, 3, R, R)."""
    sources = zip(setup.classes, setup.part("test"), strict=True)
    return {name: np.array(run.sample(sample)[:count]) for name, sample in sources}


def training_curves(run: Run, setup: Setup) -> dict[str, list[dict]]:
    """The rows that each GAN of a setup wrote while it was trained: images, resolution, blend and losses."""
    gans = [source for source in setup.sources if source.origin != run.images]
    return {s.name: json.loads((run.path(s.origin) / training.HISTORY).read_text())["rows"] for s in gans}
