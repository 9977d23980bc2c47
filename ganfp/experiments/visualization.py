"""Fingerprints as images (Sections 3.3 and 4.5): Figures 7 and 36, the visNet row of Table 3, and where it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from ganfp import metrics, worlds
from ganfp.attributors.calibration import softmax
from ganfp.attributors.visnet import VisNet, correlation, floor
from ganfp.experiments.attribution import attributor
from ganfp.experiments.existence import VISNET, seed_setup
from ganfp.paper.record import Result, accuracy_record, record
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

FIGURE = {"faces": "7", "bedrooms": "36"}
LOGITS: dict[str, dict] = {  # "fixed" is the paper's Equation 3, which has no temperature
    "learned": {},
    "fixed": {"logits": "fixed", "temperature": 1.0},
    "inner": {"logits": "inner"},
}
MIRRORING: dict[str, dict] = {"as they are": {"flip": False}, "mirrored": {"flip": True}}


def needs(run: Run) -> list[Recipe]:
    """What the figures of a data set load."""
    setup = seed_setup(run)
    return [run.evaluation("visnet", setup), run.fit("prnu", setup), *setup.part("test")]


def extra_needs(run: Run) -> list[Recipe]:
    """What the comparisons of logits and of mirrored images load, of one data set only."""
    return [_compared(run, changes) for changes in (*LOGITS.values(), *MIRRORING.values())]


def _compared(run: Run, changes: dict) -> Fit:
    """A variant of visNet; all that are compared are trained on equally many images."""
    return run.fit("visnet", seed_setup(run), images=run.profile.logits.images, **changes)


# ---------------------------------------------------------------------------- Figures 7 and 36


def fingerprints(run: Run) -> Result:
    """Model fingerprints, image fingerprints and how they respond to each other, for visNet and for PRNU.

    Arrays, with K sources in the order of ``classes``: ``images`` (K, 3, R, R), the first test image of each;
    ``image_fingerprints`` of these; ``response_images`` (K, K, R, R), source of the image by source of the model, each
    of which sums to the correlation in ``shown`` (K, K).  For each method ``models_METHOD`` (K, 3, R, R) and
    ``responses_METHOD`` (K, K), the mean correlation over all test images.  Records: by source, how much more its
    images respond to their own model than to the strongest other one, ``metric`` "margin", with its interval.
    """
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    first = np.array([np.argmax(truth == name) for name in setup.classes])
    network, prnu = attributor(run, "visnet", setup), attributor(run, "prnu", setup)
    shown = network.response_images(images[first])[:, network.columns(setup.classes)]
    result = Result(
        arrays={
            "classes": np.array(setup.classes),
            "images": images[first],
            "image_fingerprints": network.image_fingerprints(images[first]),
            "response_images": shown,
            "shown": shown.sum(axis=(2, 3)),
        }
    )
    found = {"visnet": (network, network.responses(images)), "prnu": (prnu, prnu.scores(images))}
    for method, (fitted, responses) in found.items():
        columns = fitted.columns(setup.classes)
        result.arrays[f"models_{method}"] = fitted.fingerprints_[columns]
        result.arrays[f"responses_{method}"] = by_source(responses[:, columns], truth, setup.classes)
        row = {"visnet": VISNET, "prnu": "PRNU"}[method]
        result.records += margins(run, row, responses[:, columns], truth, setup.classes)
    return result


def by_source(responses: np.ndarray, truth: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Mean of (N, K) over the images of each source: (K, K), row = truth."""
    return np.stack([responses[truth == name].mean(axis=0) for name in classes])


def margins(run: Run, row: str, responses: np.ndarray, truth: np.ndarray, classes: Sequence[str]) -> list[dict]:
    """For each source the mean of (own response - response to the other model that is strongest on average)."""
    found = []
    for k, name in enumerate(classes):
        r = responses[truth == name]
        rival = max((j for j in range(len(classes)) if j != k), key=lambda j: r[:, j].mean())
        gap = metrics.mean(r[:, k] - r[:, rival])
        found.append(
            record(
                run,
                row,
                "margin",
                gap.value,
                figure=FIGURE.get(worlds.parse(run.source or run.dataset)[0], ""),
                setup="seeds",
                column=name,
                interval=(gap.low, gap.high),
                n=gap.n,
                classes=len(classes),
                params={"own": float(r[:, k].mean()), "rival": classes[rival]},
            )
        )
    return found


# ---------------------------------------------------------------------------- spectrum and autocorrelation


