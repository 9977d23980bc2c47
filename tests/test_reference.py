"""Means over seeds: the numbers that are published with the generators."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ganfp import metrics
from ganfp.paper import reference
from ganfp.paper.record import Result, record
from ganfp.runs import shipping
from ganfp.runs.run import begin


def result(value, seed, row="Ours", only=(3, 1)):
    run = begin("smoke", seed=seed)
    right = record(run, row, "accuracy", value, table="3", interval=(0, 100), n=100, classes=3)
    paired = record(
        run, "PRNU", "paired_p", 0.5, table="3", n=100, params={"only_ours": only[0], "only_rival": only[1]}
    )  # fmt: skip
    return Result([right, paired], {"counts": np.array([value]), "classes": np.array(["real"])})


def test_means_over_seeds():
    merged = reference.over_seeds([result(80.0, 0), result(84.0, 1), result(88.0, 2, only=(10, 2))], begin("smoke"))
    accuracy, paired = merged.records
    assert accuracy["value"] == 84 and accuracy["n"] == 300 and accuracy["params"]["seeds"] == [80, 84, 88]
    half = stats.t.ppf(0.975, 2) * 4 / np.sqrt(3)
    assert (accuracy["ci_low"], accuracy["ci_high"]) == pytest.approx((84 - half, 84 + half))
    assert "seed" not in accuracy["params"] and accuracy["params"]["hardware"]
    assert (paired["params"]["only_ours"], paired["params"]["only_rival"]) == (16, 4)
    assert paired["value"] == pytest.approx(stats.binomtest(16, 20).pvalue)
    assert merged.arrays["counts"] == [84] and merged.arrays["classes"] == ["real"]


def test_an_interval_over_seeds_is_never_narrower_than_that_of_the_images():
    low, high = metrics.interval_over_seeds([84.0, 84.0, 84.0], 300)
    assert (low, high) == pytest.approx(tuple(100 * x for x in metrics.wilson(0.84, 300)))
    assert metrics.interval_over_seeds([84.0], 300) == (low, high)


def test_results_of_different_experiments_are_not_averaged():
    with pytest.raises(ValueError, match="different experiments"):
        reference.over_seeds([result(80.0, 0), result(80.0, 1, row="kNN")], begin("smoke"))


def test_nothing_is_measured_before_all_generators_are_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "folder", lambda: tmp_path)
    run = replace(begin("smoke"), profile=replace(begin("smoke").profile, generators="smoke"))
    with pytest.raises(ValueError, match="not all generators of faces are shipped"):
        reference.measure([run], print)


def test_intervals_that_are_not_of_accuracies_stay_as_they_were_measured():
    run = begin("smoke")
    found = record(run, "Inception", "fd_ratio_random", 1.5, table="6", interval=(1.4, 1.6), n=40)
    bands = {"only_high": 7, "only_low": 2}
    paired = record(run, "2", "paired_p", 0.2, table="4", column="H-f against L-f", n=40, params=bands)
    ratio, test = reference.over_seeds([Result([found, paired])], run).records
    assert (ratio["ci_low"], ratio["ci_high"]) == (1.4, 1.6)
    assert test["value"] == pytest.approx(stats.binomtest(7, 9).pvalue) and test["params"]["only_high"] == 7


def test_what_is_published_does_not_say_where_the_photographs_are(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "reference_folder", lambda: tmp_path)
    run = replace(begin("smoke"), dataset="celeba:my_photos.npz")
    found = Result([record(run, "Ours", "accuracy", 90.0, table="3", n=10)], {"images": np.zeros(3)})
    said = []
    reference._publish("table3", found, run, said.append)
    assert [path.name for path in tmp_path.iterdir()] == ["table3-celeba.json"] and said
    (read,) = Result.load(tmp_path, "table3-celeba").records
    assert read["dataset"] == "celeba" and read["value"] == 90 and "my_photos" not in str(read)
