"""Who wants to be mistaken: removing a fingerprint from images on purpose, and forging another's.

Threat models after "Smudged fingerprints" (SaTML 2026).  Whoever has the attributor descends its gradient (PGD, Madry
et al. 2018); whoever has a fingerprint subtracts it; whoever has neither changes the image, or asks a network of his
own.
Images are uint8 (N, 3, R, R) before and after: what does not survive being saved is no attack.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganfp.attributors.base import Attributor, check_images, standardised
from ganfp.attributors.eigenface import Eigenface
from ganfp.attributors.knn import KNN
from ganfp.attributors.neural import NeuralAttributor
from ganfp.attributors.prnu import PRNU, denoising_residual, max_levels, residuals
from ganfp.images import to_bytes
from ganfp.seeding import mix

GOALS = ("removal", "forgery")
NORMS = ("linf", "l2")
BATCH = 256
STRIDE = 2.5  # times radius over steps: a step of PGD, as Madry et al. have it
RISE = 0.8  # of a hardening, in which the adversary becomes as strong as said
NEIGHBOURS = 8  # of each class, which stand for the votes of kNN
Scorer = Callable[[Tensor], Tensor]


def scorer(attributor: Attributor, images: np.ndarray) -> Scorer:
    """The attributor near ``images`` (n, 3, R, R) as a function with a gradient: grey levels like them -> (n, K).

    Of networks and Eigenface it is their own.  PRNU's denoiser passes gradients as if it were the identity (backward
    pass differentiable approximation, Athalye et al. 2018).  kNN's votes have none: minus the mean squared distance to
    the nearest images of each class, as they were before, stands for them.
    """
    if isinstance(attributor, NeuralAttributor):
        return lambda x: attributor.network_(x / 127.5 - 1)
    if isinstance(attributor, Eigenface):
        weights, bias = (torch.from_numpy(w).to(attributor.device) for w in (attributor.weights_, attributor.bias_))
        return lambda x: x.flatten(1) @ weights.T + bias
    if isinstance(attributor, PRNU):
        models = standardised(torch.from_numpy(attributor.fingerprints_).to(attributor.device))

        def correlations(x: Tensor) -> Tensor:
            fixed = x.detach()
            return standardised(x + (denoising_residual(fixed, **attributor.chosen_) - fixed)) @ models.T

        return correlations
    if isinstance(attributor, KNN):
        near = _neighbourhoods(attributor, images)
        centres, spread = (torch.from_numpy(part).to(attributor.device) for part in near)
        return lambda x: -(x.flatten(1)[:, None] - centres).square().sum(dim=2) - spread
    raise TypeError(f"no gradient is known of {type(attributor).__name__}; attack another method and transfer")


def _neighbourhoods(attributor: KNN, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (n, K, D) of each image's nearest neighbours in each class, and their mean squared distance from it."""
    points = images.reshape(len(images), -1).astype(np.float32)
    known = attributor._images.reshape(len(attributor._images), -1)
    centres = np.empty((len(points), len(attributor.classes_), points.shape[1]), np.float32)
    spread = np.empty(centres.shape[:2], np.float32)
    for c in range(len(attributor.classes_)):
        mine = known[attributor._labels == c].astype(np.float32)
        keys = (mine**2).sum(axis=1) - 2 * points @ mine.T
        for i, nearest in enumerate(np.argsort(keys, axis=1)[:, :NEIGHBOURS]):
            centres[i, c] = mine[nearest].mean(axis=0)
            spread[i, c] = ((mine[nearest] - centres[i, c]) ** 2).sum(axis=1).mean()
    return centres, spread


