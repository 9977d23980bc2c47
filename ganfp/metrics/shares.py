"""Shares of images with their intervals: accuracy, its trend over groups, chance, service authenticity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054  # standard errors to either side of a mean, for 95 %


@dataclass(frozen=True)
class Accuracy:
    """Share of correct predictions with its 95 % Wilson interval: ``value``, ``low``, ``high`` in percent.

    ``deff`` is the design effect: how many times the variance is what ``n`` independent images would give.
    """

    value: float
    low: float
    high: float
    correct: int
    n: int
    clusters: int
    deff: float


def accuracy(y_true: Sequence[str], y_pred: Sequence[str], clusters: Sequence[int] | None = None) -> Accuracy:
    """Attribution accuracy in percent with a 95 % interval: :func:`share` of the images that are named rightly."""
    return share(np.equal(*labels(y_true, y_pred)), clusters)


def share(right: Sequence[bool], clusters: Sequence[int] | None = None) -> Accuracy:
    """Share of true values in percent with a 95 % interval.

    The interval is Wilson's score interval (Wilson 1927, JASA 22, 209-212): unlike the usual p ± 1.96
    standard errors, it stays inside [0, 100] and keeps its coverage near 100 %, where the paper's values lie.
    With ``clusters`` it is that of n / deff images, with Student's quantile for so many clusters (Korn and Graubard
    1998, Survey Methodology 24, 193-201).  Where fewer than about twenty clusters hold an error it is too wide.
    """
    right = np.asarray(right, dtype=bool)
    if right.ndim != 1 or not len(right):
        raise ValueError(f"right must be a non-empty list of true and false, not of shape {right.shape}")
    correct, n = int(right.sum()), len(right)
    groups, deff, z = n, 1.0, Z
    if clusters is not None:
        ids, sizes = grouped(clusters, n)
        groups, deff, z = len(sizes), _design_effect(right, ids, sizes), student(len(sizes) - 1)
    low, high = wilson(correct / n, n / deff, z)
    return Accuracy(100 * correct / n, 100 * low, 100 * high, correct, n, groups, deff)


def _design_effect(right: np.ndarray, ids: np.ndarray, sizes: np.ndarray) -> float:
    """Variance of the mean over clusters, over that of independent images; 1 or more.

    A quarter of a cluster that is wholly right and one that is wholly wrong are counted in: a handful of errors tells
    little of how they gather, and none or nothing but errors, nothing at all.
    """
    typical = (sizes**2).sum() / len(right)
    p = right.mean()
    prior = typical * (p**2 + (1 - p) ** 2) / 4
    between, within = variance(np.bincount(ids, right - p)), variance(right - p)
    return float(max(1.0, (between + typical * prior) / (within + prior)))


def per_class_accuracy(y_true: Sequence[str], y_pred: Sequence[str]) -> dict[str, Accuracy]:
    """Accuracy among the images of each true class (its recall), in sorted order of the class names."""
    y_true, y_pred = labels(y_true, y_pred)
    return {str(c): accuracy(y_true[y_true == c], y_pred[y_true == c]) for c in np.unique(y_true)}


def confusion_matrix(y_true: Sequence[str], y_pred: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Counts (K, K) in the order of ``classes``: row = true class, column = predicted class.

    Raises ``ValueError`` for a label that is not in ``classes``.
    """
    y_true, y_pred = labels(y_true, y_pred)
    if unknown := sorted({*map(str, y_true), *map(str, y_pred)} - set(classes)):
        raise ValueError(f"labels {unknown} are not among the classes {list(classes)}")
    return np.array([[((y_true == a) & (y_pred == b)).sum() for b in classes] for a in classes])


def chance_p(correct: int, n: int, classes: int) -> float:
    """Two-sided exact p-value of so many correct answers, were all of them guesses among equally likely classes."""
    from scipy.stats import binomtest

    return float(binomtest(correct, n, 1 / classes).pvalue)


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """95 % score interval of a share in [0, 1] that was observed among n; n need not be whole."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # at 0 or 1 a bound equals the share; rounding would leave it 1e-17 to either side
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval, in the unit of the values."""

    value: float
    low: float
    high: float
    n: int


def mean(values: Sequence[float], clusters: Sequence[int] | None = None) -> Mean:
    """Mean of values with Student's interval, over ``clusters`` where images share a cause."""
    values = np.asarray(values, dtype=np.float64)
    ids, sizes = grouped(clusters, len(values))
    centre, n = values.mean(), len(values)
    half = student(len(sizes) - 1) * variance(np.bincount(ids, values - centre)) ** 0.5 / n
    return Mean(float(centre), float(centre - half), float(centre + half), n)


def interval_over_seeds(values: Sequence[float], n: float) -> tuple[float, float]:
    """95 % interval, in percent, of the mean of accuracies (percent) that were measured with different seeds.

    Student's interval of the mean covers the seeds and the images that came with them, but with few seeds it may be
    short by luck; so it is never narrower than Wilson's interval of all ``n`` test images together, less their design
    effect.  Where the seeds make no difference it therefore covers more than 95 %.
    """
    centre = float(np.mean(values))
    low, high = (100 * x for x in wilson(centre / 100, n))
    if len(values) > 1:
        over = mean(values)
        low, high = min(low, max(0.0, over.low)), max(high, min(100.0, over.high))
    return low, high


