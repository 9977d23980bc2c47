"""Fréchet distance of features (Heusel et al. 2017, Equation 6; Dowson and Landau 1982) and the FD ratio
(Supplement A).  Features are float arrays (n, d), labels sequences of class names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np


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
        """Squared Fréchet distance ``|m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)``.

        With S = F^T F the trace of the root is the sum of the singular values of F1 F2^T.  No square root of
        a matrix is taken, so nothing breaks where a covariance is singular, and no epsilon is added to it.
        """
        root = np.linalg.svd(self.factor @ other.factor.T, compute_uv=False).sum()
        shift = self.mean - other.mean
        return max(0.0, float(shift @ shift + self.trace + other.trace - 2 * root))


def fit_gaussian(features: np.ndarray) -> Gaussian:
    """Fit a Gaussian with the unbiased covariance to features (n, d), n >= 2, in float64; ``ValueError`` for others.

    The factor is the centred features themselves when n <= d, else the R of their QR decomposition: the
    covariance is never formed, which would square the condition number.
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
    :func:`small_sample_bias`, and compare only distances measured with equal n.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == y.ndim == 2 and x.shape[1] != y.shape[1]:
        raise ValueError(f"features must have one dimension d, not {x.shape[1]} and {y.shape[1]}")
    return fit_gaussian(x).distance(fit_gaussian(y))


def small_sample_bias(covariance: np.ndarray, n: int, m: int | None = None) -> float:
    """Expected Fréchet distance of two samples, n and m (default n), of one and the same Gaussian.

    The means differ by tr(S) (1/n + 1/m).  The rest is the curvature of the distance at S (eigenvalues l)::

        d^2(S, S + H) = 1/2 sum_ij H_ij^2 / (l_i + l_j)

    with the Wishart variance l_i l_j (1 + [i = j]) (1/(n-1) + 1/(m-1)) of the entries of H in the eigenbasis::

        1/2 (1/(n-1) + 1/(m-1)) (sum_ij l_i l_j / (l_i + l_j) + 1/2 tr S)

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


@dataclass(frozen=True)
class FDRatio:
    """Equation 5: ``ratio`` = ``inter`` / ``intra``, of ``n_inter`` and ``n_intra`` images a side and ``pairs`` pairs
    of classes; ``spread`` is the standard deviation of the ratio over random halvings, None for one."""

    ratio: float
    inter: float
    intra: float
    n_inter: int
    n_intra: int
    pairs: int
    convention: str
    spread: float | None


def fd_ratio(
    features: np.ndarray, labels: Sequence[str], convention: str = "matched", seed: int = 0, repeats: int = 1
) -> FDRatio:
    """Ratio of the mean Fréchet distance between classes to that between two halves of a class (Equations 5-7).

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

    inters, intras = np.empty(repeats), np.empty(repeats)
    if convention == "paper":
        inters[:] = between([fit_gaussian(features[m]) for m in members])
    for r in range(repeats):
        orders = [rng.permutation(m) for m in members]
        first, second = ([fit_gaussian(features[o[part]]) for o in orders] for part in (slice(half), slice(half, None)))
        intras[r] = np.mean([a.distance(b) for a, b in zip(first, second, strict=True)])
        # rounding leaves about 1e-16 of the variance where the true distance is zero
        if intras[r] <= 1e-13 * np.mean([g.trace for g in first + second]):
            raise ValueError("distance within classes is zero: the features are constant or repeated")
        if convention == "matched":
            inters[r] = (between(first) + between(second)) / 2
    inter, intra = float(inters.mean()), float(intras.mean())
    spread = float((inters / intras).std(ddof=1)) if repeats > 1 else None
    n_inter = 2 * half if convention == "paper" else half
    return FDRatio(float(inter / intra), inter, intra, n_inter, half, len(pairs), convention, spread)