def pgd(
    attributor: Attributor, images: np.ndarray, columns: np.ndarray, strength: float, goal: str = "removal",
    norm: str = "linf", steps: int = 10, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """Images after projected gradient descent on the attributor's margin; the best of those on the way, in bytes.

    columns: (N,) of ``classes_``: the class to be rid of (``removal``) or to be taken for (``forgery``).  strength: the
    largest change in grey levels, of any value (``linf``) or in root mean square (``l2``); rounding stays within it.
    """
    images = check_images(images, attributor.resolution_)
    if goal not in GOALS or norm not in NORMS:
        raise ValueError(f"goal is one of {', '.join(GOALS)} and norm one of {', '.join(NORMS)}, not {goal}, {norm}")
    if not strength >= 1 or steps < 1:
        raise ValueError(f"strength, in grey levels, and steps must be 1 or more, not {strength} and {steps}")
    random = torch.Generator().manual_seed(mix(seed))
    parts = []
    for start in range(0, len(images), BATCH):
        some = np.array(images[start : start + BATCH])
        wanted = torch.from_numpy(np.asarray(columns[start : start + BATCH])).to(attributor.device)
        parts.append(_descended(scorer(attributor, some), some, wanted, strength, goal, norm, steps, random))
    return np.concatenate(parts) if parts else images


def adaptive(
    attributor: Attributor, images: np.ndarray, columns: np.ndarray, strength: float, goal: str = "removal",
    norm: str = "linf", steps: int = 50, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """Images after :func:`pgd` as somebody runs it who knows of a defence: many steps, as many starts as classes.

    Removal is tried towards any other class first and then towards each of them (Gowal et al. 2019), because the margin
    to the nearest class may lead nowhere (Tramèr et al. 2020); forgery from other starts.  What is deceived is kept.
    """
    images, best = check_images(images, attributor.resolution_), np.array(images)
    left = np.arange(len(images))
    for attempt in range(classes := len(attributor.classes_)):
        done = (attributor.attribute(best[left]).columns != columns[left]) == (goal == "removal")
        if not len(left := left[~done]):
            break
        aim, how = columns[left], goal
        if goal == "removal" and attempt:
            aim, how = (aim + attempt) % classes, "forgery"
        best[left] = pgd(attributor, images[left], aim, strength, how, norm, steps, mix(seed, attempt))
    return best


def _descended(
    score: Scorer, images: np.ndarray, wanted: Tensor, strength: float, goal: str, norm: str, steps: int,
    random: torch.Generator,
) -> np.ndarray:  # fmt: skip
    x = torch.from_numpy(images).to(wanted.device).float()
    change = strength * (torch.rand(x.shape, generator=random) - 0.5).to(x.device)
    best, least = x.clone(), torch.full((len(x),), torch.inf, device=x.device)
    for step in range(steps + 1):
        now = rounded(x, change, strength, norm).requires_grad_()  # descended is what will be saved
        margin = margins(score(now), wanted) * (1 if goal == "removal" else -1)
        better = margin.detach() < least
        best[better], least[better] = now.detach()[better], margin.detach()[better]
        if step < steps:
            (slope,) = torch.autograd.grad(margin.sum(), now)
            change = change - STRIDE * strength / steps * (slope.sign() if norm == "linf" else _unit(slope))
            change = change.clamp(-strength, strength) if norm == "linf" else change / _excess(change, strength)
            change = (x + change).clamp(0, 255) - x
    return to_bytes(best).cpu().numpy()


def margins(scores: Tensor, columns: Tensor) -> Tensor:
    """How far the score of a column (n,) is above the best of the others, (n,)."""
    others = scores.scatter(1, columns[:, None], -torch.inf)
    return scores.gather(1, columns[:, None])[:, 0] - others.amax(dim=1)


def rounded(x: Tensor, change: Tensor, strength: float, norm: str) -> Tensor:
    """x + change in whole grey levels 0 ... 255, never farther from x than ``strength``; x is whole."""
    if norm == "linf":
        return (x + change.clamp(-int(strength), int(strength)).round()).clamp(0, 255)
    done = (x + change.round()).clamp(0, 255)
    while (far := _excess(done - x, strength).flatten() > 1).any():  # rounding may have gone up
        change = torch.where(far[:, None, None, None], 0.9 * change, change)
        done = (x + change.round()).clamp(0, 255)
    return done


def _rms(change: Tensor) -> Tensor:
    return change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def _unit(change: Tensor) -> Tensor:
    return change / _rms(change).clamp(min=1e-12)


def _excess(change: Tensor, strength: float) -> Tensor:
    return (_rms(change) / strength).clamp(min=1)


def stamped(images: np.ndarray, strength: float, away: np.ndarray, towards: np.ndarray | None = None) -> np.ndarray:
    """Images less a fingerprint, and plus another's if there is one; the change has a root mean square of ``strength``.

    away, towards: one fingerprint for each image, (N, 3, R, R), of any scale.
    """
    mark = -_unit(torch.from_numpy(np.asarray(away, np.float32)))
    if towards is not None:
        mark = mark + _unit(torch.from_numpy(np.asarray(towards, np.float32)))
    return to_bytes(torch.from_numpy(np.array(images)).float() + strength * _unit(mark)).numpy()


def denoised(images: np.ndarray, sigma: float = 5.0) -> np.ndarray:
    """Images less what the Wiener filter of :mod:`ganfp.attributors.prnu` takes for noise of ``sigma`` grey levels."""
    levels = max_levels(images.shape[-1])
    return to_bytes(torch.from_numpy(images - residuals(images, sigma, levels))).numpy()


def resampled(images: np.ndarray, factor: float = 0.75) -> np.ndarray:
    """Images made smaller by a factor and as large as before again, bilinearly, without aliasing."""
    x, side = torch.from_numpy(np.array(images)).float(), images.shape[-1]
    small = F.interpolate(x, size=max(2, round(factor * side)), mode="bilinear", antialias=True)
    return to_bytes(F.interpolate(small, size=side, mode="bilinear", antialias=True)).numpy()


def psnr(before: np.ndarray, after: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of all images together; infinite where nothing changed."""
    error = float(((before.astype(np.float64) - after) ** 2).mean())
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def harden(
    attributor: NeuralAttributor, images: np.ndarray, labels: np.ndarray, strength: float, steps: int = 3,
    progress: Callable[[float], None] | None = None,
) -> NeuralAttributor:  # fmt: skip
    """The attributor after adversarial fine-tuning (Madry et al. 2018): each image is shown as PGD has changed it.

    What is attacked is what the network says of the image, so that the change tells nothing of the label.  Its strength
    rises from none along :data:`RISE` of the training: at once it may leave a network without any answer.
    """

    def change(some: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        now = strength * min(1.0, numbers[0] / (RISE * attributor.images))
        if now < 1:  # no value would change
            return some
        said = attributor.attribute(some).columns
        return pgd(attributor, some, said, now, steps=steps, seed=int(numbers[0]))

    return attributor.fine_tune(images, labels, change, progress=progress)
