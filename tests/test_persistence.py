"""Tables 4 to 6 on the smoke run, and the sentences about them both ways."""

import numpy as np
import pytest

from ganfp import claims, findings, metrics, tables
from ganfp.experiments import attribution, existence, persistence
from ganfp.experiments.existence import seed_setup
from ganfp.features import perceptual
from ganfp.features.content import ContentNetwork
from ganfp.paper import plots
from ganfp.paper import published as paper
from ganfp.paper.record import pick
from ganfp.runs.recipes.base import DISTANCES, IMAGES, NEIGHBOURS


@pytest.fixture(scope="module")
def table4(run):
    return persistence.bands(run)


@pytest.fixture(scope="module")
def table5(run):
    return persistence.patches(run)


@pytest.fixture(scope="module")
def table6(run):
    return persistence.selected(run)


def test_both_columns_start_with_the_plain_network_and_end_at_4_px(run, table4):
    plain = existence.table(run, "3").value("Ours")
    for column in ("L-f", "H-f"):
        mine = [r for r in pick(table4.records, column=column, metric="accuracy") if not r["params"].get("variant")]
        assert [r["row"] for r in mine] == ["1", "2", "4"]  # 16, 8 and 4 px
        assert (mine[0]["value"], mine[0]["seconds"]) == (plain["value"], plain["seconds"])
        assert [r["paper"] for r in mine] == [paper.value("4", f, column) for f in ("1", "2", "4")]
    assert run.fit("cnn", seed_setup(run)).key == run.fit("cnn", seed_setup(run), **persistence.band("L-f", 1)).key


def test_every_network_is_the_variant_that_its_row_says(run):
    setup, seen = seed_setup(run), set()
    for column, factor in (("L-f", 2), ("L-f", 4), ("H-f", 2), ("H-f", 4)):
        found = attribution.attributor(run, "cnn", setup, **persistence.band(column, factor))
        assert (found.band, found.factor) == (persistence.BANDS[column], factor)
        seen.add(run.fit("cnn", setup, **persistence.band(column, factor)).key)
    assert attribution.attributor(run, "cnn", setup, **persistence.TOP_BAND).band == "high"
    assert len(seen) == 4


def test_the_paired_test_is_that_of_the_two_predictions(run, table4):
    setup = seed_setup(run)
    low, high = (attribution.predictions(run, "cnn", setup, **persistence.band(c, 2)) for c in ("L-f", "H-f"))
    expected = metrics.mcnemar(setup.labels("test"), high, low, attribution.latents(setup))
    (found,) = pick(table4.records, row="2", metric="paired_p")
    assert found["value"] == expected.p and found["params"]["only_high"] == expected.only_first


def test_rows_of_table_5_are_patch_sides_beside_the_papers(run, table5):
    assert [(r["row"], r["params"]["pooling"]) for r in table5.records] == [("16", 4), ("10", 8), ("3", 16)]
    assert [r["paper"] for r in table5.records] == [None, 89.60, 13.42]


def test_the_tables_name_what_the_run_does_not_have(table4, table5):
    shown = tables.bands(table4.records, 16, "tab-4", "c").rows
    low, high = ([row for row in shown if row[0] == column] for column in ("L-f", "H-f"))
    assert [row[1] for row in low] == ["1", "2", "4", "8", "16", "32"] == [row[1] for row in high[:1] + high[2:]]
    assert "top band: less 8 × 8" in high[1][2] and high[1][3] == "–"
    assert "below the network" in low[3][2] and low[3][3] == "87.20" and "below" not in low[2][2]
    shown = tables.patches(table5.records, 16, "tab-5", "c").rows
    assert [row[0].split()[0] for row in shown] == ["128", "108", "52", "24", "16", "10", "3"]
    assert "larger than an image" in shown[3][0] and "whole image" in shown[4][0]


def test_the_nearest_real_image_is_that_of_all_pairs(run):
    setup = seed_setup(run)
    images = run.sample(setup.part("test")[1])[:5]
    real = run.images.part(run.array(run.images, IMAGES), "gan")
    distance = perceptual.content_distance(ContentNetwork.load(run.path(run.content)))
    table = np.stack([distance.pairs(np.repeat(x[None], len(real), 0), real) for x in images])
    nearest, rows = run.nearest(setup), slice(setup.test, setup.test + 5)
    np.testing.assert_allclose(run.array(nearest, DISTANCES)[rows], table.min(axis=1), rtol=1e-4)
    assert (run.array(nearest, NEIGHBOURS)[rows] == table.argmin(axis=1)).all()
    assert persistence.distance_name(run) == "content-feature distance"


