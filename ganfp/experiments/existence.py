"""Existence and uniqueness (Section 4.2): Table 3, the same-seed control, Figures 1 and 4, the GANs' own critics."""

from __future__ import annotations

import json

import numpy as np
import torch

from ganfp import metrics, recipes
from ganfp.attributors import Attributor
from ganfp.gans import training
from ganfp.images import to_float
from ganfp.recipes import Recipe, Setup
from ganfp.records import Result, record
from ganfp.run import Run

METHODS = {"knn": "kNN", "eigenface": "Eigenface", "prnu": "PRNU", "cnn": "Ours"}  # rows as the paper prints them
HALVINGS = 5  # random halvings that an FD ratio is averaged over


# ---------------------------------------------------------------------------- setups


def seed_setup(run: Run) -> Setup:
    """{real, ProGAN_seed_1, ProGAN_seed_2, ...}: GANs that are equal in all but the seed (Section 4.2)."""
    gans = [(f"ProGAN_seed_{i}", run.progan(i)) for i in range(1, run.profile.seeds + 1)]
    return run.setup("seeds", [("real", run.images), *gans])


def twin_setup(run: Run) -> Setup:
    """ProGAN_seed_1 and a second training of it, in every detail the same: the sanity check of Section 4.2."""
    return run.setup("same_seed", [("ProGAN_seed_1", run.progan(1)), ("ProGAN_seed_1_again", run.progan(1, replica=1))])


def needs(run: Run) -> list[Recipe]:
    """Every artifact that the functions below load."""
    setup, twins = seed_setup(run), twin_setup(run)
    evaluations = [run.evaluation(method, s) for s in (setup, twins) for method in METHODS]
    return [
        *evaluations,
        run.features(setup),
        run.embedding(run.features(setup), setup),
        run.embedding(run.evaluation("cnn", setup), setup),
    ]


# ---------------------------------------------------------------------------- Table 3


def table3(run: Run) -> Result:
    """Accuracy of every method and FD ratio of both features on {real, ProGAN_seed_i}.

    Arrays: ``classes``; per method ``confusion_ROW`` (K, K), counts, row = truth; ``fingerprint_cosines`` (K, K),
    see :func:`fingerprint_cosines`.
    """
    return evaluate(run, seed_setup(run), table="3")


def evaluate(run: Run, setup: Setup, table: str) -> Result:
    """The rows of Table 1, 2 or 3 for a setup."""
    result = Result(arrays={"classes": np.array(setup.classes)})
    for method, row in METHODS.items():
        result.records.append(accuracy(run, method, row, setup, table, result.arrays))
    for row, features in features_of(run, setup).items():
        result.records += fd_ratios(run, row, features, setup, table)
    result.arrays["fingerprint_cosines"] = fingerprint_cosines(run, setup)
    return result


def accuracy(run: Run, method: str, row: str, setup: Setup, table: str, arrays: dict) -> dict:
    """Accuracy of one method on the test images, as a record; its confusion matrix goes to ``arrays``."""
    truth, predicted = setup.labels("test"), predictions(run, method, setup)
    measured = metrics.accuracy(truth, predicted)
    arrays[f"confusion_{row}"] = metrics.confusion_matrix(truth, predicted, setup.classes)
    fit = run.fit(method, setup)
    by_class = metrics.per_class_accuracy(truth, predicted)
    params = {
        "chosen": attributor(run, method, setup).chosen_,
        "by_class": {name: [by_class[name].value, by_class[name].low, by_class[name].high] for name in setup.classes},
    }
    return record(
        run,
        row,
        "accuracy",
        measured.value,
        table=table,
        setup=setup.name,
        interval=(measured.low, measured.high),
        n=measured.n,
        classes=len(setup.sources),
        params=params,
        seconds=run.seconds(fit),
    )


def predictions(run: Run, method: str, setup: Setup) -> np.ndarray:
    """The class that a method names for each test image of a setup."""
    return np.array(sorted(setup.classes))[run.array(run.evaluation(method, setup), recipes.PREDICTIONS)]


def attributor(run: Run, method: str, setup: Setup) -> Attributor:
    """The fitted method itself."""
    return Attributor.load(run.path(run.fit(method, setup)))


def features_of(run: Run, setup: Setup) -> dict[str, np.ndarray]:
    """Features of the test images under the two rows of the FD ratio, in the order of ``setup.labels("test")``."""
    return {
        "Inception": run.array(run.features(setup), recipes.FEATURES),
        "Our fingerprint": run.array(run.evaluation("cnn", setup), recipes.FEATURES),
    }


def extractor_name(run: Run) -> str:
    """What really stands in the row "Inception" of this run."""
    return "Inception v3" if isinstance(run.extractor, recipes.InceptionWeights) else "content network"


def fd_ratios(run: Run, row: str, features: np.ndarray, setup: Setup, table: str) -> list[dict]:
    """The FD ratio with equal n on both sides, and, as a variant beside it, with the paper's own convention."""
    found = []
    for convention, variant in (("matched", None), ("paper", "paper's convention")):
        ratio = metrics.fd_ratio(features, setup.labels("test"), convention, run.seed, HALVINGS)
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
                setup=setup.name,
                n=len(features),
                classes=len(setup.sources),
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
    columns = [network.classes_.index(name) for name in setup.classes]
    models = network.fingerprints_[columns]
    images = np.asarray(features_of(run, setup)["Our fingerprint"])
    images, models = images - images.mean(axis=0), models - models.mean(axis=0)
    cosines = (images @ models.T) / np.outer(np.linalg.norm(images, axis=1), np.linalg.norm(models, axis=1))
    truth = setup.labels("test")
    return np.stack([cosines[truth == name].mean(axis=0) for name in setup.classes])


