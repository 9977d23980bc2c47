"""Pages x8 to x11: what they measure, and what is said of it."""

from functools import partial

import numpy as np
import pytest

from ganfp.attributors import METHODS as KNOWN
from ganfp.paper import attribution, hardened, judge, x5, x8, x9, x10, x11
from ganfp.paper.judge import HOLDS, NOT_MEASURED, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, pick, reference_records


def outcome(id, records):
    return judge.judge(judge.CLAIMS[id], records).outcome


def found(row, metric, value, half=2.0, **known):
    ends = {"ci_low": max(0, value - half), "ci_high": min(100, value + half)}
    return Record(row=row, metric=metric, value=value, dataset="faces", **(ends | known))


# ---------------------------------------------------------------------------- x8: inversion


@pytest.fixture(scope="module")
def inverted(run):
    return x8.study(run).records


def test_no_two_images_of_a_question_share_a_latent(sealed):
    of = x8.asked(sealed, "test")
    setup = attribution.seed_setup(sealed)
    assert len(of.images) == len(of.truth) == len(set(of.numbers.tolist()))
    for name, sample in zip(setup.classes, setup.part("test"), strict=True):
        mine = of.truth == name
        assert (of.images[mine] == sealed.sample(sample)[of.numbers[mine]]).all()


def test_a_margin_is_above_the_best_other():
    values = np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 0.0]])
    assert x8.margins(values).tolist() == [[1, -2, -1], [0, 0, -5]]


def test_a_generator_is_asked_about_all_sources(inverted):
    rows = [x8.INVERSION, *(KNOWN[m].row for m in x8.METHODS)]
    for condition in x8.CONDITIONS:
        assert [r.row for r in pick(inverted, metric="tpr", column=condition)] == rows
        assert len(pick(inverted, metric="difference", column=condition)) == len(x8.METHODS)
    own, others = (pick(inverted, metric=m, row=x8.INVERSION)[0].n for m in ("tpr", "fpr"))
    assert others == 2 * own  # three sources, two generators
    assert len(x8.table(inverted, "t", "c").rows) == len(rows) and "seconds of one core" in x8.price(inverted)


@pytest.mark.parametrize(
    ("known", "false", "expected"),
    [(98, 5, (HOLDS, HOLDS)), (90, 40, (NOT_SHOWN, NOT_SHOWN)), (50, 90, (REFUTED, REFUTED))],
)
def test_inversion_is_judged(known, false, expected):
    place = {"setup": "generator", "column": "compression"}
    records = [found(row, m, 40, **place) for row in ("PRNU", "Ours") for m in ("tpr", "fpr")]
    records += [found(x8.INVERSION, "tpr", 10, **place), found(x8.INVERSION, "fpr", false, **place)]
    records.append(found(x8.INVERSION, "tpr", known, setup="generator", column=x8.CONDITIONS[0]))
    assert tuple(outcome(id, records) for id in ("inversion-knows", "inversion-compressed")) == expected


# ---------------------------------------------------------------------------- x9: adversaries


@pytest.fixture(scope="module")
def deceived(run):
    return x9.study(run).records


def test_every_attributor_meets_every_adversary(deceived):
    rows = {known.row for known in KNOWN.values()}
    for goal in x9.GOALS:
        mine = pick(deceived, metric=goal)
        for row in {r.row for r in mine} & rows:
            own = [r.column for r in mine if r.row == r.variant == row and r.params.get("norm")]
            assert len(own) == len(x9.NORMS) * len(x9.STRENGTHS)
        assert {r.variant for r in mine if r.column.startswith("stamp")} == {KNOWN[m].row for m in x9.STAMPS}
    assert not pick(deceived, metric="forgery", column="denoised")  # it has no aim
    columns = {f"L∞ {s}": (f"L∞ {s}", "=") for s in x9.STRENGTHS}
    assert len(x9.table(deceived, columns, "t", "c").rows) > 2
    assert len(x9.transfer(deceived, "removal", "t", "c").rows) == len(rows)


def test_success_is_counted_among_right_answers(sealed):
    trial = x9.Trial(sealed)
    network = attribution.attributor(sealed, "cnn", trial.setup)
    trial.add("Ours", network)
    after = x9.attack(trial, network, 8, "removal")
    trial.tell("L∞ 8", "removal", after, "Ours")
    before, now = network.predict(trial.images), network.predict(after)
    right = before == trial.truth
    assert trial.records[0].n == right.sum()
    assert trial.records[0].value == pytest.approx(100 * (now != before)[right].mean())


def test_nobody_is_to_be_taken_for_himself(sealed):
    trial = x9.Trial(sealed)
    assert (trial.wanted["forgery"] != trial.truth).all() and (trial.wanted["removal"] == trial.truth).all()
    assert set(trial.wanted["forgery"]) == set(trial.setup.classes)


@pytest.mark.parametrize(("value", "expected"), [(95, HOLDS), (80, NOT_SHOWN), (30, REFUTED)])
def test_adversaries_are_judged(value, expected):
    known = {"setup": "adversary"}
    records = [
        found(row, goal, value, column="L∞ 2", variant=row, **known)
        for row in ("Ours", "Our visNet") for goal in x9.GOALS
    ]  # fmt: skip
    records += [found("Ours", "removal", value if i else 5, column=c, **known) for i, c in enumerate(x9.BLACK)]
    records += [found(row, "forgery", value, column=x9.REMAKER, **known) for row in ("PRNU", "Ours", "Our visNet")]
    for id in ("adversary-removes", "adversary-forges", "adversary-blind", "adversary-launders"):
        assert outcome(id, records) == expected