def test_of_each_source_the_closest_tenth_is_kept():
    labels = np.repeat(["a", "b"], 60)
    distance = np.random.default_rng(0).random(120)
    kept = persistence.closest(distance, labels)
    assert kept.sum() == 12
    for name in "ab":
        mine = labels == name
        assert kept[mine].sum() == 6 and distance[mine & kept].max() < distance[mine & ~kept].min()
    assert persistence.closest(distance[:10], labels[:10]).sum() == persistence.FEWEST


def test_table_6_asks_the_classifiers_of_table_3(run, table6):
    setup = seed_setup(run)
    truth = setup.labels("test")
    kept = persistence.closest(persistence.nearest(run, setup)["distance"], truth)
    for method, row in attribution.METHODS.items():
        right = attribution.predictions(run, method, setup) == truth
        value = table6.value(row)
        assert value["value"] == pytest.approx(100 * right[kept].mean()) and value["n"] == kept.sum()
        assert value["paper"] == paper.value("6", row, "CelebA")
        assert table6.value(row, variant="not selected")["n"] == (~kept).sum()
        assert table6.value(row, variant="generated")["n"] == (kept & (truth != "real")).sum()
    ratio = metrics.fd_ratio(attribution.features_of(run, setup)["Inception"][kept], truth[kept], repeats=5)
    assert table6.value("Inception", "fd_ratio")["value"] == pytest.approx(ratio.ratio)


def test_selected_and_random_tenths_are_equally_many(run):
    found = persistence.equal_n(run)
    for row in ("Inception", "Our fingerprint"):
        n = {
            which: pick(found.records, row=row, metric=f"fd_ratio_{which}")[0]["n"] for which in ("random", "selected")
        }
        assert n["random"] == n["selected"] == persistence.selected(run).value(row, "fd_ratio")["n"]
    chosen = pick(found.records, row="Inception", metric="fd_ratio_selected")[0]
    assert chosen["value"] == pytest.approx(persistence.selected(run).value("Inception", "fd_ratio")["value"])
    assert 2 / (1 + persistence.DRAWS) <= chosen["params"]["p"] <= 1


def test_pictures(run, table6):
    best, setup = persistence.selected_samples(run, 3), seed_setup(run)
    assert list(best) == setup.classes
    distance = run.array(run.nearest(setup), DISTANCES)[: setup.test]
    assert np.array_equal(best["real"][0], run.sample(setup.part("test")[0])[distance.argmin()])
    assert list(map(len, persistence.with_neighbours(run, 3).values())) == [3] * 4
    bands = persistence.pyramids(persistence.picture(run, 32))
    assert [band.shape for band in bands["H-f"]] == [(3, 32, 32), (3, 16, 16), (3, 8, 8), (3, 4, 4)]


def test_figures_are_drawn(run, table4, table5, table6):
    plots.bands(table4.records, 16)
    plots.patches(table5.records)
    plots.distances(table6.arrays["distance"], table6.arrays["classes"], "distance", 0.1)
    plots.pyramid(persistence.pyramids(persistence.picture(run, 16)))
    figure = plots.receptive_fields({"a": persistence.picture(run, 16)}, {"a": [16, 10, 3]})
    assert sorted(patch.get_width() for patch in figure.axes[0].patches) == [3, 10, 16]


# ---------------------------------------------------------------------------- sentences


def number(row, column, value, half=1.0, **other):
    interval = {"ci_low": value - half, "ci_high": value + half, "classes": 4, "dataset": "faces"}
    found = {"row": row, "column": column, "metric": "accuracy", "value": value, "params": {}}
    return found | interval | other


