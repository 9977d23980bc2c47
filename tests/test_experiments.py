"""Experiments on the smoke run: what they claim to measure is what they measure."""

import numpy as np
import pytest

from ganfp import claims, findings, paper, recipes, tables
from ganfp.attributors import Attributor
from ganfp.experiments import existence, frechet, world
from ganfp.records import KEYS, pick


@pytest.fixture
def sealed(run, monkeypatch):
    """The run, unable to build: an experiment must find everything that `needs` names."""

    def refuse(*recipes, **_):
        raise AssertionError(f"not among the needs: {recipes}")

    monkeypatch.setattr("ganfp.building.ProcessPoolExecutor", refuse)
    return run


@pytest.fixture
def table3(sealed):
    return existence.table3(sealed)


def test_needs_are_complete(sealed):
    for experiment in (existence.table3, existence.same_seed, existence.figure1, existence.figure4, existence.critics):
        experiment(sealed)
    existence.training_curves(sealed)
    frechet.ladder(sealed)
    world.splits(sealed)


def test_accuracy_is_counted_on_the_test_images(sealed, table3):
    setup = existence.seed_setup(sealed)
    images, labels = recipes.load_part(setup, "test", sealed.path)
    for method, row in existence.METHODS.items():
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
    assert [r["row"] for r in pick(table3.records, metric="accuracy")] == ["kNN", "Eigenface", "PRNU", "Ours"]
    assert len(pick(table3.records, metric="fd_ratio")) == 4


def test_results_are_written_and_read_back(table3, tmp_path):
    from ganfp import records

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
    one, two = (source.origin for source in existence.seed_setup(sealed).sources[1:])
    assert existence.largest_difference(sealed.path(one), sealed.path(two)) > 0.1


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
    assert f"**{best['value']:.2f}**" in shown[best["row"]][3] and shown[best["row"]][2] == f"{best['paper']:.2f}"
    assert any("content network" in label for label in shown)
    assert ":name: tab-3" in table.markdown() and "<b>" in table.html()


def accuracies(**values):
    rows = {"kNN": 20, "Eigenface": 25, "PRNU": 80, "Ours": 99} | values
    return [
        {"row": row, "metric": "accuracy", "value": v, "ci_low": v - 1, "ci_high": v + 1, "classes": 5, "paper": None}
        for row, v in rows.items()
    ]


@pytest.mark.parametrize(
    ("values", "said", "unsaid"),
    [
        ({}, "The paper's contrast appears", "does not"),
        ({"kNN": 70}, "contrast does not appear in this run", "contrast appears"),
        ({"kNN": 70, "Eigenface": 99}, "do not separate ours from Eigenface.", "from kNN"),
        ({"kNN": 70, "Ours": 90, "PRNU": 95}, "PRNU is even better than ours here.", "do not separate"),
        ({"Ours": 20}, "shows no fingerprint", "contrast"),
    ],
)
def test_the_page_tells_the_truth_about_the_contrast(run, values, said, unsaid):
    text = findings.contrast(run, accuracies(**values)).replace("and the learned fingerprint does not", "")
    assert said in text and unsaid not in text


def test_the_page_tells_the_truth_about_the_twins():
    def record(low, high, equal=True):
        params = {"equal_bytes": equal, "largest_weight_difference": 0.0 if equal else 1e-3}
        return {"row": "Ours", "ci_low": low, "ci_high": high, "params": params}

    assert "The control passes" in findings.twins([record(45, 55)])
    assert "does not cover 50 %" in findings.twins([record(51, 60)])
    assert "differ" in findings.twins([record(45, 55, equal=False)])
