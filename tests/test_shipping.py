"""Shipped generators: half precision, found by what they are, refused when they are not what they were."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_recipes import GAN_1, IMAGES

from ganfp.files import read_tensors, write_tensors
from ganfp.gans import training
from ganfp.paper import attribution, record, reference, x1, x10, x12
from ganfp.runs import building, code, shipping
from ganfp.runs.recipes import base
from ganfp.runs.recipes.gans import GAN, Snapshot
from ganfp.runs.recipes.samples import Sample
from ganfp.runs.run import begin_each
from ganfp.runs.store import Store
from ganfp.worlds import faces


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    for recipe in building.closure([Sample(GAN_1, "test", 20)]):
        building.make(recipe, store.root)
    return store


@pytest.fixture
def shipped(store, tmp_path):
    shipping.ship(GAN_1, store, tmp_path)
    return tmp_path


def test_a_shipped_generator_is_the_trained_one_in_half_precision(store, shipped):
    found = shipping.find(GAN_1, where=[shipped])
    path = shipped / "faces-ProGAN-seed-1.safetensors"
    assert path.stat().st_size < (store.folder(GAN_1) / training.GENERATOR).stat().st_size
    assert {value.dtype for value in read_tensors(path)[0].values()} == {torch.float16}
    trained, _ = training.load_generator(store.folder(GAN_1))
    again, meta = training.load_generator(building.make(found, store.root))
    for key, value in trained.state_dict().items():
        assert (again.state_dict()[key] == value.half().float()).all(), key
    assert meta["seen"] == 64 and "history" not in meta
    rows, whole = (json.loads((store.folder(r) / training.HISTORY).read_text())["rows"] for r in (found, GAN_1))
    assert rows == whole  # few enough to be kept as they are


def test_critics_and_snapshots_may_lie_in_a_folder_of_their_own(store, shipped, monkeypatch):
    (entry,) = shipping.manifest(shipped)
    (shipped / "critic.safetensors").write_bytes((store.folder(GAN_1) / training.CRITIC).read_bytes())
    then, digest = Snapshot(GAN_1, 32), shipping.sha256(shipped / "critic.safetensors")
    more = [
        {**entry, "part": training.CRITIC, "file": "critic.safetensors", "sha256": digest},
        {**entry, "recipe": shipping.identity(then)},
    ]
    (shipped / shipping.MANIFEST).write_text(json.dumps(more))
    monkeypatch.setenv(shipping.VARIABLE, str(shipped))
    assert shipping.find(then).part == training.GENERATOR and shipping.find(replace(then, seen=48)) is None
    assert shipping.find(GAN_1) is None  # a critic is no generator
    assert shipping.find(GAN_1, training.CRITIC).digest == digest


def test_long_training_curves_are_thinned_to_means():
    rows = [{"images": 8 * i, "resolution": 4, "blend": 1.0, "critic": float(i)} for i in range(1, 251)]
    thinned = shipping._thinned(rows, 100)
    assert len(thinned) == 84 and thinned[0] == {"images": 24, "resolution": 4, "blend": 1.0, "critic": 2.0}
    assert thinned[-1] == rows[-1]


def test_its_images_are_sampled_like_any_others(store, shipped):
    sample = Sample(shipping.find(GAN_1, where=[shipped]), "test", 20)
    for recipe in building.closure([sample]):
        building.make(recipe, store.root)
    ours, trained = (np.load(store.folder(s) / base.IMAGES).astype(int) for s in (sample, Sample(GAN_1, "test", 20)))
    assert np.abs(ours - trained).max() <= 2  # the same latents; a weight's last bits move few grey levels


def test_the_manifest_says_where_it_comes_from(store, shipped):
    (entry,) = shipping.manifest(shipped)
    assert entry["recipe"]["images"]["dataset"] == "faces" and entry["recipe"]["seeds"]["init"] == 1
    assert entry["images_seen"] == 64 and entry["seconds"] > 0 and entry["hardware"]
    shipping.ship(GAN_1, store, shipped)
    assert len(shipping.manifest(shipped)) == 1


def test_another_gan_is_not_taken_for_it_and_faster_code_is(shipped, monkeypatch):
    assert shipping.find(replace(GAN_1, config=replace(GAN_1.config, drift=0.5)), where=[shipped]) is None
    assert shipping.find(replace(GAN_1, images=replace(IMAGES, count=61)), where=[shipped]) is None
    assert shipping.find(replace(GAN_1, snapshots=(32,)), where=[shipped]) is not None  # kept on its way, and the same
    before = replace(GAN_1).key
    monkeypatch.setattr(code, "digest", lambda kind, modules: "faster")
    assert replace(GAN_1).key != before and shipping.find(replace(GAN_1), where=[shipped]) is not None
    monkeypatch.setattr(faces, "VERSION", faces.VERSION + 1)
    assert shipping.find(replace(GAN_1), where=[shipped]) is None  # its pictures would be other people's


def test_every_shipped_generator_is_found():
    runs = begin_each("reference", "faces,bedrooms")
    found = [*(shipping.find(gan) for gan in reference.generators(runs)), x10.source(runs[0])]
    found += [source.origin for source in x12.setup(runs[0]).sources]
    assert None not in found and len({shipped.path for shipped in found}) == len(shipping.manifest(shipping.folder()))


def test_a_shipped_generator_is_not_replaced_by_another(store, shipped):
    other = replace(GAN_1, config=replace(GAN_1.config, drift=0.5))
    before = (shipped / shipping.MANIFEST).read_bytes()
    with pytest.raises(ValueError, match="seed-1.safetensors is a GAN of other settings; delete it first"):
        shipping.ship(other, store, shipped)
    assert (shipped / shipping.MANIFEST).read_bytes() == before


def test_a_changed_file_and_a_broken_manifest_are_named(store, shipped):
    found = shipping.find(GAN_1, where=[shipped])
    path = shipped / "faces-ProGAN-seed-1.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="seed-1.safetensors is missing or is not the file"):
        found.make(shipped / "x", store.folder, "cpu", lambda share: None)
    (shipped / shipping.MANIFEST).write_text("[")
    with pytest.raises(ValueError, match="manifest.json is not valid JSON"):
        shipping.find(GAN_1, where=[shipped])


def test_a_weight_beyond_half_precision_is_an_error(store, tmp_path):
    other = replace(GAN_1, replica=1)
    folder = building.make(other, store.root)
    tensors, meta = read_tensors(folder / training.GENERATOR)
    tensors["first.bias"] += 1e5
    write_tensors(folder / training.GENERATOR, tensors, meta)
    with pytest.raises(ValueError, match="first.bias does not fit into half precision"):
        shipping.ship(other, store, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_order_of_the_reference_run():
    names = [shipping.file_name(gan) for gan in reference.generators(begin_each("reference", "faces,bedrooms"))]
    assert len(set(names)) == len(names) == 2 * (5 + 3 + 4)
    assert names[:5] == [f"faces-ProGAN-seed-{i}" for i in range(1, 6)]
    assert names[5:8] == ["faces-SNGAN-seed-1", "faces-CramerGAN-seed-1", "faces-MMDGAN-seed-1"]
    assert names[8].endswith("exchanged-1") and names[12].startswith("bedrooms-ProGAN-seed-1")


def test_generators_of_photographs_are_not_shipped(tmp_path):
    np.savez(tmp_path / "mine.npz", images=np.zeros((200, 16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match="generators of npz:mine.npz are not shipped"):
        reference.train(begin_each("smoke", f"npz:{tmp_path / 'mine.npz'}"), print)


def test_the_reference_run_ships_what_it_trains_and_nothing_twice(tmp_path, monkeypatch, store):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(shipping, "folder", lambda: tmp_path / "generators")
    runs, said = begin_each("smoke", "faces"), []
    names = {path.name for path in reference.train(runs, said.append, jobs=2)}
    assert names == {f"{shipping.file_name(gan)}.safetensors" for gan in reference.generators(runs)}
    assert {entry["file"] for entry in json.loads((tmp_path / "generators" / "manifest.json").read_text())} == names
    assert reference.train(runs, said.append) == [] and said[-1].startswith("0 of ")

    smaller = replace(runs[0], profile=replace(runs[0].profile, name="smaller", generators="smoke"))
    assert smaller.trained_as.profile.name == "smoke" and smaller.shipped
    for setup in (attribution.seed_setup, attribution.architecture_setup, attribution.training_set_setup):
        assert all(isinstance(source.origin, shipping.Shipped) for source in setup(smaller).sources[1:])
    assert smaller.seconds(smaller.generator("progan")) > 0
    assert x1.study(smaller).records  # those of the reference run
    monkeypatch.setattr(record, "reference_folder", lambda: tmp_path)
    assert record.reference_result("how_long", smaller) is None

    scratch = replace(runs[0], profile=replace(runs[0].profile, generators=""))
    assert isinstance(scratch.generator("progan"), GAN) and not scratch.shipped

    manifest = json.loads((tmp_path / "generators" / "manifest.json").read_text())
    (tmp_path / "generators" / "manifest.json").write_text(json.dumps(manifest[1:]))
    incomplete = replace(smaller)
    assert incomplete.trained_as is incomplete and not incomplete.shipped
    assert isinstance(incomplete.generator("progan", 2), GAN)  # none rather than some, although this one is there


def test_what_a_killed_ship_left_is_in_nobodys_way(store, tmp_path, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shipping, "write_json", die)  # the file is there, and the manifest does not know it
        shipping.ship(GAN_1, store, tmp_path)
    assert list(tmp_path.glob("*.safetensors")) and shipping.find(GAN_1, where=[tmp_path]) is None
    (tmp_path / ".manifest.json.x.tmp").write_text("[")
    shipping.ship(GAN_1, store, tmp_path)
    assert shipping.find(GAN_1, where=[tmp_path]) is not None
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "faces-ProGAN-seed-1.safetensors", "manifest.json"}


def test_a_reference_run_of_another_size_is_refused_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path / "store"))
    before = {path.name: shipping.sha256(path) for path in shipping.folder().iterdir()}
    with pytest.raises(ValueError, match="faces-ProGAN-seed-1.safetensors is a GAN of other settings; delete it first"):
        reference.train(begin_each("smoke", "faces"), print)
    assert {path.name: shipping.sha256(path) for path in shipping.folder().iterdir()} == before
    assert not list((tmp_path / "store").glob("gan/*"))


NONSENSE = {"file": "../a.safetensors"}, {"file": 3}, {"recipe": []}, {"seconds": "1"}, {"part": 1}


@pytest.mark.parametrize("change", NONSENSE)
def test_a_manifest_that_says_nonsense_is_named(shipped, change):
    (entry,) = shipping.manifest(shipped)
    (shipped / shipping.MANIFEST).write_text(json.dumps([entry | change]))
    with pytest.raises(ValueError, match="manifest.json is damaged at"):
        shipping.find(GAN_1, where=[shipped])
