"""Metrics against scipy, hand-computed cases and simulation."""


import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import sqrtm
from scipy.stats import binomtest, ortho_group

from ganfp import metrics
from ganfp.metrics import (
    accuracy,
    confusion_matrix,
    fd_ratio,
    fit_gaussian,
    frechet_distance,
    per_class_accuracy,
    small_sample_bias,
)

seeds = st.integers(0, 2**32 - 1)


def by_sqrtm(x, y):
    """The textbook formula on covariance matrices."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    shift = x.mean(0) - y.mean(0)
    return shift @ shift + np.trace(s1) + np.trace(s2) - 2 * np.trace(sqrtm(s1 @ s2)).real


def by_eigenvalues(x, y):
    """The same by symmetric eigenvalues of S1^(1/2) S2 S1^(1/2), which need no full rank."""
    s1, s2 = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(s1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    trace = np.sqrt(np.linalg.eigvalsh(root @ s2 @ root).clip(0)).sum()
    shift = x.mean(0) - y.mean(0)
    return shift @ shift + np.trace(s1) + np.trace(s2) - 2 * trace


def correlated(rng, n, d):
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


# ---------------------------------------------------------------------------------------------- accuracy


@pytest.mark.parametrize(
    ("correct", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 10), (991, 1000), (109_054, 110_000)]
)
def test_wilson_interval_is_scipys(correct, n):
    ours = accuracy(["a"] * n, ["a"] * correct + ["b"] * (n - correct))
    reference = binomtest(correct, n).proportion_ci(method="wilson")
    assert (ours.correct, ours.n, ours.value) == (correct, n, pytest.approx(100 * correct / n))
    assert (ours.low, ours.high) == pytest.approx((100 * reference.low, 100 * reference.high), abs=1e-9)
    assert 0 <= ours.low <= ours.value <= ours.high <= 100


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["a"], ["a", "b"]), ([["a"]], [["a"]])])
def test_accuracy_refuses_labels_that_do_not_match(truth, predicted):
    with pytest.raises(ValueError, match="labels"):
        accuracy(truth, predicted)


def test_confusion_matrix_has_truth_in_rows_and_keeps_the_given_order():
    truth, predicted = ["b", "b", "b", "a"], ["a", "a", "b", "a"]
    counts = confusion_matrix(truth, predicted, ["b", "a", "c"])
    np.testing.assert_array_equal(counts, [[1, 2, 0], [0, 1, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match=r"\['b'\] are not among the classes \['a'\]"):
        confusion_matrix(truth, predicted, ["a"])


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_confusion_matrix_is_sklearns_and_its_diagonal_the_accuracy(seed):
    from sklearn.metrics import confusion_matrix as reference

    classes = ["real", "seed_1", "seed_10", "seed_2"]
    truth, predicted = np.random.default_rng(seed).choice(classes, size=(2, 60))
    counts = confusion_matrix(truth, predicted, classes)
    np.testing.assert_array_equal(counts, reference(truth, predicted, labels=classes))
    assert accuracy(truth, predicted).correct == np.trace(counts)
    for name, value in per_class_accuracy(truth, predicted).items():
        row = counts[classes.index(name)]
        assert (value.correct, value.n) == (row[classes.index(name)], row.sum())


def test_clusters_of_one_image_change_nothing_but_the_quantile():
    right = np.random.default_rng(0).random(2000) < 0.9
    plain, single = metrics.share(right), metrics.share(right, np.arange(2000))
    assert (single.deff, single.clusters) == (1, 2000) and (plain.deff, plain.clusters) == (1, 2000)
    assert (single.low, single.high) == pytest.approx((plain.low, plain.high), abs=2e-3)


def test_images_that_are_wholly_alike_count_once():
    right = np.random.default_rng(1).random(200) < 0.8
    once = metrics.share(right)
    copies = metrics.share(np.repeat(right, 6), np.repeat(np.arange(200), 6))
    assert copies.deff == pytest.approx(6, rel=0.01) and copies.n == 1200 and copies.clusters == 200
    assert (copies.low, copies.high) == pytest.approx((once.low, once.high), abs=0.1)


@pytest.mark.parametrize("right", [True, False])
def test_nothing_but_right_answers_say_nothing_of_how_errors_gather(right):
    found = metrics.share([right] * 600, np.arange(600) % 100)
    assert found.deff == 6
    expected = binomtest(100 * right, 100).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((100 * expected.low, 100 * expected.high), abs=0.1)
    sizes = np.repeat(np.arange(50), np.arange(50) % 5 + 1)
    uneven = metrics.share([right] * len(sizes), sizes)
    assert uneven.deff == pytest.approx((1 + 4 + 9 + 16 + 25) / 15)


@pytest.mark.parametrize(("clusters", "message"), [([1, 2], "each of the 4"), ([7] * 4, "at least two")])
def test_clusters_that_do_not_fit(clusters, message):
    for call in (metrics.share, metrics.mean, lambda x, c: metrics.paired_difference(x, x, x, c)):
        with pytest.raises(ValueError, match=message):
            call([1, 0, 1, 1], clusters)


def test_paired_difference_by_hand():
    truth = ["x"] * 50
    first, second = ["x"] * 45 + ["o"] * 5, ["o"] * 9 + ["x"] * 38 + ["o"] * 3
    b, c, n = 9, 2, 50  # right on 45 and on 38
    centre = (b - c) / (n + 2)
    half = stats.t.ppf(0.975, n - 1) * np.sqrt((b + c + 1) / (n + 2) - centre**2) / np.sqrt(n + 2)
    found = metrics.paired_difference(truth, first, second)
    assert found.value == pytest.approx(14)
    # Agresti and Min's but for Student's quantile and n - 1
    assert (found.low, found.high) == pytest.approx((100 * (centre - half), 100 * (centre + half)), abs=0.3)
    turned = metrics.paired_difference(truth, second, first)
    assert (turned.low, turned.high, turned.p) == pytest.approx((-found.high, -found.low, found.p))


def test_a_difference_is_significant_where_its_interval_leaves_out_none():
    rng = np.random.default_rng(3)
    for shift in np.linspace(0, 0.3, 40):
        truth = np.ones(120, int)
        found = metrics.paired_difference(truth, rng.random(120) < 0.7 + shift, rng.random(120) < 0.7)
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_equal_methods_differ_by_less_than_a_margin_only_where_images_are_many():
    few, many = (metrics.paired_difference(["x"] * n, ["x"] * n, ["x"] * n) for n in (20, 2000))
    assert few.value == 0 and few.p == 1 and not few.at_least(2) and many.at_least(2)


def test_a_gain_is_the_difference_of_two_differences():
    rng = np.random.default_rng(4)
    truth, clusters = np.ones(300, int), np.arange(300) % 60
    a, b, c, d = (rng.random(300) < p for p in (0.3, 0.9, 0.4, 0.6))
    found = metrics.gain_difference(truth, (a, b), (c, d), clusters)
    assert found.value == pytest.approx(100 * ((b.mean() - a.mean()) - (d.mean() - c.mean())))
    same = metrics.gain_difference(truth, (np.zeros(300), b), (np.zeros(300), d), clusters)
    assert same == metrics.paired_difference(truth, b, d, clusters)


def test_difference_of_unrelated_accuracies_is_newcombes():
    """Newcombe's own example, 56 of 70 against 48 of 80: 0.2, from 0.0524 to 0.3339."""
    first, second = metrics.share([True] * 56 + [False] * 14), metrics.share([True] * 48 + [False] * 32)
    found = metrics.difference_of(first, second)
    assert (found.value, found.low, found.high) == pytest.approx((20, 5.24, 33.39), abs=0.01)