# ---------------------------------------------------------------------------- the same-seed control


def same_seed(run: Run) -> Result:
    """Are two trainings with one seed equal, and can any method tell their images apart?

    The bytes of the two generators are compared before any attribution; their samples come from different
    latents.  The control passes if every interval of accuracy covers chance, 50 %.
    """
    setup = twin_setup(run)
    result = Result(arrays={"classes": np.array(setup.classes)})
    once, again = (run.path(source.origin) / training.GENERATOR for source in setup.sources)
    equal = once.read_bytes() == again.read_bytes()
    difference = largest_difference(once.parent, again.parent)
    for method, row in METHODS.items():
        found = accuracy(run, method, row, setup, "", result.arrays)
        found["params"] |= {"equal_bytes": equal, "largest_weight_difference": difference}
        result.records.append(found)
    return result


def largest_difference(one: str, other: str) -> float:
    """The largest absolute difference between the weights of two generators."""
    first, second = (training.load_generator(folder)[0].state_dict() for folder in (one, other))
    return max(float((first[name] - second[name]).abs().max()) for name in first)


# ---------------------------------------------------------------------------- Figures 1 and 4


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
        result.arrays[row] = run.array(embedding, recipes.POINTS)
        purity = neighbour_purity(run.array(features, recipes.FEATURES)[embedding.rows()], labels)
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


def figure4(run: Run, count: int = 10) -> Result:
    """The first test images of every source; one array (count, 3, R, R) per class, in the order of the setup."""
    setup = seed_setup(run)
    samples = zip(setup.classes, setup.part("test"), strict=True)
    return Result(arrays={name: np.array(run.sample(sample)[:count]) for name, sample in samples})


def training_curves(run: Run) -> dict[str, list[dict]]:
    """The rows that each ProGAN wrote while it was trained: images, resolution, blend and losses."""
    sources = seed_setup(run).sources[1:]
    return {s.name: json.loads((run.path(s.origin) / training.HISTORY).read_text())["rows"] for s in sources}


# ---------------------------------------------------------------------------- why not the GANs' own critics


def critics(run: Run) -> Result:
    """Attribution by the critics that the GANs were trained against, instead of a classifier of its own.

    Each critic scores every test image of the generated sources, and the highest (or the lowest) score names the
    source: with the scores as they are, and after scaling each critic to mean 0 and deviation 1 on the validation
    images.  Arrays: ``classes``; ``mean_scaled`` (K, K), mean scaled score by source (row) and critic (column).
    """
    generated = generated_setup(run)
    held, _ = recipes.load_part(generated, "validation", run.path)
    images, truth = recipes.load_part(generated, "test", run.path)
    reference, raw = (critic_scores(run, generated, part) for part in (held, images))
    scaled = (raw - reference.mean(axis=0)) / reference.std(axis=0)
    classes = np.array(generated.classes)
    result = Result(arrays={"classes": classes})
    result.arrays["mean_scaled"] = np.stack([scaled[truth == name].mean(axis=0) for name in classes])
    for kind, scores in {"raw": raw, "scaled": scaled}.items():
        for reading, sign in {"highest": 1, "lowest": -1}.items():
            measured = metrics.accuracy(truth, classes[(sign * scores).argmax(axis=1)])
            result.records.append(
                record(
                    run,
                    f"Critics, {reading} {kind} score",
                    "accuracy",
                    measured.value,
                    setup="critics",
                    interval=(measured.low, measured.high),
                    n=measured.n,
                    classes=len(classes),
                )
            )
    return result


def generated_setup(run: Run) -> Setup:
    """The seed setup without the real images."""
    setup = seed_setup(run)
    return run.setup("critics", [(s.name, s.origin) for s in setup.sources[1:]])


def generated_accuracy(run: Run) -> metrics.Accuracy:
    """The attribution network's accuracy on the generated test images alone, "real" being a wrong answer too."""
    setup = seed_setup(run)
    truth, predicted = setup.labels("test"), predictions(run, "cnn", setup)
    return metrics.accuracy(truth[truth != "real"], predicted[truth != "real"])


def critic_scores(run: Run, setup: Setup, images: np.ndarray) -> np.ndarray:
    """Each GAN's critic on each image, (N, K).

    A critic compares the images of a batch with each other (minibatch standard deviation), so the images are
    shuffled first: a batch of one source would give itself away.
    """
    order = np.random.default_rng(run.seed).permutation(len(images))
    order = np.resize(order, -(-len(order) // 4) * 4)  # the comparison is made in groups of four
    scores = np.empty((len(images), len(setup.sources)), np.float32)
    for column, source in enumerate(setup.sources):
        critic, meta = training.load_critic(run.path(source.origin))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            with torch.inference_mode():
                scores[batch, column] = critic(to_float(images[batch]), meta["blend"]).numpy()
    return scores


# ---------------------------------------------------------------------------- what a run cost


def cost(run: Run) -> dict[str, float]:
    """Core-seconds that the artifacts of a run took, by kind, whenever they were made."""
    from ganfp.building import closure

    spent: dict[str, float] = {}
    for recipe in closure(needs(run)):
        if run.store.has(recipe):
            spent[recipe.kind] = spent.get(recipe.kind, 0.0) + run.seconds(recipe)
    return spent
