"""The five parameters of a notebook, and data sets of one's own."""

import numpy as np
import pytest

from ganfp import worlds
from ganfp.runs.run import begin, begin_each
from ganfp.runs.store import DamagedArtifactError


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"profile": "quik"}, "unknown profile 'quik'"),
        ({"dataset": "celebs"}, "'celebs'; known are faces, bedrooms, npz:PATH, folder:PATH, celeba:PATH, lsun:PATH, "),
        ({"dataset": "faces:x"}, "unknown dataset"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"device": "tpu"}, "device 'tpu' cannot be used here"),
    ],
)
def test_mistakes_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        begin(**{"profile": "smoke", **parameters})


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match="dataset: none.npz does not exist"):
        begin("smoke", "npz:none.npz")


def test_a_users_file_is_cut_as_the_drawn_images_are(tmp_path, store):
    images = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images)
    run = begin("smoke", f"npz:{tmp_path / 'mine.npz'}")
    assert run.dataset == "npz:mine.npz"
    array = run.array(run.images, "images.npy")
    assert array.shape == (200, 3, 16, 16)
    assert [len(run.images.part(array, name)) for name in worlds.SPLITS] == [100, 40, 20, 40]
    np.savez(tmp_path / "mine.npz", images=255 - images)
    assert begin("smoke", f"npz:{tmp_path / 'mine.npz'}").images.key != run.images.key


def test_as_many_images_as_the_book_asks_for_are_enough(tmp_path, store):
    """2,550 for quick, although its generators of drawn images were trained beside more held-out ones."""
    np.savez(tmp_path / "own.npz", images=np.random.default_rng(0).integers(0, 256, (2550, 3, 32, 32)).astype(np.uint8))
    run = begin("quick", f"npz:{tmp_path / 'own.npz'}")
    assert run.trained_as is run and run.base_images == run.rungs[-1] == 425  # half of the 850 that are for GANs


def test_too_few_images_are_an_error_that_says_how_many(tmp_path, store):
    np.savez(tmp_path / "few.npz", images=np.zeros((120, 16, 16, 3), np.uint8))
    run = begin("smoke", f"npz:{tmp_path / 'few.npz'}")
    with pytest.raises(ValueError, match="120 real images are too few: 100 are held out .* give 150 or more"):
        run.images.part(run.array(run.images, "images.npy"), "gan")


def test_seed_moves_all_but_the_gans(store):
    from ganfp.paper import attribution

    runs = [begin("smoke", seed=seed) for seed in (0, 1)]
    one, two = map(attribution.seed_setup, runs)
    assert [s.origin.key for s in one.sources] == [s.origin.key for s in two.sources]
    real = [run.sample(setup.part("test")[0]) for run, setup in zip(runs, (one, two), strict=True)]
    assert not (real[0][:, None] == real[1][None]).all(axis=(2, 3, 4)).any()
    for run, images in zip(runs, real, strict=True):  # what masks are known of is what is tested
        assert (run.images.scene("test", run.seed, maps=True).image == images).all()


def test_what_is_read_is_what_was_made(store, tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path))
    run = begin("smoke")
    path = run.path(run.images) / "images.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedArtifactError, match="images.npy is missing or has changed"):
        run.array(run.images, "images.npy")


def test_without_an_out_folder_nothing_is_written(store, tmp_path, monkeypatch):
    from ganfp.paper.record import Record, Result

    monkeypatch.chdir(tmp_path)
    begin("smoke").save(Result([Record(row="Ours", metric="accuracy", value=1.0)]), "x")
    assert not list(tmp_path.iterdir())
    begin("smoke", out="there").save(Result([Record(row="Ours", metric="accuracy", value=1.0)]), "x")
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["x.json"]


def test_missing_inception_weights_are_an_error_that_says_what_to_fetch(monkeypatch):
    monkeypatch.setenv("GANFP_INCEPTION", "nowhere.pth")
    with pytest.raises(FileNotFoundError, match="no Inception weights at nowhere.pth: fetch"):
        begin("smoke").extractor  # noqa: B018


def test_named_inception_weights_take_the_row(monkeypatch, tmp_path):
    from ganfp.paper import attribution

    (tmp_path / "w.pth").write_bytes(b"weights")
    monkeypatch.setenv("GANFP_INCEPTION", str(tmp_path / "w.pth"))
    assert attribution.extractor_name(begin("smoke")) == "Inception v3"


def test_several_data_sets_are_several_runs():
    runs = begin_each("smoke", "faces,bedrooms", seed=3)
    assert [(run.dataset, run.seed) for run in runs] == [("faces", 3), ("bedrooms", 3)]
    assert runs[0].gan("sngan").key != runs[1].gan("sngan").key


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("faces", ["faces"]),
        ("bedrooms, faces", ["bedrooms", "faces"]),
        ("npz:a,b.npz,folder:c,faces", ["npz:a,b.npz", "folder:c", "faces"]),
        ("folder:faces,and more", ["folder:faces,and more"]),
    ],
)
def test_names_of_data_sets_are_read_at_their_commas(text, found):
    assert worlds.names(text) == found


@pytest.mark.parametrize("text", ["faces,cats", "faces,faces", "", "faces,"])
def test_lists_of_data_sets_with_a_mistake_are_errors(text):
    with pytest.raises(ValueError, match="dataset"):
        worlds.names(text)


def test_the_ladder_is_scaled_to_the_base_set(tmp_path, store):
    # of 5,150 images: the paper's 1, 100, 1,000 and 100,000 of 100,000
    assert begin("quick-from-scratch").rungs == [1, 5, 52, 5150]
    assert begin("reference").rungs[0] == 1 and begin("reference").rungs[-1] == begin("reference").base_images
    np.savez(tmp_path / "mine.npz", images=np.zeros((201, 16, 16, 3), np.uint8))
    mine = begin("smoke", f"npz:{tmp_path / 'mine.npz'}")
    assert mine.rungs == [1, 50] and mine.base_images == 50  # half of the 101 that are for GANs