# -------------------------------------------------------------------------------------- Fréchet distance


@pytest.mark.parametrize(("n", "m", "d"), [(50, 70, 6), (200, 200, 32), (400, 90, 64)])
def test_frechet_distance_is_scipys(n, m, d):
    rng = np.random.default_rng(d)
    x, y = correlated(rng, n, d), correlated(rng, m, d)
    assert frechet_distance(x, y) == pytest.approx(by_sqrtm(x, y), rel=1e-6)


@pytest.mark.parametrize(("n", "m", "d"), [(20, 20, 50), (20, 80, 50), (80, 20, 50), (50, 50, 50), (2, 2, 9)])
def test_frechet_distance_with_fewer_images_than_dimensions(n, m, d):
    rng = np.random.default_rng(n + m)
    x, y = correlated(rng, n, d), correlated(rng, m, d)
    assert frechet_distance(x, y) == pytest.approx(by_eigenvalues(x, y), rel=1e-6)


def test_frechet_distance_by_hand():
    # one dimension: (m1 - m2)^2 + (s1 - s2)^2 with variances 2 and 18
    expected = 6**2 + (2**0.5 - 18**0.5) ** 2
    assert frechet_distance([[0], [2]], [[4], [10]]) == pytest.approx(expected, rel=1e-12)
    # diagonal covariances: the same, summed over the axes; columns of the design are orthogonal
    design = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    x, y = design * [1, 2] + [5, 0], design * [4, 1]
    expected = 25 + 4 / 3 * ((1 - 4) ** 2 + (2 - 1) ** 2)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


