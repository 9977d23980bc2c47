"""Page x3: drawings and photographs side by side, from made-up records."""

from dataclasses import replace

import pytest

from ganfp import findings, tables
from ganfp.experiments import photographs
from ganfp.paper.record import record
from ganfp.runs.run import begin

ACCURACY = {"faces": (30.0, 60.0, 99.0, 98.0), "celeba": (25.0, 50.0, 80.0, 97.0)}
METHODS = ("kNN", "Eigenface", "PRNU", "Ours")


def made_up(dataset):
    run = replace(begin("smoke"), dataset=dataset)
    params = {"seeds": [0], "hardware": "a machine"}
    found = [
        record(run, row, "accuracy", value, table="3", interval=(value - 1, value + 1), n=600, classes=6, params=params)
        for row, value in zip(METHODS, ACCURACY[dataset], strict=True)
    ]
    return [*found, record(run, "Inception", "fd_ratio", 5.0, table="3", setup="seeds", params=params)]


@pytest.fixture
def both(monkeypatch):
    records = [*made_up("faces"), *made_up("celeba")]
    monkeypatch.setattr(photographs, "reference_records", lambda: records)
    return records


def test_without_records_the_page_says_what_to_run(monkeypatch):
    monkeypatch.setattr(photographs, "reference_records", lambda: made_up("faces"))
    with pytest.raises(LookupError, match="no records of celeba; `ganfp reference --measure`"):
        photographs.study()


def test_numbers_stand_side_by_side(both):
    table = tables.side_by_side(photographs.study().records, {"faces": "drawn", "celeba": "real"}, "t", "c")
    assert list(table.header) == ["", "", "paper", "drawn", "real"] and len(table.rows) == 5
    ours = next(row for row in table.rows if row[0] == "Ours")
    assert ours[2] == "99.14" and ours[3].startswith("98.00") and ours[4].startswith("97.00")
    assert table.rows[-1][-1] == "5.00"  # an FD ratio has no interval
    labelled = tables.side_by_side(both, {"faces": "drawn"}, "t", "c", labels=("method", "metric"))
    assert list(labelled.header) == ["method", "metric", "paper", "drawn"]


def test_the_order_of_the_methods_is_read_from_the_records(both):
    drawn, real = findings.photographs(photographs.study().records).split("\n\n")
    assert "PRNU 99.0 %, Ours 98.0 %" in drawn and "PRNU, Ours share the lead" in drawn
    assert real.endswith("That is the paper's order.")
    assert "5 ProGANs" in findings.photograph_runs(photographs.study().records)


def test_claims_are_judged_on_both(both):
    both[-1]["value"] = 1.5  # the FD ratio of the photographs
    (row,) = findings.claims_on_photographs(photographs.study().records)  # the one claim that these records decide
    assert row[0].startswith("Inception features do not tell GANs apart")
    assert row[1:3] == ["holds", "does not hold"] and row[3].startswith("**holds** <small>celeba: 1.50")
