"""Section 4.3: Tables 4 to 6 on the smoke run, and every claim three ways."""

from dataclasses import replace

import numpy as np
import pytest

from ganfp import metrics
from ganfp.features import perceptual
from ganfp.features.content import ContentNetwork
from ganfp.paper import attribution, judge, pictures, plots, published, s4_3, selection
from ganfp.paper.attribution import seed_setup
from ganfp.paper.judge import HOLDS, NOT_MEASURED, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, elsewhere, one, pick, published_records, reference_records
from ganfp.paper.table import results
from ganfp.runs.recipes.base import DISTANCES, IMAGES, NEIGHBOURS
from ganfp.runs.run import begin


@pytest.fixture(scope="module")
def table4(run):
    return s4_3.bands(run).records


@pytest.fixture(scope="module")
def table5(run):
    return s4_3.patches(run).records


@pytest.fixture(scope="module")
def table6(run):
    return s4_3.selected(run)


def test_needs_are_complete(sealed):
    for measure in (s4_3.bands, s4_3.patches, s4_3.selected, s4_3.equal_n):
        assert measure(sealed).records
    pictures.nearest(begin("smoke", "bedrooms"), 3)


# ---------------------------------------------------------------------------- what is measured


def test_both_columns_start_with_the_plain_network_and_end_at_4_px(run, table4):
    plain = attribution.accuracy(run, "cnn", seed_setup(run), "3")
    for column in s4_3.BANDS:
        mine = pick(table4, column=column, metric="accuracy")
        assert [r.row for r in mine] == ["1", "2", "4"]  # 16, 8 and 4 px
        assert (mine[0].value, mine[0].seconds) == (plain.value, plain.seconds)
        assert [r.paper for r in mine] == [published.value("4", f, column) for f in ("1", "2", "4")]


def test_every_network_is_the_variant_that_its_cell_says(run):
    setup, cells = seed_setup(run), s4_3.bands_of(run)
    assert cells["1", "L-f"] == cells["1", "H-f"] == {}
    for (factor, column), part in cells.items():
        found = attribution.attributor(run, "cnn", setup, **part)
        plain = factor == "1" and column != "top band"
        assert (found.band, found.factor) == ("low" if plain or column == "L-f" else "high", int(factor))
    assert len({run.fit("cnn", setup, **part).key for part in cells.values()}) == len(cells) - 1 == 6


def test_differences_are_those_of_the_two_predictions(run, table4, table5):
    setup, cells = seed_setup(run), s4_3.bands_of(run)
    high, low = (attribution.predictions(run, "cnn", setup, **cells["2", column]) for column in ("H-f", "L-f"))
    expected = metrics.paired_difference(setup.labels("test"), high, low, attribution.clusters(setup))
    found = one(table4, row="2", column="H-f", metric="difference", variant="against 2, L-f")
    assert (found.value, found.low, found.high, found.params["p"]) == tuple(vars(expected).values())[:4]
    places = {(r.row, r.column, *r.params["against"][:2]) for r in pick(table4, metric="difference")}
    assert {("1", "L-f", "2", "L-f"), ("2", "L-f", "4", "L-f"), ("1", "L-f", "4", "L-f")} <= places  # wider-bands
    assert {("4", "H-f", "4", "L-f"), ("1", "top band", "1", "L-f")} <= places
    against = {(r.row, r.params["against"][0]) for r in pick(table5, metric="difference")}
    assert against == {("16", "10"), ("10", "3"), ("16", "3")}


def test_rows_of_table_5_are_patch_sides_beside_the_papers(table5):
    found = pick(table5, metric="accuracy")
    assert [(r.row, r.params["pool_at"]) for r in found] == [("16", 4), ("10", 8), ("3", 16)]
    assert [r.paper for r in found] == [None, 89.60, 13.42]


