"""Areas, thresholds and calibration, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from ganfp.metrics import openset
from ganfp.metrics.openset import Scores


@pytest.fixture
def scores():
    random = np.random.default_rng(3)
    known, unknown = random.normal(1, 1, 600).round(1), random.normal(0, 1, 200).round(1)  # with ties
    return Scores(known, unknown, (np.tile(np.arange(200), 3), np.arange(200)))


def test_auroc_is_scikit_learns(scores):
    truth = np.repeat([1, 0], [600, 200])
    expected = 100 * roc_auc_score(truth, np.concatenate([scores.known, scores.unknown]))
    found = openset.auroc(scores)
    assert found.value == pytest.approx(expected, abs=1e-4)
    assert found.low < expected < found.high and found.n == 800
    alone = openset.auroc(Scores(scores.known, scores.unknown))
    assert alone.value == pytest.approx(expected, abs=1e-4)


def test_intervals_cover():
    """The true area of two normals one deviation apart is 76.02 %; clusters share half of their variance."""
    hits, random = 0, np.random.default_rng(0)
    for _ in range(120):
        shared = random.normal(0, 0.5**0.5, 60)
        draw = [random.normal(0, 0.5**0.5, (3, 60)) + shared for _ in range(2)]
        ids = np.tile(np.arange(60), 3)
        found = openset.auroc(Scores(draw[0].ravel() + 1, draw[1].ravel(), (ids, ids)))
        hits += found.low <= 76.02 <= found.high
    assert 0.87 <= hits / 120 <= 1


def test_the_mean_of_several_is_their_mean(scores):
    other = Scores(scores.known + 1, scores.unknown, scores.clusters)
    pair = openset.auroc([scores, other])
    assert pair.value == pytest.approx((openset.auroc(scores).value + openset.auroc(other).value) / 2)


def test_oscr_counts_pairs_that_are_also_named_rightly():
    known, right = np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, True])
    found = openset.oscr(Scores(known, np.array([0.5, 2.5])), right)
    # of eight pairs: 3 beats both, 2 is named wrongly, 1 beats one, 0 none
    assert found.value == pytest.approx(100 * 3 / 8)
    assert openset.oscr(Scores(known, np.array([0.5, 2.5])), np.ones(4, bool)).value == pytest.approx(100 * 4 / 8)


def test_a_threshold_lets_no_more_pass():
    values = np.arange(200.0)
    assert openset.threshold(values, 1) == 197 and (values > 197).sum() == 2
    assert openset.threshold(values, 0) == 199
    assert openset.threshold([5.0] * 10, 50) == 5  # ties pass together, or not at all
    with pytest.raises(ValueError, match="a threshold needs scores"):
        openset.threshold([], 1)


def test_tpr_at_fpr_is_a_point_of_the_roc_curve(scores):
    truth = np.repeat([1, 0], [600, 200])
    fpr, tpr, _ = roc_curve(truth, np.concatenate([scores.known, scores.unknown]), drop_intermediate=False)
    found = openset.tpr_at_fpr(scores, 5)
    assert found.value == pytest.approx(100 * tpr[fpr <= 0.05].max())
    assert found.low <= found.value <= found.high


def test_the_difference_of_two_shares_is_drawn_from_the_same_images():
    """Scores that agree but for a shift differ by nothing, in every resample; better ones by what the shares say."""
    random = np.random.default_rng(1)
    ids = np.arange(300), np.arange(300)
    weak = openset.Scores(random.normal(1, 1, 300), random.normal(0, 1, 300), ids)
    same = openset.Scores(weak.known + 7, weak.unknown + 7, ids)
    good = openset.Scores(weak.known + 2, weak.unknown, ids)
    drawn = {name: openset.tprs(one, 5) for name, one in (("weak", weak), ("same", same), ("good", good))}
    none, more = (openset.bootstrapped(drawn[name] - drawn["weak"], 300) for name in ("same", "good"))
    assert (none.value, none.low, none.high) == (0, 0, 0)
    shares = [openset.tpr_at_fpr(s, 5) for s in (good, weak)]
    assert more.value == pytest.approx(shares[0].value - shares[1].value) and 0 < more.low <= more.value <= more.high
    assert more.high - more.low < sum(s.high - s.low for s in shares)


def test_calibration_by_hand():
    p = np.array([0.9, 0.9, 0.9, 0.9, 0.6, 0.6])
    right = np.array([1, 1, 1, 0, 1, 1], bool)
    found = openset.calibration(p, right)
    assert found.error.value == pytest.approx(100 * (4 * abs(0.75 - 0.9) + 2 * abs(1 - 0.6)) / 6)
    assert found.counts[[13, 8]].tolist() == [4, 2] and found.accuracy[13] == pytest.approx(75)
    assert np.isnan(found.confidence[0])
    with pytest.raises(ValueError, match="probabilities must be"):
        openset.calibration([1.5], [True])


def test_what_is_calibrated_has_a_small_error():
    random = np.random.default_rng(0)
    p = random.random(4000)
    good, bad = openset.calibration(p, random.random(4000) < p), openset.calibration(p, random.random(4000) < p**2)
    assert good.error.low < 1 < bad.error.low and bad.error.value == pytest.approx(100 / 6, abs=2)
