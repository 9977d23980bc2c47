"""A table is measured again: the same numbers come out, and one that was printed wrongly is found."""

from dataclasses import replace

import pytest

from ganfp.paper import verify
from ganfp.paper.record import Record, Result, pick


def accuracy(value, low=40.0, high=60.0):
    known = dict(row="Ours", metric="accuracy", table="3", dataset="faces", profile="smoke", column="CelebA")
    return Record(value=value, ci_low=low, ci_high=high, **known)


@pytest.mark.parametrize(
    ("again", "low", "verdict"),
    [(50.0, 40.0, verify.SAME), (41.0, 40.0, verify.WITHIN), (60.1, 40.0, verify.OUTSIDE), (51.0, None, verify.OPEN)],
)
def test_a_number_is_held_against_the_printed_interval(again, low, verdict):
    printed = accuracy(50.0, low, low and 60.0)
    (found,) = verify.compared([printed], [accuracy(again)])
    assert found.verdict == verdict and str(found).startswith("faces, Ours, accuracy, %: printed 50.00")


def test_a_number_that_was_not_measured_again_is_named():
    with pytest.raises(LookupError, match="3 faces PRNU CelebA accuracy"):
        verify.compared([replace(accuracy(1.0), row="PRNU")], [accuracy(1.0)])


def test_a_table_comes_out_the_same_and_a_changed_one_does_not(sealed, tmp_path):
    first = verify.study_of("5").measure(sealed).records
    changed = [replace(r, value=r.high + 1) if r.row == "32" else r for r in first]
    Result(changed).save(tmp_path / "results" / "smoke" / "s4_3", "table5")
    numbers = verify.printed(sealed, "5", tmp_path)
    assert len(numbers) == len(pick(first, metric="accuracy")) > 1
    found = {again.printed.row: again.verdict for again in verify.verify(sealed, "5", numbers)}
    expected = {r.row: verify.OUTSIDE if r.row == "32" else verify.SAME for r in numbers}
    assert found == expected


def test_what_is_not_there_says_what_to_do(sealed, tmp_path):
    with pytest.raises(LookupError, match="ganfp book --profile smoke --dataset faces"):
        verify.printed(sealed, "5", tmp_path)
    with pytest.raises(ValueError, match="no table '9'; it has 1 to 8"):
        verify.study_of("9")