def test_the_tables_name_what_the_run_does_not_have(table4, table5):
    shown = s4_3.bands_table(table4, "tab-4", "c").rows
    low, top, high = ([row for row in shown if row[0] == column] for column in ("L-f", "top band", "H-f"))
    assert [row[1] for row in low] == ["1", "2", "4", "8", "16", "32"] == [row[1] for row in high]
    assert "less 8 × 8" in top[0][2] and top[0][3] == "–"
    assert "below the network" in low[3][2] and low[3][3] == "87.20" and "below" not in low[2][2]
    shown = s4_3.patches_table(table5, "tab-5", "c").rows
    assert [row[0].split()[0] for row in shown] == ["128", "108", "52", "24", "16", "10", "3"]
    assert "larger than an image" in shown[3][0] and "whole image" in shown[4][0]


def test_the_papers_and_the_reference_runs_numbers_stand_for_what_was_not_run(table4, table5, table6):
    others = elsewhere(table4, "4")
    assert {r.dataset for r in others} == {"bedrooms"} and not elsewhere(others + table4, "4")
    shown = s4_3.bands_table([*table4, *others], "t", "c").rows
    at = [row[0] for row in shown].index("**bedrooms**<small> paper: LSUN</small>")
    reference = one(reference_records(), dataset="bedrooms", table="4", row="2", column="L-f", metric="accuracy")
    assert shown[at + 2][3:6] == ["96.78", f"{reference.value:.2f}", "–"]
    top = one(table4, column="top band", metric="accuracy")
    place = dict(dataset="faces", table="4", column="top band", metric="accuracy")
    assert top.reference == one(reference_records(), **place).value
    bedrooms = s4_3.patches_table([*table5, *elsewhere(table5, "5")], "t", "c").rows[-3:]
    assert [row[2] for row in bedrooms] == ["88.36", "18.26", "17.10"] and {row[4] for row in bedrooms} == {"–"}
    selected = results([*table6.records, *elsewhere(table6.records, "6")], "t", "c").rows
    assert "74.49" in [row[2] for row in selected] and selected[-1][4] == "–" != selected[1][4]


def test_the_nearest_real_image_is_that_of_all_pairs(run):
    setup = seed_setup(run)
    images = run.sample(setup.part("test")[1])[:5]
    real = run.images.part(run.array(run.images, IMAGES), "gan")
    distance = perceptual.content_distance(ContentNetwork.load(run.path(run.content)))
    table = np.stack([distance.pairs(np.repeat(x[None], len(real), 0), real) for x in images])
    nearest, rows = run.nearest(setup), slice(setup.test, setup.test + 5)
    np.testing.assert_allclose(run.array(nearest, DISTANCES)[rows], table.min(axis=1), rtol=1e-4)
    assert (run.array(nearest, NEIGHBOURS)[rows] == table.argmin(axis=1)).all()
    assert selection.distance_name(run) == "content-feature distance"


def test_of_each_source_the_closest_tenth_is_kept():
    labels = np.repeat(["a", "b"], 60)
    distance = np.random.default_rng(0).random(120)
    kept = selection.closest(distance, labels)
    assert kept.sum() == 12
    for name in "ab":
        mine = labels == name
        assert kept[mine].sum() == 6 and distance[mine & kept].max() < distance[mine & ~kept].min()
    assert selection.closest(distance[:10], labels[:10]).sum() == selection.FEWEST


def test_table_6_asks_the_classifiers_of_table_3(run, table6):
    setup = seed_setup(run)
    truth = setup.labels("test")
    kept = selection.closest(run.array(run.nearest(setup), DISTANCES), truth)
    counts = {"": kept, "not selected": ~kept, "generated": kept & (truth != "real")}
    for method, row in attribution.METHODS.items():
        right = attribution.predictions(run, method, setup) == truth
        for variant, rows in counts.items():
            r = one(table6.records, row=row, metric="accuracy", variant=variant)
            assert r.value == pytest.approx(100 * right[rows].mean()) and r.n == rows.sum()
        assert one(table6.records, row=row, metric="accuracy", variant="").paper == published.value("6", row, "CelebA")
    ratio = metrics.fd_ratio(attribution.features_of(run, setup)["Inception"][kept], truth[kept], repeats=5)
    assert one(table6.records, row="Inception", metric="fd_ratio", variant="").value == pytest.approx(ratio.ratio)
    tenth, rest = (one(table6.records, row="Ours", metric="accuracy", variant=v) for v in ("", "not selected"))
    apart = one(table6.records, row="Ours", metric="difference", variant="against not selected")
    assert (apart.value, apart.low) == tuple(vars(metrics.difference_of(tenth, rest)).values())[:2]
    named = (attribution.predictions(run, method, setup)[kept] for method in ("cnn", "knn"))
    expected = metrics.paired_difference(truth[kept], *named, attribution.clusters(setup)[kept])
    apart = one(table6.records, row="Ours", metric="difference", variant="against kNN, CelebA")
    assert (apart.value, apart.low, apart.n) == (expected.value, expected.low, kept.sum())
    assert len(s4_3.selection_table(table6.records, "t", "c").rows) == 4


