"""Experiments on the smoke run: what they claim to measure is what they measure."""

import pytest

from ganfp.experiments import frechet


def test_indistinguishable_sources_have_the_ratios_that_theory_gives():
    study = frechet.null_study([200], dimensions=8, classes=4, seed=0)
    assert study.ratios["equal n on both sides"][0] == pytest.approx(1, abs=0.1)
    assert study.ratios["the paper's convention"][0] == pytest.approx(0.5, abs=0.06)
    assert study.distances["simulated"][0] == pytest.approx(study.distances["predicted"][0], rel=0.15)
