"""Experiments on the smoke run: what they claim to measure is what they measure."""

from collections import Counter

import numpy as np
import pytest

from ganfp import claims, findings, metrics, tables
from ganfp.attributors import Attributor
from ganfp.experiments import (
    attribution,
    critics,
    existence,
    frechet,
    how_long,
    persistence,
    save_path,
    service,
    training_sets,
    world,
)
from ganfp.gans import training
from ganfp.paper import published as paper
from ganfp.paper.record import KEYS, joined, pick
from ganfp.runs.recipes.base import IMAGES
from ganfp.runs.recipes.gans import Subset
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import begin


@pytest.fixture
def table3(sealed):
    return existence.table(sealed, "3")


def test_needs_are_complete(sealed):
    for number, setup in existence.SETUPS.items():
        existence.table(sealed, number)
        existence.samples(sealed, setup(sealed))
        existence.training_curves(sealed, setup(sealed))
    for study in (existence.same_seed, existence.figure1, critics.critics, frechet.ladder, world.splits):
        study(sealed)
    for study in (training_sets.beginnings, training_sets.by_rung, save_path.control):
        study(sealed)
    for study in (service.authenticity, how_long.study):
        study(sealed)
    for study in (persistence.bands, persistence.patches, persistence.selected, persistence.equal_n):
        study(sealed)
    persistence.selected_samples(begin("smoke", "bedrooms"), 3)
    world.gan_settings(sealed)
    existence.tables([sealed, begin("smoke", "bedrooms")], "2")


def test_accuracy_is_counted_on_the_test_images(sealed, table3):
    setup = existence.seed_setup(sealed)
    images, labels = load_part(setup, "test", sealed.path)
    for method, row in attribution.METHODS.items():
        predicted = Attributor.load(sealed.path(sealed.fit(method, setup))).predict(images)
        assert table3.value(row)["value"] == pytest.approx(100 * (predicted == labels).mean())
        counts = table3.arrays[f"confusion_{row}"]
        assert counts.sum(axis=1).tolist() == [setup.test] * len(setup.sources)
        assert np.trace(counts) == (predicted == labels).sum()


def test_records_have_every_field_and_the_papers_numbers(table3):
    for record in table3.records:
        assert set(record) == set(KEYS)
        if not record["params"].get("variant"):
            assert record["paper"] == paper.value("3", record["row"], "CelebA", "faces", record["metric"])
    rows = [r["row"] for r in pick(table3.records, metric="accuracy")]
    assert rows == ["kNN", "Eigenface", "PRNU", "Ours", "Our visNet"]
    assert len(pick(table3.records, metric="fd_ratio")) == 4


def test_results_are_written_and_read_back(table3, tmp_path):
    from ganfp.paper import record as records

    table3.save(tmp_path, "table3")
    assert records.load(tmp_path) == table3.records
    with np.load(tmp_path / "table3.npz") as arrays:
        assert list(arrays["classes"]) == ["real", "ProGAN_seed_1", "ProGAN_seed_2"]


def test_twins_are_equal_and_their_images_are_not(sealed):
    result = existence.same_seed(sealed)
    assert all(r["params"]["equal_bytes"] and r["params"]["largest_weight_difference"] == 0 for r in result.records)
    once, again = (sealed.sample(sample) for sample in existence.twin_setup(sealed).part("test"))
    assert not (once[:, None] == again[None]).all(axis=(2, 3, 4)).any()
    verdict = claims.evaluate(result.records)["same-seed"]
    assert verdict.holds is not None  # the claim finds the record of this control


def test_different_seeds_are_different_generators(sealed):
    gans = (source.origin for source in existence.seed_setup(sealed).sources[1:])
    one, two = (training.load_generator(sealed.path(gan))[0] for gan in gans)
    assert training.largest_difference(one, two) > 0.1 and training.largest_difference(one, one) == 0


def test_purity_by_hand():
    features = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [0.35]])
    labels = np.array(["a", "a", "a", "b", "b", "b"])
    # of the one nearest other image, only that of the last (at 0.35: the a at 0.2) is of another source
    assert existence.neighbour_purity(features, labels, k=1) == pytest.approx(100 * 5 / 6)


def test_cosines_are_bounded(table3):
    cosines = table3.arrays["fingerprint_cosines"]
    assert cosines.shape == (3, 3) and np.abs(cosines).max() <= 1


