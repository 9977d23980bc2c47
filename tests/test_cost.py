"""Page x13: what is timed grows as it should, and what is said of the exponents."""

import time

import numpy as np
import pytest

from ganfp.metrics.power import power_law
from ganfp.paper import judge, x13
from ganfp.paper.judge import HOLDS, NOT_SHOWN, REFUTED
from ganfp.paper.record import Record, pick, read, reference_folder
from ganfp.runs.run import begin


def test_a_power_law_is_found_and_its_interval_covers():
    exact = power_law([1, 2, 4], [3, 12, 48])
    assert exact.exponent == pytest.approx(2) and exact.factor == pytest.approx(3) and exact(8) == pytest.approx(192)
    rng, sizes = np.random.default_rng(0), np.repeat([16, 32, 64], 3)
    laws = [power_law(sizes, 0.1 * sizes**1.3 * np.exp(rng.normal(0, 0.1, 9))) for _ in range(1000)]
    assert np.mean([law.low <= 1.3 <= law.high for law in laws]) == pytest.approx(0.95, abs=0.021)  # three errors


@pytest.mark.parametrize(("sizes", "values"), [([1, 2, 2], [1, 1, 1]), ([1, 2, 3], [1, 0, 1]), ([0, 1, 2], [1, 1, 1])])
def test_no_power_law(sizes, values):
    with pytest.raises(ValueError, match="three different positive sizes"):
        power_law(sizes, values)


def test_seconds_are_counted_of_the_work_alone(monkeypatch):
    run, calls = begin("smoke", "faces"), []
    monkeypatch.setattr(x13, "fit", lambda method, run, **sizes: lambda: calls.append(sizes))
    clock = iter(np.cumsum([x for size in (1, 2, 4) * x13.REPEATS for x in (0.5, size)]).tolist())
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    *seconds, exponent = x13._timed(run, "sources", "PRNU")
    assert [r.value for r in seconds] == pytest.approx([1, 2, 4]) and exponent.value == pytest.approx(1)
    assert [sizes["sources"] for sizes in calls] == [2, *[2, 4, 8] * x13.REPEATS]
    assert {(sizes["resolution"], sizes["images"]) for sizes in calls} == {(32, x13.SHOWN)}


def test_each_step_does_what_it_is_timed_for(monkeypatch):
    from ganfp.attributors import attributor_class
    from ganfp.gans import training

    run, shown = begin("smoke", "faces"), []
    step = training.Training.step
    monkeypatch.setattr(training.Training, "step", lambda self: (step(self), shown.append(self.seen))[0])
    x13.progan(run, resolution=16, images=64, sources=4)()
    assert shown[-1] >= 64 > shown[-2]
    for method in ("prnu", "cnn"):
        fit = lambda self, x, y, **_: shown.append((x.shape, len(set(y))))  # noqa: E731
        monkeypatch.setattr(attributor_class(method), "fit", fit)
        x13.fit(method, run, resolution=16, images=64, sources=8)()
        assert shown.pop() == ((128, 3, 16, 16), 8)


def exponents(axis, *ends):
    known = {"dataset": "faces", "metric": "exponent", "setup": axis}
    return [Record(row=str(i), value=(a + b) / 2, ci_low=a, ci_high=b, **known) for i, (a, b) in enumerate(ends)]


@pytest.mark.parametrize(
    ("id", "axis", "ends", "expected"),
    [
        ("cost-pixels", "resolution", [(0.9, 1.1), (1.8, 2.0)], HOLDS),
        ("cost-pixels", "resolution", [(0.9, 1.1), (1.8, 2.2)], NOT_SHOWN),
        ("cost-pixels", "resolution", [(0.9, 1.1), (2.1, 2.2)], REFUTED),
        ("cost-images", "images", [(0.9, 1.1)], HOLDS),
        ("cost-images", "images", [(0.7, 1.1)], NOT_SHOWN),
        ("cost-sources", "sources", [(0.3, 0.7)], REFUTED),
        ("cost-sources", "sources", [(1.3, 1.7), (0.9, 1.1)], REFUTED),
    ],
)
def test_exponents_are_judged(id, axis, ends, expected):
    assert judge.judge(judge.claims()[id], exponents(axis, *ends)).outcome == expected


def test_what_is_published_follows_from_the_seconds_beside_it():
    found = read(reference_folder() / "cost-faces.json")
    for r in pick(found, metric="exponent"):
        sizes, seconds, law = x13.laws(found, r.setup)[r.row]
        assert (r.value, r.ci_low, r.ci_high) == pytest.approx((law.exponent, law.low, law.high))
        assert sizes == [*x13.AXES[r.setup]] and {len(each) for each in seconds} == {x13.REPEATS}
    assert len(x13.exponents(found, "t", "c").rows) == 3


# ---------------------------------------------------------------- the contrast


def margins(**by_row):
    """Differences of ours and other methods at 16, 32 and 64 px, as (low, high)."""
    known = dict(dataset="faces", setup="pair", metric="difference", row="Ours", value=0.0)
    columns = ("16 px", "32 px", "64 px")
    return [
        Record(**known, column=column, variant=f"against {row}", ci_low=low, ci_high=high,
               params={"against": [row, column, "pair"]})
        for row, ends in by_row.items() for column, (low, high) in zip(columns, ends, strict=True)
    ]  # fmt: skip


CLEAR, OPEN, BELOW = [(20, 22), (30, 33), (40, 44)], [(20, 22), (-1, 4), (40, 44)], [(20, 22), (-9, -4), (1, 3)]


@pytest.mark.parametrize(
    ("id", "knn", "eigenface", "expected"),
    [
        ("contrast-sizes", CLEAR, CLEAR, HOLDS),
        ("contrast-sizes", CLEAR, OPEN, NOT_SHOWN),
        ("contrast-sizes", BELOW, CLEAR, REFUTED),
        ("contrast-grows", CLEAR, BELOW, HOLDS),
        ("contrast-grows", [(20, 24), (0, 1), (23, 29)], CLEAR, NOT_SHOWN),
        ("contrast-grows", BELOW, CLEAR, REFUTED),
    ],
)
def test_contrasts_are_judged(id, knn, eigenface, expected):
    assert judge.judge(judge.claims()[id], margins(kNN=knn, Eigenface=eigenface)).outcome == expected


def test_a_pair_differs_in_seed_and_size_alone_and_is_no_longer_than_the_smaller_profile_s():
    for profile, owner, sides in (("smoke", "smoke", (16, 32)), ("reference", x13.PAIR, x13.AXES["resolution"])):
        found = x13.pairs(begin(profile, "faces"))
        assert tuple(found) == sides
        for side, (one, setup) in found.items():
            real, first, second = (source.origin for source in setup.sources)
            assert one.profile.name == owner and real.resolution == first.resolution == second.resolution == side
            assert first.config == second.config and first.seeds != second.seeds
        assert len({gan.sources[1].origin.config.total_images for _, gan in found.values()}) == 1
