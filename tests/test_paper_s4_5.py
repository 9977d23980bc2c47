"""Section 4.5: responses, regions, and what is claimed of them."""

import numpy as np
import pytest

from ganfp.attributors import Attributor
from ganfp.features.regions import REGIONS
from ganfp.paper import judge, s4_5
from ganfp.paper.attribution import seed_setup
from ganfp.paper.record import Record, one, pick, published_records
from ganfp.runs.recipes.base import IMAGES
from ganfp.runs.recipes.images import HELD_OUT
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import begin
from ganfp.worlds import faces

# ---------------------------------------------------------------------------- claims on made records


def made(row, value, half=0.1, *, metric="accuracy", column="", setup="seeds", table="", **params):
    interval = {} if half is None else {"ci_low": value - half, "ci_high": value + half}
    known = {"row": row, "column": column, "setup": setup, "table": table, "dataset": "faces", "params": params}
    return Record(value=value, metric=metric, **interval, **known)


def gap(a, b, low, high):
    """A difference of two places (row, column, setup), measured on the same images."""
    known = {"metric": "difference", "column": a[1], "setup": a[2], "params": {"against": list(b)}}
    return Record(row=a[0], value=(low + high) / 2, ci_low=low, ci_high=high, dataset="faces", **known)


def outcome(id, *records):
    return judge.judge(judge.claims()[id], records).outcome


def rows(ours, visible, half=0.5):
    return [made(row, v, half, table="3", column="CelebA") for row, v in (("Ours", ours), ("Our visNet", visible))]


PLACES = ("Our visNet", "CelebA", "seeds"), ("Ours", "CelebA", "seeds")


@pytest.mark.parametrize(
    ("low", "high", "as_good", "costs"),
    [
        (-1.9, 0.3, judge.HOLDS, judge.NOT_SHOWN),
        (-1.9, -0.3, judge.HOLDS, judge.HOLDS),  # a cost that is shown, and small
        (-2.9, -0.7, judge.NOT_SHOWN, judge.HOLDS),
        (-4.0, -2.1, judge.REFUTED, judge.HOLDS),
        (0.2, 1.2, judge.HOLDS, judge.REFUTED),
    ],
)
def test_the_row_is_judged_by_the_difference_on_the_same_images(low, high, as_good, costs):
    records = [*rows(95, 94.5), gap(*PLACES, low, high)]
    assert outcome("visnet", *records) == as_good
    assert outcome("visible-costs", *records) == costs


def test_intervals_that_meet_do_not_make_a_row_free():
    assert outcome("visnet", *rows(95, 94)) == judge.HOLDS  # at most 2 points apart
    assert outcome("visnet", *rows(95, 93.9)) == judge.NOT_SHOWN
    assert outcome("visnet", *rows(95, 91)) == judge.REFUTED
    assert outcome("visible-costs", *rows(95, 94.1)) == judge.NOT_SHOWN


def test_every_source_must_lead():
    leads = [made("Our visNet", 0.1, 0.01, metric="margin", column=name, p=1e-9) for name in ("real", "GAN")]
    assert outcome("own-model", *leads) == judge.HOLDS
    assert "p < 0.001" in judge.say(leads, "own-model")
    unsure = made("Our visNet", 0.1, 0.2, metric="margin", column="other", p=0.3)
    assert outcome("own-model", *leads, unsure) == judge.NOT_SHOWN
    assert "p = 0.30" in judge.say([*leads, unsure], "own-model")
    behind = made("Our visNet", -0.1, 0.01, metric="margin", column="other")
    assert outcome("own-model", *leads, behind) == judge.REFUTED