def test_indistinguishable_sources_have_the_ratios_that_theory_gives():
    study = frechet.null_study([200], dimensions=8, classes=4, seed=0)
    assert study.ratios["equal n on both sides"][0] == pytest.approx(1, abs=0.1)
    assert study.ratios["the paper's convention"][0] == pytest.approx(0.5, abs=0.06)
    assert study.distances["simulated"][0] == pytest.approx(study.distances["predicted"][0], rel=0.15)


def test_the_table_shows_what_was_measured(table3):
    table = tables.results(table3.records, "tab-3", "caption")
    shown = {row[0]: row for row in table.rows}
    best = max(pick(table3.records, metric="accuracy"), key=lambda r: r["value"])
    assert f"**{best['value']:.2f}**" in shown[best["row"]][4] and shown[best["row"]][2] == f"{best['paper']:.2f}"
    assert any("content network" in label for label in shown)
    assert ":name: tab-3" in table.markdown() and "<b>" in table.html()


def accuracies(**values):
    rows = {"kNN": 20, "Eigenface": 25, "PRNU": 80, "Ours": 99} | values
    return [
        {"row": row, "value": v, "ci_low": v - 1, "ci_high": v + 1, "metric": "accuracy"}
        | {"classes": 5, "paper": None, "dataset": "faces", "setup": "seeds"}
        for row, v in rows.items()
    ]


@pytest.mark.parametrize(
    ("values", "said", "unsaid"),
    [
        ({}, "The paper's contrast appears", "does not"),
        ({"kNN": 70}, "contrast does not appear in this run", "contrast appears"),
        ({"kNN": 50}, "contrast appears in part:** the learned fingerprint names", "does not appear"),
        ({"kNN": 70, "Eigenface": 99}, "do not separate ours from Eigenface.", "from kNN"),
        ({"kNN": 70, "Ours": 90, "PRNU": 95}, "PRNU is even better than ours here.", "do not separate"),
        ({"Ours": 20}, "shows no fingerprint", "contrast"),
    ],
)
def test_the_page_tells_the_truth_about_the_contrast(run, values, said, unsaid):
    text = findings.contrast(run, accuracies(**values)).replace("and the learned fingerprint does not", "")
    assert said in text and unsaid not in text


def test_the_page_tells_the_truth_about_the_twins():
    def record(low, high, p, equal=True):
        params = {"equal_bytes": equal, "largest_weight_difference": 0.0 if equal else 1e-3, "p": p}
        return {"row": "Ours", "ci_low": low, "ci_high": high, "params": params}

    assert "The control passes." in findings.twins([record(45, 55, 0.9)])
    chance = [record(45, 55, 0.5), record(46, 49.9, 0.04)]  # one of two below 0.05 proves nothing
    assert findings.at_chance(chance) and "just misses 50 %" in findings.twins(chance)
    leak = [record(45, 55, 0.5), record(55, 60, 0.001)]
    assert not findings.at_chance(leak) and "the control does not pass" in findings.twins(leak)
    differing = findings.twins([record(45, 55, 0.9, equal=False)])
    assert "generators differ" in differing and "control passes" not in differing


# ---------------------------------------------------------------------------- Tables 1 and 2


def test_table_1_has_every_architecture_and_shares_its_progan_with_table_3(sealed):
    setup = existence.architecture_setup(sealed)
    assert setup.classes == ["real", "ProGAN", "SNGAN", "CramerGAN", "MMDGAN"]
    assert setup.sources[1].origin == existence.seed_setup(sealed).sources[1].origin


def test_rungs_of_table_2_differ_in_the_exchanged_images_alone(sealed):
    gans = [source.origin for source in existence.training_set_setup(sealed).sources[1:]]
    assert [gan.subset.swapped for gan in gans] == sealed.rungs == [1, sealed.base_images]
    assert len({(gan.seeds, gan.config, gan.images) for gan in gans}) == 1
    one, every = (gan.training_set(sealed.path) for gan in gans)
    base = Subset(0).of(sealed.images.part(sealed.array(sealed.images, IMAGES), "gan"), sealed.base_images)
    one, every, base = map(np.asarray, (one, every, base))
    assert (one[:-1] == base[:-1]).all() and (one[-1] != base[-1]).any()
    assert not (every[:, None] == base[None]).all(axis=(2, 3, 4)).any()


