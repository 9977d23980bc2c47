"""How claims are judged: the one rule, on made-up records."""

from dataclasses import replace

import pytest

from ganfp.paper import judge
from ganfp.paper.judge import HOLDS, NOT_MEASURED, NOT_SHOWN, REFUTED, Claim, Evidence, NotMeasured, every
from ganfp.paper.record import Record, published_records


def number(value, half=None, row="Ours", column="", **known):
    interval = {} if half is None else {"ci_low": value - half, "ci_high": value + half}
    known = {"table": "3", "setup": "seeds", "dataset": "faces", "classes": 5} | known
    return Record(row=row, metric="accuracy", value=value, column=column, **interval, **known)


def apart(a, b, value, half):
    """The difference of two numbers as measured on the same images."""
    params = {"against": [b.row, b.column, b.setup]}
    return replace(a, metric="difference", value=value, ci_low=value - half, ci_high=value + half, params=params)


@pytest.mark.parametrize(
    ("a", "b", "sign"),
    [
        (number(90, 1), number(80, 1), 1),
        (number(80, 1), number(90, 1), -1),
        (number(90, 6), number(80, 6), 0),  # the intervals meet
        (number(90), number(89.9), 1),  # printed numbers are exact
        (number(90), number(90), 0),
    ],
)
def test_above_by_intervals(a, b, sign):
    e = Evidence([a, b], "faces")
    assert e.above(a, b) == sign and e.above(b, a) == -sign


def test_a_difference_on_the_same_images_decides_where_intervals_meet():
    a, b = number(90, 6), number(88, 6, row="PRNU")
    assert Evidence([a, b], "faces").above(a, b) == 0
    for found, sign in ((apart(a, b, 2, 1), 1), (apart(a, b, 0.5, 1), 0), (apart(b, a, 2, 1), -1)):
        e = Evidence([a, b, found], "faces")
        assert e.above(a, b) == sign and e.above(b, a) == -sign


def test_a_difference_decides_about_its_own_metric_alone():
    a, b = number(90, 6), number(88, 6, row="PRNU")
    of = {"against": [b.row, b.column, b.setup], "of": "tpr"}
    found = replace(apart(a, b, 2, 1), params=of)
    verified = [replace(r, metric="tpr") for r in (a, b)]
    e = Evidence([a, b, *verified, found], "faces")
    assert e.above(*verified) == 1 and e.above(a, b) == 0


def test_a_margin_asks_that_a_number_is_not_much_below():
    a, b = number(89, 0.2), number(90, 0.2, row="PRNU")
    e = Evidence([], "faces")
    assert e.above(a, b, margin=2) == 1 and e.above(a, b, margin=0.5) == -1 and e.above(a, b, margin=1.1) == 0
    assert Evidence([apart(a, b, -1, 0.05)], "faces").above(a, b, margin=1.1) == 1
    assert e.above(number(97.2), number(99.14), margin=2) == 1  # as the paper's 1.94


def test_bounds_are_reached_by_the_whole_interval():
    assert [judge.at_least(number(v, 1), 97) for v in (99, 97.5, 95)] == [1, 0, -1]
    assert [judge.at_most(number(v, 1), 20) for v in (18, 20, 22)] == [1, 0, -1]


def test_a_claim_needs_all_and_is_refuted_by_one():
    assert [every(s) for s in ([1, 1], [1, 0], [0, -1], [1, -1])] == [HOLDS, NOT_SHOWN, REFUTED, REFUTED]
    assert judge.weakest([HOLDS, NOT_MEASURED]) == HOLDS and judge.weakest([HOLDS, NOT_SHOWN, REFUTED]) == REFUTED
    assert judge.weakest([]) == judge.weakest([NOT_MEASURED]) == NOT_MEASURED


def test_falling_allows_steps_that_nobody_can_see_and_no_rise():
    e = Evidence([], "faces")
    assert judge.falling(e, [number(90, 1), number(90.5, 1), number(70, 1)]) == HOLDS
    assert judge.falling(e, [number(90, 1), number(95, 1), number(70, 1)]) == REFUTED
    assert judge.falling(e, [number(90, 9), number(85, 9)]) == NOT_SHOWN


def test_extras_never_stand_for_a_cell():
    cell, extra = number(90, 1), number(50, 1, variant="clean")
    twins, other = number(40, 1, setup="same_seed"), number(70, 1, dataset="npz:mine")
    e = Evidence([extra, twins, other, cell], "faces")
    assert e.number("3", "Ours") == cell
    with pytest.raises(NotMeasured, match="Table 3, PRNU"):
        e.number("3", "PRNU")
    assert e.maybe("3", "PRNU") is None
    with pytest.raises(ValueError, match="extras need a `variant`"):
        Evidence([cell, number(91, 1)], "faces").number("3", "Ours")


def test_verdicts_of_several_data_sets_in_words():
    one = Claim("x", "4.2", "It is so.", ("3",), lambda e: (every([judge.at_least(e.number("3", "Ours"), 97)]), "n"))
    both = [number(99, 1), number(90, 1, dataset="bedrooms")]
    verdict = judge.judge(one, both)
    assert verdict.holds is False and str(verdict) == "holds for faces, is refuted for bedrooms"
    assert verdict.sentence == "**Holds for faces, is refuted for bedrooms.** faces: n; bedrooms: n."
    assert str(judge.judge(one, both[:1])) == HOLDS and judge.judge(one, []).outcome == NOT_MEASURED
    strangers = [number(99, row="PRNU", dataset=name) for name in ("bedrooms", "eurosat")]
    assert judge.judge(one, [both[0], *strangers]).numbers == "faces: n; not measured on bedrooms"
    missing = judge.judge(one, [number(99, row="PRNU")])
    assert missing.holds is None and "not measured" in missing.numbers


def test_every_claim_has_a_text_of_its_own_and_a_section():
    found = judge.claims().values()
    assert len({c.text for c in found}) == len(found)
    assert all(c.text.endswith(".") and len(c.text) < 120 and c.tables for c in found)
    places = list(dict.fromkeys(c.section for c in found))
    assert places[0] == "3.1" and places.index("4.5") < places.index("x1") < places.index("x2") < places.index("x10")


@pytest.mark.parametrize("id", list(judge.claims()))
def test_the_page_says_what_the_ledger_says(id):
    """On the paper's numbers and on the reference run's: one verdict, the same words."""
    from ganfp.paper.record import reference_records

    for records in (published_records(), reference_records()):
        (row,) = (row for row in judge.ledger(records) if row.claim.id == id)
        said = judge.say(records, id)
        assert said == (f"* *{row.claim.text}* {row.run.sentence}" if row.run.holds is not None else "")
