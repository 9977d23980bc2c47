"""Profiles: read strictly, and the paper's is the paper's."""

from dataclasses import replace

import pytest
import yaml

from ganfp.gans import GANS
from ganfp.paper import published as paper
from ganfp.runs import profiles


@pytest.mark.parametrize("name", ["smoke", "quick", "reference", "reference-photos", "gpu", "paper"])
def test_every_profile_reads_and_says_what_it_costs(name):
    profile = profiles.load(name)
    assert profile.name == name and profile.cost.seconds > 0 and profile.cost.bytes > 0 and profile.cost.machine
    assert profile.progan.resolution == profile.resolution
    assert profile.plane.per_class <= profile.real.test
    assert profile.progan.total_images >= 2 * profile.progan.phase_images * (profile.resolution.bit_length() - 3)


def test_the_papers_numbers():
    profile = profiles.load("paper")
    for gan in GANS.values():
        assert getattr(profile, gan.__name__.lower()) == gan.Config()  # whose defaults are the official configuration
    assert profile.resolution == paper.load()["resolution"]
    assert {"train": profile.real.train, "test": profile.real.test} == paper.load()["images_per_source"]
    assert profile.seeds + 1 == paper.load()["setups"]["seeds"]["classes"]


def test_an_unknown_profile_is_named_and_the_known_are_listed():
    known = "smoke, quick, reference, reference-photos, gpu, paper"
    with pytest.raises(ValueError, match=f"unknown profile 'quik'; known are {known}"):
        profiles.load("quik")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red", "unknown keys colour; known are"),
        ("progan: {depth: 3}", "presets/x.yml: progan: unknown keys depth"),
        ("resolution: big", "resolution: expected int, not 'big'"),
        ("real: 3", "real: expected a mapping"),
        ("resolution: 16", "missing"),
        ("baselines: {svm: {}}", "unknown baselines svm"),
        ("ladder: [10, 100]", "ladder must begin with 1"),
        ("snapshots: [100]", "no finished resolution after 100 images"),
        ("snapshots: [640]", "no finished resolution after 640 images"),
        ("ladder: [1, 50]", "ladder must begin with 1 and take its other rungs from"),
    ],
)
def test_mistakes_in_a_profile_are_named(text, message):
    values = {} if message == "missing" else yaml.safe_load((profiles.folder() / "smoke.yml").read_text())
    with pytest.raises(ValueError, match=message):
        profiles.read(yaml.safe_dump({**values, **yaml.safe_load(text)}), "x")


def test_from_scratch_is_the_same_profile_without_shipped_generators():
    quick, scratch = profiles.load("quick"), profiles.load("quick-from-scratch")
    assert quick.generators == "reference" and scratch.generators == ""
    assert replace(scratch, name="quick", generators="reference", cost=quick.cost) == quick
    with pytest.raises(ValueError, match="unknown profile 'quik-from-scratch'"):
        profiles.load("quik-from-scratch")