def test_trainings_are_equal_until_the_first_exchanged_image(sealed):
    found = training_sets.beginnings(sealed)
    for r in found.records:
        p = r["params"]
        assert r["value"] <= p["first_swapped"] < r["value"] + p["batch"]
    assert found.records[0]["value"] > 0  # one image of many is not met at once
    assert "in the very step" in findings.beginnings(found.records)


def test_other_partings_are_told():
    def record(value):
        return {"value": value, "params": {"swapped": 1, "first_swapped": 100, "batch": 32}}

    assert "in the very step" in findings.beginnings([record(96)])
    assert "not what was expected" in findings.beginnings([record(128)])
    assert "not what was expected" in findings.beginnings([record(32)])
    assert "not what was expected" in findings.beginnings([record(68)])  # one step early: the image comes in the next


def test_rungs_add_up_to_the_table(sealed):
    found = training_sets.by_rung(sealed)
    table = existence.table(sealed, "2")
    for row in attribution.METHODS.values():
        by_class = table.value(row)["params"]["by_class"]
        for r in pick(found.records, row=row, metric="accuracy"):
            assert r["value"] == pytest.approx(by_class[f"ProGAN_subset_diff_{r['params']['swapped']}"][0])
    verdict = claims.evaluate(found.records)["no-trend"]
    assert verdict.holds == (pick(found.records, row="Ours", metric="trend")[0]["value"] >= 0.05)


def test_results_of_two_worlds_stand_side_by_side(sealed):
    other = begin("smoke", "bedrooms")
    both = existence.tables([sealed, other], "1")
    assert both.records == joined({r.dataset: existence.table(r, "1") for r in (sealed, other)}).records
    assert {"faces/confusion_Ours", "bedrooms/confusion_Ours"} <= set(both.arrays)
    shown = tables.results(both.records, "tab-1", findings.caption("1", both.records))
    assert [row[0].split("<")[0] for row in shown.rows if row[0].startswith("**")] == ["**faces**", "**bedrooms**"]
    assert sum("**" in row[4] for row in shown.rows) >= 2  # a best accuracy in each
    assert shown.rows[1][2] == "28.00" and "chance 20.0 %" in shown.caption


# ---------------------------------------------------------------------------- save paths and services


def test_the_official_stretch_reaches_both_ends_and_ours_is_the_table_itself(sealed):
    found = save_path.control(sealed)
    rows = dict(zip(found.arrays["classes"], found.arrays["extremes_official"], strict=True))
    assert rows["CramerGAN"].tolist() == rows["MMDGAN"].tolist() == [100, 100]
    assert save_path.parts(sealed, "test", "ours") == list(existence.architecture_setup(sealed).part("test"))
    same = [c in ("real", "ProGAN") for c in found.arrays["classes"]]
    for cue in ("extremes", "lowest_bits"):
        assert (found.arrays[f"{cue}_official"] == found.arrays[f"{cue}_ours"])[same].all()
    assert {(r["row"], r["column"]) for r in found.records} == {
        (cue, path) for cue in save_path.CUES.values() for path in ("ours", "official")
    }


def test_folders_hold_what_they_say(sealed):
    setup = existence.seed_setup(sealed)
    own = np.asarray(sealed.sample(setup.part("test")[1]))
    for images, truth in service.folders(sealed).values():
        share = (images[:, None] == own[None]).all(axis=(2, 3, 4)).any(axis=1).mean()
        assert 100 * share == pytest.approx(truth)


def test_a_service_is_judged_by_what_the_network_says(sealed):
    found = service.authenticity(sealed)
    network = attribution.attributor(sealed, "cnn", existence.seed_setup(sealed))
    for r, (images, truth) in zip(found.records, service.folders(sealed).values(), strict=True):
        expected = metrics.service_authenticity(network.predict(images), "ProGAN_seed_1")
        assert (r["value"], r["params"]["p"], r["params"]["truth"]) == (expected.share, expected.p, truth)


def test_a_fooled_service_is_told():
    def record(row, p, truth, value=50.0):
        return {"row": row, "value": value, "params": {"p": p, "truth": truth}}

    rows = [record("its own", 1e-9, 100), record("others", 0.9, 0), record("a stranger's", 0.9, 0)]
    assert "is recognised" in findings.service(rows) and "only luck" in findings.service(rows)
    rows[1]["params"]["p"], rows[2]["params"]["p"] = 0.01, 0.01
    assert "Wrongly recognised: others" in findings.service(rows) and "fooled" in findings.service(rows)


