"""Pages x4 to x7: what they need, what they measure, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from ganfp.attributors import LATER, METHODS
from ganfp.gans import training
from ganfp.metrics.openset import Scores
from ganfp.paper import judge, plots, x4, x5, x6, x7
from ganfp.paper.attribution import SETUPS, architecture_setup
from ganfp.paper.judge import HOLDS, NOT_MEASURED, NOT_SHOWN, REFUTED
from ganfp.paper.pooling import pooled
from ganfp.paper.record import Record, Result, one, pick
from ganfp.runs.recipes.finetuned import FineTuned
from ganfp.runs.run import begin


def outcome(id, records):
    return judge.judge(judge.CLAIMS[id], records).outcome


def made(row, metric, value, half=0.5, **known):
    known = {"dataset": "faces", "classes": 5, "n": 100, "seconds": 1.0} | known
    return Record(row=row, metric=metric, value=value, ci_low=value - half, ci_high=value + half, **known)


# ---------------------------------------------------------------------------- x4


@pytest.fixture(scope="module")
def compared(run):
    return x4.compare(run)


def test_every_method_answers_in_every_setup(compared, sealed):
    assert x4.compare(sealed).records == compared.records  # from what `needs` names
    accuracies = pick(compared.records, metric="accuracy")
    methods = [m.row for name, m in (METHODS | LATER).items() if name != "visnet"]
    assert len(accuracies) == len(methods) * len(SETUPS) * 2 and {r.row for r in accuracies} == set(methods)
    assert all(r.seconds > 0 and not r.table for r in accuracies)
    differences = pick(compared.records, metric="difference")
    assert len(differences) == (len(methods) - 1) * len(SETUPS) * 2
    for d in differences[:20]:
        ours, other = (
            one(accuracies, row=row, setup=d.setup, column=d.column) for row in ("Ours", d.params["against"][0])
        )
        assert d.value == pytest.approx(ours.value - other.value)


def test_methods_are_shown_with_their_cost(compared):
    shown = x4.table(compared.records, "t", "c")
    assert len(shown.rows) == len(LATER) + 4 and shown.header[-1] == "fit, s"
    assert len(x4.undecided(compared.records).splitlines()) == 6
    assert len(plots.methods(compared.records).axes) == 3


@pytest.mark.parametrize(("other", "expected"), [(90, HOLDS), (96.8, NOT_SHOWN), (99, REFUTED)])
def test_ours_is_compared_with_each(other, expected):
    place = {"setup": "baselines: seeds", "column": "clean"}
    records = [made(row, "accuracy", value, **place) for row, value in (("Ours", 97), ("DCT", other), ("kNN", 20))]
    assert outcome("later-methods", records) == expected
    assert outcome("later-methods-jpeg", records) == NOT_MEASURED


# ---------------------------------------------------------------------------- x5


def test_each_gan_is_left_out_once_and_real_images_never(run):
    for table, setup in SETUPS.items():
        folds = x5.folds(run, table)
        assert list(folds) == setup(run).classes[1:]
        assert all(name not in fold.classes and fold.classes[0] == "real" for name, fold in folds.items())
        assert {len(fold.classes) for fold in folds.values()} == {len(setup(run).classes) - 1}


def test_strangers_are_strange(run):
    known = {source.origin for source in x5.known_setup(run).sources}
    for kind, sources in x5.strangers(run).items():
        assert sources and not known & {source.origin for source in sources}, kind


def test_a_threshold_is_chosen_on_the_other_sources_alone(run):
    """With b out the threshold is a's last but one, 98: half of b's images are above it."""
    known, ids = np.arange(200.0), (np.arange(200), np.arange(2))
    right, hundred = np.ones(200, bool), np.arange(100.0)
    by_source = {
        "a": (Scores(known, np.array([0.0, 500.0]), ids), right, hundred),
        "b": (Scores(known, np.array([97.0, 99.0]), ids), right, hundred + 1000),
    }
    passed, refused = x5._threshold(run, "s", by_source, {"setup": "open world", "column": "new seed"})
    assert passed.metric == "false_attribution" and passed.value == 25  # of b one, and of a none: above 1098
    assert refused.value == pytest.approx(100 * (99 + 200) / 400)


def test_the_open_world_is_measured(sealed):
    found = x5.study(sealed)
    for kind in x5.KINDS.values():
        for score in x5.SCORES:
            r = one(found.records, metric="auroc", row=score, column=kind, variant="")
            each = [
                x.value
                for x in pick(found.records, metric="auroc", row=score, column=kind)
                if x.variant not in ("", "one network")
            ]
            assert r.value == pytest.approx(np.mean(each), abs=1e-3) and r.low <= r.value <= r.high
            assert one(found.records, metric="oscr", row=score, column=kind).value <= r.value
            accepted, right = found.arrays[f"{kind}/{score}"]
            assert (np.diff(accepted) >= 0).all() and (right <= accepted).all() and accepted[-1] == 100
    assert len(x5.areas_table(found.records, "t", "c").rows) == 12
    assert len(x5.strangers_table(found.records, "t", "c").rows) == 6
    assert len(plots.open_world(found.arrays).axes) == len(plots.reliability(found.arrays).axes) == 3


def test_a_fingerprint_is_compared_by_its_direction_whatever_its_length():
    """Two sources at right angles around (5, 5); a louder image of one is as near to it, a faint one between is not."""
    known = x5.Known.__new__(x5.Known)
    known.centre = np.array([5.0, 5.0])
    found = known.directions(np.array([[8.0, 5.0], [905.0, 5.0], [5.0, 9.0], [5.1, 5.1]]))
    np.testing.assert_allclose(found, [[1, 0], [1, 0], [0, 1], [0.5**0.5, 0.5**0.5]], atol=1e-9)


@pytest.mark.parametrize(("residuals", "expected"), [(96, HOLDS), (91, NOT_SHOWN), (80, REFUTED)])
def test_residuals_are_compared_with_our_network_among_strangers(residuals, expected):
    records = [
        made(row, "auroc", value, setup="open world", column=kind, variant=variant)
        for kind in x5.KINDS.values()
        for variant in ("", "one network")
        for row, value in ((x5.PROBABILITY, 90.5), (x5.RESIDUALS, residuals))
    ]
    assert outcome("open-residuals", records) == expected


@pytest.mark.parametrize(("best", "expected"), [(95, HOLDS), (90, NOT_SHOWN), (80, REFUTED)])
def test_strangers_are_recognised_by_one_score(best, expected):
    place = {"setup": "open world", "column": "new seed"}
    records = [made(row, "auroc", best if row == x5.ENERGY else 60, **place) for row in x5.SCORES]
    assert outcome("open-seed", records) == expected
    assert outcome("open-seed", records[:-1]) == (HOLDS if expected == HOLDS else NOT_MEASURED)
    assert outcome("open-architecture", records) == NOT_MEASURED


@pytest.mark.parametrize(("after", "expected"), [(0.2, HOLDS), (1.9, NOT_SHOWN), (5.0, REFUTED)])
def test_scaling_has_to_bring_every_setup_nearer_to_the_truth(after, expected):
    errors = [("seeds", 3.0, 0.2), ("architectures", 2.0, after)]
    records = [
        made(row, "ece", value, setup=f"calibration: {setup}")
        for setup, *pair in errors
        for row, value in zip(("as trained", "calibrated"), pair, strict=True)
    ]
    assert outcome("calibrated-better", records) == expected


# ---------------------------------------------------------------------------- x6


def test_the_matrix_has_the_cells_that_were_asked_for(sealed):
    found = x6.study(sealed)
    kinds = {r.variant for r in found.records}
    assert kinds == {x6.SAME, x6.SEED, x6.SET, x6.LENGTH, x6.TUNED, x6.LOSS, x6.RESIZED, x6.JPEG}
    ours = pick(found.records, row="Ours")
    assert len(ours) >= 20 and all(r.n and r.low <= r.value <= r.high for r in ours)
    setup = architecture_setup(sealed)
    network = x4.part_fit(sealed, "cnn", setup)
    from ganfp.attributors import load
    from ganfp.runs.recipes.samples import load_part

    images, labels = load_part(setup, "test", sealed.path)
    named = load(sealed.path(network)).predict(images[labels == "ProGAN"])
    assert one(ours, variant=x6.SAME).value == pytest.approx(100 * (named == "ProGAN").mean())
    assert len(x6.table(found.records, "t", "c").rows) == len({(r.variant, r.column) for r in found.records})
    assert plots.critics_matrix(found.records).axes


def test_resizing_and_recompressing_change_what_they_should():
    flat = np.full((2, 3, 16, 16), 90, np.uint8)
    checkers = np.broadcast_to(60 + 100 * (np.indices((16, 16)).sum(axis=0) % 2), (2, 3, 16, 16)).astype(np.uint8)
    assert (x6.resized(flat, 1 / 2) == flat).all()
    assert np.ptp(x6.resized(checkers, 1 / 2)[..., 2:-2, 2:-2]) < 10
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, 16, 16), dtype=np.uint8)
    change = [np.abs(x6.recompressed(noise, q).astype(int) - noise).mean() for q in (95, 50)]
    assert 0 < change[0] < change[1]


def test_a_fine_tuning_begins_where_the_training_ended(run):
    tuned = next(cell for cell in x6.cells(run) if cell.kind == x6.TUNED).shown.origin
    assert isinstance(tuned, FineTuned)
    before, _ = training.load_generator(run.path(tuned.generator))
    after, meta = training.load_generator(run.path(tuned))
    other, _ = training.load_generator(run.path(run.generator("progan", 2)))
    assert meta["seen"] >= tuned.gan.config.total_images + tuned.seen
    moved, apart = (training.largest_difference(before, one) for one in (after, other))
    assert 0 < moved < apart / 5


@pytest.mark.parametrize(
    ("same", "seeds", "expected"), [(99, (10, 20), HOLDS), (99, (10, 50), NOT_SHOWN), (99, (10, 80), REFUTED)]
)
def test_attribution_is_to_the_run_if_other_seeds_are_not_named(same, seeds, expected):
    place = {"setup": "critics' matrix"}
    for row, claim in (("Ours", "to-the-run"), ("PRNU", "to-the-run-residuals")):
        records = [made(row, "share", same, variant=x6.SAME, column="same", **place)]
        records += [made(row, "share", x, variant=x6.SEED, column=str(i), **place) for i, x in enumerate(seeds)]
        assert outcome(claim, records) == expected


# ---------------------------------------------------------------------------- x7


def test_matches_by_hand():
    """Two sources, at right angles: a query is at cosine 1 from its own and 0 from the other, whatever is drawn."""
    enrolled = np.repeat(np.eye(2), 6, axis=0)
    scores = x7.matches(3 * np.eye(2), enrolled, sources=2, size=3, seed=0)
    assert scores.shape == (x7.DRAWS, 2, 2)
    np.testing.assert_allclose(scores, np.broadcast_to(np.eye(2), scores.shape), atol=1e-6)


def test_the_whitened_metric_makes_the_scatter_alike():
    random = np.random.default_rng(0)
    points = random.normal(size=(4000, 3)) * [1, 2, 4]
    embed = x7.embedding(points, np.repeat(["a", "b"], 2000), whitened=True)
    np.testing.assert_allclose(np.cov(embed(points).T), np.eye(3), atol=0.05)


@pytest.fixture(scope="module")
def galleries(run):
    return x7.study(run)


def test_galleries_are_measured(galleries):
    found: Result = galleries
    sizes = {r.column for r in found.records}
    assert sizes == {"1", "3", "10"} and len({r.row for r in found.records}) == 10
    assert all(0 <= r.low <= r.value <= r.high <= 100 for r in found.records if r.metric in x7.METRICS)
    assert len(x7.table(found.records, "tpr", "t", "c").rows) == 10
    assert len(plots.gallery(found.records).axes) == 2 and "guessing" in x7.sources(found.records)


@pytest.mark.parametrize(("more", "expected"), [(60, HOLDS), (30.5, NOT_SHOWN), (20, REFUTED)])
def test_larger_galleries_are_compared_with_smaller(more, expected):
    rows = (*x7.ROWS.values(), x7.TUNED)
    ends = (("1", 30), ("100", more))
    records = [made(row, "identified", v, setup="gallery", column=size) for row in rows for size, v in ends]
    assert outcome("gallery-grows", records) == expected


def test_our_network_is_tuned_on_what_it_knows_and_compared_with_itself(galleries, run):
    """Images that are verified are of none of the sources of the tuning, and gains are differences of what is shown."""
    known = {source.origin for source in x5.known_setup(run).sources}
    assert not known & {source.origin for source in x7.new_setup(run).sources}
    found = galleries.records
    gained = pick(found, metric="difference")
    assert {d.row.partition(",")[0] for d in gained} == set(x7.INVENTED) and len(gained) == 2 * 2 * 3 * 2
    for d in gained:
        before, after = (
            one(found, metric=d.params["of"], row=row, column=d.column) for row in (d.params["against"][0], d.row)
        )
        assert d.value == pytest.approx(after.value - before.value) and d.low <= d.value <= d.high


def test_what_has_several_seeds_can_be_pooled(compared, galleries):
    for found in (compared, galleries):
        assert len(pooled([found.records, found.records], "a machine")) == len(found.records)


@pytest.mark.parametrize(("more", "expected"), [(60, HOLDS), (30.2, NOT_SHOWN), (20, REFUTED)])
def test_a_network_that_was_tuned_is_compared_with_itself(more, expected):
    place = {"setup": "gallery"}
    values = {x7.ROWS["cnn"]: 30, x7.TUNED: more, x7.ROWS["prnu"]: 30, x7.ALONE: 60 - more}
    records = [
        made(row, metric, value, column=size, **place)
        for row, value in values.items() for metric in x7.METRICS for size in ("1", "10")
    ]  # fmt: skip
    for claim in ("gallery-tuned", "gallery-tuned-residuals", "gallery-tuned-alone"):
        assert outcome(claim, records) == expected


# ---------------------------------------------------------------------------- two worlds


def test_the_other_world_is_the_one_that_was_published(tmp_path, monkeypatch):
    run = begin("smoke")
    monkeypatch.setattr("ganfp.paper.record.reference_folder", lambda: tmp_path)
    assert x7.study.elsewhere(run) == []
    for world in ("faces", "bedrooms", "celeba"):
        Result([made("Ours", "tpr", 50, dataset=world)]).save(tmp_path, f"gallery-{world}")
    assert {r.dataset for r in x7.study.elsewhere(run)} == {"bedrooms"}


def test_worlds_stand_one_below_the_other_each_with_its_best():
    place = {"setup": "baselines: seeds", "column": "clean"}
    numbers = {"faces": (97, 90), "bedrooms": (80, 95)}
    both = [
        made(row, "accuracy", value, dataset=world, **place)
        for world, values in numbers.items() for row, value in zip(("Ours", "DCT"), values, strict=True)
    ]  # fmt: skip
    names, cells = zip(*[row[:2] for row in x4.table(both, "t", "c").rows], strict=True)
    assert [name.partition("</")[0].strip("*").partition("*")[0] for name in names] == [
        "faces", "Ours", "DCT", "bedrooms", "Ours", "DCT"
    ]  # fmt: skip
    assert ["**" in cell for cell in cells] == [False, True, False, False, False, True]
    gallery = [replace(r, metric="tpr", column="10") for r in both]
    rows = x7.table(gallery, "tpr", "t", "c").rows
    assert len(rows) == 6 and "97" in rows[1][1] and "80" in rows[4][1]