def test_brightness_is_that_of_the_middle(run, table6):
    setup, kept = seed_setup(run), selection.kept(run)
    middle = np.asarray(run.sample(setup.part("test")[0]))[:, :, 4:12, 4:12].astype(float)
    for part, rows in (("selected", kept[: setup.test]), ("not selected", ~kept[: setup.test])):
        found = one(table6.records, row="real", metric="brightness", setup=part)
        assert found.value == pytest.approx(middle[rows].mean()) and found.low < found.value < found.high
        assert found.n == rows.sum()


def test_selected_and_random_tenths_are_equally_many(run, table6):
    found = s4_3.equal_n(run).records
    for row in ("Inception", "Our fingerprint"):
        random, tenth = (one(found, row=row, metric=f"fd_ratio_{which}") for which in ("random", "selected"))
        table = one(table6.records, row=row, metric="fd_ratio", variant="")
        assert random.n == tenth.n == table.n and tenth.value == pytest.approx(table.value)
        assert 2 / (1 + s4_3.DRAWS) <= tenth.params["p"] <= 1
    least = [replace(r, params={**r.params, "p": 0.02}) if "p" in r.params else r for r in found]
    assert all(row[4] == "≤ 0.02" for row in s4_3.equal_n_table(least, "t", "c").rows)
    tenth = one(least, row="Our fingerprint", metric="fd_ratio_selected")
    rare = [replace(r, params={**r.params, "p": 0.04}) if r is tenth else r for r in least]
    assert [row[4] for row in s4_3.equal_n_table(rare, "t", "c").rows] == ["≤ 0.02", "0.04"]


def test_pictures(run, table4, table5, table6):
    best, setup = pictures.nearest(run, 3), seed_setup(run)
    assert list(best) == setup.classes
    distance = run.array(run.nearest(setup), DISTANCES)[: setup.test]
    assert np.array_equal(best["real"][0], run.sample(setup.part("test")[0])[distance.argmin()])
    assert len(pictures.with_neighbours(run, 4)) == 4
    plots.bands(table4, 16)
    plots.patches(pick(table5, metric="accuracy"))
    plots.distances(table6.arrays["distance"], table6.arrays["classes"], "distance", selection.SHARE)


# ---------------------------------------------------------------------------- what is claimed


def made(table, row, column, value, half=0.5, metric="accuracy", **known):
    setup = published.block(table)["setup"]
    known = {"params": {"resolution": 32}, "classes": 5, "dataset": "faces", "setup": setup} | known
    known |= {"ci_low": value - half, "ci_high": value + half}
    return Record(row=row, column=column, value=value, table=table, metric=metric, **known)


def outcome(id, records):
    return judge.judge(judge.CLAIMS[id], records).outcome


def four(low, high, half=0.5):
    columns = {"L-f": low, "H-f": high}
    return [made("4", str(2**i), c, v, half) for c, chain in columns.items() for i, v in enumerate(chain)]


@pytest.mark.parametrize(
    ("id", "holds", "not_shown", "refuted"),
    [
        ("wider-bands", ((99, 90, 70), (99, 95, 80)), ((99, 98.5, 98.6), (99, 99, 99)), ((99, 80, 90), (99, 95, 80))),
        ("every-band", ((99, 90, 70), (99, 95, 80)), ((99, 90, 20.2), (99, 95, 80)), ((99, 90, 10), (99, 95, 80))),
        ("high-over-low", ((99, 90, 70), (99, 95, 80)), ((99, 90, 70), (99, 90.5, 80)), ((99, 90, 70), (99, 80, 80))),
    ],
)
def test_claims_on_bands(id, holds, not_shown, refuted):
    for case, expected in ((holds, HOLDS), (not_shown, NOT_SHOWN), (refuted, REFUTED)):
        assert outcome(id, four(*case)) == expected


