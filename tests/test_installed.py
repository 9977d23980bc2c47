"""The package alone, as ``pip install .`` leaves it: what works without a checkout, and what says that it needs one."""

import os
import shutil
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Runs a command where there is no checkout, neither around the package nor around the working folder."""
    place = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "ganfp", place / "ganfp", ignore=shutil.ignore_patterns("__pycache__"))
    work = tmp_path_factory.mktemp("work")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GANFP_")} | {"PYTHONPATH": str(place)}

    def run(*words):
        command = [sys.executable, "-m", "ganfp.cli", *words]
        return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120)

    run.work = work
    return run


@pytest.mark.parametrize(
    "words", [("book",), ("notebook", "s4_2"), ("class", "out"), ("reference",), ("bench", "--profile", "smoke")]
)
def test_what_needs_a_checkout_says_so(installed, words):
    done = installed(*words)
    assert done.returncode == 1 and "checkout" in done.stderr and "Traceback" not in done.stderr
    assert not list(installed.work.rglob("*.ipynb")) and not (installed.work / "artifacts" / "gan").exists()


def test_folders_are_attributed_without_a_checkout(installed):
    rng = np.random.default_rng(0)
    for source, spread in (("a", 20), ("b", 60)):
        folder = installed.work / "sources" / source
        folder.mkdir(parents=True)
        for i in range(40):
            pixels = rng.normal(128, spread, (16, 16, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    trained = installed("attribute", "train", "sources", "--out", "model", "--method", "eigenface")
    assert trained.returncode == 0 and "model in model" in trained.stdout
    asked = installed("attribute", "predict", "model", "sources/a")
    assert asked.returncode == 0 and "left out" not in asked.stderr and " a " in f" {asked.stdout}"


def test_every_file_of_the_package_is_installed_with_it():
    known = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["ganfp"]
    files = [p for p in (ROOT / "ganfp").rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")]
    missing = [p for p in files if not any(p.relative_to(ROOT / "ganfp").match(pattern) for pattern in known)]
    assert files and not missing