def spectrum(fingerprints: np.ndarray) -> np.ndarray:
    """Power by frequency of (K, 3, R, R), mean over colours, zero frequency in the middle; each sums to 1: (K, R, R).

    The mean of an image has no part in it.
    """
    x = fingerprints - fingerprints.mean(axis=(-2, -1), keepdims=True)
    power = (np.abs(np.fft.fft2(x)) ** 2).mean(axis=1)
    return np.fft.fftshift(power / power.sum(axis=(-2, -1), keepdims=True), axes=(-2, -1))


def autocorrelation(fingerprints: np.ndarray) -> np.ndarray:
    """Correlation of (K, 3, R, R) with itself, shifted cyclically, no shift in the middle, where it is 1: (K, R, R).

    It is the Fourier transform of :func:`spectrum` (Wiener and Khinchin).
    """
    power = np.fft.ifftshift(spectrum(fingerprints), axes=(-2, -1))
    return np.fft.fftshift(np.fft.fft2(power).real, axes=(-2, -1))


def lattice_power(fingerprints: np.ndarray, period: int = 2) -> np.ndarray:
    """Times that the power at the frequencies of a grid of that period exceeds the mean of all others: (K,).

    Nearest-neighbour enlargement by 2 repeats every pixel, a pattern of period 2 whose frequencies are the corners
    and the middles of the edges of the spectrum; the period doubles with every enlargement after it.
    """
    side = fingerprints.shape[-1]
    steps = np.arange(0, side, side // period)
    on = np.zeros((side, side), bool)
    on[np.ix_(steps, steps)] = True
    power = np.fft.ifftshift(spectrum(fingerprints), axes=(-2, -1))
    off = ~on
    on[0, 0] = False  # the mean
    return power[:, on].mean(axis=1) / power[:, off].mean(axis=1)


# ---------------------------------------------------------------------------- variants of the training


def logits(run: Run) -> Result:
    """Equation 3 with a learned temperature, as printed (none), and the official code's inner product.

    All are trained on equally many images.  Arrays: ``classes`` and ``models_NAME`` (K, 3, R, R).  Records, by row:
    accuracy, with ``params``: ``cross_entropy`` of the test images, in nats; ``floor``, the least that is possible at
    the trained temperature; ``start``, the mean absolute correlation of model fingerprints with their random start.
    """
    classes = len(seed_setup(run).classes)

    def about(network: VisNet, scores: np.ndarray, truth: np.ndarray) -> dict:
        temperature = None if network.logits == "inner" else network.trained_temperature
        return {
            "temperature": temperature,
            "cross_entropy": cross_entropy(scores, network.columns(truth)),
            "floor": None if temperature is None else floor(classes, temperature),
            "start": float(np.abs(network.agreement_with_start()).mean()),
        }

    return _variants(run, "logits", LOGITS, about)


def mirroring(run: Run) -> Result:
    """visNet trained on images as they are, and on images that are mirrored at random, as the official code does.

    Arrays as :func:`logits` has them.  Records, by row: accuracy, with ``params``: ``symmetry``, the mean correlation
    of model fingerprints with their own mirror images.
    """

    def about(network: VisNet, *_) -> dict:
        models = torch.from_numpy(network.fingerprints_)
        return {"symmetry": float(correlation(models, models.flip(-1)).diagonal().mean())}

    return _variants(run, "mirroring", MIRRORING, about)


def _variants(run: Run, name: str, variants: Mapping[str, dict], about: Callable[..., dict]) -> Result:
    """Accuracy and fingerprints of variants of visNet; ``about`` gives further ``params`` of their records."""
    setup = seed_setup(run)
    run.build(_compared(run, changes) for changes in variants.values())
    images, truth = load_part(setup, "test", run.path)
    result = Result(arrays={"classes": np.array(setup.classes)})
    for row, changes in variants.items():
        fit = _compared(run, changes)
        network = VisNet.load(run.path(fit))
        scores = network.scores(images)
        found = metrics.accuracy(truth, network.classes_[scores.argmax(axis=1)])
        params = {"images": network.images, **about(network, scores, truth)}
        result.arrays[f"models_{row}"] = network.fingerprints_[network.columns(setup.classes)]
        fields = {"classes": len(setup.classes), "params": params, "seconds": run.seconds(fit)}
        result.records.append(accuracy_record(run, row, found, setup=name, **fields))
    return result


def cross_entropy(scores: np.ndarray, codes: np.ndarray) -> float:
    """Mean cross-entropy in nats of the softmax of scores (N, K); codes (N,) are the columns of the truth."""
    p = softmax(scores)[np.arange(len(codes)), codes]
    return float(-np.log(np.maximum(p, 1e-30)).mean())
