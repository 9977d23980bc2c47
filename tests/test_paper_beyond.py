"""Figure 1, the critics, services, and pages x1 and x3: what they measure, and what is said of it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ganfp import metrics
from ganfp.gans import training
from ganfp.paper import attribution, judge, page, remedies, s1, s3_1, s3_3, s4_1, s4_3, s4_4, s4_5, table, x1, x3
from ganfp.paper.judge import HOLDS, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, pick, record, reference_records
from ganfp.runs.recipes.base import CURVE
from ganfp.runs.run import begin


def outcome(id, records):
    return judge.judge(judge.CLAIMS[id], records).outcome


def test_needs_are_complete(sealed):
    s1.figure1(sealed)
    s3_1.critics(sealed)
    s3_1.authenticity(sealed)
    x1.study(sealed)
    x1.search(sealed)
    remedies.compare(sealed)
    for made in (s4_1.splits, s4_1.gan_settings, s4_1.progan_settings, s4_1.choices, s4_1.content_report):
        assert made(sealed)
    assert s4_1.training_curves(sealed, attribution.architecture_setup(sealed))


def test_purity_by_hand():
    features = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [0.35]])
    labels = np.array(["a", "a", "a", "b", "b", "b"])
    # of the one nearest other image, only that of the last (at 0.35: the a at 0.2) is of another source
    assert s1.neighbour_purity(features, labels, k=1) == pytest.approx(100 * 5 / 6)


def test_folders_hold_what_they_say(sealed):
    own = np.asarray(sealed.sample(attribution.seed_setup(sealed).part("test")[1]))
    for images, truth in s3_1.folders(sealed).values():
        share = (images[:, None] == own[None]).all(axis=(2, 3, 4)).any(axis=1).mean()
        assert 100 * share == pytest.approx(truth)


def test_a_service_is_judged_by_what_the_network_says(sealed):
    found = s3_1.authenticity(sealed)
    network = attribution.attributor(sealed, "cnn", attribution.seed_setup(sealed))
    for r, (images, truth) in zip(found.records, s3_1.folders(sealed).values(), strict=True):
        expected = metrics.service_authenticity(network.predict(images), s3_1.SERVICE)
        assert (r.value, r.params["p"], r.params["truth"]) == (expected.share, expected.p, truth)
    assert len(s3_1.folders_table(found.records, "t", "c").rows) == 6


def folder(row, low, high, truth):
    middle = (low + high) / 2
    params = {"truth": truth, "p": 0.5}
    known = dict(setup="service", dataset="faces", ci_low=low, ci_high=high, params=params)
    return Record(row=row, metric="share", value=middle, **known)


@pytest.mark.parametrize(
    ("own", "other", "stranger", "expected"),
    [
        ((90, 99), (0, 4), (10, 30), (HOLDS, HOLDS, HOLDS)),
        ((40, 60), (45, 55), (40, 60), (NOT_SHOWN, NOT_SHOWN, NOT_SHOWN)),
        ((10, 30), (60, 70), (80, 90), (REFUTED, REFUTED, REFUTED)),
    ],
)
def test_services_are_judged_by_intervals(own, other, stranger, expected):
    records = [folder("own", *own, 100), folder("mixed", *other, 40), folder(s3_1.STRANGER, *stranger, 0)]
    assert tuple(outcome(id, records) for id in ("service", "service-not-fooled", "service-stranger")) == expected


def reading(row, value, half=1.0):
    known = dict(setup="critics", dataset="faces", classes=5, ci_low=value - half, ci_high=value + half)
    return Record(row=row, metric="accuracy", value=value, **known)


@pytest.mark.parametrize(("critic", "expected"), [(30, HOLDS), (79, NOT_SHOWN), (95, REFUTED)])
def test_critics_are_compared_with_ours(critic, expected):
    records = [reading("Ours", 80), reading("Critics, lowest raw score", critic), reading("Critics, other", 20)]
    assert outcome("critics", records) == expected
    assert len(s3_1.critics_table(records, "t", "c").rows) == 3


def test_critics_and_ours_answer_for_the_same_images(sealed):
    found = s3_1.critics(sealed)
    setup = attribution.seed_setup(sealed)
    truth, named = setup.labels("test"), attribution.predictions(sealed, "cnn", setup)
    generated = truth != "real"
    (ours,) = pick(found.records, row="Ours", metric="accuracy")
    assert ours.value == pytest.approx(100 * (named == truth)[generated].mean())
    assert len(pick(found.records, metric="difference")) == 4


# ---------------------------------------------------------------------------- x1: on their way


def test_a_snapshot_is_the_generator_on_its_way(sealed):
    _, early, *_ = x1.setups(sealed)[384].sources
    network, meta = training.load_generator(sealed.path(early.origin))
    assert (meta["seen"], meta["resolution"], meta["blend"]) == (384, 16, 1.0)
    finished, _ = training.load_generator(sealed.path(early.origin.gan))
    assert training.largest_difference(network, finished) > 0


def test_the_last_point_of_the_study_is_the_finished_gans(sealed):
    study = x1.study(sealed)
    assert sorted({r.gan_images for r in study.records}) == [384, 512, 640]
    table = attribution.evaluate(sealed, attribution.seed_setup(sealed), "3")  # as many seeds as the study follows
    for row in attribution.METHODS.values():
        (last,) = pick(study.records, row=row, gan_images=640, metric="accuracy")
        (cell,) = pick(table.records, row=row, metric="accuracy")
        assert last.value == cell.value
    assert outcome("attributable-3", study.records) == judge.NOT_MEASURED  # they stand for no cell of Table 3


def after(row, images, value, half=1.0):
    known = dict(dataset="faces", setup="seeds", classes=4, gan_images=images, variant=f"after {images} images")
    return Record(row=row, metric="accuracy", value=value, ci_low=value - half, ci_high=value + half, **known)


@pytest.mark.parametrize(
    ("pixels", "ours", "expected"),
    [
        ((90, 60), (99, 99.5), (HOLDS, HOLDS)),
        ((90, 90), (99, 97.5), (NOT_SHOWN, NOT_SHOWN)),
        ((60, 90), (99, 60), (REFUTED, REFUTED)),
    ],
)
def test_longer_trainings_are_judged(pixels, ours, expected):
    rows = {"kNN": pixels, "Eigenface": pixels, "Ours": ours, "PRNU": ours}
    records = [after(row, n, v, 0.6) for row, two in rows.items() for n, v in zip((10, 20), two, strict=True)]
    assert tuple(outcome(id, records) for id in ("longer-hides-content", "longer-keeps-fingerprints")) == expected


def test_a_search_reports_when_half_of_the_way_was_covered(sealed):
    found = x1.search(sealed)
    assert len(found.records) == 3 * len(x1.SEARCHED)
    for r in found.records:
        for seed, one in enumerate(r.params["each"]):
            curve = sealed.array(x1.searches(sealed)[r.gan_images, r.row, seed], CURVE)
            reached = curve[:, 1] >= (100 / 3 + 100) / 2  # two seeds and the real images
            assert one == (int(curve[reached.argmax(), 0]) if reached.any() else None)


def searched(way, images, *each):
    params = {"each": list(each), "shown": 1000}
    known = dict(row=way, metric="images_to_find", dataset="faces", gan_images=images, params=params)
    return Record(value=float(np.median([one or 1000 for one in each])), **known)


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        ((10, 20), (30, None), (HOLDS, REFUTED)),
        ((10, 40), (30, 50), (NOT_SHOWN, HOLDS)),
        ((9, 9), (5, 5), (REFUTED, HOLDS)),
    ],
)
def test_searches_are_judged_seed_against_seed(early, late, expected):
    records = [searched(way, n, *each) for way in x1.SEARCHED for n, each in ((10, early), (20, late))]
    assert tuple(outcome(id, records) for id in ("longer-hides-fingerprints", "remedy-finds")) == expected


def test_ways_of_training_are_compared_on_the_same_images(sealed):
    found = remedies.compare(sealed)
    ways = remedies.ways(sealed)
    setup = attribution.seed_setup(sealed)
    for r in pick(found.records, metric="accuracy"):
        named = attribution.predictions(sealed, "cnn", setup, **ways[r.variant])
        assert r.value == pytest.approx(100 * (named == setup.labels("test")).mean())
    assert {r.variant for r in pick(found.records, metric="difference")} == ways.keys() - {remedies.BOTH}
    assert outcome("remedy-needed", found.records) != judge.NOT_MEASURED
    assert outcome("attributable-3", found.records) == judge.NOT_MEASURED
    assert len(remedies.table(found.records, "t", "c").rows) == len(ways)


@pytest.mark.parametrize(("seeds", "expected"), [((99.0, 95.5), HOLDS), ((99.0, 40.0), REFUTED)])
def test_a_way_that_needs_luck_is_not_reliable(seeds, expected):
    both = replace(after("Ours", 1, 90.0), variant=remedies.BOTH, params={"seeds": seeds})
    assert outcome("remedy-reliable", [both]) == expected


def test_another_runs_records_are_labelled():
    run, mine = begin("smoke"), after("Ours", 10, 99)
    assert page.whose(run, [replace(mine, profile="smoke")]) == page.OWN
    said = page.whose(run, [replace(mine, profile="reference", commit="abc")])
    assert "Not this run's numbers" in said and "profile reference, faces, GANs of 10 images, commit abc" in said
    lengths = [replace(after("Ours", n, 99), profile="smoke", commit="abc", n=7 * n) for n in (10, 2000, 30)]
    expected = "profile smoke, faces, n = 70 to 14,000, GANs of 10, 30 and 2,000 images, "
    expected += "training 3.2 to 19 s, commit abc"
    timed = [replace(r, seconds=s) for r, s in zip(lengths, (19.4, 3.21, None), strict=True)]
    assert table.provenance(timed) == expected
    other = replace(mine, profile="quick", dataset="", gan_images=None, n=5, commit="", seconds=None)
    assert table.provenance([*timed, other]) == f"{expected}; profile quick, n = 5"


# ---------------------------------------------------------------------------- x3: two runs side by side

ACCURACY = {"faces": (30.0, 60.0, 99.0, 98.0), "celeba": (25.0, 50.0, 80.0, 97.0)}


def made_up(dataset):
    run = replace(begin("smoke"), dataset=dataset)
    params = {"seeds": [0], "hardware": "a machine"}
    known = dict(table="3", setup="seeds", classes=6, params=params)
    found = [
        record(run, row, "accuracy", value, interval=(value - 1, value + 1), n=600, **known)
        for row, value in zip(attribution.METHODS.values(), ACCURACY[dataset], strict=True)
    ]
    return [*found, record(run, "Inception", "fd_ratio", 5.0 if dataset == "faces" else 1.5, **known)]


@pytest.fixture
def both(monkeypatch):
    records = [*made_up("faces"), *made_up("celeba")]
    monkeypatch.setattr(x3, "reference_records", lambda: records)
    return records


def test_without_records_the_page_says_what_to_run(monkeypatch):
    monkeypatch.setattr(x3, "reference_records", lambda: made_up("faces"))
    with pytest.raises(LookupError, match="no records of celeba; `ganfp reference --measure`"):
        x3.study()


def test_numbers_stand_side_by_side(both):
    table = x3.side_by_side(x3.study().records, "t", "c")
    assert list(table.header) == ["", "", "paper", "drawn faces", "photographs"] and len(table.rows) == 5
    ours = next(row for row in table.rows if row[0] == "Ours")
    assert ours[2] == "99.14" and ours[3].startswith("98.00") and ours[4].startswith("97.00")
    assert table.rows[-1][-1] == "1.50"  # an FD ratio has no interval
    labelled = x3.side_by_side(both, "t", "c", labels=("method", "metric"), names={"faces": "drawn"})
    assert list(labelled.header) == ["method", "metric", "paper", "drawn"]


def test_claims_are_judged_on_both(both):
    rows = {row[0]: row for row in x3.claims_table(x3.study().records, "t", "c").rows}
    (row,) = (row for text, row in rows.items() if text.startswith("Inception features do not tell GANs apart"))
    assert row[1:3] == ["holds", "is refuted"] and row[3].startswith("**holds** <small>celeba: 1.50")
    assert "5 ProGANs" in x3.what_ran(x3.study().records)


# ---------------------------------------------------------------------------- whose number is it?


@pytest.mark.parametrize(
    ("page_name", "measure"), [("x1_how_long", x1.study), ("s3_1_attribution_network", s3_1.critics)]
)
def test_a_page_that_shows_another_runs_numbers_says_so(page_name, measure):
    run = begin("quick")  # its GANs are shipped, so it has not followed them
    records = measure(run).records
    assert {r.profile for r in records} == {"reference"} and "profile reference" in page.whose(run, records)
    source = Path(__file__).parents[1].joinpath("notebooks", f"{page_name}.ipynb").read_text("utf-8")
    assert "page.whose(run, " in source


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ({"table": "3", "dataset": "faces"}, lambda r: table.results(r, "t", "c")),
        ({"table": "4", "dataset": "faces"}, lambda r: s4_3.bands_table(r, "t", "c")),
        ({"table": "5", "dataset": "faces"}, lambda r: s4_3.patches_table(r, "t", "c")),
        ({"table": "7", "dataset": "faces"}, lambda r: s4_4.attacks_table(r, "7", "t")),
        ({"setup": "logits"}, lambda r: s3_3.comparison_table(r, "t", "c")),
        ({"metric": "response", "dataset": "faces"}, lambda r: s4_5.regions_table(energies(r), "t", "c")),
    ],
)
def test_under_a_table_stands_whose_numbers_it_shows(where, shown):
    said = shown(pick(reference_records(), **where)).markdown()
    of = r"profile reference, faces, n = [\d,]+( to [\d,]+)?,( \d seeds,)? GANs of 450,560 images,.* commit"
    assert re.search(of, said)


def energies(records):
    return [*records, *(replace(r, metric="energy") for r in records)]
