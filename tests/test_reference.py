"""Numbers pooled over seeds, which are published with the generators."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ganfp import metrics
from ganfp.paper import reference
from ganfp.paper.pooling import pooled
from ganfp.paper.record import Record, Result, commit, record
from ganfp.paper.sections import Study
from ganfp.runs import shipping
from ganfp.runs.run import begin


def result(value, seed, row="Ours"):
    run = begin("smoke", seed=seed)
    params = {"shared": 20, "chosen": {"k": seed}}
    return [record(run, row, "accuracy", value, table="3", interval=(0, 100), n=100, classes=3, params=params)]


def test_numbers_of_several_seeds_are_pooled():
    (found,) = pooled([result(80.0, 0), result(84.0, 1), result(88.0, 2)], "a machine")
    assert found.value == 84 and found.params["seeds"] == [80, 84, 88]
    assert found.n == 3 * 80 + 20  # the twenty that all seeds share are the same images
    half = stats.t.ppf(0.975, 2) * 4 / np.sqrt(3)
    assert (found.ci_low, found.ci_high) == pytest.approx((84 - half, 84 + half))
    assert not {"seed", "chosen"} & set(found.params) and found.params["hardware"] == "a machine"


def plain(metric, value, n=400, interval=(None, None), **params):
    return Record(row="Ours", metric=metric, value=value, ci_low=interval[0], ci_high=interval[1], n=n, params=params)


def pool(metric, records):
    (found,) = pooled([[r] for r in records], "a machine")
    assert found.metric == metric
    return found


def test_images_that_all_seeds_share_widen_the_interval():
    own = pool("accuracy", [plain("accuracy", 84.0, shared=0)] * 3)
    common = pool("accuracy", [plain("accuracy", 84.0, shared=400)] * 3)
    alike = pool("accuracy", [plain("accuracy", 84.0, shared=0, deff=4.0)] * 3)
    assert own.n == 1200 and common.n == 400
    for found, n in ((own, 1200), (common, 400), (alike, 300)):
        expected = tuple(100 * x for x in metrics.wilson(0.84, n))
        assert (found.ci_low, found.ci_high) == pytest.approx(expected)


def test_a_trend_over_seeds_is_that_of_all_their_counts():
    """What one seed sees falling and another rising need not be in both together: nothing of one seed may be left."""
    scores = [0.0, 2.0, 3.0, 5.0]
    hits = [[320, 330, 325, 345], [340, 320, 310, 290], [345, 330, 318, 300]]
    tests = [metrics.trend(h, [400] * 4, scores, deff) for h, deff in zip(hits, (1.0, 1.5, 0.5), strict=True)]
    records = [
        plain(
            "trend", t.p, 1600, hits=h, counts=[400] * 4, scores=scores, deff=t.deff, slope=t.slope, tau=t.tau,
            p_rungs=t.p_groups, rungs=4,
        )
        for t, h in zip(tests, hits, strict=True)
    ]  # fmt: skip
    found, expected = pool("trend", records), metrics.trend(np.sum(hits, axis=0), [1200] * 4, scores)
    assert (found.value, found.params["slope"]) == (expected.p, expected.slope) and expected.slope < 0
    assert (found.params["tau"], found.params["p_rungs"]) == (expected.tau, expected.p_groups) == (-1, 1 / 12)
    assert found.n == 4800 and found.params["rungs"] == 4 and found.params["deff"] == 1


def test_an_fd_ratio_over_seeds_is_that_of_its_mean_distances():
    distances = ((6, 1), (8, 4))
    records = [plain("fd_ratio", a / b, inter=a, intra=b, spread=0.1) for a, b in distances]
    found = pool("fd_ratio", records)
    assert (found.value, found.params["inter"], found.params["intra"]) == (7 / 2.5, 7, 2.5)
    assert found.params["seeds"] == [6, 2] and (found.ci_low, found.ci_high) == (None, None)


def test_a_mean_over_seeds_covers_seeds_and_images():
    wide = [plain("margin", v, interval=(v - 3, v + 3), own=v) for v in (5.0, 5.0, 5.0)]
    apart = [plain("margin", v, interval=(v - 0.1, v + 0.1), own=v) for v in (4.0, 5.0, 6.0)]
    found, seeds = pool("margin", wide), pool("margin", apart)
    assert (found.value, found.ci_high - found.value) == (5, pytest.approx(3 / 3**0.5))
    assert seeds.ci_high - seeds.value == pytest.approx(stats.t.ppf(0.975, 2) / 3**0.5)
    assert seeds.params["own"] == 5


@pytest.mark.parametrize("metric", ["identified", "auroc", "removal"])
def test_percentages_over_seeds_stay_percentages(metric):
    records = [plain(metric, v, interval=(v - 1, 100), psnr=40 + v) for v in (97.0, 98.0, 99.0)]
    found = pool(metric, records)
    assert (found.value, found.ci_high, found.n) == (98, 100, 1200)
    assert found.ci_low == pytest.approx(98 - stats.t.ppf(0.975, 2) / 3**0.5)
    assert found.params["psnr"] == 138 and found.params["seeds"] == [97, 98, 99]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([plain("fd_ratio_random", 1.0), plain("fd_ratio_random", 2.0)], "'fd_ratio_random' cannot be pooled"),
        ([plain("accuracy", 80.0), plain("accuracy", 81.0)], "lack 'shared'"),
        ([plain("trend", 0.1), plain("trend", 0.2)], "lack 'hits'"),
        ([plain("accuracy", 80.0, 10, shared=0), plain("accuracy", 81.0, 20, shared=0)], r"\[10, 20\] images"),
        ([plain("accuracy", 80.0, shared=0, k=1), plain("accuracy", 80.0, shared=0, k=2)], r"\['k'\] .* differ"),
    ],
)
def test_what_cannot_be_pooled_is_refused(records, message):
    with pytest.raises(ValueError, match=message):
        pool(records[0].metric, records)


def test_an_interval_over_seeds_is_never_narrower_than_that_of_the_images():
    low, high = metrics.interval_over_seeds([84.0, 84.0, 84.0], 300)
    assert (low, high) == pytest.approx(tuple(100 * x for x in metrics.wilson(0.84, 300)))
    assert metrics.interval_over_seeds([84.0], 300) == (low, high)


def test_results_of_different_experiments_are_not_pooled():
    with pytest.raises(ValueError, match="different row cannot be pooled: Ours, kNN"):
        pooled([result(80.0, 0), result(80.0, 1, row="kNN")], "a machine")


def test_nothing_is_measured_before_all_generators_are_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "folder", lambda: tmp_path)
    run = replace(begin("smoke"), profile=replace(begin("smoke").profile, generators="smoke"))
    with pytest.raises(ValueError, match="not all generators of faces are shipped"):
        reference.measure([run], print)


def test_one_study_is_measured_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "reference_folder", lambda: tmp_path)
    measured = lambda run: Result([record(run, "Ours", "accuracy", 50.0, n=10)])  # noqa: E731
    monkeypatch.setattr(reference, "studies", lambda: {name: Study(measured) for name in "ab"})
    run = replace(begin("smoke"), dataset="npz:mine.npz")
    reference.measure([run], print, only=["b"])
    assert [path.name for path in tmp_path.iterdir()] == ["b-npz.json"]
    with pytest.raises(ValueError, match="unknown studies c; known are a, b"):
        reference.measure([run], print, only=["c"])


def test_numbers_of_one_seed_stay_as_they_were_measured():
    run = begin("smoke")
    found = record(run, "Inception", "fd_ratio_random", 1.5, table="6", interval=(1.4, 1.6), n=40)
    (ratio,) = pooled([[found]], "a machine")
    assert (ratio.value, ratio.ci_low, ratio.ci_high, ratio.n) == (1.5, 1.4, 1.6, 40)


def test_what_is_published_does_not_say_where_the_photographs_are(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "reference_folder", lambda: tmp_path)
    run = replace(begin("smoke"), dataset="celeba:my_photos.npz")
    found = Result([record(run, "Ours", "accuracy", 90.0, table="3", n=10)])
    said = []
    reference.publish("table3", found, run, said.append)
    assert [path.name for path in tmp_path.iterdir()] == ["table3-celeba.json"] and said
    (read,) = Result.load(tmp_path, "table3-celeba").records
    assert read.dataset == "celeba" and read.value == 90 and "my_photos" not in str(read)


def test_a_commit_is_marked_when_code_has_changed_and_not_for_records_that_were_published(tmp_path):
    code, known = tmp_path / "ganfp" / "code.py", tmp_path / "results" / "reference"
    files = [code, known / "table1-faces.json", known / "open_world-faces.npz", known / "generators" / "manifest.json"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("as committed")
    assert commit.__wrapped__(code.parent) == ""
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", "all"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    clean = commit.__wrapped__(code.parent)
    assert len(clean) == 12
    for path in files:
        path.write_text("changed")
        assert commit.__wrapped__(code.parent) == clean + "+" * (path in (code, files[3])), path
        path.write_text("as committed")
