"""Metrics: accuracy with its interval, paired comparison of two methods, Fréchet distance and FD ratio.

Plain functions on arrays.  Labels are sequences of class names, features are float arrays (n, d).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Labels = Sequence[str] | np.ndarray

# --------------------------------------------------------------------------------------------------------
# Attribution (Section 4.1: classification accuracy)


@dataclass(frozen=True)
class Accuracy:
    """Share of correct predictions with its 95 % Wilson interval: ``value``, ``low``, ``high`` in percent."""

    value: float
    low: float
    high: float
    correct: int
    n: int


def accuracy(y_true: Labels, y_pred: Labels) -> Accuracy:
    """Attribution accuracy in percent with a 95 % interval.

    The interval is Wilson's score interval (Wilson 1927, JASA 22, 209-212): unlike the usual p +- 1.96
    standard errors, it stays inside [0, 100] and keeps its coverage near 100 %, where the paper's values lie.
    """
    y_true, y_pred = _labels(y_true, y_pred)
    correct, n = int((y_true == y_pred).sum()), len(y_true)
    low, high = wilson(correct / n, n)
    return Accuracy(100 * correct / n, 100 * low, 100 * high, correct, n)


def per_class_accuracy(y_true: Sequence[str], y_pred: Sequence[str]) -> dict[str, Accuracy]:
    """Accuracy among the images of each true class (its recall), in sorted order of the class names."""
    y_true, y_pred = _labels(y_true, y_pred)
    return {str(c): accuracy(y_true[y_true == c], y_pred[y_true == c]) for c in np.unique(y_true)}


def confusion_matrix(y_true: Sequence[str], y_pred: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Counts (K, K) in the order of ``classes``: row = true class, column = predicted class.

    Raises ``ValueError`` for a label that is not in ``classes``.
    """
    y_true, y_pred = _labels(y_true, y_pred)
    index = {str(c): i for i, c in enumerate(classes)}
    if unknown := sorted({*map(str, y_true), *map(str, y_pred)} - set(index)):
        raise ValueError(f"labels {unknown} are not among the classes {list(index)}")
    counts = np.zeros((len(index), len(index)), dtype=int)
    np.add.at(counts, ([index[str(c)] for c in y_true], [index[str(c)] for c in y_pred]), 1)
    return counts


@dataclass(frozen=True)
class PairedTest:
    """Images that only the first or only the second method got right, and the two-sided p-value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(y_true: Sequence[str], first: Sequence[str], second: Sequence[str]) -> PairedTest:
    """Exact McNemar test of two methods on the same images (McNemar 1947, Psychometrika 12, 153-157).

    Only images on which exactly one method is right carry evidence; were the methods equally good, each such
    image would be a fair coin, so the p-value is that of a binomial test at 1/2.
    """
    y_true, first = _labels(y_true, first)
    y_true, second = _labels(y_true, second)
    b = int(((first == y_true) & (second != y_true)).sum())
    c = int(((first != y_true) & (second == y_true)).sum())
    return PairedTest(b, c, discordant_p(b, c))


def discordant_p(only_first: int, only_second: int) -> float:
    """The p-value of :func:`mcnemar` from the numbers of images on which just one of two methods is right."""
    from scipy.stats import binomtest

    n = only_first + only_second
    return float(binomtest(only_first, n).pvalue) if n else 1.0


def interval_over_seeds(values: Sequence[float], n: int) -> tuple[float, float]:
    """95 % interval, in percent, of the mean of accuracies (percent) that were measured with different seeds.

    Student's interval of the mean covers the seeds and the images that came with them, but with few seeds it may be
    short by luck; so it is never narrower than Wilson's interval of all ``n`` test images together.
    """
    from scipy.stats import t

    mean = float(np.mean(values))
    low, high = (100 * x for x in wilson(mean / 100, n))
    if len(values) > 1:
        half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
        low, high = min(low, max(0.0, mean - half)), max(high, min(100.0, mean + half))
    return low, high


def chance_p(correct: int, n: int, classes: int) -> float:
    """Two-sided exact p-value of so many correct answers, were all of them guesses among equally likely classes."""
    from scipy.stats import binomtest

    return float(binomtest(correct, n, 1 / classes).pvalue)


@dataclass(frozen=True)
class Trend:
    """Slope of the share correct per unit of the score, in points, and the two-sided p-value of no trend."""

    slope: float
    p: float


def trend(correct: Sequence[int], counts: Sequence[int], scores: Sequence[float]) -> Trend:
    """Does the share correct among ``counts`` images rise or fall with the score of their group?

    The Cochran-Armitage test (Armitage 1955, Biometrics 11, 375-386): the slope of a weighted least-squares line
    through the shares, over its standard error if all groups had one share.  It knows of the choice of images alone;
    groups that differ for reasons of their own can make a trend by accident.  Raises ``ValueError`` for fewer than
    two different scores; where every image or none is correct, p is 1.
    """
    from scipy.stats import norm

    correct, counts, scores = (np.asarray(x, dtype=float) for x in (correct, counts, scores))
    centred = scores - np.average(scores, weights=counts)
    spread = (counts * centred**2).sum()
    if not spread > 0:
        raise ValueError(f"a trend needs at least two different scores, not {scores.tolist()}")
    share = correct.sum() / counts.sum()
    slope = (correct * centred).sum() / spread
    if share in (0, 1):
        return Trend(0.0, 1.0)
    return Trend(float(100 * slope), float(2 * norm.sf(abs(slope) / np.sqrt(share * (1 - share) / spread))))


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


def _labels(y_true: Labels, y_pred: Labels) -> tuple[np.ndarray, np.ndarray]:
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        shapes = f"{y_true.shape} and {y_pred.shape}"
        raise ValueError(f"labels must be two equally long, non-empty lists, not of shapes {shapes}")
    return y_true, y_pred


def wilson(share: float, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """95 % score interval of a share in [0, 1] that was observed among n."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    # at 0 or 1 a bound equals the share; rounding would leave it 1e-17 to either side
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