def bands_of(low, high, p):
    records = [number("1", c, 98.0) for c in ("L-f", "H-f")] + [number("2", "L-f", low), number("2", "H-f", high)]
    records.append(number("1", "H-f", 97.0, params={"variant": "top band"}))
    return [*records, number("2", "H-f against L-f", p, metric="paired_p")]


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [
        (60, 80, 0.001, "at 16 px the high band is better"),
        (80, 60, 0.001, "at 16 px the low band is better"),
        (80, 79, 0.5, "at 16 px not decided"),
        (99.5, 80, 0.5, "No narrower band is better"),
        (99.95, 99.99, 0.5, "No narrower band"),
        (25.5, 80, 0.001, "Not above chance (25 %): L-f at 16 px"),
        (60, 80, 0.001, "Every band is above chance"),
    ],
)
def test_the_page_tells_what_bands_carry(low, high, p, said):
    assert said in findings.bands(bands_of(low, high, p), 32)


def test_a_narrower_band_that_is_better_is_named():
    records = bands_of(50, 60, 0.5)
    records[0]["value"], records[0]["ci_high"] = 40.0, 41.0
    text = findings.bands(records, 32)
    assert "better in one place or more:** the top band over the whole image (97.0 % against 40.0 %) and L-f at" in text
    assert "L-f at 16 px over 32 px." in text and "a lower bound" in text
    assert "lower bound" not in findings.bands(bands_of(50, 60, 0.5), 32)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"32": 92, "24": 83, "3": 40}, "are not enough here (+9.0 points"),
        ({"32": 92, "24": 91, "3": 40}, "are enough here, too"),
        ({"32": 92, "24": 91, "3": 40}, "Accuracy falls as patches shrink"),
        ({"32": 92, "24": 91, "3": 92}, "no clear difference"),
        ({"32": 80, "24": 91, "3": 40}, "**Smaller patches are better here:** 24 px over 32 px"),
        ({"32": 80, "24": 75, "3": 40}, "Even 3 × 3 pixels"),
        ({"16": 80, "3": 40}, "no smaller than these images"),
    ],
)
def test_the_page_tells_what_patches_carry(values, said):
    resolution = max(map(int, values))
    assert said in findings.patches([number(row, "Ours", value) for row, value in values.items()], resolution)
    blind = findings.patches([number(row, "Ours", 25.0) for row in values], resolution)
    assert "above chance" not in blind


@pytest.mark.parametrize(
    ("chosen", "rest", "said"),
    [
        (98, 97, "no clear difference (Ours 98.0 % against 97.0 %)"),
        (98, 90, "Ours is better (98.0 % against 90.0 %)"),
        (90, 98, "Ours is worse"),
    ],
)
def test_the_page_tells_what_selection_does(chosen, rest, said):
    classes = {"by_class": {"real": [90.0, 80, 95], "ProGAN_seed_1": [97.0, 90, 99]}}
    records = [
        number("Ours", "", chosen, n=200, params=classes),
        number("Ours", "", rest, params={"variant": "not selected"}),
    ]
    text = findings.selection(records, "LPIPS (alex)")
    assert text.startswith("By LPIPS (alex)") and said in text and "real images ours recognises 90 %" in text
    assert "97 % or more" in text and "50 images a source" in text


@pytest.mark.parametrize(
    ("random", "chosen", "p", "said"),
    [
        (8.0, 8.2, 0.6, "no more than the choice of images explains (p = 0.60)"),
        (8.0, 5.0, 0.02, "Selection lowers the ratio beyond that (p = 0.02)"),
        (8.0, 12.0, 0.02, "**Selection raises** the ratio beyond that"),
        (14.0, 8.0, 0.02, "Fewer images alone explain 50 % of the fall."),
    ],
)
def test_the_page_tells_what_is_left_of_the_fall(random, chosen, p, said):
    def ratio(which, value, intra, **params):
        shown = {"features": "fingerprint", "inter": value, "intra": intra} | params
        return {"row": "Our fingerprint", "metric": f"fd_ratio_{which}", "value": value, "params": shown}

    records = [ratio("all", 20.0, 1.0), ratio("random", random, 1.0), ratio("selected", chosen, 0.5, p=p)]
    text = findings.equal_n(records)
    assert said in text and ("0.50 times." in text) == (p < 0.05)


def test_the_page_lists_every_claim_that_rests_on_its_tables(run, table4, table5, table6):
    table3 = attribution.evaluate(run, seed_setup(run), "3")
    records = [r for found in (table3, table4, table5, table6, persistence.equal_n(run)) for r in found.records]
    texts = {text for text, *_ in findings.claims(records, ("4", "5", "6"))}
    too_large = "patch-suffices"  # 24 px
    assert texts == {c.text for c in claims.CLAIMS if c.section == "4.3" and c.id != too_large}
