"""Attribution of a setup's test images: the rows of Tables 1, 2, 3 and 6, whatever the sources differ in."""

from __future__ import annotations

import numpy as np

from ganfp import attributors, metrics
from ganfp.attributors import Attributor
from ganfp.paper.record import Result, accuracy_record, record
from ganfp.runs.recipes.base import FEATURES, PREDICTIONS, Recipe
from ganfp.runs.recipes.extractors import InceptionWeights, PerceptualTrunk
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

METHODS = {"knn": "kNN", "eigenface": "Eigenface", "prnu": "PRNU", "cnn": "Ours"}  # rows as the paper prints them
HALVINGS = 5  # random halvings that an FD ratio is averaged over


def needs(run: Run, setup: Setup) -> list[Recipe]:
    """Every artifact that :func:`evaluate` loads."""
    return [*(run.evaluation(method, setup) for method in METHODS), run.features(setup)]


def evaluate(run: Run, setup: Setup, table: str) -> Result:
    """Accuracy of every method and FD ratio of both features on a setup, as records of a table of the paper.

    Arrays: ``classes``; per method ``confusion_ROW`` (K, K), counts, row = truth; ``fingerprint_cosines`` (K, K),
    see :func:`fingerprint_cosines`.
    """
    result = Result(arrays={"classes": np.array(setup.classes)})
    for method, row in METHODS.items():
        result.records.append(accuracy(run, method, row, setup, table, result.arrays))
    result.records += [against(run, setup, rival, table) for rival in ("knn", "eigenface", "prnu")]
    for row, features in features_of(run, setup).items():
        result.records += fd_ratios(run, row, features, setup.labels("test"), setup.name, table)
    result.arrays["fingerprint_cosines"] = fingerprint_cosines(run, setup)
    return result


def accuracy(run: Run, method: str, row: str, setup: Setup, table: str, arrays: dict) -> dict:
    """Accuracy of one method on the test images, as a record; its confusion matrix goes to ``arrays``."""
    truth, predicted = setup.labels("test"), predictions(run, method, setup)
    measured = metrics.accuracy(truth, predicted, latents(setup))
    arrays[f"confusion_{row}"] = metrics.confusion_matrix(truth, predicted, setup.classes)
    by_class = metrics.per_class_accuracy(truth, predicted)
    params = {
        "chosen": chosen(run, method, setup),
        "by_class": {name: [by_class[name].value, by_class[name].low, by_class[name].high] for name in setup.classes},
        "shared": int((~generated(setup)).sum()),
        "deff": measured.deff,
    }
    return accuracy_record(
        run, row, measured, table=table, setup=setup.name, classes=len(setup.sources), params=params,
        seconds=run.seconds(run.fit(method, setup)),
    )  # fmt: skip


def generated(setup: Setup) -> np.ndarray:
    """Which test images of a setup are generated, (N,): the real ones are the same for every seed."""
    return np.repeat([not isinstance(source.origin, recipes.Images) for source in setup.sources], setup.test)


def latents(setup: Setup) -> np.ndarray:
    """Which test images share a cause, (N,): image k of every GAN comes from one latent, a real image is its own."""
    place = np.arange(len(setup.sources) * setup.test)
    return np.where(generated(setup), place % setup.test, -1 - place)


def against(run: Run, setup: Setup, rival: str, table: str) -> dict:
    """Ours against another method on the same images, as a record of metric ``paired_p``: McNemar's exact test.

    ``params.only_ours`` and ``params.only_rival`` are the numbers of images on which just one of the two is right.
    """
    ours, theirs = (predictions(run, method, setup) for method in ("cnn", rival))
    test, nets = paired(setup, ours, theirs)
    params = {"only_ours": test.only_first, "only_rival": test.only_second, "variant": f"Ours against {METHODS[rival]}"}
    return record(
        run, METHODS[rival], "paired_p", test.p, table=table, setup=setup.name, n=len(ours), params=params | nets
    )  # fmt: skip


def paired(setup: Setup, first: np.ndarray, second: np.ndarray) -> tuple[metrics.PairedTest, dict]:
    """McNemar's test of predictions of the test images, and what pooling it over seeds needs."""
    truth, groups, new = setup.labels("test"), latents(setup), generated(setup)
    nets = [
        metrics.mcnemar(truth[of], first[of], second[of], groups[of]).net if of.any() else {} for of in (new, ~new)
    ]
    shown = [{str(value): count for value, count in net.items()} for net in nets]
    return metrics.mcnemar(truth, first, second, groups), {"net": shown[0], "net_shared": shown[1]}


def predictions(run: Run, method: str, setup: Setup, **part) -> np.ndarray:
    """The class that a method, or a variant of the network, names for each test image of a setup."""
    return np.array(sorted(setup.classes))[run.array(run.evaluation(method, setup, **part), PREDICTIONS)]


def attributor(run: Run, method: str, setup: Setup, **part) -> Attributor:
    """The fitted method itself."""
    return attributors.load(run.path(run.fit(method, setup, **part)))


def chosen(run: Run, method: str, setup: Setup, **part) -> dict:
    """What the fitted method chose on the validation images."""
    return attributors.chosen(run.path(run.fit(method, setup, **part)))


def features_of(run: Run, setup: Setup) -> dict[str, np.ndarray]:
    """Features of the test images under the two rows of the FD ratio, in the order of ``setup.labels("test")``."""
    return {
        "Inception": run.array(run.features(setup), FEATURES),
        "Our fingerprint": run.array(run.evaluation("cnn", setup), FEATURES),
    }


def extractor_name(run: Run) -> str:
    """What really stands in the row "Inception" of this run."""
    names = {InceptionWeights: "Inception v3", PerceptualTrunk: "ImageNet features"}
    return names.get(type(run.extractor), "content network")


def fd_ratios(run: Run, row: str, features: np.ndarray, labels: np.ndarray, setup: str, table: str) -> list[dict]:
    """The FD ratio with equal n on both sides, and, as a variant beside it, with the paper's own convention."""
    found = []
    for convention, variant in (("matched", None), ("paper", "paper's convention")):
        ratio = metrics.fd_ratio(features, labels, convention, run.seed, HALVINGS)
        params = {
            "features": extractor_name(run) if row == "Inception" else "fingerprint",
            "inter": ratio.inter,
            "intra": ratio.intra,
            "n_inter": ratio.n_inter,
            "n_intra": ratio.n_intra,
            "spread": ratio.spread,
        }
        if variant:
            params["variant"] = variant
        found.append(
            record(
                run,
                row,
                "fd_ratio",
                ratio.ratio,
                table=table,
                setup=setup,
                n=len(features),
                classes=len(set(labels)),
                params=params,
            )
        )
    return found


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
