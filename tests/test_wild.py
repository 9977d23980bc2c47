"""From folders of images to an answer: what is collected, cut, held out, learned, said."""

import csv
import json
import os
import shutil
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import tqdm
from click.testing import CliRunner
from PIL import Image

from ganfp.attributors import attributor_class
from ganfp.attributors.base import SIDECAR
from ganfp.cli import attribution, main
from ganfp.runs import models
from ganfp.runs.store import DONE, Store
from ganfp.wild import collect, leak, stream, train
from ganfp.wild.model import CARD, Model, certain, read_card
from ganfp.wild.prepare import Preparation

RNG = np.random.default_rng(0)
CHECKER, STRIPES = (8 * (np.indices((64, 64)).sum(0) % 2)), (8 * (np.indices((64, 64))[0] % 2))
PATTERNS = {"plain": 0, "checker": CHECKER, "stripes": STRIPES}


def picture(pattern, rng, height=64, width=64):
    """Smooth content with a faint pattern on it."""
    rows, columns = np.mgrid[:height, :width] / 64
    slopes = rng.uniform(-40, 40, (2, 3))
    content = rng.uniform(80, 140, 3) + rows[..., None] * slopes[0] + columns[..., None] * slopes[1]
    if np.ndim(pattern):
        pattern = np.tile(pattern, (height // 64 + 1, width // 64 + 1))[:height, :width, None]
    return (content + pattern + rng.normal(0, 2, (height, width, 3))).clip(0, 255).astype(np.uint8)


def fill(root, count=40, sizes=((64, 64),), names=PATTERNS, suffix="png"):
    rng = np.random.default_rng([count, len(names), len(suffix)])
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            pixels = picture(PATTERNS[name], rng, *sizes[i % len(sizes)])
            Image.fromarray(pixels).save(root / name / f"{name}{i}.{suffix}")
    return root


@pytest.fixture
def ganfp(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


# ------------------------------------------------------------------------------------------- sizes


def test_tiles_lie_on_one_grid_and_are_not_changed():
    pixels = RNG.integers(0, 256, (70, 100, 3), dtype=np.uint8)
    image, planes = Image.fromarray(pixels), pixels.transpose(2, 0, 1)
    found = Preparation("tiles", 32, 99).squares(image)
    wanted = [planes[:, y : y + 32, x : x + 32] for y in (0, 32) for x in (0, 32, 64)]
    assert np.array_equal(found, wanted)
    two = Preparation("tiles", 32, 2).squares(image)
    assert np.array_equal(two, [wanted[1], wanted[4]])


def test_centre_and_whole_factors():
    pixels = RNG.integers(0, 256, (70, 100, 3), dtype=np.uint8)
    centre = Preparation("centre", 32).squares(Image.fromarray(pixels))
    assert np.array_equal(centre[0], pixels[19:51, 34:66].transpose(2, 0, 1))
    box = Preparation("box", 32).squares(Image.fromarray(pixels))  # 64 of 70 px, by a factor of 2
    means = pixels[3:67, 18:82].reshape(32, 2, 32, 2, 3).astype(float).mean((1, 3)).transpose(2, 0, 1)
    assert np.array_equal(box[0], np.floor(means + 0.5))
    grey = Preparation("centre", 32).squares(Image.fromarray(pixels[..., 0]))
    assert np.array_equal(grey[0], np.broadcast_to(pixels[19:51, 34:66, 0], (3, 32, 32)))


@pytest.mark.parametrize("kind", ["exact", "tiles", "centre", "box"])
def test_nothing_is_enlarged_or_resized_in_silence(kind):
    with pytest.raises(ValueError, match="is 31 x 40 px"):
        Preparation(kind, 32).squares(Image.new("RGB", (31, 40)))
    if kind == "exact":
        with pytest.raises(ValueError, match="is 64 x 64 px, not 32 x 32"):
            Preparation(kind, 32).squares(Image.new("RGB", (64, 64)))


def test_sensible_sizes_without_an_option():
    def headers(*sizes):
        return [leak.Header("PNG", "RGB", size, "", "") for size in sizes]

    def chosen(sizes, methods=("cnn",), kind=None, size=None):
        found = train.choose(headers(*sizes), methods, kind, size, None)
        return found.kind, found.size

    assert chosen([(64, 64)] * 9) == ("exact", 64) and chosen([(512, 512)] * 9) == ("exact", 512)
    assert chosen([(100, 100)] * 9) == ("tiles", 64) and chosen([(100, 100)] * 9, ("prnu",)) == ("exact", 100)
    assert chosen([(300, 200), (900, 1000)] * 9) == ("tiles", 128)
    assert chosen([(178, 218)] * 9, size=32) == ("tiles", 32)
    assert chosen([(300, 200)] * 9, kind="box") == ("box", 128)
    assert chosen([(64, 64)] * 5 + [(16, 16), (200, 100)] * 4, kind="exact") == ("exact", 64)
    for sizes, size, methods in (([(100, 100)], None, ("knn", "visnet")), ([(128, 128)], 96, ("cnn",))):
        with pytest.raises(ValueError, match=f"--size: {methods[-1]} cannot take squares of (100|96) px; name a power"):
            chosen(sizes, methods, "exact", size)
    with pytest.raises(ValueError, match="images of 8 px are too small for PRNU"):
        chosen([(64, 64)], ("knn", "prnu"), size=8)


# ------------------------------------------------------------------------------------------- files


def test_sources_are_folders_or_a_list(tmp_path):
    root = fill(tmp_path / "in", 3)
    (root / "lost.png").write_bytes(b"")
    (root / "empty").mkdir()
    (root / "__MACOSX").mkdir()
    (root / "Thumbs.db").write_bytes(b"x")
    left = collect.LeftOut()
    files = collect.sources(root, left)
    assert [source for _, source in files] == ["checker"] * 3 + ["plain"] * 3 + ["stripes"] * 3
    assert [path.name for path, _ in left] == ["empty", "lost.png"]
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.png")
    table = root / "list.csv"
    table.write_text(
        "\ufeffpath,source,more\nplain/plain0.png,=a,x\nchecker/checker0.png,b,y\n../outside.png,b,\n,b,\nempty/no.png,b,\n",
        encoding="utf-8",
    )  # fmt: skip
    left = collect.LeftOut()
    files = collect.sources(table, left)
    wanted = [("plain0.png", "=a"), ("checker0.png", "b"), ("no.png", "b")]
    assert [(path.name, source) for path, source in files] == wanted
    assert [reason.split(" of ")[0] for _, reason in left] == ["is outside the folder", "line 5"]
    table.write_text("path,source\nplain/plain0.png,a\nplain/plain0.png,b\n")
    with pytest.raises(ValueError, match=r"list.csv, line 3: plain/plain0.png has two sources"):
        collect.sources(table, collect.LeftOut())
    table.write_text("file,label\nplain/plain0.png,a\n")
    with pytest.raises(ValueError, match=r"is no CSV with columns path and source: it begins with \['file', 'label'\]"):
        collect.sources(table, collect.LeftOut())
    with pytest.raises(ValueError, match="1 source with images, and 2 are needed"):
        collect.sources(fill(tmp_path / "one", 3, names=["plain"]), collect.LeftOut())


def test_inputs_are_images_folders_and_patterns_each_once(tmp_path, monkeypatch):
    monkeypatch.chdir(fill(tmp_path, 3, names=["plain"]))
    Path("a[1].png").write_bytes(Path("plain/plain0.png").read_bytes())
    left = collect.LeftOut()
    paths = collect.inputs(["plain", "plain/plain1.png", "pl*/*.png", "a[1].png"], left)
    assert [str(path) for path in paths] == [*(f"plain/plain{i}.png" for i in range(3)), "a[1].png"] and left == []
    with pytest.raises(ValueError, match=r"nothing\*.png names no file"):
        collect.inputs(["nothing*.png"], collect.LeftOut())


def test_what_a_shells_pattern_finds_stops_no_other(tmp_path, monkeypatch):
    monkeypatch.chdir(fill(tmp_path, 1, names=["plain"]))
    Path("nowhere.png").symlink_to("no")
    Path("empty").mkdir()
    left = collect.LeftOut()
    paths = collect.inputs(["empty", "nowhere.png", "plain"], left)
    assert [path.name for path in paths] == ["nowhere.png", "plain0.png"] and str(left[0][0]) == "empty"
    with pytest.raises(ValueError, match="^empty holds no images"):
        collect.inputs(["empty"], collect.LeftOut())


def test_frames_are_in_their_own_order():
    names = ["f10", "f9", "f1", "g", "f", "f09"]
    assert sorted(names, key=lambda name: collect.natural(Path(name))) == ["f", "f1", "f9", "f09", "f10", "g"]


def test_a_picture_counts_once_and_has_one_source(tmp_path):
    root = fill(tmp_path, 4, names=["plain", "checker"])
    (root / "plain" / "copy.png").write_bytes((root / "plain" / "plain1.png").read_bytes())
    (root / "plain" / "both.png").write_bytes((root / "checker" / "checker2.png").read_bytes())
    (root / "plain" / "bad.png").write_text("no image")
    left = collect.LeftOut()
    files = collect.sources(root, left)
    labelled = train.looked_at(files, left)
    assert len(labelled.paths) == 7 and {path.name for path in labelled.paths} & {"checker2.png", "both.png"} == set()
    said = {path.name: reason for path, reason in left}
    assert "is a copy of" in said["plain1.png"] and "no known format" in said["bad.png"]
    assert said["both.png"] == said["checker2.png"] == "has the same bytes under several sources: checker, plain"


def test_no_image_at_all_is_said(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(ValueError, match="none of 1 files can be used, such as .*a.png: is not a readable image"):
        train.looked_at([(tmp_path / "a.png", "a")], collect.LeftOut())


def labelled_by(names):
    headers = [leak.Header("PNG", "RGB", (8, 8), "", str(i)) for i in range(len(names))]
    paths, sources = [Path(name) for name, _ in names], [source for _, source in names]
    return train.Labelled(paths, sources, headers, train.clusters(paths, sources))


def test_parts_keep_neighbours_and_namesakes_together():
    pairs = [(f"{source}/{i}.png", source) for source in ("a", "b") for i in range(40)]
    parts = train.divide(labelled_by(pairs))
    stems = {name: [path.stem for path in part.paths] for name, part in parts.items()}
    assert stems["test"] == [str(i) for i in range(32, 40)] * 2 and len(set(parts["test"].clusters)) == 8
    assert not set(stems["train"]) & set(stems["validation"]) and len(stems["validation"]) == 12
    alone = [(f"{source}{i}.png", source) for source in ("a", "b") for i in range(40)]
    parts = train.divide(labelled_by(alone))
    assert [part.sources.count("b") for part in parts.values()] == [26, 6, 8]
    assert [path.name for path in parts["test"].paths][:2] == ["a32.png", "a33.png"]
    assert len(set(parts["test"].clusters)) == 16
    with pytest.raises(ValueError, match="b has 19 images that can be used; a source needs 20"):
        train.divide(labelled_by(alone[:59]))


def test_sources_that_count_from_one_have_their_share_of_each_part_whatever_their_size():
    counts = {"a": 250, "b": 150, "c": 40}
    names = [(f"{source}/{i}.png", source) for source, count in counts.items() for i in range(count)]
    parts = train.divide(labelled_by(names))
    for source, count in counts.items():
        assert [part.sources.count(source) for part in parts.values()] == pytest.approx(
            [0.65 * count, 0.15 * count, 0.2 * count], abs=2
        )
    of = {name: {path.stem for path in part.paths} for name, part in parts.items()}
    assert not of["train"] & of["validation"] and not of["train"] & of["test"] and not of["validation"] & of["test"]


def test_the_same_name_in_another_folder_of_a_source_is_another_picture():
    names = [(f"{source}/{video}/{i}.png", source) for source in "ab" for video in "xyz" for i in range(20)]
    labelled = labelled_by(names)
    assert len(set(labelled.clusters)) == 60
    parts = train.divide(labelled)
    assert {path.parent.name for path in parts["train"].paths} == {"x", "y"}  # whole videos, as far as it goes
    assert {path.parent.name for path in parts["test"].paths} == {"z"}


def test_a_stream_is_in_order_bounded_and_stops_at_once(tmp_path, monkeypatch):
    paths = []
    for i in range(60):
        paths.append(tmp_path / f"{i}.png")
        Image.new("RGB", (8, 8), (i, i, i)).save(paths[-1])
    paths[7].write_text("no image")
    monkeypatch.setattr(stream, "MOST", 2)
    started, shares, values = [], [], []

    def work(items):
        started.extend(items)
        return items

    for some in stream.each(paths, Preparation("exact", 8), work, shares.append):
        values += [-1 if item.squares is None else int(item.squares[0, 0, 0, 0]) for item in some]
        assert len(started) - len(values) <= 2 * (2 * 8 + 2)  # whatever is ahead
    assert values == [*range(7), -1, *range(8, 60)] and shares[-1] == 1 and shares == sorted(shares)


# ------------------------------------------------------------------------------------------- controls


def test_headers_and_ghosts_give_a_leak_away(tmp_path):
    root = fill(tmp_path / "mixed", 30, names=["plain"])
    fill(root, 30, names=["checker"], suffix="jpg")
    left = collect.LeftOut()
    files = collect.sources(root, left)
    labelled = train.looked_at(files, left)
    half = [i for i in range(60) if i % 2], [i for i in range(60) if not i % 2]
    learn, test = labelled[half[0]], labelled[half[1]]
    headers = leak.by_headers(learn.headers, learn.sources, test.headers, test.sources)
    assert headers.value == 100
    shares = leak.by_ghosts(test.paths, test.sources, 64)
    assert shares["checker"].value > 90 and shares["plain"].value == 0
    said = leak.warnings(headers, shares, 50.0)
    assert len(said) == 3 and "checker 100 %" in said[1] and "page x2" in said[2]
    fair = leak.by_headers(learn.headers, ["a", "b"] * 15, learn.headers, ["a", "b"] * 15)
    assert leak.warnings(fair, {"a": shares["plain"], "b": shares["plain"]}, 50.0) == []


def test_who_learns_nothing_says_so(tmp_path):
    rng = np.random.default_rng(3)
    for source in "ab":
        (tmp_path / source).mkdir()
        for i in range(40):
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / source / f"{i}.png")
    left = collect.LeftOut()
    labelled = train.looked_at(collect.sources(tmp_path, left), left)
    model = train.train(labelled, ["knn"], Preparation("exact", 16), tmp_path, left)
    assert any("knn is not shown to be better than chance (50.0 %)" in text for text in model.facts["warnings"])


# ------------------------------------------------------------------------------------------- commands


def test_no_p_value_is_zero():
    assert attribution.p_value(0.0) == attribution.p_value(1e-320) == "p < 1e-300"
    assert attribution.p_value(3.64e-99) == "p = 3.64e-99"


def test_time_left_is_at_the_mean_rate_since_the_first_step(monkeypatch):
    made = []

    class Bar(tqdm.tqdm):
        def __init__(self, **settings):
            super().__init__(**{**settings, "disable": False, "file": StringIO(), "mininterval": 0})
            made.append(self)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    with attribution.bars() as progress:
        monkeypatch.setattr(attribution, "time", lambda: made[-1].start_t + 50)  # the network took long to build
        move = progress("training")
        move(0.1)
        made[-1]._time = lambda: made[-1].start_t + 4
        move(0.3)
        assert made[-1].format_dict["elapsed"] == 4 and "00:14 left" in str(made[-1])
        progress("next")
        assert len(made) == 2 and not made[0].leave


def test_from_folders_to_an_answer(ganfp, tmp_path):
    """Three commands, on pictures of several sizes, with an unknown source and files that are none."""
    fill(tmp_path / "in", 50, sizes=((32, 32), (50, 40), (32, 70)))
    result = ganfp("attribute", "train", "in", "--out", "model", "--method", "all", "--size", "16", "--images", "320")
    assert result.exit_code == 0, result.output
    assert "squares of 16 px, tiles" in result.output and "and it is kept" in result.output
    assert "checker" in result.output and "warning" not in result.output
    card = json.loads(Path("model", CARD).read_text())
    best = Model.load(Path("model"))
    assert card["facts"]["images"]["test"] == {"checker": 10, "plain": 10, "stripes": 10}
    assert card["facts"]["accuracies"][best.attributor.method]["value"] >= 70  # a third is chance
    assert best.preparation == Preparation("tiles", 16, 4) and best.validated == 21

    (tmp_path / "in" / "plain" / "0.png").write_text("no image")
    result = ganfp("attribute", "predict", "model", "in/plain", "in/checker/checker1.png", "--csv", "out.csv")
    assert result.exit_code == 1 and "1 file was left out" in result.stderr
    with open("out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 52 and rows[0]["warnings"].startswith("left out") and rows[-1]["source"] == "checker"
    named = [row for row in rows if row["source"]]
    for row in named:
        shares = [float(value) for key, value in row.items() if key.startswith("p(")]
        assert sum(shares) == pytest.approx(1, abs=2e-4) and row["tiles"] == "4" and 0 <= float(row["none"]) <= 1
        assert float(row["votes_low"]) <= int(row["votes"]) / 4 <= float(row["votes_high"])

    result = ganfp("attribute", "verify", "model", "in/plain", "--service", "plain")
    assert "most of them are attributed to it" in result.output and "none of these: " in result.output
    assert "3 sources   16 px" in ganfp("models").output
    again = ganfp("attribute", "train", "in", "--out", "model")
    assert again.exit_code == 1 and "exists already" in again.output


@pytest.mark.parametrize(("side", "prepare"), [(128, "exact"), (256, "centre"), (512, "box")])
def test_large_squares_work(ganfp, tmp_path, side, prepare, monkeypatch):
    monkeypatch.setattr(train, "LEAST", 8)
    fill(tmp_path / "in", 8, sizes=((side, side),), names=["plain", "checker"])
    words = ["attribute", "train", "in", "--out", "model", "--images", "8", "--prepare", prepare, "--size", str(side)]
    assert ganfp(*words).exit_code == 0
    assert f"{side} px" in ganfp("models").output
    result = ganfp("attribute", "predict", "model", "in/*/*1.png", "--csv", "out.csv")
    assert result.exit_code == 0 and len(Path("out.csv").read_text().splitlines()) == 3


def test_a_leak_of_format_is_said(ganfp, tmp_path):
    fill(tmp_path / "in", 30, names=["plain"])
    fill(tmp_path / "in", 30, names=["checker"], suffix="jpg")
    result = ganfp("attribute", "train", "in", "--out", "model", "--method", "prnu")
    assert "warning: format leak: the files' headers alone" in result.stderr and "JPEG ghosts" in result.stderr


def test_names_that_mean_something_elsewhere(ganfp, tmp_path):
    (tmp_path / "in").mkdir()
    fill(tmp_path / "in", 20, names=["plain", "checker"])
    Path("in/plain").rename("in/=cmd|'x'!A1")
    Path("in/checker").rename("in/\x1b[2Jb$_")
    result = ganfp("attribute", "train", "in", "--out", "model", "--method", "knn")
    assert result.exit_code == 0 and "\x1b" not in result.output
    result = ganfp("attribute", "predict", "model", "in", "--csv", "out.csv")
    assert "\x1b" not in result.output
    with open("out.csv", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@")] and "'=cmd|'x'!A1" in cells


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_stops_nothing(ganfp, tmp_path):
    fill(tmp_path / "in", 20, names=["plain", "checker"])
    os.mkfifo("in/plain/0.png")
    os.mkfifo("in/pipe.png")
    result = ganfp("attribute", "train", "in", "--out", "model", "--method", "prnu")
    assert result.exit_code == 1 and "is not a regular file" in result.stderr and Path("model", CARD).exists()
    result = ganfp("attribute", "predict", "model", "in/plain", "in/pipe.png")
    assert result.exit_code == 1 and "2 files were left out" in result.stderr


def test_a_damaged_or_foreign_card_is_named(ganfp, tmp_path):
    fill(tmp_path / "in", 20, names=["plain", "checker"])
    assert ganfp("attribute", "train", "in", "--out", "model", "--method", "prnu").exit_code == 0
    card = json.loads(Path("model", CARD).read_text())
    resized = {"preparation": {"kind": "resize", "size": 64, "tiles": 4}}
    for change in ({"of": "0"}, resized, {"temperature": 0}, {"format": 2}):
        Path("model", CARD).write_text(json.dumps({**card, **change}))
        result = ganfp("attribute", "predict", "model", "in/plain")
        assert result.exit_code == 1 and "card.json is damaged or does not belong there" in result.output


# ------------------------------------------------------------------------------------------- none of these


def test_certainty_is_the_log_odds_of_the_best(ganfp):
    scores = np.array([[2.0, 1.0, 0.0], [900.0, 0.0, 0.0]])
    first = np.exp(2) / (np.exp(2) + np.exp(1) + 1)
    assert certain(scores, 1.0)[0] == pytest.approx(np.log(first / (1 - first))) and certain(scores, 1.0)[1] > 800
    assert certain(scores, 2.0)[1] == pytest.approx(450 - np.log(2))


def test_one_known_image_in_twenty_looks_unknown():
    """The score is uniform on images like those that it was calibrated on, and near 1 where all scores are equal."""
    model = Model(attributor_class("prnu")(), Preparation("exact", 32))
    rng = np.random.default_rng(1)
    columns = rng.integers(0, 4, 4000)
    scores = rng.normal(0, 1, (4000, 4)) + 3 * np.eye(4)[columns]
    model.calibrate(scores[:2000], columns[:2000])
    from ganfp.wild.model import Answers

    ones = np.ones(2000, int)
    found = Answers(model, scores[2000:], ones, ones)
    assert np.abs(np.sort(found.none) - np.linspace(0, 1, 2000)).max() < 0.06  # Kolmogorov and Smirnov
    assert 0.03 < found.unknown.mean() < 0.07
    assert Answers(model, np.zeros((1, 4)), ones[:1], ones[:1]).none[0] == 1


# ------------------------------------------------------------------------------------------- names


def test_models_have_names(run, tmp_path, monkeypatch):
    known = {one.name: one for one in models.stored(run.store)}
    assert {"smoke/faces/seeds/cnn", "smoke/bedrooms/seeds/prnu", "smoke/faces/seeds/visnet"} <= set(known)
    cnn = known["smoke/faces/seeds/cnn"]
    assert models.find("faces/seeds/cnn", run.store) == cnn.folder and 0 <= cnn.accuracy <= 100
    assert [name for name in known if name.startswith("smoke/faces/seeds/cnn,band=high")]
    with pytest.raises(ValueError, match="several models: smoke/bedrooms/seeds/cnn, smoke/faces/seeds/cnn"):
        models.find("seeds/cnn", run.store)
    with pytest.raises(ValueError, match="no folder and no model.*did you mean smoke/bedrooms"):
        models.find("cats/seeds/cnn", run.store)


def test_a_name_is_of_the_model_that_knows_all_sources_whichever_is_the_newest(run, tmp_path):
    """Others leave a source out, or are of snapshots of the GANs."""
    name = "smoke/faces/seeds/cnn"
    alike = [one for one in models.stored(run.store) if one.name.partition("@")[0] == name]
    assert len(alike) > 2
    for newest in alike:
        for one in alike:
            folder = tmp_path / newest.folder.name / "attributor" / one.folder.name
            shutil.copytree(one.folder, folder)
            info = json.loads((folder / DONE).read_text("utf-8")) | {"date": "2030" if one == newest else "2020"}
            (folder / DONE).write_text(json.dumps(info), "utf-8")
        found = {one.name: one for one in models.stored(Store(tmp_path / newest.folder.name))}
        assert len(found) == len(alike) and len(found[name].classes) == max(len(one.classes) for one in alike)
        recipe = json.loads((found[name].folder / DONE).read_text("utf-8"))["recipe"]
        assert not any("gan" in source["origin"] for source in recipe["setup"]["sources"])


def test_a_damaged_recipe_hides_no_other_model(run, tmp_path):
    good, bad = list(models.stored(run.store))[:2]
    for one in (good, bad):
        shutil.copytree(one.folder, tmp_path / "attributor" / one.folder.name)
    path = tmp_path / "attributor" / bad.folder.name / DONE
    info = json.loads(path.read_text("utf-8"))
    del info["recipe"]["setup"]["sources"][-1]["origin"]
    path.write_text(json.dumps(info), "utf-8")
    assert [one.folder.name for one in models.stored(Store(tmp_path))] == [good.folder.name]


HOSTILE = ("[" * 200_000, "[]", "{}", *(json.dumps({"facts": one}) for one in ([], {"date": []}, {"accuracies": []})))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_damaged_folder_hides_no_other_model(tmp_path, text):
    for name in ("sidecar", "card"):
        folder = tmp_path / name
        folder.mkdir()
        good = json.dumps({"method": "cnn", "classes": ["a", "b"], "resolution": 32})
        (folder / SIDECAR).write_text(text if name == "sidecar" else good)
        (folder / "card.json").write_text(text)
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / SIDECAR).write_text(json.dumps({"method": "cnn", "classes": ["a", "b"], "resolution": 32}))
    found = models.listed(Store(tmp_path / "store"), tmp_path)
    assert str(tmp_path / "good") in [one.name for one in found]
    assert str(tmp_path / "sidecar") not in [one.name for one in found]


def test_a_card_nested_without_end_is_named(tmp_path):
    (tmp_path / "card.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match="card.json is damaged"):
        read_card(tmp_path)
