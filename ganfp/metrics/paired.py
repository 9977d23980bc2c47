"""Two methods on the same images: differences of accuracies and of gains, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganfp.metrics.shares import grouped, labels, student, variance


@dataclass(frozen=True)
class Difference:
    """First less second, in points, with its 95 % interval; ``p``: two-sided, of no difference, below 0.05 exactly
    where the interval leaves out 0; None where only the intervals of both were known."""

    value: float
    low: float
    high: float
    p: float | None

    def at_least(self, margin: float) -> bool:
        """Whether the first is shown to be no more than ``margin`` points worse than the second (non-inferiority)."""
        return self.low > -margin


def paired_difference(
    y_true: Sequence[str], first: Sequence[str], second: Sequence[str], clusters: Sequence[int] | None = None
) -> Difference:
    """Accuracy of the first method less that of the second on the same images, in points.

    Agresti and Min's interval (2005, Statistics in Medicine 24, 729-740): half an image more in each of the four
    cells of right and wrong keeps it honest where the methods hardly differ.  With ``clusters`` its variance is taken
    over these, and as many half images are added as a typical cluster has images.
    """
    return share_difference(_right(y_true, first), _right(y_true, second), clusters)


def share_difference(
    first: Sequence[bool], second: Sequence[bool], clusters: Sequence[int] | None = None
) -> Difference:  # fmt: skip
    """Share of true values of the first less that of the second, in points: :func:`paired_difference` of two answers
    to the same questions."""
    return _difference(np.subtract(first, second, dtype=int), clusters)


def gain_difference(
    y_true: Sequence[str], first: tuple[Sequence[str], Sequence[str]], second: tuple[Sequence[str], Sequence[str]],
    clusters: Sequence[int] | None = None,
) -> Difference:  # fmt: skip
    """How much more the first method gained than the second, in points; each is (predictions before, after).

    All four are of the same images; the interval is that of :func:`paired_difference`.
    """
    gains = [_right(y_true, after) - _right(y_true, before) for before, after in (first, second)]
    return _difference(gains[0] - gains[1], clusters)


def won_back(
    y_true: Sequence[str],
    clean: Sequence[str],
    attacked: Sequence[str],
    defended: Sequence[str],
    clusters: Sequence[int] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> np.ndarray:
    """Percent of the accuracy lost to an attack that a defence wins back, (1 + resamples,): measured, and resampled.

    A bootstrap over clusters (Efron 1979); what has one seed has the same resamples, and can be subtracted.  A loss of
    less than one image counts as one.
    """
    right = np.stack([_right(y_true, named) for named in (clean, attacked, defended)])
    ids, sizes = grouped(np.arange(right.shape[1]) if clusters is None else clusters, right.shape[1])
    n = len(sizes)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples)
    weights = np.concatenate([np.ones((1, n), int), drawn])
    clean, attacked, defended = (weights @ np.bincount(ids, one) for one in right)
    return 100 * (defended - attacked) / np.maximum(clean - attacked, 1)


def difference_of(first, second) -> Difference:
    """First less second, of two accuracies with intervals: anything with ``value``, ``low`` and ``high`` in percent.

    For accuracies on different images (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10); on the same
    images, where both tend to err together, it is too wide, and :func:`paired_difference` the better choice.
    """
    value = first.value - second.value
    down = np.hypot(first.value - first.low, second.high - second.value)
    up = np.hypot(first.high - first.value, second.value - second.low)
    return Difference(float(value), float(value - down), float(value + up), None)


def _right(y_true: Sequence[str], predicted: Sequence[str]) -> np.ndarray:
    return np.equal(*labels(y_true, predicted)).astype(int)


def _difference(values: np.ndarray, clusters: Sequence[int] | None) -> Difference:
    from scipy.stats import t

    n = len(values)
    ids, sizes = grouped(clusters, n)
    typical = (sizes**2).sum() / n
    total = n + 2 * typical
    centre = values.sum() / total
    terms = variance(np.bincount(ids, values) - sizes * centre) + typical * (1 + 2 * centre**2)
    error = terms**0.5 / total
    half, p = student(len(sizes) - 1) * error, 2 * t.sf(abs(centre) / error, len(sizes) - 1)
    return Difference(100 * values.sum() / n, 100 * (centre - half), 100 * (centre + half), float(p))
