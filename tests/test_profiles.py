"""Profiles: read strictly, and the paper's is the paper's."""

from dataclasses import dataclass, replace

import pytest
import yaml

from ganfp.gans import GANS, Entry, gan_class
from ganfp.gans.resnet import ResNetConfig
from ganfp.gans.sngan import SNGAN
from ganfp.paper import published as paper
from ganfp.runs import profiles
from ganfp.runs.run import begin


@pytest.mark.parametrize("name", ["smoke", "quick", "quick64", "reference", "reference-photos", "gpu", "paper"])
def test_every_profile_reads_and_says_what_it_costs(name):
    profile = profiles.load(name)
    assert profile.name == name and profile.cost.seconds > 0 and profile.cost.bytes > 0 and profile.cost.machine
    assert {config.resolution for config in profile.gans.values()} == {profile.resolution}
    assert profile.plane.per_class <= profile.real.test
    progan = profile.gans["progan"]
    assert progan.total_images >= 2 * progan.phase_images * (profile.resolution.bit_length() - 3)


def test_the_papers_numbers():
    profile = profiles.load("paper")
    for name in GANS:
        assert profile.gans[name] == gan_class(name).Config()  # whose defaults are the official configuration
    assert profile.resolution == paper.load()["resolution"]
    assert {"train": profile.real.train, "test": profile.real.test} == paper.load()["images_per_source"]
    assert profile.seeds + 1 == paper.load()["setups"]["seeds"]["classes"]
    run = begin("paper")
    assert run.base_images == 100_000 and run.rungs == paper.load()["ladder"]
    held = sum(run.images.held.values())
    assert run.images.count - held == 2 * run.base_images  # so that the sets of the first and last rung share nothing
    assert run.gan("progan").images.base == 100_000
    published = replace(run.images, dataset="celeba", count=202_599)
    assert published.base_of(202_599 - held) == 43_799


def test_an_unknown_profile_is_named_and_the_known_are_listed():
    known = "smoke, quick, quick64, reference, reference-photos, gpu, paper"
    with pytest.raises(ValueError, match=f"unknown profile 'quik'; known are {known}"):
        profiles.load("quik")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red", "unknown keys colour; known are"),
        ("gans: {progan: {depth: 3}}", "presets/x.yml: gans: progan: unknown keys depth"),
        ("gans: {progan: 3}", "presets/x.yml: gans: progan: expected a mapping, not 3"),
        ("gans: 3", "presets/x.yml: gans: expected a mapping, not 3"),
        ("gans: {stylegan: {}}", "gans: unknown GANs stylegan; known are progan, .*, and all"),
        ("gans: {all: {depth: 3}}", "gans: all: no GAN knows depth"),
        ("methods: {cnn: {depth: 3}}", "presets/x.yml: methods: cnn: unknown keys depth"),
        ("methods: {cnn: {batch: few}}", "methods: cnn: batch: expected int, not 'few'"),
        ("resolution: big", "resolution: expected int, not 'big'"),
        ("real: 3", "real: expected a mapping"),
        ("resolution: 16", "missing"),
        ("methods: {svm: {}}", "methods: unknown attribution method 'svm'; known"),
        ("real: {drawn: 800, train: -40, validation: 20, test: 40}", "real: train must be 1 or more, .* not -40"),
        ("gans: {sngan: {batch: 0}}", "gans: sngan: batch must be 1 or more"),
        ("methods: {cnn: {learning_rate: .nan}}", "methods: cnn: learning_rate must be 0 or more, and finite, not nan"),
        ("ladder: [10, 100]", "ladder must begin with 1"),
        ("snapshots: [100]", "no finished resolution after 100 images"),
        ("snapshots: [640]", "no finished resolution after 640 images"),
        ("ladder: [1, 50]", "ladder must begin with 1 and take its other rungs from"),
        ("ladder: 1", "ladder: expected a list of int, not 1"),
        ("snapshots: [many]", "snapshots: expected int, not 'many'"),
        ("gans: {progan: {betas: [0.5]}}", "gans: progan: betas: expected a list of float"),
        ("gans: {progan: {betas: [0.5, .nan]}}", "gans: progan: betas must be 0 or more, and finite"),
        ("methods: {cnn: {optimiser: magic}}", "methods: cnn: optimiser must be one of"),
        ("methods: {prnu: {sigma: .inf}}", "methods: prnu: sigma must be 0 or more, and finite"),
        ("real: {drawn: 149, train: 40, validation: 20, test: 40}", "real: drawn must be at least 150"),
        ("plane: {per_class: 41, perplexity: 3}", "plane: per_class must be at most the 40 test images"),
        (f"snapshots: [{2**70}]", "snapshots must be at most"),
        ("resolution: 12", "resolution must be a power of two"),
    ],
)
def test_mistakes_in_a_profile_are_named(text, message):
    values = {} if message == "missing" else yaml.safe_load((profiles.folder() / "smoke.yml").read_text())
    with pytest.raises(ValueError, match=message):
        profiles.read(yaml.safe_dump({**values, **yaml.safe_load(text)}), "x")


def test_from_scratch_is_the_same_profile_without_shipped_generators():
    quick, scratch = profiles.load("quick"), profiles.load("quick-from-scratch")
    assert quick.generators == "reference" and scratch.generators == ""
    assert replace(scratch, name="quick", generators="reference", cost=quick.cost, control=quick.control) == quick
    with pytest.raises(ValueError, match="unknown profile 'quik-from-scratch'"):
        profiles.load("quik-from-scratch")


@dataclass(frozen=True)
class FifthConfig(ResNetConfig):
    ema: float = 0.5
    extra: int = 7


class Fifth(SNGAN):
    Config = FifthConfig


def test_a_fifth_gan_needs_no_change_of_a_preset(monkeypatch):
    monkeypatch.setitem(GANS, "fifth", Entry(__name__, "Fifth", "a loss", "tanh", "round", 1.0))
    text = (profiles.folder() / "quick.yml").read_text("utf-8")
    shared = yaml.safe_load(text)["gans"]["all"]
    fifth = profiles.read(text, "quick").gans["fifth"]
    assert isinstance(fifth, FifthConfig) and fifth.extra == 7 and fifth.resolution == 32
    assert all(getattr(fifth, key) == value for key, value in shared.items())


def test_settings_of_methods_are_attributes():
    profile = profiles.load("smoke")
    assert profile.methods["cnn"].images == 640 and profile.methods["visnet"].ema == 0.9


@pytest.mark.parametrize("text", ["", "[1]", "1: 2", "a: [", "summary"])
def test_a_preset_that_is_none_is_named(text):
    with pytest.raises(ValueError, match="presets/x.yml"):
        profiles.read(text, "x")


def test_early_trainings_share_what_all_gans_share():
    reference = profiles.load("reference")
    assert reference.early.snapshots == (20480, 40960)
    assert (reference.early.progan.fmap_base, reference.early.progan.total_images) == (512, 81920)
    assert reference.gans["progan"].fmap_base == 1024 and profiles.load("quick").early is None


def test_early_snapshots_must_be_on_the_way():
    text = (profiles.folder() / "reference.yml").read_text("utf-8").replace("[20480, 40960]", "[20480, 90000]")
    with pytest.raises(ValueError, match="early: snapshots: ProGAN has no finished resolution after 90000 images"):
        profiles.read(text, "reference")
