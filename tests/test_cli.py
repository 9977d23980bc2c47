"""The command line: what it says when something is wrong, and one GAN from start to samples."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ganfp.cli import main
from ganfp.cli.pages import folder_of
from ganfp.cli.words import duration, plain, size, takes
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
    assert listed == ["smoke", "quick", "quick64", "reference", "reference-photos", "gpu", "paper"]


def test_train_stop_resume_sample(ganfp, tmp_path):
    train = ["train", "progan", "--profile", "smoke", "--seed", "3", "--out", "g"]
    assert "stopped, go on with --resume" in ganfp(*train, "--budget", "0.05").output
    assert "resume" in ganfp(*train).output  # nothing is overwritten
    assert "complete" in ganfp(*train, "--resume").output
    assert ganfp("sample", "g", "--count", "6", "--out", "six.npz").exit_code == 0
    assert ganfp("sample", "g/generator.safetensors", "--count", "6", "--out", "six").exit_code == 0
    singles = [np.asarray(Image.open(path)).transpose(2, 0, 1) for path in sorted(Path("six").iterdir())]
    assert np.array_equal(singles, np.load("six.npz")["images"])
    wrong = ganfp("sample", "g/critic.safetensors", "--out", "x")
    assert wrong.exit_code == 1 and "does not hold a generator" in wrong.output and wrong.output.count("\n") == 1
    assert "name the folder of a training, or the file of a generator" in ganfp("sample", ".", "--out", "x").output
    assert np.load(tmp_path / "six.npz")["images"].shape == (6, 3, 16, 16)


@pytest.mark.parametrize("name", ["sngan", "cramergan", "mmdgan"])
def test_every_gan_can_be_trained(ganfp, tmp_path, name):
    assert "complete" in ganfp("train", name, "--profile", "smoke", "--out", name).output
    assert ganfp("sample", name, "--count", "2", "--out", f"{name}.npz").exit_code == 0


def test_words_for_numbers():
    assert plain("3") == 3 and plain("true") is True and plain("faces") == "faces"
    assert duration(900.0) == "15 minutes" and duration(7200.0) == "2 hours" and duration(90.0) == "2 minutes"
    assert takes(Cost(900.0, 0.0, "")) == "15 minutes" and takes(Cost(7200.0, 0.0, "", False)) == "about 2 hours"
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
    result = ganfp("attribute", "predict", "model", "shots", "--csv", "out.csv")
    assert result.exit_code == 0, result.output
    assert "bright                            20 images   66.7 %" in result.output and "none" not in result.output
    lines = (folder.parent / "out.csv").read_text().splitlines()
    assert lines[0] == "path,source,none,tiles,votes,votes_low,votes_high,warnings,p(bright),p(dark)"
    assert len(lines) == 31 and lines[1] == "shots/00.png,dark,,1,1,0.207,1.000,,0.0000,1.0000"
    assert lines[-1].startswith("shots/29.png,bright,")
    result = ganfp("attribute", "verify", "model", "shots", "--service", "bright")
    assert "66.7 % (95 % interval 47.2-82.7) of 30 images, p = 0.0494: most of them are attributed" in result.output


def test_the_command_says_what_became_of_its_first_form(ganfp, folder):
    result = ganfp("attribute", "shots", "--model", "model")
    assert result.exit_code == 2 and "is now `ganfp attribute predict model shots`" in result.output


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("words", [
    ("sample", "g", "--count", "2", "--out", "taken"),
    ("attribute", "predict", "model", "shots", "--csv", "taken"),
    ("explain", "shots/00.png", "--model", "model", "--out", "taken"),
    ("notebook", "s4_2", "--output", "taken"),
    ("notebook", "s4_2", "-p", "out", "records"),
])  # fmt: skip
def test_no_file_is_replaced_unless_told(ganfp, folder, tmp_path, words):
    (tmp_path / "g").mkdir()
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "mine.json").write_text("[]")
    before = contents(tmp_path)
    result = ganfp(*words)
    assert result.exit_code == 1 and "exists already; name another place, or replace it with --force" in result.output
    assert contents(tmp_path) == before


def test_force_replaces(ganfp, folder, tmp_path):
    (tmp_path / "taken").write_text("mine")
    assert ganfp("attribute", "predict", "model", "shots", "--csv", "taken", "--force").exit_code == 0
    assert (tmp_path / "taken").read_text().startswith("path,source")
    result = ganfp("attribute", "predict", "model", "shots", "--csv", "shots/00.png", "--force")
    assert result.exit_code == 1 and "shots/00.png is one of the images" in result.output


def test_one_bad_file_is_named_and_stops_no_other(ganfp, folder):
    from PIL import Image

    (folder / "05.png").write_text("no image")
    (folder / "\x1b]0;title\x07.png").write_text("no image")
    Image.new("RGB", (16, 16)).save(folder / "=1+1.png")
    result = ganfp("attribute", "predict", "model", "shots", "--csv", "out.csv", "--device", "auto")
    assert result.exit_code == 1 and "32 lines in out.csv" in result.stdout
    assert "05.png is not a readable image" in result.stderr and "2 files were left out" in result.stderr
    assert "\x1b" not in result.output
    lines = (folder.parent / "out.csv").read_text().splitlines()
    assert len(lines) == 33 and "shots/05.png,,,,,,,left out: is not a readable image: no known format" in lines
    (folder / "=1+1.png").rename("=1+1.png")
    assert ganfp("attribute", "predict", "model", "=1+1.png", "--csv", "out.csv", "--force").exit_code == 0
    assert (folder.parent / "out.csv").read_text().splitlines()[1].startswith("./=1+1.png,dark")
    result = ganfp("attribute", "predict", "model", "shots", "--csv", "strict.csv", "--strict")
    assert result.exit_code == 1 and "--strict: shots/" in result.output and not Path("strict.csv").exists()


def test_a_name_that_is_no_text_keeps_its_bytes(ganfp, folder):
    try:
        (folder / "00.png").rename(folder / "\udcff.png")
    except (OSError, UnicodeError):
        pytest.skip("this disk holds no such names")
    assert ganfp("attribute", "predict", "model", "shots", "--csv", "out.csv").exit_code == 0
    assert b"\nshots/\xff.png," in (folder.parent / "out.csv").read_bytes()


def test_images_are_scored_once(ganfp, folder, monkeypatch):
    from ganfp.attributors.knn import KNN

    calls, scores = [], KNN._scores
    monkeypatch.setattr(KNN, "_scores", lambda self, images: calls.append(len(images)) or scores(self, images))
    assert ganfp("attribute", "predict", "model", "shots", "--csv", "out.csv").exit_code == 0
    assert sum(calls) == 30


def test_a_device_that_is_not_there_is_named(ganfp, folder):
    result = ganfp("attribute", "predict", "model", "shots", "--device", "cuda:77")
    assert result.exit_code == 1 and "cuda:77" in result.output and "Traceback" not in result.output


@pytest.fixture
def originals(ganfp, tmp_path):
    """Images of one size, of which several have one stem."""
    from PIL import Image

    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for i, name in enumerate(("a.png", "a.jpg", "A.bmp", "b.jpg", "sub/a.jpg")):
        Image.new("RGB", (16, 16), (40 * i, 40 * i, 40 * i)).save(folder / name, lossless=True, quality=100)
    return folder


def test_attack_keeps_every_image(ganfp, originals, tmp_path):
    from PIL import Image

    before = contents(originals)
    result = ganfp("attack", "in", "--attack", "blur", "--out", "out/deep")
    assert result.exit_code == 0 and "5 images after blur in" in result.output
    levels = {"a.png": 0, "a.jpg.png": 40, "A.bmp.png": 80, "b.png": 120, "sub/a.png": 160}
    written = contents(tmp_path / "out" / "deep")
    assert written.keys() == levels.keys() and contents(originals) == before
    for name, level in levels.items():  # a blurred flat image is the same image
        assert np.abs(np.asarray(Image.open(tmp_path / "out" / "deep" / name)).astype(int) - level).max() <= 1

    again = ganfp("attack", "in", "--attack", "noise", "--out", "out/deep")
    assert again.exit_code == 1 and "and 4 more exists already" in again.output
    assert contents(tmp_path / "out" / "deep") == written
    assert ganfp("attack", "in", "--attack", "noise", "--out", "out/deep", "--force").exit_code == 0
    assert contents(tmp_path / "out" / "deep") != written


@pytest.mark.parametrize("out", ["in", "in/attacked", "in/../in", "link"])
def test_attack_never_writes_among_the_originals(ganfp, originals, tmp_path, out):
    (tmp_path / "link").symlink_to("in")
    before = contents(originals)
    result = ganfp("attack", "in", "--attack", "noise", "--out", out, "--force")
    assert result.exit_code == 1 and "where the originals are" in result.output and contents(originals) == before


def test_names_that_would_still_be_one_are_refused_before_anything_is_written(ganfp, originals, tmp_path):
    from PIL import Image

    Image.new("RGB", (16, 16)).save(originals / "a.jpg.png")
    result = ganfp("attack", "in", "--attack", "noise", "--out", "out")
    assert result.exit_code == 1 and "2 images would be written as a.jpg.png" in result.output
    assert not (tmp_path / "out").exists()


def test_attack_names_bad_files_and_goes_on(ganfp, originals, tmp_path):
    (originals / "0.png").write_text("no image")
    result = ganfp("attack", "in", "--attack", "noise", "--out", "out")
    assert result.exit_code == 1 and "5 images after noise" in result.stdout
    assert "0.png is not a readable image" in result.stderr
    assert len(contents(tmp_path / "out")) == 5


def test_one_folder_has_one_training(ganfp, tmp_path):
    train = ["train", "progan", "--profile", "smoke", "--out", "g"]
    assert "too few" in ganfp(*train, "--dataset", few(tmp_path)).output
    assert ganfp(*train, "--budget", "nan").exit_code == 1 and ganfp(*train, "--budget", "0").exit_code == 1
    assert "stopped" in ganfp(*train, "--budget", "0.05").output  # what failed before it began is not in the way
    others = {"seed": ("--seed", "3"), "images": ("--dataset", "bedrooms"), "profile": ("--profile", "quick")}
    for name, other in others.items():
        result = ganfp(*train, *other, "--resume")
        assert result.exit_code == 1 and "was begun with another" in result.output and name in result.output
    assert "another gan" in ganfp("train", "sngan", "--profile", "smoke", "--out", "g", "--resume").output
    assert "complete" in ganfp(*train, "--resume").output
    for path in (tmp_path / "g").glob("*.json"):
        path.unlink()
    (tmp_path / "g" / "checkpoint.safetensors").unlink()
    before = contents(tmp_path / "g")
    assert "has no checkpoint to go on from" in ganfp(*train, "--resume").output and contents(tmp_path / "g") == before


def few(tmp_path):
    np.savez(tmp_path / "few.npz", images=np.zeros((120, 16, 16, 3), np.uint8))
    return f"npz:{tmp_path / 'few.npz'}"


def test_one_folder_has_one_training_at_a_time(ganfp, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "g").mkdir()
    with open(tmp_path / "g" / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = ganfp("train", "progan", "--profile", "smoke", "--out", "g")
    assert result.exit_code == 1 and "another process is training in g" in result.output
    assert [path.name for path in (tmp_path / "g").iterdir()] == [".lock"]


def test_other_parameters_have_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert folder_of("s4_2", {"seed": 3, "dataset": "faces", "out": "x"}) == Path("runs/s4_2-dataset=faces,seed=3")
    assert folder_of("s4_2", {}) == Path("runs/s4_2")
    data = ("folder:a/real", "folder:b/real", "folder:a b", "folder:a-b", "faces", "faces,bedrooms", "npz:a/real")
    folders = [folder_of("s", {"dataset": name}) for name in data] + [folder_of("s", {"device": "cuda:1"})]
    assert len(set(folders)) == len(folders) and all(re.fullmatch(r"runs/s-[\w.,=+-]+", str(f)) for f in folders)
    assert folder_of("s", {"dataset": "folder:a"}) == folder_of("s", {"dataset": f"folder:{tmp_path}/b/../a"})


def test_outside_a_checkout_it_is_said_before_anything_is_made(ganfp, tmp_path, monkeypatch):
    monkeypatch.setattr("ganfp.cli.models.__file__", str(tmp_path / "ganfp" / "cli" / "models.py"))
    result = ganfp("bench", "--profile", "smoke")
    assert result.exit_code == 1 and "measuring needs a checkout" in result.output
    monkeypatch.setattr("ganfp.book.book_notebooks.__defaults__", (tmp_path,))
    result = ganfp("book", "--profile", "smoke")
    assert result.exit_code == 1 and "_toc.yml is missing" in result.output and not (tmp_path / "store").exists()


def test_the_module_is_the_command():
    found = subprocess.run([sys.executable, "-m", "ganfp.cli", "--help"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("Usage: ganfp [OPTIONS]") and "explain" in found.stdout


def test_a_folder_is_not_resized_and_services_are_known(ganfp, folder):
    from PIL import Image

    result = ganfp("attribute", "verify", "model", "shots", "--service", "grey")
    assert result.exit_code == 1 and "it knows bright, dark" in result.output
    Image.new("RGB", (32, 32)).save(folder / "large.png")
    result = ganfp("attribute", "predict", "model", "shots")
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
    assert result.exit_code == 1 and "large.png is 32 x 32 px, not 16 x 16" in result.output
