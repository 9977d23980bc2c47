import pytest

from ganfp.claims import CLAIMS
from ganfp.paper import published as paper

IDS = [c.id for c in CLAIMS]


def verdict_of(id, records):
    (claim,) = (c for c in CLAIMS if c.id == id)
    return claim.check(records)


def record(table, row, column, value, *, dataset="faces", ci=(None, None), **other):
    """One record as an experiment would write it; setup and classes are the table's."""
    metric = other.pop("metric", "accuracy")
    setup = other.pop("setup", paper.block(table)["setup"] if table else "")
    known = {"n": 1000, "classes": 11, "params": {"resolution": 128}}
    found = dict(table=table, row=row, column=column, dataset=dataset, setup=setup, metric=metric, value=value)
    return found | dict(ci_low=ci[0], ci_high=ci[1]) | known | other


def equal_n(inception=0.9, ours=12.0):
    """FD ratios of the selected tenth, and of random tenths as large."""
    found = []
    for row, value, random, low, high in (
        ("Inception", inception, 1.1, 1.0, 1.2),
        ("Our fingerprint", ours, 15, 13, 17),
    ):
        found.append(record("6", row, "selected", value, metric="fd_ratio_selected"))
        found.append(record("6", row, "random", random, ci=(low, high), metric="fd_ratio_random"))
    return found


def paired(factor, p):
    return record("4", factor, "H-f against L-f", p, metric="paired_p")


def faces_where_all_holds():
    """The paper's numbers on faces, with what it does not print and the one band that disagrees put right."""
    records = [r for r in paper.records() if r["dataset"] == "faces"]
    records = change(records, {("4", "2", "H-f"): 98.80})
    return [*records, *equal_n()]


def change(records, cells):
    """Copies of records with other values in some cells, named by table, row, column and, where needed, metric."""
    changed = [dict(r) for r in records]
    for cell, value in cells.items():
        hit = [r for r in changed if (r["table"], r["row"], r["column"], r["metric"])[: len(cell)] == cell]
        assert len(hit) == 1, cell
        hit[0]["value"] = value
    return changed


# One change for each claim that must make it fail and that a careless check would overlook.
BREAKS = {
    "attributable-6": {("6", "Ours", "CelebA"): 96.9},
    "best-6": {("6", "PRNU", "CelebA"): 99.94},
    "separated-6": {("6", "Inception", "CelebA"): 15.7},
    "wider-bands": {("4", "8", "H-f"): 98.6},
    "every-band": {("4", "16", "L-f"): 9.0},
    "high-over-low": {("4", "32", "H-f"): 26.5},
    "smaller-patches": {("5", "10", "Ours"): 99.25},
    "patch-suffices": {("5", "24", "Ours"): 97.3},
    "no-artifacts": {("6", "Ours", "CelebA"): 99.1},
    "selection-is-harder": {("6", "Inception", "CelebA"): 1.11},
    "harder-at-equal-n": {("6", "Inception", "selected"): 1.05},
    "attacks-hurt": {("7", "Ours", "relighting atk"): 99.2},
    "fatal-attacks": {("7", "Ours", "compression atk"): 12.0},
    "mild-attacks": {("7", "Ours", "combination atk"): 9.0},
    "relighting-is-weakest": {("7", "Ours", "blur atk"): 94.1},
    "immunisation-restores": {("7", "Ours", "blur dfs"): 97.1},
    "immunisation-helps": {("7", "Ours", "noise dfs"): 9.1},
    "combination-ends-lowest": {("7", "Ours", "compression dfs"): 72.6},
    "combination-recovers-least": {("7", "Ours", "relighting dfs"): 94.1},
    "best-immunised": {("7", "PRNU", "relighting dfs"): 98.7},
    "prnu-gains-less": {("7", "PRNU", "relighting dfs"): 91.3},
}


@pytest.mark.parametrize("id", IDS)
def test_every_claim_can_hold_and_can_fail(id):
    whole = faces_where_all_holds()
    assert verdict_of(id, whole).holds is True
    assert verdict_of(id, change(whole, BREAKS[id])).holds is False