@given(seeds, st.integers(2, 30), st.integers(2, 30), st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_frechet_distance_is_a_symmetric_distance_that_ignores_shift_and_rotation(seed, n, m, d):
    rng = np.random.default_rng(seed)
    x, y = correlated(rng, n, d), correlated(rng, m, d)
    total = np.var(x, axis=0).sum() + np.var(y, axis=0).sum()
    value = frechet_distance(x, y)
    turn = ortho_group.rvs(d, random_state=rng) if d > 1 else np.array([[-1.0]])
    shift = 10 * rng.normal(size=d)
    close = {"rel": 1e-9, "abs": 1e-9 * total}
    assert value >= 0
    assert frechet_distance(y, x) == pytest.approx(value, **close)
    assert frechet_distance(x @ turn + shift, y @ turn + shift) == pytest.approx(value, **close)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-12 * total)
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-12 * total)
    assert frechet_distance(x, x + shift) == pytest.approx(shift @ shift, **close)


def test_frechet_distance_of_float32_features_far_from_the_origin():
    # what float32 can hold is computed in float64: no cancellation is added by us
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(300, 8)).astype(np.float32) + np.float32(1000) for _ in range(2))
    expected = frechet_distance(x.astype(float) - 1000, y.astype(float) - 1000)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((5, 3)), np.zeros((5, 4)), "one dimension d, not 3 and 4"),
        (np.zeros(5), np.zeros((5, 1)), r"\(n, d\)"),
        (np.zeros((1, 3)), np.zeros((5, 3)), "n >= 2"),
        (np.zeros((5, 3)), np.full((5, 3), np.nan), "NaN"),
    ],
)
def test_frechet_distance_refuses(x, y, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(x, y)


def test_factor_gives_the_covariance():
    x = correlated(np.random.default_rng(1), 40, 7)
    for features in (x, x[:5]):
        gaussian = fit_gaussian(features)
        covariance = np.cov(features, rowvar=False)
        np.testing.assert_allclose(gaussian.factor.T @ gaussian.factor, covariance, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(gaussian.mean, features.mean(0), rtol=1e-12)
        assert gaussian.trace == pytest.approx(np.trace(covariance))


@pytest.mark.parametrize("spectrum", [np.ones(24), 1 / np.arange(1, 25), 0.7 ** np.arange(24)])
@pytest.mark.parametrize(("n", "m"), [(24, 24), (100, 100), (60, 200)])
def test_small_sample_bias_is_what_a_simulation_shows(spectrum, n, m):
    rng = np.random.default_rng(n)

    def sample(size):
        return rng.normal(size=(size, 24)) * np.sqrt(spectrum)

    distances = [frechet_distance(sample(n), sample(m)) for _ in range(300)]
    error = np.std(distances) / np.sqrt(len(distances))
    expected = pytest.approx(np.mean(distances), rel=0.03, abs=4 * error)
    assert small_sample_bias(np.diag(spectrum), n, m) == expected


def test_small_sample_bias_of_a_white_gaussian_in_closed_form():
    d, n = 512, 500
    expected = 2 * d / n + d * (d + 1) / (2 * (n - 1))
    assert small_sample_bias(np.eye(d), n) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="at least 2"):
        small_sample_bias(np.eye(3), 1)


# ---------------------------------------------------------------------------------------------- FD ratio


def classes(rng, offsets, n, d=16):
    features = np.concatenate([rng.normal(size=(n, d)) + offset for offset in offsets])
    return features, np.repeat([f"c{i}" for i in range(len(offsets))], n)


def test_fd_ratio_is_equations_5_to_7():
    rng = np.random.default_rng(0)
    features, labels = classes(rng, [0, 0.5, 2], 40, d=5)
    paper = fd_ratio(features, labels, "paper", seed=3)
    a, b, c = (features[labels == name] for name in ("c0", "c1", "c2"))
    inter = np.mean([by_sqrtm(a, b), by_sqrtm(a, c), by_sqrtm(b, c)])
    assert paper.inter == pytest.approx(inter, rel=1e-6)
    assert paper.ratio == paper.inter / paper.intra
    assert (paper.n_inter, paper.n_intra, paper.pairs, paper.spread) == (40, 20, 3, None)
    # with four images there are three halvings of each class: the value must be one of those
    small, names = features[[0, 1, 2, 3, 40, 41, 42, 43]], ["a"] * 4 + ["b"] * 4
    splits = [([0, 1], [2, 3]), ([0, 2], [1, 3]), ([0, 3], [1, 2])]
    possible = [
        (by_eigenvalues(small[p], small[q]) + by_eigenvalues(small[4:][r], small[4:][s])) / 2
        for p, q in splits
        for r, s in splits
    ]
    assert np.isclose(possible, fd_ratio(small, names, "paper").intra, rtol=1e-6).sum() == 1


@pytest.mark.parametrize("n", [20, 200])
def test_matched_ratio_of_equal_classes_is_one_and_the_papers_one_half(n):
    features, labels = classes(np.random.default_rng(n), [0] * 8, n)
    matched, paper = (fd_ratio(features, labels, c, repeats=4) for c in ("matched", "paper"))
    assert matched.ratio == pytest.approx(1, abs=0.05)
    assert paper.ratio == pytest.approx(0.5, abs=0.06)
    assert matched.n_inter == matched.n_intra == paper.n_intra == n // 2
    assert matched.intra == pytest.approx(paper.intra)  # the same halves
    assert 0 < matched.spread < 0.2


def test_fd_ratio_grows_with_separation_and_does_not_depend_on_order_of_images():
    rng = np.random.default_rng(5)
    ratios = [fd_ratio(*classes(rng, [0, shift], 60)).ratio for shift in (0, 0.5, 2)]
    assert ratios == sorted(ratios)
    features, labels = classes(rng, [0, 1], 60)
    assert fd_ratio(features, labels, seed=1) == fd_ratio(features, labels, seed=1)
    assert fd_ratio(features, labels, seed=1) != fd_ratio(features, labels, seed=2)
    assert fd_ratio(7 * features, labels).ratio == pytest.approx(fd_ratio(features, labels).ratio, rel=1e-9)


def test_fd_ratio_cuts_classes_to_the_smallest():
    features, labels = classes(np.random.default_rng(6), [0, 1], 50)
    result = fd_ratio(features[:73], labels[:73], "paper")  # 50 and 23 images
    assert (result.n_inter, result.n_intra) == (22, 11)


@pytest.mark.parametrize(
    ("features", "labels", "options", "message"),
    [
        (np.ones((8, 3)), ["a"] * 4 + ["b"] * 4, {}, "constant"),
        (np.full((8, 3), 0.1), ["a"] * 4 + ["b"] * 4, {"convention": "paper"}, "constant"),
        (np.ones((8, 3)), ["a"] * 8, {}, "two classes"),
        (np.ones((8, 3)), ["a"] * 5 + ["b"] * 3, {}, "four images"),
        (np.ones((8, 3)), ["a"] * 7, {}, "labels"),
        (np.ones((8, 3)), ["a", "b"] * 4, {"convention": "ours"}, '"matched" or "paper"'),
        (np.ones((8, 3)), ["a", "b"] * 4, {"repeats": 0}, "repeats"),
    ],
)
def test_fd_ratio_refuses(features, labels, options, message):
    with pytest.raises(ValueError, match=message):
        fd_ratio(features, labels, **options)


# ---------------------------------------------------------------------------- a trend over groups


@pytest.mark.parametrize("seed", range(5))
def test_trend_is_the_correlation_of_right_answers_with_the_score(seed):
    """Cochran and Armitage's statistic is N r^2, with r between score and answer over all N images."""
    rng = np.random.default_rng(seed)
    scores, counts = np.array([0.0, 1.0, 2.5, 4.0]), np.array([50, 80, 30, 60])
    answers = [rng.random(n) < 0.6 + 0.07 * s for s, n in zip(scores, counts, strict=True)]
    found = metrics.trend([a.sum() for a in answers], counts, scores)
    x, y = np.repeat(scores, counts), np.concatenate(answers).astype(float)
    r = stats.pearsonr(x, y).statistic
    assert found.p == pytest.approx(stats.chi2.sf(len(x) * r**2, 1), rel=1e-9)
    assert found.slope == pytest.approx(100 * stats.linregress(x, y).slope, rel=1e-9)


def test_trend_where_there_can_be_none():
    assert metrics.trend([10, 10], [10, 10], [0, 1]) == metrics.Trend(0.0, 1.0, None, None, 1.0)
    with pytest.raises(ValueError, match="two different scores"):
        metrics.trend([3, 4], [10, 10], [1, 1])


def test_trend_over_groups_is_kendalls():
    found = metrics.trend([5, 6, 7, 8], [10, 10, 10, 10], [0, 1, 2, 3])
    assert (found.tau, found.p_groups) == (1, pytest.approx(2 / 24))


def test_trend_of_images_is_the_trend_of_their_counts_and_knows_their_clusters():
    rng = np.random.default_rng(2)
    scores, latents = np.repeat([0, 1, 2, 3], 200), np.tile(np.arange(200), 4)
    right = rng.random(800) < 0.6
    counts = [right[scores == s].sum() for s in range(4)]
    assert metrics.trend_of_images(right, scores) == metrics.trend(counts, [200] * 4, range(4))
    # GANs that are right on the same latents differ less by accident than others
    alike = np.tile(rng.random(200) < 0.6, 4) ^ (rng.random(800) < 0.05)
    assert metrics.trend_of_images(alike, scores, latents).deff < 0.4
    # and GANs of which one is right exactly where the other is wrong, more
    named = rng.integers(0, 2, 200)
    rivals = np.concatenate([named == 0, named == 0, named == 1, named == 1])
    assert metrics.trend_of_images(rivals, scores, latents).deff > 2


def test_trend_keeps_its_level():
    rng = np.random.default_rng(0)
    correct = rng.binomial(100, 0.9, size=(2000, 4))
    share = np.mean([metrics.trend(c, [100] * 4, [0, 1, 2, 3]).p < 0.05 for c in correct])
    assert share == pytest.approx(0.05, abs=0.015)


# ---------------------------------------------------------------------------- service authenticity


def test_service_by_hand():
    found = metrics.service_authenticity(["a"] * 4 + ["b"], "a")
    assert (found.share, found.n) == (80.0, 5)
    assert found.p == pytest.approx(6 / 32)  # four or five heads of five
    assert found.low == pytest.approx(100 * stats.beta.ppf(0.025, 4, 2))
    assert found.high == pytest.approx(100 * stats.beta.ppf(0.975, 5, 1))


def test_a_service_that_is_never_named():
    found = metrics.service_authenticity(["b"] * 20, "a")
    assert (found.share, found.low, found.p) == (0, 0, 1)
    with pytest.raises(ValueError, match="non-empty"):
        metrics.service_authenticity([], "a")


def test_half_a_folder_is_hardly_ever_called_most():
    rng = np.random.default_rng(0)
    folders = rng.random((1000, 60)) < 0.5
    called = [metrics.service_authenticity(np.where(f, "a", "b"), "a").p < 0.05 for f in folders]
    assert np.mean(called) <= 0.05


def test_the_p_value_of_chance_by_hand():
    assert metrics.chance_p(4, 4, 2) == pytest.approx(2 / 16)  # four heads, or four tails
    assert metrics.chance_p(50, 100, 2) == 1
    assert metrics.chance_p(40, 100, 5) == pytest.approx(stats.binomtest(40, 100, 0.2).pvalue)