@pytest.mark.parametrize(("p", "said"), [(0.5, "No trend can be seen"), (0.001, "falls with the number")])
def test_a_trend_is_told(p, said):
    def rung(i, value):
        return {"row": "Ours", "metric": "accuracy", "dataset": "faces", "value": value, "params": {"swapped": i}}

    trend = {"row": "Ours", "metric": "trend", "dataset": "faces", "value": p, "params": {"slope": -1.0, "rungs": 2}}
    assert said in findings.trend([rung(1, 99.0), rung(100, 90.0), trend])


# ---------------------------------------------------------------------------- on their way


def test_a_snapshot_is_the_generator_on_its_way(sealed):
    real, early, *_ = how_long.setups(sealed)[384].sources
    network, meta = training.load_generator(sealed.path(early.origin))
    assert (meta["seen"], meta["resolution"], meta["blend"]) == (384, 16, 1.0)
    finished, _ = training.load_generator(sealed.path(early.origin.gan))
    assert training.largest_difference(network, finished) > 0
    with_snapshots, without = early.origin.gan, existence.twin_setup(sealed).sources[1].origin
    assert with_snapshots.snapshots and not without.snapshots  # and yet they end with the same bytes
    assert existence.same_seed(sealed).records[0]["params"]["equal_bytes"]


def test_the_last_point_of_the_study_is_the_finished_gans(sealed):
    study = how_long.study(sealed)
    assert sorted({r["params"]["images"] for r in study.records}) == [384, 512, 640]
    table = existence.table(sealed, "3")  # the smoke run has as many seeds as the study follows
    for row in attribution.METHODS.values():
        (last,) = [r for r in pick(study.records, row=row) if r["params"]["images"] == 640]
        assert last["value"] == table.value(row)["value"]
    assert claims.evaluate(study.records)["attributable-3"].holds is None  # they stand for no cell of Table 3


def test_the_page_tells_which_methods_fall():
    def record(row, images, value):
        interval = {"ci_low": value - 1, "ci_high": value + 1, "classes": 4}
        return {"row": row, "value": value, "params": {"images": images}, **interval}

    rows = ("kNN", "Eigenface", "PRNU", "Ours", "Inception")
    records = [record(row, 10, 90) for row in rows] + [record(row, 20, 60 if row == "kNN" else 90) for row in rows]
    text = findings.how_long(records)
    assert "kNN falls as the GANs get better. Ours does not fall." in text and "chance is 25 %" in text
    records[-2]["ci_high"], records[-2]["value"] = 70, 69
    assert "Ours falls, too, by" in findings.how_long(records)


def test_the_reference_runs_number_stands_between_the_papers_and_this_runs(sealed, monkeypatch):
    measured = existence.table(sealed, "3")
    published = [
        {**r, "value": r["value"] / 2, "params": {**r["params"], "seeds": [1, 2, 3], "hardware": "a machine"}}
        for r in measured.records
    ]
    monkeypatch.setattr("ganfp.paper.record.reference_records", lambda folder=None: tuple(published))
    monkeypatch.setattr("ganfp.findings.attribution.reference_records", lambda folder=None: tuple(published))
    again = existence.table(sealed, "3")
    for r in again.records:
        assert r["reference"] == r["value"] / 2
    row = next(row for row in tables.results(again.records, "tab-3", "").rows if row[0] == "Ours")
    assert row[3] == tables.number(again.value("Ours")["value"] / 2)
    assert "mean over 3 seeds" in findings.columns(sealed) and "trained here" in findings.columns(sealed)


def test_ours_is_compared_with_each_rival_on_the_same_images(sealed, table3):
    setup = existence.seed_setup(sealed)
    truth = setup.labels("test")
    for method, row in list(attribution.METHODS.items())[:3]:
        ours, theirs = (attribution.predictions(sealed, m, setup) == truth for m in ("cnn", method))
        found = table3.value(row, "paired_p", f"Ours against {row}")
        assert found["params"]["only_ours"] == (ours & ~theirs).sum()
        # a coin per latent, which all GANs share, and per real image
        net = (ours.astype(int) - theirs).reshape(len(setup.sources), -1)
        coins = np.concatenate([net[0], net[1:].sum(axis=0)])
        assert setup.classes[0] == "real" and found["value"] == metrics.sign_flip_p(Counter(coins.tolist()))