@pytest.mark.parametrize("method", ["prnu", "visnet"])
def test_a_grid_is_seen_in_every_gan_and_not_in_real_images(method):
    def seen(real, *gans):
        found = {"real": real, **{f"GAN_{i}": value for i, value in enumerate(gans)}}
        return outcome(
            f"grid-{method}",
            *(made(s4_5.ROWS[method], v, 1.0, metric="grid", column=name) for name, v in found.items()),
        )

    assert seen(1.0, 3.0, 4.0) == judge.HOLDS
    assert seen(1.0, 3.0, 1.5) == judge.NOT_SHOWN  # any number above 1 is not a peak yet
    assert seen(1.0, 3.0, -0.5) == judge.REFUTED
    assert seen(3.0, 3.0, 4.0) == judge.REFUTED  # what real images have is not the up-sampling's


def dense(eyes=3.0, face=1.5, background=0.5, gan_eyes=2.0, gan_background=0.9, half=0.1):
    return [
        *(
            made("real", v, half, metric="response", column=c)
            for c, v in zip(REGIONS, (eyes, face, background), strict=True)
        ),
        made("GAN", gan_eyes, half, metric="response", column="eyes"),
        made("GAN", gan_background, half, metric="response", column="background"),
    ]


def test_regions_are_compared_within_real_images_and_with_every_gan():
    assert outcome("densest-at-the-eyes", *dense()) == judge.HOLDS
    assert outcome("densest-at-the-eyes", *dense(face=2.9)) == judge.NOT_SHOWN
    assert outcome("densest-at-the-eyes", *dense(background=3.3)) == judge.REFUTED
    assert outcome("real-at-the-eyes", *dense()) == judge.HOLDS
    assert outcome("real-at-the-eyes", *dense(gan_eyes=2.9)) == judge.NOT_SHOWN
    assert outcome("real-at-the-eyes", *dense(gan_eyes=9.9)) == judge.REFUTED
    assert outcome("densest-at-the-eyes", *dense(gan_eyes=9.9)) == judge.HOLDS  # it says no more than that
    assert outcome("gans-at-the-background", *dense()) == judge.HOLDS
    assert outcome("gans-at-the-background", *dense(gan_background=0.6)) == judge.NOT_SHOWN
    assert outcome("gans-at-the-background", *dense(gan_background=0.2)) == judge.REFUTED


def test_a_difference_on_the_same_images_decides_what_intervals_cannot():
    unsure = dense(face=2.9, gan_eyes=2.9, gan_background=0.6)
    eyes, face, back = (("real", region, "seeds") for region in REGIONS)
    records = [
        *unsure, gap(eyes, face, 0.05, 0.2), gap(eyes, ("GAN", "eyes", "seeds"), -0.2, -0.05),
        gap(("GAN", "background", "seeds"), back, 0.05, 0.2),
    ]  # fmt: skip
    assert outcome("densest-at-the-eyes", *records) == judge.HOLDS
    assert outcome("real-at-the-eyes", *records) == judge.REFUTED
    assert outcome("gans-at-the-background", *records) == judge.HOLDS


def alone(value, half=2.0, elsewhere=30.0, whole=None):
    eyes = made("real", value, half, column="eyes", setup="regions", elsewhere=elsewhere)
    return [eyes] if whole is None else [eyes, made("real", whole, 0.5, column="all pixels", setup="regions")]


def test_a_third_of_the_images_is_more_than_by_chance_pixels_and_does_not_suffice():
    for whole in (None, 99.0):
        records = alone(34.0, elsewhere=27.0, whole=whole)
        assert outcome("eyes-beat-random", *records) == judge.HOLDS
        assert outcome("eyes-suffice", *records) == judge.REFUTED


def test_eyes_beat_random_pixels_if_shown():
    assert outcome("eyes-beat-random", *alone(31.0)) == judge.NOT_SHOWN
    assert outcome("eyes-beat-random", *alone(20.0)) == judge.REFUTED
    lead = gap(("real", "eyes", "regions"), ("real", "eyes", "random pixels"), 0.1, 1.9)
    assert outcome("eyes-beat-random", *alone(31.0), lead) == judge.HOLDS