def test_bands_of_one_resolution_are_compared_on_the_same_images():
    records = four((99, 90), (99, 91.5), half=2)
    gap = {"setup": "seeds", "column": "H-f", "params": {"against": ["2", "L-f", "seeds"]}}

    def judged(value, half):
        made = Record(row="2", metric="difference", value=value, ci_low=value - half, ci_high=value + half, **gap)
        return outcome("high-over-low", [*records, replace(made, dataset="faces")])

    assert outcome("high-over-low", records) == NOT_SHOWN  # the intervals of the two say less
    assert [judged(1.5, 0.4), judged(1.5, 1.6), judged(-1.5, 0.4)] == [HOLDS, NOT_SHOWN, REFUTED]


@pytest.mark.parametrize(("top", "expected"), [(90, HOLDS), (97.5, HOLDS), (98.8, HOLDS), (99.99, REFUTED)])
def test_the_top_band(top, expected):
    records = [*four((98.9, 90, 70), (98.9, 95, 80), 0.2), made("4", "1", "top band", top, 0.2)]
    assert outcome("top-band", records) == expected
    unsure = [*four((98.9, 90, 70), (98.9, 95, 80), 2.0), made("4", "1", "top band", 99.5, 0.4)]
    assert outcome("top-band", unsure) == NOT_SHOWN


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"32": 99, "24": 98.5, "3": 60}, (HOLDS, HOLDS)),
        ({"32": 99, "24": 97.0, "3": 99}, (REFUTED, NOT_SHOWN)),
        ({"32": 99, "24": 80, "3": 98.8}, (REFUTED, REFUTED)),
        ({"32": 99, "24": 98.8, "3": 98.7}, (NOT_SHOWN, HOLDS)),
    ],
)
def test_claims_on_patches(values, expected):
    records = [made("5", row, "Ours", v) for row, v in values.items()]
    assert (outcome("smaller-patches", records), outcome("patch-suffices", records)) == expected


@pytest.mark.parametrize(("value", "expected"), [(21, HOLDS), (20.3, NOT_SHOWN), (19, REFUTED)])
def test_the_smallest_patch_against_chance(value, expected):
    assert outcome("smallest-patch", [made("5", "3", "Ours", value)]) == expected


def test_bedrooms_need_a_larger_patch():
    records = [r for r in published_records("5") if r.dataset == "bedrooms"]
    assert outcome("patch-suffices", records) == HOLDS
    assert outcome("patch-suffices", [replace(r, dataset="faces") for r in records]) == REFUTED  # 24 px: 88.36


@pytest.mark.parametrize(
    ("dataset", "resolution", "said"),
    [
        ("faces", 32, "24 px, which the paper finds enough, is 19 % of its images’ side, and 75 % here."),
        ("bedrooms", 128, "52 px, which the paper finds enough, is 41 % of its images’ side, and 41 % here."),
        ("bedrooms", 32, "and no smaller than an image here."),
        ("npz:mine.npz", 64, "24 px, which the paper finds enough, is 19 % of its images’ side, and 38 % here."),
    ],
)
def test_the_patch_that_is_enough_is_that_of_the_data_set(dataset, resolution, said):
    r = made("5", "3", "Ours", 30, dataset=dataset, params={"resolution": resolution})
    assert s4_3.enough([r]).endswith(said)


def selected(ours=98.0, rest=98.2, rival=60.0, ratio=20.0, half=0.3):
    found = [
        made("6", "Ours", "", ours, half),
        made("6", "Ours", "", rest, half, variant="not selected", setup="not selected"),
    ]
    found += [made("6", row, "", rival, half) for row in ("kNN", "Eigenface", "PRNU")]
    found += [made("3", "Ours", "", 98.1, half), made("6", "Our fingerprint", "", ratio, 0, "fd_ratio")]
    found.append(made("6", "Inception", "", 2.0, 0, "fd_ratio"))
    return found


