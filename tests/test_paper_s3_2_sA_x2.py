"""Component networks, Supplement A and page x2: what they measure, and what is said of it."""

import numpy as np
import pytest

from ganfp.paper import attribution, judge, published, s3_2, sA, x2
from ganfp.paper.judge import HOLDS, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, one, pick
from ganfp.runs.recipes.attacked import MixedFormats, Resaved


def outcome(id, records):
    return judge.judge(judge.CLAIMS[id], records).outcome


def test_needs_are_complete(sealed):
    s3_2.picture(sealed, sealed.profile.resolution)
    sA.ladder(sealed)
    x2.networks(sealed)


# ---------------------------------------------------------------------------- 3.2


def test_patches_are_those_of_the_papers_table_5():
    paper = {at: int(side) for side, at in published.block("5")["pooling"].items()}
    assert s3_2.paper_patches() == paper


def test_bands_shrink_and_a_small_runs_patch_is_the_whole_image(sealed):
    image = s3_2.picture(sealed, sealed.profile.resolution)
    bands = s3_2.pyramids(image)
    assert [x.shape[-1] for x in bands["L-f"]] == [16, 8, 4] == [x.shape[-1] for x in bands["H-f"]]
    sides = [s3_2.patch(sealed, at) for at in s3_2.poolings(sealed)]
    assert sides == sorted(sides, reverse=True) and sides[0] == 16
    assert len(s3_2.cost_table("t", "c").rows) == 12


# ---------------------------------------------------------------------------- Supplement A


def test_indistinguishable_sources_have_the_ratios_that_theory_gives():
    study = sA.null_study([200], dimensions=8, classes=4, seed=0)
    assert study.ratios["equal n on both sides"][0] == pytest.approx(1, abs=0.1)
    assert study.ratios["the paper's convention"][0] == pytest.approx(0.5, abs=0.06)
    assert study.distances["simulated"][0] == pytest.approx(study.distances["predicted"][0], rel=0.15)


def test_the_ladder_ends_at_the_tables_ratio(sealed):
    found = sA.ladder(sealed)
    setup = attribution.seed_setup(sealed)
    table = attribution.evaluate(sealed, setup, "3").records
    assert sA.sizes(sealed) == [20]
    assert set(sA.curves(sealed, found.records)) == {
        f"{feature}, {label}" for feature in ("content network", "fingerprint") for label in sA.CONVENTIONS.values()
    }
    assert "From 20 to 20 images" in sA.ends(found.records)
    every = attribution.ratios_of(sealed, setup)["Inception"].load(sealed.path)["matched"]
    assert one(table, row="Inception", metric="fd_ratio", variant="").value == every.ratio


# ---------------------------------------------------------------------------- x2


def test_images_of_a_leak_have_been_jpegs(sealed):
    setup = attribution.seed_setup(sealed)
    mixed = x2.resaved(setup, "real")
    assert sealed.fit("knn", setup).key != sealed.fit("knn", mixed).key
    assert [isinstance(sample, Resaved) for sample in mixed.part("test")] == [True, False, False]


def test_exchanged_formats_are_the_opposite(sealed):
    for setup in x2.setups(sealed).values():
        other = x2.other_formats(setup)
        assert set(getattr(setup, "jpegs", ())) | set(other.jpegs) == set(setup.classes)
        assert not set(getattr(setup, "jpegs", ())) & set(other.jpegs)
    twins = x2.setups(sealed)["twins", "one PNG, one JPEG"]
    assert isinstance(twins, MixedFormats) and len(twins.jpegs) == 1


def test_the_exchange_costs_the_difference(sealed):
    found = x2.networks(sealed).records
    for lost in pick(found, metric="lost_by_exchange"):
        same, other = (one(found, row=lost.row, column=lost.column, variant=test) for test in x2.TESTS)
        assert lost.value == pytest.approx(same.value - other.value)
    assert len(x2.formats_table(found, "t", "c").rows) == 4


def test_the_control_passes_on_our_sources_and_finds_the_leak(sealed):
    found = x2.ghost_control(sealed)
    assert all(r.value < 10 for r in pick(found.records, metric="share", column="all PNG"))
    leaky = {r.row: r.value for r in pick(found.records, metric="share", column="real JPEG")}
    assert leaky.pop("real") > 80 and max(leaky.values()) < 10
    assert outcome("ghost-finds", found.records) == HOLDS
    assert outcome("ghost-control", found.records) == NOT_SHOWN  # twenty images cannot show it
    assert len(x2.ghosts_table(found.records, "t", "c").rows) == 3
    assert np.all(np.diff(found.arrays["qualities"]) != 0)


def made(row, metric, value, half=1.0, column="mixed", variant=""):
    known = dict(dataset="faces", setup="format_leak", column=column, variant=variant, classes=2)
    return Record(row=row, metric=metric, value=value, ci_low=value - half, ci_high=value + half, **known)


@pytest.mark.parametrize(
    ("lost", "right", "expected"),
    [(90, 4, (HOLDS, HOLDS)), (0.5, 50, (NOT_SHOWN, NOT_SHOWN)), (-9, 90, (REFUTED, REFUTED))],
)
def test_leaks_are_judged(lost, right, expected):
    records = [made("twins", "lost_by_exchange", lost), made("twins", "accuracy", right, variant="exchanged")]
    assert tuple(outcome(id, records) for id in ("format-learned", "format-only")) == expected


@pytest.mark.parametrize(
    ("png", "others", "expected"), [(0.5, 1, (HOLDS,) * 2), (2.5, 96, (NOT_SHOWN,) * 2), (9, 99, (REFUTED,) * 2)]
)
def test_the_control_is_judged(png, others, expected):
    records = [
        made("real", "share", 0.5, 0.5, column="all PNG"),
        made("GAN", "share", png, 0.5, column="all PNG"),
        made("real", "share", 97, 0.8, column="real JPEG"),
        made("GAN", "share", others, 0.8, column="real JPEG"),
    ]
    assert tuple(outcome(id, records) for id in ("ghost-control", "ghost-finds")) == expected
