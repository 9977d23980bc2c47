"""Page x12: photographs from orbit, and what of them travels."""

from dataclasses import replace

import numpy as np
import pytest

from ganfp.attributors import Attributor
from ganfp.attributors.prnu import residuals
from ganfp.paper import attribution, judge, x3, x12
from ganfp.paper.judge import HOLDS, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, pick, reference_records
from ganfp.runs.recipes.base import IMAGES
from ganfp.runs.recipes.samples import load_part


def test_noise_is_what_the_denoiser_takes_away(sealed):
    found = x12.noise(sealed)
    setup = attribution.seed_setup(sealed)
    for r, sample in zip(found.records, setup.part("test"), strict=True):
        left = residuals(np.asarray(sealed.array(sample, IMAGES)), 5.0, 1)  # one level is all that 16 px allow
        assert r.value == pytest.approx(np.mean([np.sqrt((x**2).mean()) for x in left]), rel=1e-5)
    assert not found.arrays


@pytest.mark.parametrize(("name", "travels"), [("eurosat:x.npz", True), ("celeba:x.npz", False), ("folder:eurosat", 0)])
def test_pictures_travel_of_one_world_alone(sealed, monkeypatch, name, travels):
    setup = attribution.seed_setup(sealed)
    monkeypatch.setattr(x12, "seed_setup", lambda run: setup)
    assert (list(x12.noise(replace(sealed, dataset=name)).arrays) == ["pictures"]) == travels


def test_pictures_and_generators_are_of_one_world():
    pictures = x12.study().arrays["pictures"]
    assert pictures.shape == (x12.SHOWN, 3, 32, 32) and pictures.dtype == np.uint8 and pictures.std() > 10


def test_generators_are_told_apart_without_a_photograph(sealed):
    setup = x12.setup(sealed)
    assert setup.classes == ["ProGAN_seed_1", "ProGAN_seed_2", "ProGAN_seed_3"]
    (r,) = x12.without_photographs(sealed).records
    images, truth = load_part(setup, "test", sealed.path)
    said = Attributor.load(sealed.path(sealed.fit("prnu", setup))).predict(images)
    assert r.value == pytest.approx(100 * (said == truth).mean())
    assert (r.dataset, r.gan_images, r.paper, r.classes) == ("eurosat", 163_840, None, 3)


def test_without_records_the_page_says_what_to_run(monkeypatch):
    drawn = [r for r in reference_records() if r.dataset == "faces"]
    monkeypatch.setattr(x12, "reference_records", lambda: drawn)
    with pytest.raises(LookupError, match="no records of eurosat; `ganfp reference --measure`"):
        x12.study()


@pytest.mark.parametrize("study", [x3.study, x12.study])
def test_a_page_judges_by_all_that_its_head_counts(study):
    world = {x3.study: "celeba", x12.study: "eurosat"}[study]
    heads = judge.ledger((), pick(reference_records(), dataset=world))
    page = {row.claim.id: row for row in judge.ledger((), pick(study().records, dataset=world))}
    decided = [row for row in heads if row.reference.holds is not None]
    assert len(decided) > 10
    for row in decided:
        assert page[row.claim.id].reference.outcome in (row.reference.outcome, judge.NOT_MEASURED), row.claim.text


def test_all_worlds_stand_in_one_table():
    records = x12.study().records
    assert {r.dataset for r in pick(records, table="3")} == set(x12.NAMES)
    table = x12.noise_table(records, "t", "c")
    assert table.header[0] == "grey levels" and "photographs from orbit" in table.header
    assert [row[0] for row in table.rows] == ["real", "ProGAN, seed 1"]


@pytest.mark.parametrize(("real", "expected"), [(3.0, HOLDS), (2.0, NOT_SHOWN), (1.0, REFUTED)])
def test_noise_is_judged(real, expected):
    rows = {"real": real, "ProGAN_seed_1": 2.0, "ProGAN_seed_2": 2.1}
    known = {"metric": "noise", "setup": "noise", "dataset": "eurosat"}
    records = [Record(row=row, value=v, ci_low=v - 0.2, ci_high=v + 0.2, **known) for row, v in rows.items()]
    assert judge.judge(judge.CLAIMS["noise-unlearned"], records).outcome == expected