@pytest.mark.parametrize(
    ("id", "holds", "not_shown", "refuted"),
    [
        ("no-artifacts", {}, {"ours": 96.4}, {"ours": 90.0}),
        ("attributable-6", {}, {"ours": 97.0}, {"ours": 90.0}),
        ("best-6", {}, {"rival": 98.0}, {"rival": 99.5}),
        ("separated-6", {}, None, {"ratio": 1.0}),
    ],
)
def test_claims_on_the_selected_tenth(id, holds, not_shown, refuted):
    for case, expected in ((holds, HOLDS), (not_shown, NOT_SHOWN), (refuted, REFUTED)):
        if case is not None:
            assert outcome(id, selected(**case)) == expected


def test_selected_and_not_selected_images_are_independent_groups():
    unsure, sure = selected(ours=97.2, rest=98.2, half=0.6), selected(ours=97.2, rest=98.2, half=0.6)
    d = metrics.difference_of(*sure[:2])
    known = {"setup": "selected", "params": {"against": ["Ours", "", "not selected"]}, "variant": "x"}
    sure.append(replace(made("6", "Ours", "", d.value, 0, "difference", **known), ci_low=d.low, ci_high=d.high))
    assert (outcome("no-artifacts", unsure), outcome("no-artifacts", sure)) == (NOT_SHOWN, HOLDS)


@pytest.mark.parametrize(("others", "expected"), [((150, 140), HOLDS), ((150, 124), NOT_SHOWN), ((150, 100), REFUTED)])
def test_selected_images_are_darker_in_every_source_or_not(others, expected):
    records = []
    for source, rest in zip(("real", "GAN"), others, strict=True):
        for part, value in (("selected", 120), ("not selected", rest)):
            records.append(made("6", source, "middle", value, 5, "brightness", setup=part))
    assert outcome("selected-are-darker", records) == expected


@pytest.mark.parametrize(
    ("everything", "tenth", "expected"),
    [(9.0, 1.0, (HOLDS, HOLDS)), (2.2, 2.0, (NOT_SHOWN, NOT_SHOWN)), (1.0, 4.0, (REFUTED, REFUTED))],
)
def test_what_selection_does_at_equal_n(everything, tenth, expected):
    records = []
    for row in ("Inception", "Our fingerprint"):
        values = {"all": (everything, 0), "random": (2.0, 0.5), "selected": (tenth, 0)}
        records += [made("6", row, "", v, half, f"fd_ratio_{which}") for which, (v, half) in values.items()]
    assert (outcome("fewer-images", records), outcome("selection-is-harder", records)) == expected


def test_a_fall_that_fewer_images_explain_is_no_fall_by_selection():
    names = ("Inception", "Our fingerprint")
    raw = [made(t, row, "", v, 0, "fd_ratio") for row in names for t, v in (("3", 9.0), ("6", 2.0))]
    assert outcome("selection-is-harder", raw) == NOT_MEASURED
    random = [made("6", row, "", 2.0, 0.1, "fd_ratio_random") for row in names]
    equal = [made("6", row, "", v, 0, f"fd_ratio_{w}") for row in names for w, v in (("all", 9.0), ("selected", 2.0))]
    assert outcome("selection-is-harder", [*raw, *random, *equal]) == NOT_SHOWN


def test_verdicts_on_the_papers_numbers():
    expected = {
        "wider-bands": HOLDS, "every-band": HOLDS, "high-over-low": REFUTED, "smaller-patches": HOLDS,
        "patch-suffices": HOLDS, "attributable-6": HOLDS, "best-6": HOLDS, "separated-6": HOLDS,
        "smallest-patch": HOLDS, "no-artifacts": HOLDS, "top-band": NOT_MEASURED, "selected-are-darker": NOT_MEASURED,
        "fewer-images": NOT_MEASURED, "selection-is-harder": NOT_MEASURED,
    }  # fmt: skip
    assert {id: outcome(id, published_records()) for id in expected} == expected
