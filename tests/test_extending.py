"""A fifth GAN, a sixth method, a seventh attack, a section more: each is its file and a line, and is on the pages."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

GAN = '''
"""A fifth GAN: SNGAN under another name."""

from ganfp.gans.sngan import SNGAN
from ganfp.worlds import DRAWN


class FifthGAN(SNGAN):
    """The same networks and losses."""
'''
ATTACK = '''
def invert(images: Tensor, random: Draws) -> Tensor:
    """The negative of every image."""
    return 255 - images


'''
SECTION = '''
"""x99: are negatives still attributed?"""

import numpy as np

from ganfp import metrics
from ganfp.paper.attribution import predictions, seed_setup
from ganfp.paper.judge import at_least, claim, every
from ganfp.paper.record import Result, accuracy_record
from ganfp.runs.recipes.attacked import Answers, Attack
from ganfp.runs.recipes.base import PREDICTIONS


def answers(run):
    setup = seed_setup(run)
    return Answers(run.fit("brightness", setup), setup, Attack("invert"))


def needs(runs):
    return [answers(runs[0])]


def negatives(run):
    setup = seed_setup(run)
    named = np.array(sorted(setup.classes))[run.array(answers(run), PREDICTIONS)]
    measured = metrics.accuracy(setup.labels("test"), named)
    return Result([accuracy_record(run, "Brightness", measured, setup="negatives", classes=len(setup.sources))])


@claim("negatives", "x99", "3", "Negatives are attributed as well.")
def _negatives(e):
    r = e.number("", "Brightness", setup="negatives")
    return every([at_least(r, 97)]), f"{r.value:.1f} %"
'''
CELLS = [
    """profile: str = "quick"  # how big a run
dataset: str = "faces"  # the real images
seed: int = 0  # of everything after the GANs
device: str = "cpu"  # where networks run
out: str = ""  # a folder for records""",
    """from IPython.display import Markdown

from ganfp.paper import judge, page, x99
from ganfp.runs.run import begin

run = begin(profile, dataset, seed, device, out)
found = x99.negatives(run)
run.save(found, "negatives")
Markdown(page.banner(run) + judge.say(found.records, "negatives"))""",
]


def add_line(file: Path, after: str, line: str) -> None:
    """Put one line after the only one that begins so."""
    lines = file.read_text("utf-8").splitlines(keepends=True)
    (at,) = [i for i, found in enumerate(lines) if found.startswith(after)]
    file.write_text("".join([*lines[: at + 1], line + "\n", *lines[at + 1 :]]), "utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory, run):
    """A copy of the project, extended; what it needs of the others' artifacts is in the shared store."""
    root = tmp_path_factory.mktemp("extended")
    for name in ("ganfp", "notebooks", "book", "results/reference"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_toc.yml", "_config.yml"):
        shutil.copy(ROOT / name, root)
    package = root / "ganfp"
    (package / "gans" / "fifthgan.py").write_text(GAN)
    entry = '    "fifthgan": Entry("ganfp.gans.fifthgan", "FifthGAN", "hinge", "tanh", "truncate", 0.5),'
    add_line(package / "gans" / "__init__.py", "GANS", entry)
    shutil.copy(ROOT / "tests" / "sixth_method.py", package / "attributors" / "brightness.py")
    line = '    "brightness": Method("ganfp.attributors.brightness:Brightness", "Brightness", baseline=True),'
    add_line(package / "attributors" / "__init__.py", "METHODS", line)
    attacks = package / "attacks.py"
    text = attacks.read_text("utf-8")
    attacks.write_text(text.replace("ATTACKS: dict", f"{ATTACK.lstrip()}ATTACKS: dict", 1), "utf-8")
    add_line(attacks, "ATTACKS: dict", '    "invert": Entry(invert),')
    (package / "paper" / "x99.py").write_text(SECTION)
    code = [
        {"cell_type": "code", "metadata": {"tags": ["parameters"] * (not i)}, "source": source, "outputs": []}
        | {"execution_count": None}
        for i, source in enumerate(CELLS)
    ]
    head = {"cell_type": "markdown", "metadata": {}, "source": "# x99 · Negatives\n\n## Are they attributed?"}
    notebook = {"cells": [head, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    notebook["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (root / "notebooks" / "x99_negatives.ipynb").write_text(json.dumps(notebook))
    add_line(root / "_toc.yml", "      - file: notebooks/x3", "      - file: notebooks/x99_negatives")
    return root


def shown(project: Path, name: str) -> tuple[str, list[dict]]:
    """What a page of the extended project shows at profile smoke, and the records that it leaves."""
    command = [sys.executable, "-m", "ganfp.cli", "notebook", name, "-p", "profile", "smoke"]
    command += ["-p", "dataset", "faces", "-p", "out", f"out/{name}", "--output", f"{name}.ipynb"]
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [r for file in (project / "out" / name).glob("*.json") for r in json.loads(file.read_text("utf-8"))]
    return (project / f"{name}.ipynb").read_text("utf-8"), records


def test_the_gan_and_the_method_are_in_the_tables(project):
    page, records = shown(project, "s4_2")
    (table1,) = [r for r in records if (r["table"], r["row"], r["metric"]) == ("1", "Brightness", "accuracy")]
    assert table1["classes"] == 6 and "FifthGAN" in table1["params"]["by_class"]
    assert "| Brightness | accuracy, % |" in page


def test_the_gan_is_drawn_and_its_settings_are_listed(project):
    page, _ = shown(project, "s4_1")
    assert "| FifthGAN | hinge | tanh |" in page


def test_the_attack_and_the_section_are_a_page(project):
    page, records = shown(project, "x99")
    assert [r["setup"] for r in records] == ["negatives"] and "Negatives are attributed as well." in page
    code = "from ganfp.attacks import ATTACKS; from ganfp.paper import judge, sections; print('negatives' in "
    code += "judge.claims(), sections.sections()[-1].__name__, [n for n, a in ATTACKS.items() if not a.papers])"
    environment = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run([sys.executable, "-c", code], cwd=project, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "True ganfp.paper.x99 ['invert']", done.stderr


def test_no_file_is_longer_than_one_can_hold_in_mind():
    longest = {path: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "ganfp").rglob("*.py")}
    renderers = {ROOT / "ganfp" / "worlds" / name for name in ("faces.py", "bedrooms.py")}
    assert {str(path): lines for path, lines in longest.items() if lines > 400 and path not in renderers} == {}
