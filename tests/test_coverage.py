"""Does a 95 % interval hold the truth in 95 % of cases, and does a test cry wolf in 5 %?  Every kind, on known truths.

Simulated data, fixed seeds, and where an interval depends on one count alone, all counts with their probabilities.
With SIMULATIONS draws the share of cases has a standard error of half a point.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, norm

from ganfp import metrics
from ganfp.features import regions
from ganfp.paper import s4_5

SIMULATIONS = 1500
LOWEST, HIGHEST = 0.93, 0.97


def coverage(truth, intervals):
    """Share of intervals (low, high) that hold the truth."""
    low, high = np.array(list(intervals)).T
    return np.mean((low <= truth + 1e-9) & (truth - 1e-9 <= high))


def exact_coverage(share, n, interval):
    """Probability that interval(correct) holds the share, in percent, of which ``correct`` of n are drawn."""
    held = [low <= 100 * share <= high for low, high in map(interval, range(n + 1))]
    return binom.pmf(np.arange(n + 1), n, share)[held].sum()


def limits(found):
    return found.low, found.high


def clustered(rng, accuracy, correlation, sizes):
    """Right or not (N,), by cluster (N,): beta-binomial, so that two images of a cluster have that correlation."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    if not correlation:
        return rng.random(len(clusters)) < accuracy, clusters
    strength = 1 / correlation - 1
    own = rng.beta(accuracy * strength, (1 - accuracy) * strength, len(sizes))
    return rng.random(len(clusters)) < own[clusters], clusters


# ---------------------------------------------------------------------------- shares


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("accuracy", [0.1, 0.5, 0.9, 0.98])
def test_wilson(n, accuracy):
    found = exact_coverage(accuracy, n, lambda k: limits(metrics.share(np.arange(n) < k)))
    assert LOWEST <= found <= HIGHEST