@dataclass(frozen=True)
class Trend:
    """Slope of the share correct per unit of the score, in points, and the two-sided p-value of no trend.

    ``tau`` and ``p_groups`` are Kendall's correlation over the groups, each taken as one observation, None where all
    shares are equal: it alone knows that groups, one GAN each, differ for reasons of their own.  Four groups cannot
    bring its p-value below 0.08.
    """

    slope: float
    p: float
    tau: float | None
    p_groups: float | None
    deff: float


def trend(correct: Sequence[int], counts: Sequence[int], scores: Sequence[float], deff: float = 1.0) -> Trend:
    """Does the share correct among ``counts`` images rise or fall with the score of their group?

    The Cochran-Armitage test (Armitage 1955, Biometrics 11, 375-386): the slope of a weighted least-squares line
    through the shares, over its standard error if all groups had one share.  It knows of the choice of images alone;
    groups that differ for reasons of their own can make a trend by accident.  ``deff`` is the design effect of images
    that share a cause, see :func:`trend_of_images`.  Raises ``ValueError`` for fewer than two different scores; where
    every image or none is correct, p is 1.
    """
    from scipy.stats import kendalltau, norm

    correct, counts, scores = (np.asarray(x, dtype=float) for x in (correct, counts, scores))
    centred = scores - np.average(scores, weights=counts)
    spread = (counts * centred**2).sum()
    if not spread > 0:
        raise ValueError(f"a trend needs at least two different scores, not {scores.tolist()}")
    p = correct.sum() / counts.sum()
    if p in (0, 1):
        return Trend(0.0, 1.0, None, None, deff)
    slope = (correct * centred).sum() / spread
    groups = kendalltau(scores, correct / counts)
    tau = (None, None) if np.isnan(groups.statistic) else (float(groups.statistic), float(groups.pvalue))
    return Trend(float(100 * slope), float(2 * norm.sf(abs(slope) / np.sqrt(deff * p * (1 - p) / spread))), *tau, deff)


def trend_of_images(right: Sequence[bool], scores: Sequence[float], clusters: Sequence[int] | None = None) -> Trend:
    """:func:`trend` of images (N,), each with its group's score, where images of different groups share a cause.

    The variance of the slope is taken over ``clusters``: two GANs that are alike may be right on the same latents, or
    the one exactly where the other is wrong.  So ``deff`` may be below 1, or above.
    """
    right, scores = np.asarray(right, dtype=bool), np.asarray(scores, dtype=float)
    groups, of = np.unique(scores, return_inverse=True)
    counts, correct = np.bincount(of), np.bincount(of, right)
    p, deff = right.mean(), 1.0
    if clusters is not None and 0 < p < 1:
        ids, _ = grouped(clusters, len(right))
        centred = scores - scores.mean()
        deff = float(variance(np.bincount(ids, (right - p) * centred)) / (p * (1 - p) * (centred**2).sum()))
    return trend(correct, counts, groups, deff)


@dataclass(frozen=True)
class Authenticity:
    """Share of a folder's images attributed to a service, its exact 95 % interval (percent), and a p-value.

    ``p`` is the chance of so many if at most half of such images were: below 0.05, most of the folder is the service's.
    """

    share: float
    low: float
    high: float
    n: int
    p: float


def service_authenticity(predicted: Sequence[str], service: str) -> Authenticity:
    """Is most of a folder from the service that it claims to come from (Section 3.1)?

    ``predicted`` are the sources that an attributor names for its images.  Clopper and Pearson's interval and the
    one-sided binomial test at one half.  What the attributor mistakes for others counts against the service; and a
    service that it was never shown is always mistaken for one that it was.
    """
    from scipy.stats import binomtest

    predicted = np.asarray(predicted)
    if predicted.ndim != 1 or not len(predicted):
        raise ValueError("predicted must be a non-empty list of source names")
    test = binomtest(int((predicted == service).sum()), len(predicted), 0.5, alternative="greater")
    interval = binomtest(test.k, test.n).proportion_ci(0.95, "exact")
    return Authenticity(100 * test.statistic, 100 * interval.low, 100 * interval.high, test.n, float(test.pvalue))


def labels(y_true: Sequence[str], y_pred: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays; ``ValueError`` unless they are equally long, flat and not empty."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise ValueError(f"labels must be two equally long, non-empty lists, not {y_true.shape} and {y_pred.shape}")
    return y_true, y_pred


def grouped(clusters: Sequence[int] | None, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Clusters (or single images) as numbers from 0, (n,), and their sizes; ``ValueError`` for one or a wrong n."""
    clusters = np.arange(n) if clusters is None else np.asarray(clusters)
    if clusters.shape != (n,):
        raise ValueError(f"clusters must be one number for each of the {n} images, not of shape {clusters.shape}")
    _, ids, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise ValueError("clusters must be at least two: one alone does not tell how much they differ")
    return ids, sizes


def variance(residuals: np.ndarray) -> float:
    """Variance of a sum of independent terms, from their residuals, with the usual correction for their number."""
    return float(len(residuals) / (len(residuals) - 1) * (residuals**2).sum())


def student(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's distribution."""
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))
