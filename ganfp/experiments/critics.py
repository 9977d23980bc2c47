"""Why not the GANs' own critics (Section 3.1)?  Because no critic was ever asked about another generator."""

from __future__ import annotations

import numpy as np
import torch

from ganfp import metrics
from ganfp.experiments.attribution import predictions
from ganfp.experiments.existence import seed_setup
from ganfp.gans import training
from ganfp.images import to_float
from ganfp.paper.record import Result, accuracy_record, reference_folder
from ganfp.runs.recipes.samples import Setup, load_part
from ganfp.runs.run import Run


def critics(run: Run) -> Result:
    """Attribution by the critics that the GANs were trained against, instead of a classifier of its own.

    Each critic scores every test image of the generated sources, and the highest (or the lowest) score names the
    source: with the scores as they are, and after scaling each critic to mean 0 and deviation 1 on the validation
    images.  The last record is the attribution network's, on the same images.  Critics are not shipped: a run on
    shipped generators has the records of the run that trained them.  Arrays: ``classes``; ``mean_scaled`` (K, K), mean
    scaled score by source (row) and critic (column).
    """
    if run.trained_as is not run:
        return Result.load(reference_folder(), f"critics-{run.dataset}")
    generated = generated_setup(run)
    held, _ = load_part(generated, "validation", run.path)
    images, truth = load_part(generated, "test", run.path)
    reference, raw = (critic_scores(run, generated, part) for part in (held, images))
    scaled = (raw - reference.mean(axis=0)) / reference.std(axis=0)
    classes = np.array(generated.classes)
    result = Result(arrays={"classes": classes})
    result.arrays["mean_scaled"] = np.stack([scaled[truth == name].mean(axis=0) for name in classes])
    rows = {}
    for kind, scores in {"raw": raw, "scaled": scaled}.items():
        for reading, sign in {"highest": 1, "lowest": -1}.items():
            rows[f"Critics, {reading} {kind} score"] = metrics.accuracy(truth, classes[(sign * scores).argmax(axis=1)])
    rows["Ours"] = generated_accuracy(run)
    result.records = [
        accuracy_record(run, row, measured, setup="critics", classes=len(classes)) for row, measured in rows.items()
    ]
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
    for column in range(len(setup.sources)):
        critic, meta = training.load_critic(run.path(run.gan("progan", column + 1)))
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            with torch.inference_mode():
                scores[batch, column] = critic(to_float(images[batch]), meta["blend"]).numpy()
    return scores