@pytest.mark.parametrize("count", [100, 500])
@pytest.mark.parametrize("largest", [2, 6, 11])
@pytest.mark.parametrize(("accuracy", "correlation"), [(0.3, 0.0), (0.3, 0.5), (0.7, 0.2), (0.9, 0.1), (0.98, 0.3)])
def test_wilson_over_clusters(count, largest, accuracy, correlation):
    """Too wide by design where few clusters hold an error: from none, it cannot be told that errors do not gather."""
    rng = np.random.default_rng(count + largest)
    found = []
    for trial in range(SIMULATIONS // 2):
        sizes = rng.integers(1, largest + 1, count) if trial % 2 else np.full(count, largest)
        found.append(limits(metrics.share(*clustered(rng, accuracy, correlation, sizes))))
    assert LOWEST <= coverage(100 * accuracy, found) <= (1 if accuracy > 0.95 else HIGHEST)


def test_images_that_are_alike_and_counted_one_by_one_do_not_cover():
    """What the clusters are for: PRNU under blur had design effects of 3."""
    rng = np.random.default_rng(0)
    draws = [clustered(rng, 0.7, 0.4, np.full(200, 6)) for _ in range(SIMULATIONS)]
    assert coverage(70, (limits(metrics.share(right)) for right, _ in draws)) < 0.8
    assert LOWEST <= coverage(70, (limits(metrics.share(*draw)) for draw in draws)) <= HIGHEST


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("deviation", [0.0, 0.01, 0.05])
def test_accuracy_over_seeds(seeds, deviation):
    """Never narrower than the images' interval, so too wide by design where the seeds make no difference."""
    rng, n = np.random.default_rng(seeds), 1000
    own = np.clip(rng.normal(0.85, deviation, (SIMULATIONS, seeds)), 0, 1)
    values = 100 * rng.binomial(n, own) / n
    found = coverage(85, (metrics.interval_over_seeds(v, seeds * n) for v in values))
    assert (0.95 if deviation < 0.05 else LOWEST) <= found <= (1 if deviation < 0.05 else HIGHEST)


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("n", [20, 100])
def test_exact_interval_of_a_service(share, n):
    """Clopper and Pearson's is conservative by design."""
    found = exact_coverage(share, n, lambda k: limits(metrics.service_authenticity(["a"] * k + ["b"] * (n - k), "a")))
    assert found >= 0.95


# ---------------------------------------------------------------------------- differences


def two_methods(rng, sizes, first, second, shared):
    """Right or not of two methods, (N,) each, and clusters: both see a part of their cause, the first another too."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    common = rng.normal(size=len(sizes))[clusters]
    own = rng.normal(size=len(sizes))[clusters]  # of the cluster and the first method: it makes differences gather
    noise = rng.normal(size=(2, len(clusters)))
    scale = np.sqrt(1 - shared)
    a = np.sqrt(shared / 2) * (common + own) + scale * noise[0]
    b = np.sqrt(shared) * common + scale * noise[1]
    return a < norm.ppf(first), b < norm.ppf(second), clusters


@pytest.mark.parametrize(("count", "size"), [(300, 1), (100, 6), (300, 6), (100, 11)])
@pytest.mark.parametrize(("first", "second", "shared"), [(0.6, 0.6, 0.4), (0.9, 0.8, 0.5), (0.97, 0.95, 0.6)])
def test_paired_difference(count, size, first, second, shared):
    rng, found = np.random.default_rng(count), []
    for _ in range(SIMULATIONS // 2):
        a, b, clusters = two_methods(rng, np.full(count, size), first, second, shared)
        found.append(limits(metrics.paired_difference(np.ones(len(a), bool), a, b, clusters)))
    assert LOWEST <= coverage(100 * (first - second), found) <= HIGHEST


def test_difference_of_gains():
    rng, found = np.random.default_rng(5), []
    for _ in range(SIMULATIONS):
        before = two_methods(rng, np.full(150, 6), 0.5, 0.4, 0.4)
        after = two_methods(rng, np.full(150, 6), 0.9, 0.6, 0.4)
        gains = (before[0], after[0]), (before[1], after[1])
        found.append(limits(metrics.gain_difference(np.ones(900, bool), *gains, before[2])))
    assert LOWEST <= coverage(20, found) <= HIGHEST


def test_difference_of_unrelated_accuracies():
    rng = np.random.default_rng(6)
    pairs = zip(rng.random((SIMULATIONS, 200)) < 0.95, rng.random((SIMULATIONS, 300)) < 0.9, strict=True)
    found = (limits(metrics.difference_of(metrics.share(a), metrics.share(b))) for a, b in pairs)
    assert LOWEST <= coverage(5, found) <= HIGHEST


# ---------------------------------------------------------------------------- means


@pytest.mark.parametrize("n", [5, 20, 200])
def test_margin_of_responses(n, monkeypatch):
    """Of few images, too: with 1.96 standard errors five images would cover 88 %."""
    monkeypatch.setattr(s4_5, "record", lambda run, row, metric, value, **fields: fields["interval"])
    run, classes = SimpleNamespace(source="", dataset="faces"), ["a", "b", "c"]
    rng, truth = np.random.default_rng(n), np.repeat(classes, n)
    mean = np.eye(3)[np.repeat(np.arange(3), n)] * 0.3 + [0.0, 0.0, -2.0]  # c is nobody's rival
    responses = mean + 0.2 * rng.standard_normal((SIMULATIONS, 3 * n, 3))
    found = [s4_5.margins(run, "Ours", r, truth, classes)[0] for r in responses]
    assert LOWEST <= coverage(0.3, found) <= HIGHEST


@pytest.mark.parametrize("n", [20, 100, 500])
@pytest.mark.parametrize("metric", ["response", "energy"])
def test_density_of_a_region(n, metric):
    rng, found = np.random.default_rng(n), []
    base = np.array([[3.0, 1.0], [1.0, 0.5]])
    for _ in range(SIMULATIONS):
        maps = base * (1 + 0.5 * rng.standard_normal((n, 2, 2))) + 0.5 * rng.standard_normal((n, 1, 1))
        part = np.zeros((n, 2, 2))
        part[:, 0, 0], part[:, 0, 1] = rng.uniform(0.2, 1, n), 0.1
        samples = regions.densities(maps if metric == "response" else maps**2, part[:, None])
        found.append(regions.bootstrap_interval(samples[:, 0], n))
    values = base if metric == "response" else 1.25 * base**2 + 0.25
    inside = (0.6 * values[0, 0] + 0.1 * values[0, 1]) / 0.7
    assert LOWEST <= coverage(inside / values.mean(), found) <= HIGHEST


def test_mean_over_clusters():
    rng, clusters = np.random.default_rng(7), np.repeat(np.arange(40), 5)
    values = rng.normal(size=(SIMULATIONS, 40))[:, clusters] + rng.normal(size=(SIMULATIONS, 200))
    assert LOWEST <= coverage(0, (limits(metrics.mean(v, clusters)) for v in values)) <= HIGHEST
    assert coverage(0, (limits(metrics.mean(v)) for v in values)) < 0.8


# ---------------------------------------------------------------------------- tests under the null hypothesis


def rejections(p):
    return np.mean(np.fromiter(p, float) < 0.05)


@pytest.mark.parametrize(("count", "size"), [(400, 1), (200, 6), (100, 11)])
def test_size_of_a_paired_difference(count, size):
    rng, values = np.random.default_rng(size), []
    for _ in range(SIMULATIONS):
        a, b, clusters = two_methods(rng, np.full(count, size), 0.8, 0.8, 0.4)
        values.append(metrics.paired_difference(np.ones(len(a), bool), a, b, clusters).p)
    assert 0.025 <= rejections(values) <= 0.07


def test_a_difference_that_counts_images_one_by_one_cries_wolf():
    rng, values = np.random.default_rng(8), []
    for _ in range(SIMULATIONS):
        a, b, _ = two_methods(rng, np.full(100, 11), 0.8, 0.8, 0.6)
        values.append(metrics.paired_difference(np.ones(len(a), bool), a, b).p)
    assert rejections(values) > 0.12


@pytest.mark.parametrize("rungs", [3, 5])
def test_size_of_trend(rungs):
    correct = np.random.default_rng(rungs).binomial(200, 0.9, (SIMULATIONS, rungs))
    assert 0.025 <= rejections(metrics.trend(c, [200] * rungs, range(rungs)).p for c in correct) <= 0.06


@pytest.mark.parametrize("alike", [False, True])
def test_size_of_trend_where_gans_share_latents(alike):
    """Right on the same latents, or each right where another is wrong: over clusters both keep the level."""
    rng, values, naive = np.random.default_rng(9), [], []
    scores, latents = np.repeat(np.arange(4.0), 150), np.tile(np.arange(150), 4)
    for _ in range(SIMULATIONS):
        if alike:
            right = np.tile(rng.random(150) < 0.7, 4) ^ (rng.random(600) < 0.2)
        else:
            right = (rng.integers(0, 4, 150) == np.arange(4)[:, None]).ravel()
        values.append(metrics.trend_of_images(right, scores, latents).p)
        naive.append(metrics.trend_of_images(right, scores).p)
    assert 0.025 <= rejections(values) <= 0.06
    assert rejections(naive) < 0.02 if alike else rejections(naive) > 0.07


@pytest.mark.parametrize("classes", [2, 6])
def test_size_of_chance(classes):
    correct = np.random.default_rng(classes).binomial(1000, 1 / classes, SIMULATIONS)
    assert 0.025 <= rejections(metrics.chance_p(int(k), 1000, classes) for k in correct) <= 0.06