# --------------------------------------------------------------------------------------------------------
# Fréchet distance (Heusel et al. 2017, Equation 6; Dowson and Landau 1982)


@dataclass(frozen=True)
class Gaussian:
    """Gaussian fitted to features: ``mean`` (d,), ``factor`` (min(n, d), d); covariance factor.T @ factor."""

    mean: np.ndarray
    factor: np.ndarray

    @property
    def trace(self) -> float:
        """Trace of the covariance: the total variance."""
        return float(np.vdot(self.factor, self.factor))

    def distance(self, other: Gaussian) -> float:
        """Squared Fréchet distance |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).

        With S = F^T F the trace of the root is the sum of the singular values of F1 F2^T.  No square root of
        a matrix is taken, so nothing breaks where a covariance is singular, and no epsilon is added to it.
        """
        root = np.linalg.svd(self.factor @ other.factor.T, compute_uv=False).sum()
        shift = self.mean - other.mean
        return max(0.0, float(shift @ shift + self.trace + other.trace - 2 * root))


def fit_gaussian(features: np.ndarray) -> Gaussian:
    """Fit a Gaussian with the unbiased covariance to features (n, d), n >= 2, in float64.

    The factor is the centred features themselves when n <= d, else the R of their QR decomposition: the
    covariance is never formed, which would square the condition number.  Raises ``ValueError`` for another
    shape, for n < 2 and for NaN or infinity.
    """
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or features.shape[0] < 2 or not features.shape[1]:
        raise ValueError(f"features must be (n, d) with n >= 2 and d >= 1, not {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features contain NaN or infinity")
    n, d = features.shape
    # a shift by one row first: constant features then have a variance of exactly zero
    centred = features - features[0]
    drift = centred.mean(axis=0)
    centred -= drift
    factor = np.linalg.qr(centred, mode="r") if n > d else centred
    return Gaussian(features[0] + drift, factor / np.sqrt(n - 1))


def frechet_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Squared Fréchet distance, as FID is, of Gaussians fitted to features x (n, d) and y (m, d).

    Exact and finite also when n < d or m < d.  It is biased upwards by small samples: see
    :func:`ganfp.metrics.small_sample_bias`, and compare only distances measured with equal n.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == y.ndim == 2 and x.shape[1] != y.shape[1]:
        raise ValueError(f"features must have one dimension d, not {x.shape[1]} and {y.shape[1]}")
    return fit_gaussian(x).distance(fit_gaussian(y))


