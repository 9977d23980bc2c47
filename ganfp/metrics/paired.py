"""Two methods on the same images: McNemar's test, differences of accuracies and of gains with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ganfp.metrics.shares import grouped, labels, student, variance


@dataclass(frozen=True)
class PairedTest:
    """Images that only one method got right, the two-sided p-value, and all that it depends on: ``net`` counts the
    clusters by how many more of their images the first got right; those of several seeds can be added."""

    only_first: int
    only_second: int
    p: float
    net: dict[int, int]


def mcnemar(
    y_true: Sequence[str], first: Sequence[str], second: Sequence[str], clusters: Sequence[int] | None = None
) -> PairedTest:
    """Exact McNemar test of two methods on the same images (McNemar 1947, Psychometrika 12, 153-157).

    Only images on which exactly one method is right carry evidence; were the methods equally good, each such
    image would be a fair coin, so the p-value is that of a binomial test at 1/2.  With ``clusters`` each cluster is
    the coin: its net difference would have either sign with the same probability.
    """
    difference = _right(y_true, first) - _right(y_true, second)
    ids, _ = grouped(clusters, len(difference))
    net = Counter(int(x) for x in np.bincount(ids, difference) if x)
    return PairedTest(int((difference > 0).sum()), int((difference < 0).sum()), sign_flip_p(net), dict(net))


def sign_flip_p(net: Mapping[int | str, int]) -> float:
    """Exact two-sided p-value of a sum whose terms have random signs; ``net`` counts the terms by their value.

    With terms of +1 and -1 alone it is McNemar's.
    """
    from scipy.stats import binom

    sizes: Counter[int] = Counter()
    for value, count in net.items():
        sizes[abs(int(value))] += count
    total, possible = abs(sum(int(value) * count for value, count in net.items())), np.ones(1)
    for size, count in sizes.items():  # of the positive terms' sum
        steps = np.zeros(size * count + 1)
        steps[:: size or 1] = binom.pmf(np.arange(count + 1), count, 0.5) if size else 1.0
        possible = np.convolve(possible, steps)
    return float(min(1.0, 2 * possible[(len(possible) - 1 + total) // 2 :].sum()))


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
    return _difference(_right(y_true, first) - _right(y_true, second), clusters)


def gain_difference(
    y_true: Sequence[str], first: tuple[Sequence[str], Sequence[str]], second: tuple[Sequence[str], Sequence[str]],
    clusters: Sequence[int] | None = None,
) -> Difference:  # fmt: skip
    """How much more the first method gained than the second, in points; each is (predictions before, after).

    All four are of the same images; the interval is that of :func:`paired_difference`.
    """
    gains = [_right(y_true, after) - _right(y_true, before) for before, after in (first, second)]
    return _difference(gains[0] - gains[1], clusters)


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