def test_eyes_suffice_if_high_or_as_good_as_all_pixels():
    assert outcome("eyes-suffice", *alone(98.5, 1.0)) == judge.HOLDS
    assert outcome("eyes-suffice", *alone(97.5, 1.0)) == judge.NOT_SHOWN
    assert outcome("eyes-suffice", *alone(90.0, 0.5, whole=90.5)) == judge.HOLDS
    assert outcome("eyes-suffice", *alone(89.0, 0.5, whole=90.5)) == judge.NOT_SHOWN
    assert outcome("eyes-suffice", *alone(80.0, 0.5, whole=90.5)) == judge.REFUTED


def test_the_paper_prints_no_number_of_them():
    ids = [c.id for c in judge.claims().values() if c.section == "4.5"]
    assert len(ids) == 10 and set(s4_5.REGION_CLAIMS) < set(ids)
    assert {outcome(id, *published_records()) for id in ids} == {judge.NOT_MEASURED}


# ---------------------------------------------------------------------------- measured


def test_margins_by_hand(run):
    truth = np.repeat(["a", "b", "c"], [4, 4, 2])
    rows = [[0.5, 0.1, 0.2]] * 4 + [[0.3, 0.2, 0.0]] * 4 + [[0.0, 0.0, 1.0]] * 2
    noise = np.random.default_rng(0).normal(scale=1e-6, size=(10, 3))
    responses = np.array(rows) + np.arange(10)[:, None] * 0.01 + noise  # what all models share decides nothing
    a, b, _ = s4_5.margins(run, "x", responses, truth, ["a", "b", "c"])
    assert [a.value, a.low] == pytest.approx([0.3, 0.3], abs=1e-5) and a.params["rival"] == "c"
    assert b.value == pytest.approx(-0.1, abs=1e-5) and b.params["rival"] == "a" and b.high < 0 and b.params["p"] < 1e-6


def test_few_images_have_students_interval(run):
    gaps = np.array([0.1, 0.2, 0.6])
    truth, responses = np.repeat(["a", "b"], 3), np.zeros((6, 2))
    responses[:3, 0] = gaps
    margin = s4_5.margins(run, "x", responses, truth, ["a", "b"])[0]
    assert margin.high - margin.value == pytest.approx(4.302653 * gaps.std(ddof=1) / 3**0.5, rel=1e-5)


def test_the_row_of_table_3_and_its_difference(sealed):
    ours, visible, difference = s4_5.row(sealed).records
    assert (ours.row, visible.row, visible.table, visible.setup) == ("Ours", "Our visNet", "3", "seeds")
    assert difference.value == pytest.approx(visible.value - ours.value)
    e = judge.Evidence([ours, visible, difference], "faces")
    assert e.difference(visible, ours) == (difference.low, difference.high)


def test_figure_7_adds_up(sealed):
    found = s4_5.fingerprints(sealed)
    a, setup = found.arrays, seed_setup(sealed)
    images, truth = load_part(setup, "test", sealed.path)
    network = Attributor.load(sealed.path(sealed.fit("visnet", setup)))
    for k, name in enumerate(setup.classes):
        np.testing.assert_array_equal(a["images"][k], images[truth == name][0])
        responses = network.responses(images[truth == name])[:, network.columns(setup.classes)]
        np.testing.assert_allclose(a["shown"][k], responses[0], atol=1e-5)
        np.testing.assert_allclose(a["responses_visnet"][k], responses.mean(axis=0), atol=1e-5)
        margin = one(found.records, row="Our visNet", column=name, metric="margin")
        lead = responses[:, k] - responses[:, setup.classes.index(margin.params["rival"])]
        assert margin.value == pytest.approx(lead.mean(), abs=1e-5)
    for metric in ("margin", "grid"):
        assert len(pick(found.records, metric=metric, figure="7")) == 2 * len(setup.classes)
    assert "2 images" in s4_5.strongest({"classes": np.array(["a", "b"]), "shown": np.array([[1, 2], [1, 2]])})
    assert "that of a to b" in s4_5.strongest({"classes": np.array(["a", "b"]), "shown": np.array([[1, 2], [1, 2]])})


