"""Section 3.3: the variants of visNet, and what is claimed of them."""

import numpy as np
import pytest

from ganfp.paper import judge, s3_3
from ganfp.paper.record import Record, one, pick, published_records


def row(name, value, half=1.0, setup="logits", **params):
    known = {"column": "CelebA", "dataset": "faces", "metric": "accuracy"}
    return Record(row=name, value=value, ci_low=value - half, ci_high=value + half, setup=setup, params=params, **known)


def outcome(id, *records):
    return judge.judge(judge.claims()[id], records).outcome


def test_a_temperature_helps_if_shown():
    learned = row("learned", 90)
    assert outcome("temperature-helps", learned, row("fixed", 80)) == judge.HOLDS
    assert outcome("temperature-helps", learned, row("fixed", 89)) == judge.NOT_SHOWN
    assert outcome("temperature-helps", learned, row("fixed", 95)) == judge.REFUTED
    paired = Record(
        row="learned", metric="difference", value=1, ci_low=0.5, ci_high=1.5, column="CelebA", setup="logits",
        dataset="faces", variant="against fixed, CelebA", params={"against": ["fixed", "CelebA", "logits"]},
    )  # fmt: skip
    assert outcome("temperature-helps", learned, row("fixed", 89), paired) == judge.HOLDS


def test_most_of_a_fingerprint_is_its_start_if_it_is_half_of_the_variance():
    assert outcome("start-stays", row("inner", 50, start=0.72)) == judge.HOLDS
    assert outcome("start-stays", row("inner", 50, start=0.69)) == judge.REFUTED


def test_mirrors_cost_and_make_symmetric():
    def mirrors(value, symmetry):
        plain = row("as they are", 90, setup="mirroring", symmetry=0.1)
        return plain, row("mirrored", value, setup="mirroring", symmetry=symmetry)

    assert outcome("mirroring-costs", *mirrors(80, 0.9)) == judge.HOLDS
    assert outcome("mirroring-costs", *mirrors(89, 0.9)) == judge.NOT_SHOWN
    assert outcome("mirroring-costs", *mirrors(99, 0.9)) == judge.REFUTED
    assert outcome("mirroring-symmetric", *mirrors(80, 0.9)) == judge.HOLDS
    assert outcome("mirroring-symmetric", *mirrors(80, 0.1)) == judge.NOT_SHOWN
    assert outcome("mirroring-symmetric", *mirrors(80, 0.0)) == judge.REFUTED


def test_the_paper_prints_no_number_of_them():
    ids = [c.id for c in judge.claims().values() if c.section == "3.3"]
    assert len(ids) == 4
    assert {outcome(id, *published_records()) for id in ids} == {judge.NOT_MEASURED}


def test_three_logits_share_their_budget(sealed):
    found = s3_3.logits(sealed)
    rows = pick(found.records, metric="accuracy")
    assert [r.row for r in rows] == ["learned", "fixed", "inner"] and len({r.params["images"] for r in rows}) == 1
    learned, fixed, inner = (r.params for r in rows)
    assert fixed["temperature"] == pytest.approx(1) and fixed["cross_entropy"] > fixed["floor"] > 0
    assert inner["floor"] is None and inner["start"] > 0.9 > learned["start"]  # unit noise outlasts a short training
    gap = one(found.records, metric="difference", variant="against fixed, CelebA")
    assert gap.row == "learned" and gap.value == pytest.approx(rows[0].value - rows[1].value)
    table = s3_3.comparison_table(found.records, "t", "c")
    assert [cells[0].split(" <")[0] for cells in table.rows] == 2 * [s3_3.LABELS[r.row] for r in rows]
    assert "smoke, 480 images" in table.rows[0][0] and "reference" in table.rows[3][0]
    assert table.rows[1][1:] == [*table.rows[1][1:2], *(f"{fixed[k]:.3f}" for k in s3_3.BESIDE["logits"])]


def test_cross_entropy_is_that_of_the_scores(sealed):
    from ganfp.attributors.visnet import VisNet
    from ganfp.paper.attribution import seed_setup
    from ganfp.runs.recipes.samples import load_part

    images, truth = load_part(seed_setup(sealed), "test", sealed.path)
    fit = s3_3._compared(sealed, s3_3.LOGITS["fixed"])
    network = VisNet.load(sealed.path(fit))
    scores = network.scores(images).astype(float)
    own = scores[np.arange(len(truth)), [list(network.classes_).index(name) for name in truth]]
    expected = (np.log(np.exp(scores).sum(axis=1)) - own).mean()
    measured = one(s3_3.logits(sealed).records, row="fixed", metric="accuracy")
    assert measured.params["cross_entropy"] == pytest.approx(expected, abs=1e-6)


def test_mirrored_training_images_make_symmetric_fingerprints(sealed):
    found = s3_3.mirroring(sealed)
    plain, mirrored = pick(found.records, metric="accuracy")
    assert [plain.row, mirrored.row] == ["as they are", "mirrored"]
    for r in (plain, mirrored):
        models = found.arrays[f"models_{r.row}"]
        pairs = [np.corrcoef(x.ravel(), x[..., ::-1].ravel())[0, 1] for x in models]
        assert r.params["symmetry"] == pytest.approx(np.mean(pairs), abs=1e-5)
    assert mirrored.params["symmetry"] > plain.params["symmetry"]
    assert s3_3.comparison_table(found.records, "t", "c").rows[0][2] == f"{plain.params['symmetry']:.3f}"
