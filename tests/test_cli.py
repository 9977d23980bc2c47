"""The command line: what it says when something is wrong, and one GAN from start to samples."""

import numpy as np
import pytest
from click.testing import CliRunner

from ganfp.cli import duration, main, plain, size
from ganfp.runs.profiles import Cost


@pytest.fixture
def ganfp(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "--profile", "quik"], "unknown profile 'quik'; known are smoke, quick"),
        (["build", "--dataset", "cats"], "unknown dataset 'cats'; known are faces, bedrooms, npz:PATH"),
        (["build", "--dataset", "npz:none.npz"], "none.npz does not exist"),
        (["build", "--device", "cuda:77", "--dry-run"], "device 'cuda:77' cannot be used here"),
        (["train", "stylegan", "--out", "x"], "unknown GAN 'stylegan'; known are progan"),
        (["notebook", "s9_9"], "s4_2"),
        (["notebook", "s4_2", "-p", "seeed", "3"], "seeed"),
        (["notebook", "s4_2", "-p", "profile", "quik"], "unknown profile 'quik'"),
    ],
)
def test_mistakes_are_named_in_one_line(ganfp, words, message):
    result = ganfp(*words)
    assert result.exit_code == 1 and message in result.output and "Traceback" not in result.output


def test_help_is_not_an_error(ganfp):
    for words in (["--help"], ["build", "--help"], ["--version"]):
        assert ganfp(*words).exit_code == 0


def test_dry_run_makes_nothing(ganfp, tmp_path):
    result = ganfp("build", "--profile", "smoke", "--dry-run")
    assert result.exit_code == 0 and "gan progan seed 1 twin" in result.output and not (tmp_path / "store").exists()


def test_profiles_are_listed(ganfp):
    listed = [line.split()[0] for line in ganfp("profiles").output.splitlines()]
    assert listed == ["smoke", "quick", "reference", "reference-photos", "gpu", "paper"]


def test_train_stop_resume_sample(ganfp, tmp_path):
    train = ["train", "progan", "--profile", "smoke", "--seed", "3", "--out", "g"]
    assert "stopped, go on with --resume" in ganfp(*train, "--budget", "0.05").output
    assert "resume" in ganfp(*train).output  # nothing is overwritten
    assert "complete" in ganfp(*train, "--resume").output
    assert ganfp("sample", "g", "--count", "6", "--out", "six.npz").exit_code == 0
    assert np.load(tmp_path / "six.npz")["images"].shape == (6, 3, 16, 16)


@pytest.mark.parametrize("name", ["sngan", "cramergan", "mmdgan"])
def test_every_gan_can_be_trained(ganfp, tmp_path, name):
    assert "complete" in ganfp("train", name, "--profile", "smoke", "--out", name).output
    assert ganfp("sample", name, "--count", "2", "--out", f"{name}.npz").exit_code == 0


def test_words_for_numbers():
    assert plain("3") == 3 and plain("true") is True and plain("faces") == "faces"
    assert duration(Cost(900.0, 0.0, "")) == "15 minutes" and duration(Cost(7200.0, 0.0, "", False)) == "about 2 hours"
    assert size(2e8) == "200 MB" and size(7e10) == "70 GB"


@pytest.fixture
def folder(ganfp, tmp_path):
    """Dark and bright noise, an attributor that tells them apart, and a folder of both."""
    from PIL import Image

    from ganfp.attributors import attributor_class

    rng = np.random.default_rng(0)
    dark, bright = rng.integers(0, 90, (40, 3, 16, 16)), rng.integers(160, 256, (40, 3, 16, 16))
    images = np.concatenate([dark, bright]).astype(np.uint8)
    attributor_class("knn")().fit(images[::2], ["dark"] * 20 + ["bright"] * 20).save(tmp_path / "model")
    (tmp_path / "shots").mkdir()
    for i, image in enumerate(images[21::2]):
        Image.fromarray(image.transpose(1, 2, 0)).save(tmp_path / "shots" / f"{i:02}.png")
    return tmp_path / "shots"


def test_a_folder_is_attributed(ganfp, folder):
    result = ganfp("attribute", "shots", "--model", "model", "--service", "bright", "--csv", "out.csv")
    assert result.exit_code == 0, result.output
    assert "bright                           20 images   66.7 %" in result.output
    assert "66.7 % of 30 images" in result.output and "most of the folder is from it" in result.output
    lines = (folder.parent / "out.csv").read_text().splitlines()
    assert lines[0] == "file,source,bright,dark" and len(lines) == 31
    assert lines[1] == "00.png,dark,0.0000,1.0000" and lines[-1].startswith("29.png,bright,1.0000")


def test_a_folder_is_not_resized_and_services_are_known(ganfp, folder):
    from PIL import Image

    result = ganfp("attribute", "shots", "--model", "model", "--service", "grey")
    assert result.exit_code == 1 and "it knows bright, dark" in result.output
    Image.new("RGB", (32, 32)).save(folder / "large.png")
    result = ganfp("attribute", "shots", "--model", "model")
    assert result.exit_code == 1 and "large.png is 32 x 32 px, not 16 x 16" in result.output


def test_an_image_is_explained(ganfp, folder, tmp_path):
    from PIL import Image

    from ganfp.attributors import attributor_class

    rng = np.random.default_rng(1)
    images = np.concatenate([rng.integers(0, 90, (8, 3, 16, 16)), rng.integers(160, 256, (8, 3, 16, 16))])
    settings = dict(fmap_base=64, fmap_max=8, images=64, batch=8, learning_rate=0.003)
    visnet = attributor_class("visnet")(**settings).fit(images.astype(np.uint8), ["dark"] * 8 + ["bright"] * 8)
    visnet.save(tmp_path / "visnet")
    result = ganfp("explain", "shots/00.png", "--model", "visnet", "--out", "card.png")
    assert result.exit_code == 0, result.output
    first, second, last = result.output.splitlines()
    assert first.split()[0] == visnet.predict(np.asarray(Image.open(folder / "00.png")).transpose(2, 0, 1)[None])[0]
    assert float(first.split()[1]) + float(second.split()[1]) == pytest.approx(100, abs=0.11) and "correlation" in first
    assert last == "card in card.png" and Image.open(tmp_path / "card.png").width > 400
    result = ganfp("explain", "shots/00.png", "--model", "model")
    assert result.exit_code == 1 and "holds a KNN, not a VisNet" in result.output
    Image.new("RGB", (32, 32)).save(folder / "large.png")
    result = ganfp("explain", "shots/large.png", "--model", "visnet")
    assert result.exit_code == 1 and "32 px, but this attributor was fitted on 16 px" in result.output