def test_masks_belong_to_the_test_images(run):
    real = run.images.part(run.array(run.images, IMAGES), "test")
    held, seed = sum(run.images.held.values()), run.images.seed + HELD_OUT
    scene = faces.render(faces.factors(held, seed), run.profile.resolution)
    np.testing.assert_array_equal(scene.image[-len(real) :], real)
    np.testing.assert_array_equal(s4_5.masks(run)[:, 0], scene.eyes[-len(real) :])


def test_regions_are_measured_with_what_the_claims_compare(sealed):
    found = s4_5.where(sealed)
    classes = seed_setup(sealed).classes
    usual = pick(found.records, variant="")
    for metric in ("response", "energy", "accuracy"):
        assert [r.row for r in pick(usual, metric=metric, column="eyes")] == classes
    assert len(pick(found.records, variant="true masks")) == 2 * 3
    assert all(r.value > 0 for r in pick(found.records, metric="energy"))
    table = s4_5.regions_table(found.records, "t", "c")
    assert len(table.rows) == len(classes) + 1 and "energy" in table.rows[0][1]
    assert len(s4_5.alone_table(found.records, "t", "c").rows) == len(classes)
    e = judge.Evidence(found.records, "faces")
    at = {(r.row, r.column): r for r in pick(usual, metric="response")}
    pairs = [(at["real", "eyes"], at["real", "face"]), (at["real", "eyes"], at[classes[1], "eyes"])]
    pairs += [(at[classes[1], "background"], at["real", "background"])]
    for a, b in pairs:
        low, high = e.difference(a, b)
        assert low <= a.value - b.value <= high and (low, high) != (a.low - b.high, a.high - b.low)
    assert judge.judge(judge.claims()["eyes-suffice"], found.records).outcome != judge.NOT_MEASURED


def test_all_pixels_together_attribute_as_the_network_does(sealed):
    setup = seed_setup(sealed)
    images, truth = load_part(setup, "test", sealed.path)
    network = Attributor.load(sealed.path(sealed.fit("visnet", setup)))
    everything = np.ones((3, *images.shape[2:]), bool)
    responses = network.response_images(images)[:, network.columns(setup.classes)]
    found = s4_5.alone(sealed, responses, truth, setup.classes, everything)
    for r in pick(found, metric="accuracy"):
        assert r.value == pytest.approx(100 * (network.predict(images) == truth)[truth == r.row].mean())
        assert r.params.get("elsewhere", r.value) == pytest.approx(r.value)
    leads = pick(found, metric="difference")
    assert len(leads) == 2 and [r.value for r in leads] == pytest.approx([0, 0])


def test_a_lead_over_random_pixels_covers_images_and_draws():
    rng = np.random.default_rng(0)
    right, shares = rng.random(400) < 0.6, np.repeat([0.2, 0.6], 10)
    equal, unequal = rng.random((20, 400)) < 0.4, rng.random((20, 400)) < shares[:, None]
    for random in (equal, unequal):
        value, low, high = s4_5._lead(right, random)
        assert value == pytest.approx(100 * (right.mean() - random.mean())) and low < value < high
    assert np.ptp(s4_5._lead(right, unequal)[1:]) > 1.5 * np.ptp(s4_5._lead(right, equal)[1:])


def test_where_no_face_is_known_nothing_is_claimed(run):
    other = begin("smoke", "bedrooms")
    found = s4_5.where(other)
    assert not found.records and not judge.say(found.records, *s4_5.REGION_CLAIMS)
    assert "not known" in s4_5.regions_table([], "t", "c").markdown()
    assert "not known" in s4_5.alone_table([], "t", "c").markdown()
    with pytest.raises(ValueError, match="bedrooms' has no masks"):
        s4_5.masks(other)
