"""To answer "none of these": areas under curves, thresholds, and whether a probability means what it says.

Scores are higher for what is known (or genuine).  All shares are in percent.  Intervals are bootstraps over clusters
(Efron 1979): all images of one cluster, known and unknown, are drawn together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganfp.metrics.shares import Mean, grouped

RESAMPLES = 1000
BINS = 15  # of probabilities, as in Guo et al.


@dataclass(frozen=True)
class Scores:
    """Scores of known images (N,) and unknown ones (M,), and the cluster of each, an integer; None: none shares one."""

    known: np.ndarray
    unknown: np.ndarray
    clusters: tuple[np.ndarray, np.ndarray] | None = None

    def ids(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Clusters as numbers from 0, of known and of unknown images, and how many there are."""
        both = None if self.clusters is None else np.concatenate(self.clusters)
        ids, sizes = grouped(both, len(self.known) + len(self.unknown))
        return ids[: len(self.known)], ids[len(self.known) :], len(sizes)


def auroc(found: Scores | Sequence[Scores], seed: int = 0) -> Mean:
    """Chance, in percent, that a known image scores above an unknown one, ties counted half; the mean over several.

    It is the area under the ROC curve (Hanley and McNeil 1982).  Several :class:`Scores` are of the same clusters, as
    one experiment with each source left out.
    """
    several = [found] if isinstance(found, Scores) else list(found)
    values, drawn = [], []
    for one in several:
        known, unknown, n = one.ids()
        won = np.zeros((n, n), np.float32)  # of the pairs of two clusters, how many the known image wins
        for cluster in range(n):
            mine = np.sort(one.known[known == cluster])
            below = np.searchsorted(mine, one.unknown, "left") + np.searchsorted(mine, one.unknown, "right")
            won[cluster] = np.bincount(unknown, len(mine) - below / 2, n)
        counts = np.bincount(known, minlength=n), np.bincount(unknown, minlength=n)
        values.append(100 * won.sum() / (len(one.known) * len(one.unknown)))
        weights = _resamples(n, seed)
        pairs = (weights @ counts[0]) * (weights @ counts[1])
        pairs[pairs == 0] = np.nan  # resamples in which one side is missing
        drawn.append(100 * ((weights @ won) * weights).sum(axis=1) / pairs)
    low, high = np.nanpercentile(np.mean(drawn, axis=0), [2.5, 97.5])
    return Mean(float(np.mean(values)), float(low), float(high), sum(len(s.known) + len(s.unknown) for s in several))


def oscr(found: Scores | Sequence[Scores], right: np.ndarray | Sequence[np.ndarray], seed: int = 0) -> Mean:
    """The area under the open-set classification rate: :func:`auroc`, where a known image must also be named rightly.

    ``right``: for each known image whether it is.  Dhamija, Günther, Boult, "Reducing network agnostophobia", NeurIPS
    2018: the share of known images that are accepted and rightly named, against that of unknown ones accepted.
    """
    several = [(found, right)] if isinstance(found, Scores) else list(zip(found, right, strict=True))
    counted = [Scores(np.where(yes, s.known, -np.inf), s.unknown, s.clusters) for s, yes in several]
    return auroc(counted, seed)


def threshold(scores: Sequence[float], percent: float) -> float:
    """The least score above which at most ``percent`` of the scores lie."""
    if not 0 <= percent < 100 or not len(scores):
        raise ValueError(f"a threshold needs scores and a share from 0 to below 100 %, not {len(scores)} and {percent}")
    return float(np.sort(scores)[::-1][int(percent / 100 * len(scores))])


def tpr_at_fpr(found: Scores, percent: float = 1.0, resamples: int = 200, seed: int = 0) -> Mean:
    """Percent of the genuine scores above the threshold that ``percent`` of the impostors' pass; that is drawn, too."""
    return bootstrapped(tprs(found, percent, resamples, seed), len(found.known))


def tprs(found: Scores, percent: float = 1.0, resamples: int = 200, seed: int = 0) -> np.ndarray:
    """The share of :func:`tpr_at_fpr` itself, and that of each resample, (1 + resamples,): those of methods that scored
    the same images can be subtracted."""
    genuine, impostors, n = found.ids()
    order = np.argsort(-found.unknown, kind="stable")
    steps, values = found.unknown[order], []
    for weight in np.concatenate([np.ones((1, n)), _resamples(n, seed, resamples)]):
        passed = np.cumsum(weight[impostors][order])
        at = steps[np.searchsorted(passed, percent / 100 * passed[-1], "right")] if passed[-1] else np.inf
        mine = weight[genuine]
        values.append(100 * (mine * (found.known > at)).sum() / max(mine.sum(), 1))
    return np.array(values)


def bootstrapped(values: np.ndarray, n: int) -> Mean:
    """The first of some values, which is of ``n`` images, with the interval of the others, which are of resamples."""
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Mean(*map(float, (values[0], min(low, values[0]), max(high, values[0]))), n)


@dataclass(frozen=True)
class Calibration:
    """A reliability diagram by bins of confidence (B,), in percent, nan where none is; and the ECE, ``error``."""

    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    error: Mean


def calibration(
    probabilities: np.ndarray, right: Sequence[bool], clusters: Sequence[int] | None = None, seed: int = 0
) -> Calibration:
    """Is an answer right as often as its probability says?  ``probabilities``: of the answers, (N,) in 0 ... 1.

    ``error``: the expected calibration error, the mean distance of accuracy and confidence over images, in bins of
    equal width (Naeini et al. 2015; Guo et al. 2017).  Noise alone makes it larger, in resamples twice, and so its
    interval is the basic bootstrap's, which takes that back.
    """
    probabilities, right = np.asarray(probabilities, float), np.asarray(right, float)
    if probabilities.shape != right.shape or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be one number from 0 to 1 for each answer")
    ids, sizes = grouped(clusters, len(right))
    bins = np.clip(np.ceil(probabilities * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.zeros((len(sizes), BINS))
    np.add.at(gaps, (ids, bins), probabilities - right)
    value = float(100 * np.abs(gaps.sum(axis=0)).sum() / len(right))
    weights = _resamples(len(sizes), seed)
    drawn = 100 * np.abs(weights @ gaps).sum(axis=1) / (weights @ sizes)
    high, low = (2 * value - np.percentile(drawn, [2.5, 97.5])).tolist()
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means = [100 * np.bincount(bins, x, BINS) / counts for x in (probabilities, right)]
    return Calibration(*means, counts, Mean(value, max(0.0, min(low, value)), max(high, value), len(right)))


def _resamples(clusters: int, seed: int, count: int = RESAMPLES) -> np.ndarray:
    """How often each cluster is drawn in each resample, (count, clusters)."""
    return np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), count).astype(np.float32)