def small_sample_bias(covariance: np.ndarray, n: int, m: int | None = None) -> float:
    """Expected Fréchet distance of two samples, n and m (default n), of one and the same Gaussian.

    The means differ by tr(S) (1/n + 1/m).  The rest is the curvature of the distance at S,

        d^2(S, S + H) = 1/2 sum_ij H_ij^2 / (l_i + l_j)  in the eigenbasis of S, eigenvalues l,

    with the Wishart variance l_i l_j (1 + [i = j]) (1/(n-1) + 1/(m-1)) of the entries of H:

        1/2 (1/(n-1) + 1/(m-1)) (sum_ij l_i l_j / (l_i + l_j) + 1/2 tr S).

    Leading order in 1/n.  Simulations agree within 3 % down to n = d; below that it overstates (1.7 times at
    n = d/4 for a white Gaussian).  For S = 1 it is 2d/n + d(d+1) / 2(n-1): twice the images, half the bias.
    """
    m = n if m is None else m
    if min(n, m) < 2:
        raise ValueError(f"n and m must be at least 2, not {n} and {m}")
    eigenvalues = np.linalg.eigvalsh(np.asarray(covariance, dtype=np.float64))
    eigenvalues = eigenvalues[eigenvalues > 0]
    trace = eigenvalues.sum()
    harmonic = np.outer(eigenvalues, eigenvalues) / np.add.outer(eigenvalues, eigenvalues)
    curvature = (harmonic.sum() + trace / 2) * (1 / (n - 1) + 1 / (m - 1)) / 2
    return float(trace * (1 / n + 1 / m) + curvature)


# --------------------------------------------------------------------------------------------------------
# FD ratio (Supplement A, Equations 5-7)


@dataclass(frozen=True)
class FDRatio:
    """Equation 5 and what it was computed from.

    ``ratio`` = ``inter`` / ``intra``, measured on ``n_inter`` and ``n_intra`` images a side and ``pairs``
    pairs of classes; ``spread`` is the standard deviation of the ratio over random halvings, None for one.
    """

    ratio: float
    inter: float
    intra: float
    n_inter: int
    n_intra: int
    pairs: int
    convention: str
    spread: float | None


def fd_ratio(
    features: np.ndarray, labels: Labels, convention: str = "matched", seed: int = 0, repeats: int = 1
) -> FDRatio:
    """Ratio of the mean Fréchet distance between classes to that between two halves of a class.

    features: (N, d); labels: N class names, at least two classes of at least four images.  Every class is
    cut at random to the size of the smallest, rounded down to even, 2h, and split at random into two halves.

    "paper"    Equations 6 and 7 as printed: between classes with 2h images a side, within a class with h.
    "matched"  h images on every side: classes A and B count by FD(A1, B1) and FD(A2, B2), averaged.

    A Fréchet distance is biased upwards by nearly 1/n, so the paper's denominator carries twice the bias of
    its numerator and classes that do not differ have a ratio near 1/2.  With matched n it is near 1.

    ``repeats`` random halvings are averaged in numerator and denominator.  ``spread`` tells how far the ratio
    depends on the halving, not on the images: it is no interval for new images.  (A bootstrap would be worse
    than nothing here: repeated images shrink the rank of the covariances that are compared.)

    Raises ``ValueError`` for fewer classes or images, and where the distance within classes is zero.
    """
    if convention not in ("matched", "paper"):
        raise ValueError(f'convention must be "matched" or "paper", not {convention!r}')
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")
    features, labels = np.asarray(features), np.asarray(labels)
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise ValueError(f"features must be (N, d) with N labels, not {features.shape} with {labels.shape}")
    members = [np.flatnonzero(labels == c) for c in np.unique(labels)]
    if len(members) < 2 or min(map(len, members)) < 4:
        sizes = [len(m) for m in members]
        raise ValueError(f"FD ratio needs two classes of four images or more, not classes of {sizes}")

    rng = np.random.default_rng(seed)
    half = min(map(len, members)) // 2
    members = [rng.permutation(m)[: 2 * half] for m in members]
    pairs = list(combinations(range(len(members)), 2))

    def between(classes: list[Gaussian]) -> float:
        return float(np.mean([classes[a].distance(classes[b]) for a, b in pairs]))

    inter, intra = np.empty(repeats), np.empty(repeats)
    if convention == "paper":
        inter[:] = between([fit_gaussian(features[m]) for m in members])
    for r in range(repeats):
        orders = [rng.permutation(m) for m in members]
        first = [fit_gaussian(features[o[:half]]) for o in orders]
        second = [fit_gaussian(features[o[half:]]) for o in orders]
        intra[r] = np.mean([a.distance(b) for a, b in zip(first, second, strict=True)])
        # rounding leaves about 1e-16 of the variance where the true distance is zero
        if intra[r] <= 1e-13 * np.mean([g.trace for g in first + second]):
            raise ValueError("distance within classes is zero: the features are constant or repeated")
        if convention == "matched":
            inter[r] = (between(first) + between(second)) / 2
    return FDRatio(
        ratio=float(inter.mean() / intra.mean()),
        inter=float(inter.mean()),
        intra=float(intra.mean()),
        n_inter=2 * half if convention == "paper" else half,
        n_intra=half,
        pairs=len(pairs),
        convention=convention,
        spread=float((inter / intra).std(ddof=1)) if repeats > 1 else None,
    )