def test_ids_and_texts_are_unique_and_short():
    assert len(set(IDS)) == len(IDS) == len({c.text for c in CLAIMS})
    for c in CLAIMS:
        assert c.text.endswith(".") and len(c.text) < 120
        assert c.section in ("4.2", "4.3", "4.4", "4.5") and set(c.tables) <= set("12345678")


# What the paper's own numbers say: everything holds, except
EXCEPTIONS = {
    "high-over-low": {"faces": False, "bedrooms": True},  # 64 px: 98.64 against 98.74
    "fatal-attacks": {"faces": True, "bedrooms": False},  # JPEG leaves 24.73 %
    "relighting-is-weakest": {"faces": True, "bedrooms": False},  # 62.21 %, cropping leaves 86.20 %
    "harder-at-equal-n": {"faces": None, "bedrooms": None},  # the paper draws no random tenth
}


@pytest.mark.parametrize("id", IDS)
def test_verdicts_on_the_papers_numbers(id):
    verdict = verdict_of(id, paper.records())
    assert dict(verdict.by_dataset) == EXCEPTIONS.get(id, {"faces": True, "bedrooms": True})


def test_bands_of_one_resolution_are_compared_on_the_same_images():
    def bands(p, high=80.0):
        rows = [record("4", f, c, v, ci=(v - 2, v + 2)) for f in "24" for c, v in (("L-f", 81.0), ("H-f", high))]
        return verdict_of("high-over-low", rows + [paired("2", p), paired("4", 0.9)]).holds

    assert bands(0.03) is True  # two tests: not below 0.05 together
    assert bands(0.02) is False  # though the intervals meet
    assert bands(0.02, high=90.0) is True  # different, and in the claim's favour


def test_a_small_runs_whole_image_is_its_largest_patch():
    rows = [record("5", row, "Ours", v, ci=(v - 1, v + 1)) for row, v in (("24", 90.0), ("32", 91.0), ("3", 30.0))]
    assert verdict_of("smaller-patches", rows).holds is True
    assert verdict_of("patch-suffices", rows).holds is True
    assert verdict_of("patch-suffices", change(rows, {("5", "32", "Ours"): 93.0})).holds is False
    assert verdict_of("patch-suffices", [r for r in rows if r["row"] != "32"]).holds is None


def test_intervals_that_meet_do_not_refute_either():
    def monotone(middle, half):
        values = zip(("128", "24", "3"), (90.0, middle, 20.0), strict=True)
        rows = [record("5", r, "Ours", v, ci=(v - half, v + half)) for r, v in values]
        return verdict_of("smaller-patches", rows).holds

    assert monotone(91.0, 1.0) is True  # 91 +- 1 may lie below 90 +- 1
    assert monotone(91.0, 0.4) is False


def test_equal_bands_fail_to_widen():
    rows = [record("4", f, c, 50.0) for f in ("1", "2", "4") for c in ("L-f", "H-f")]
    assert verdict_of("wider-bands", rows).holds is False


def test_bands_are_counted_in_pixels_of_this_resolution():
    values = {"1": 60.0, "2": 50.0, "4": 40.0, "8": 9.0}  # 32, 16, 8 and 4 px at 32
    rows = [record("4", f, c, v, params={"resolution": 32}) for f, v in values.items() for c in ("L-f", "H-f")]
    assert verdict_of("every-band", rows).holds is True
    at_128 = [r | {"params": {"resolution": 128}} for r in rows]
    assert verdict_of("every-band", at_128).holds is False


def test_bedrooms_are_read_from_table_8_and_need_a_larger_patch():
    bedrooms = [r for r in paper.records() if r["dataset"] == "bedrooms"]
    assert verdict_of("mild-attacks", bedrooms).holds is True
    as_faces = [r | {"dataset": "faces"} for r in bedrooms]
    assert verdict_of("mild-attacks", as_faces).holds is None  # there is no Table 7
    assert verdict_of("patch-suffices", as_faces).holds is False  # 24 px: 88.36 against 97.44