@pytest.mark.parametrize(
    ("after", "cost", "expected"), [(40, -0.5, HOLDS), (98, -0.5, NOT_SHOWN), (40, -9, REFUTED)]
)
def test_a_defence_is_judged_by_what_it_helps_and_costs(after, cost, expected):
    records = [
        found("Ours", "removal", 98, variant="Ours", column="L∞ 2", setup="defence: removal"),
        removed(after),
        found(hardened.HARDENED, "gained_by_defence", cost, ci_low=cost - 0.4, ci_high=cost + 0.4),
    ]
    assert outcome("adversary-defended", records) == expected


def removed(value, by=hardened.HARDENED, behind="", column="L∞ 2", **known):
    place = {"setup": "defence: removal", "column": column + behind, "variant": by}
    return found(hardened.HARDENED, "removal", value, **place, **known)


@pytest.mark.parametrize(
    ("few", "many", "other", "expected"),
    [
        (5, 12, 3, (HOLDS, HOLDS, HOLDS)),
        (30, 31, 30, (NOT_SHOWN, REFUTED, NOT_SHOWN)),
        (40, 19, 60, (REFUTED, NOT_SHOWN, REFUTED)),
    ],
)
def test_a_defence_is_judged_by_who_knows_of_it(few, many, other, expected):
    records = [removed(few), removed(many, behind=hardened.ADAPTED)]
    records += [removed(other, by) for by in (hardened.PLAIN, hardened.SURROGATE)]
    records.append(removed(99 - other, behind=hardened.ADAPTED, column="L2 1"))
    assert outcome("adversary-other-norm", records) == (HOLDS if other == 3 else REFUTED)
    ids = ("adversary-adapts", "adversary-withstood", "adversary-masked")
    assert tuple(outcome(id, records) for id in ids) == expected
    lost = found(hardened.HARDENED, "gained_by_defence", -83, ci_low=-84, ci_high=-82)  # it names one source for all
    assert {outcome(id, [*records, lost]) for id in ids} == {NOT_MEASURED}


def test_the_hardened_network_meets_who_knows_of_it(sealed, monkeypatch):
    steps = partial(hardened.adversaries.adaptive, steps=2)
    monkeypatch.setattr(hardened.adversaries, "adaptive", steps)
    records = hardened.study(sealed).records
    for goal in x9.GOALS:
        mine = pick(records, metric=goal, variant=hardened.HARDENED)
        assert len(mine) == 2 * len(x9.NORMS) * len(x9.STRENGTHS)
        for d in pick(records, metric="difference", setup=f"defence: {goal}"):
            many, few = (pick(mine, column=column)[0] for column in (d.column, d.params["against"][1]))
            assert d.value == pytest.approx(many.value - few.value) and d.n == many.n == few.n
        assert {r.variant for r in pick(records, metric=goal)} == {hardened.HARDENED, "Ours", hardened.SURROGATE}
        assert len(hardened.table(records, goal, "t", "c").rows) == 3
    (cost,) = pick(records, metric="gained_by_defence")
    assert cost.low <= cost.value <= cost.high


# ---------------------------------------------------------------------------- x10: diffusion


def test_the_diffusion_model_is_one_more_source(sealed):
    records = x10.study(sealed).records
    assert {r.classes for r in pick(records, metric="accuracy")} == {6}
    called = [r for r in records if r.metric == "called" and r.row == "Ours"]
    assert len(called) == 5 and sum(r.value for r in called) == pytest.approx(100)
    assert len(x10.among_others(records, "t", "c").rows) == 4 and len(x10.never_seen(records, "t", "c").rows) == 2
    assert {r.variant for r in pick(records, metric="recall", row="Ours")} == {"", "2 steps", "8 steps"}


@pytest.mark.parametrize(("value", "expected"), [(99.5, HOLDS), (97, NOT_SHOWN), (30, REFUTED)])
def test_its_fingerprint_is_judged(value, expected):
    records = [found(row, "recall", value, 0.4, column=x10.KNOWN) for row in ("Ours", "PRNU")]
    assert outcome("diffusion-fingerprint", records) == expected


@pytest.mark.parametrize(("real", "refused", "expected"), [(90, 95, (HOLDS, HOLDS)), (10, 5, (REFUTED, REFUTED))])
def test_what_strangers_say_is_judged(real, refused, expected):
    records = [found("Ours", "called", real, column="real"), found("Ours", "refused", refused, column=x10.NAME)]
    assert tuple(outcome(id, records) for id in ("diffusion-called-real", "diffusion-refused")) == expected


# ---------------------------------------------------------------------------- x11: what to use


def test_every_answer_is_a_record_of_the_reference_run():
    known = [r for r in reference_records() if r.dataset == "faces"]
    for answer in x11.ANSWERS:
        for place in (answer.reaches, answer.falls):
            assert len(pick(known, **place)) == 1, place


def test_the_table_shows_what_it_finds_and_a_dash_for_the_rest():
    (row, *others) = x11.table("t", "c", records=[found("PRNU", "accuracy", 99.0, table="3")]).rows
    assert row[:3] == [x11.WHO, "PRNU", "99.00 <small>97.0–100.0</small>"] and row[3].startswith("–")
    assert {other[2] for other in others[1:2]} == {"–"}


def test_who_tells_more_strangers_is_as_the_page_says():
    for dataset, better in (("bedrooms", (1, 1, 1)), ("faces", (1, -1, 1))):  # new architectures, training sets, seeds
        e = judge.evidence(reference_records())[dataset]
        for kind, expected in zip(x5.KINDS.values(), better, strict=True):
            place = {"setup": "open world", "column": kind, "metric": "auroc", "variant": "one network"}
            (ours,), (other,) = (e.found(row, row=row, **place) for row in (x5.PROBABILITY, x5.RESIDUALS))
            assert e.above(ours, other) == expected, (dataset, kind)
