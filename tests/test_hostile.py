"""A small folder of hostile files: every command reads what is right and leaves the rest out.

The suite has one file of each kind and two more of some; ``python tests/hostile.py`` makes 2,000.
"""

import csv
import os
import sys

import hostile
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ganfp import PRNU, worlds
from ganfp.cli import main
from ganfp.worlds import files, reader

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="FIFOs, sockets, names in any bytes")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("hostile") / "H"
    try:
        yield root, hostile.fill(root, 120)
    finally:  # pytest could not
        hostile.remove(root)


@pytest.fixture
def ganfp(made, tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    PRNU().fit(images, ["a", "b"] * 20).save(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, words)


def test_predict(ganfp, made, tmp_path):
    root, wanted = made
    result = ganfp("attribute", "predict", "model", str(root), "--csv", "out.csv")
    bad = sum(not good for good in wanted.values())
    assert result.exit_code == 1 and f"{bad} files were left out" in result.stderr, result.output
    assert "\x1b" not in result.output and "\u202e" not in result.output
    with open("out.csv", newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"]: bool(row["source"]) for row in rows} == {str(path): good for path, good in wanted.items()}
    assert all(row["warnings"].startswith("left out: ") for row in rows if not row["source"])


def test_attack_keeps_every_image_and_its_place(ganfp, made, tmp_path, request):
    root, wanted = made
    request.addfinalizer(lambda: hostile.remove(tmp_path / "out"))
    result = ganfp("attack", str(root), "--attack", "noise", "--out", "out")
    assert result.exit_code == 1 and f"{sum(wanted.values())} images after noise" in result.output
    found, _ = reader.images_in(tmp_path / "out")
    assert len(found) == sum(wanted.values()) and {Image.open(path).size for path in found} == {(32, 32)}


def test_a_data_set(made):
    root, wanted = made
    assert len(worlds.load(f"folder:{root}", 32, 0, 0)) == sum(wanted.values())
    assert len(files.fingerprint(root)) == 64


def test_strict_stops_at_the_first(ganfp, made):
    root, _ = made
    result = ganfp("attribute", "predict", "model", str(root), "--strict", "--csv", "no.csv")
    assert result.exit_code == 1 and "--strict: " in result.output and not os.path.exists("no.csv")


@pytest.mark.parametrize("name", ["sparse.jpg", "links/zero.png", "links/itself.png", "links/fifo.png"])
def test_one_file_is_refused_by_name(ganfp, made, name):
    result = ganfp("attribute", "predict", "model", str(made[0] / name))
    assert result.exit_code == 1 and name in result.stderr and "1 file was left out" in result.stderr
