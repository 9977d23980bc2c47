"""Attribution of a setup's test images: the setups of Section 4.2, and the rows of every table that is about them."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from types import MappingProxyType
from typing import Any

import numpy as np

from ganfp import attributors, metrics
from ganfp.attributors import Attributor
from ganfp.gans import GANS
from ganfp.paper.record import Record, Result, accuracy_record, record
from ganfp.runs.recipes import base as files
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.extractors import InceptionWeights, PerceptualTrunk
from ganfp.runs.recipes.features import Ratios
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run
from ganfp.worlds import DRAWN

METHODS = {name: method.row for name, method in attributors.METHODS.items() if name != "visnet"}  # rows as printed
VISNET = attributors.METHODS["visnet"].row  # of Table 3 alone

# ---------------------------------------------------------------------------- setups


def architecture_setup(run: Run) -> Setup:
    """{real, ProGAN, SNGAN, CramerGAN, MMDGAN}: GANs that differ in the architecture and in the loss (Table 1)."""
    gans = ((gan.label, run.generator(name)) for name, gan in GANS.items())
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
    """ProGAN_seed_1 and a second training of it, in every detail the same: the sanity check of Section 4.2.

    Both are trained by this run, and on ``profile.control`` images where that is given.
    """
    names, gans = ("ProGAN_seed_1", "ProGAN_seed_1_again"), [run.gan("progan", replica=i) for i in (0, 1)]
    if shown := run.profile.control:
        gans = [replace(gan, config=replace(gan.config, total_images=shown), snapshots=()) for gan in gans]
    return run.setup("same_seed", zip(names, gans, strict=True))


SETUPS = {"1": architecture_setup, "2": training_set_setup, "3": seed_setup}


# ---------------------------------------------------------------------------- what is measured on one


def needs(run: Run, setup: Setup) -> list[Recipe]:
    """Every artifact that :func:`evaluate` loads."""
    return [*(run.evaluation(method, setup) for method in METHODS), *ratios_of(run, setup).values()]


def evaluate(run: Run, setup: Setup, table: str = "") -> Result:
    """Accuracy of every method and FD ratio of both features on a setup, as records of a table of the paper.

    Arrays: ``classes``; per method ``confusion_ROW`` (K, K), counts, row = truth; ``fingerprint_cosines`` (K, K).
    """
    result = Result(arrays={"classes": np.array(setup.classes)})
    for method in METHODS:
        result.records.append(accuracy(run, method, setup, table, result.arrays))
    answers = {method: predictions(run, method, setup) for method in METHODS}
    measured = dict(zip(METHODS, list(result.records), strict=True))
    for b, a in combinations(METHODS, 2):  # the later is the stronger one in the paper
        result.records.append(difference(run, setup, measured[a], measured[b], answers[a], answers[b]))
    for row, ratios in ratios_of(run, setup).items():
        found = ratios.load(run.path)
        known = {"table": table, "setup": setup.name, "classes": len(setup.sources), "n": len(answers["cnn"])}
        result.records += [fd_ratio(run, row, found[convention], **known) for convention in ("matched", "paper")]
    result.arrays["fingerprint_cosines"] = fingerprint_cosines(run, setup)
    return result


def accuracy(
    run: Run, method: str, setup: Setup, table: str = "", arrays: dict | None = None,
    part: Mapping[str, Any] = MappingProxyType({}), **known,
) -> Record:  # fmt: skip
    """Accuracy of one method, with ``part`` of its settings changed, on the test images; confusions to ``arrays``."""
    row = attributors.METHODS[method].row
    truth, predicted = setup.labels("test"), predictions(run, method, setup, **part)
    if arrays is not None:
        arrays[f"confusion_{row}"] = metrics.confusion_matrix(truth, predicted, setup.classes)
    by_class = metrics.per_class_accuracy(truth, predicted)
    params = {
        "shared": shared(run, setup),
        "chosen": chosen(run, method, setup, **part),
        "by_class": {name: [by_class[name].value, by_class[name].low, by_class[name].high] for name in setup.classes},
    }
    return accuracy_record(
        run, row, metrics.accuracy(truth, predicted, clusters(setup)), table=table, setup=setup.name,
        classes=len(setup.sources), seconds=run.seconds(run.fit(method, setup, **part)), params=params, **known,
    )  # fmt: skip


def shared(run: Run, setup: Setup) -> int:
    """How many test images of a setup other seeds have, too: photographs."""
    return 0 if run.dataset in DRAWN else setup.test


def clusters(setup: Setup, split: str = "test") -> np.ndarray:
    """The cluster of each image of a split, (N,): image k of every source shares its latent and draw of an attack."""
    return np.tile(np.arange(getattr(setup, split)), len(setup.sources))


def difference(
    run: Run, setup: Setup, a: Record, b: Record, first: np.ndarray, second: np.ndarray,
    rows: np.ndarray | slice = slice(None), **known,
) -> Record:  # fmt: skip
    """The :func:`gap` of two accuracies; ``first`` and ``second`` are what the two predict for the test images.

    ``rows``: which test images count.
    """
    found = metrics.paired_difference(setup.labels("test")[rows], first[rows], second[rows], clusters(setup)[rows])
    known = {"variant": f"against {b.row}, {b.column}", "n": len(first[rows]), "classes": len(setup.sources), **known}
    return gap(run, a, b, found, **known)


def gap(run: Run, a: Record, b: Record, found: metrics.Difference | metrics.Mean, **known: Any) -> Record:
    """How many points record ``a`` is above ``b``, as found on the same images: metric "difference", in its place.

    ``params.against``: the place of ``b``; ``params.p``: the p-value, where there is one.
    """
    p = {"p": found.p} if isinstance(found, metrics.Difference) else {}
    params = {"against": [b.row, b.column, b.setup], **p, **known.pop("params", {})}
    known = {"column": a.column, "setup": a.setup, "n": a.n, "classes": a.classes, **known}
    return record(run, a.row, "difference", found.value, interval=(found.low, found.high), params=params, **known)


def predictions(run: Run, method: str, setup: Setup, **part: Any) -> np.ndarray:
    """The class that a method, or a variant of the network, names for each test image of a setup."""
    return np.array(sorted(setup.classes))[run.array(run.evaluation(method, setup, **part), files.PREDICTIONS)]


def attributor(run: Run, method: str, setup: Setup, **part: Any) -> Attributor:
    """The fitted method itself."""
    return Attributor.load(run.path(run.fit(method, setup, **part)))


def chosen(run: Run, method: str, setup: Setup, **part: Any) -> dict[str, Any]:
    """What a method chose on the validation images."""
    return attributors.chosen(run.path(run.fit(method, setup, **part)))


# ---------------------------------------------------------------------------- features


def features_of(run: Run, setup: Setup) -> dict[str, np.ndarray]:
    """Features of the test images under the two rows of the FD ratio, in the order of ``setup.labels("test")``."""
    return {
        "Inception": run.array(run.features(setup), files.FEATURES),
        "Our fingerprint": run.array(run.evaluation("cnn", setup), files.FEATURES),
    }


def extractor_name(run: Run) -> str:
    """What really stands in the row "Inception" of this run."""
    names = {InceptionWeights: "Inception v3", PerceptualTrunk: "ImageNet features"}
    return names.get(type(run.extractor), "content network")


def feature_name(run: Run, row: str) -> str:
    """What stands in a row of the FD ratio."""
    return extractor_name(run) if row == "Inception" else "fingerprint"


def ratios_of(run: Run, setup: Setup, per_class: int = 0) -> dict[str, Ratios]:
    """The FD ratios of the test images under the two rows; of each source the first ``per_class``, 0 for all."""
    rows = {"Inception": run.features(setup), "Our fingerprint": run.evaluation("cnn", setup)}
    return {row: run.ratios(features, setup, per_class) for row, features in rows.items()}


def fd_ratio(run: Run, row: str, ratio: metrics.FDRatio, **known: Any) -> Record:
    """An FD ratio with equal n on both sides, or, as a variant beside it, by the paper's own convention."""
    params = {"features": feature_name(run, row)} | known.pop("params", {})
    params |= {key: getattr(ratio, key) for key in ("inter", "intra", "n_inter", "n_intra", "spread")}
    known = {"variant": "" if ratio.convention == "matched" else "paper's convention"} | known
    return record(run, row, "fd_ratio", ratio.ratio, params=params, **known)


def fingerprint_cosines(run: Run, setup: Setup) -> np.ndarray:
    """Mean cosine between the image fingerprints of a class (row) and each model fingerprint (column), (K, K).

    Model fingerprints are the weight vectors of the last layer, less their mean: a vector that is common to all of
    them changes no decision.  Image fingerprints are the features, less the mean over the classes.
    """
    network = attributor(run, "cnn", setup)
    models = network.fingerprints_[network.columns(setup.classes)]
    images = np.asarray(features_of(run, setup)["Our fingerprint"])
    images, models = images - images.mean(axis=0), models - models.mean(axis=0)
    cosines = (images @ models.T) / np.outer(np.linalg.norm(images, axis=1), np.linalg.norm(models, axis=1))
    truth = setup.labels("test")
    return np.stack([cosines[truth == name].mean(axis=0) for name in setup.classes])


def smaller(setup: Setup, count: int) -> Setup:
    """The same task with at most so many test images of each source."""
    return replace(setup, test=min(count, setup.test))
