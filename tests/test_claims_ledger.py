"""The ledger of claims as the book shows it: whose records it reads, and what it says of them."""

import importlib.util
import io
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ganfp.paper.record import Result, published_records


@pytest.fixture(scope="module")
def extension():
    pytest.importorskip("sphinx", reason="the book's tools are not installed")
    path = Path(__file__).parents[1] / "book" / "_ext" / "claims_ledger.py"
    spec = importlib.util.spec_from_file_location("claims_ledger", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_run_that_the_book_shows_is_what_its_notebooks_left(extension, tmp_path):
    assert extension.run_shown(tmp_path) == ("", {})
    for name in ("s1/a.json", "s1/mine.json", "s2/a.json", "s2/a.npz", "old.json"):
        file = tmp_path / "results" / "quick" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("[]")
    execute(tmp_path, s1=["a.json", "gone.json"], s2=["a.json", "a.npz"])
    profile, files = extension.run_shown(tmp_path)
    quick = tmp_path / "results" / "quick"
    assert profile == "quick" and files == {quick / n / "a.json": "quick" for n in ("s1", "s2")}


def execute(root, **records):
    """Leave the list of executed notebooks that a book of profile quick leaves."""
    pages = {
        name: {"parameters": {"profile": "quick", "out": f"results/quick/{name}"}, "records": files}
        for name, files in records.items()
    }
    (root / "executed").mkdir()
    (root / "executed" / "run.json").write_text(json.dumps(pages))


@pytest.mark.parametrize("measured", [True, False])
def test_the_directive_renders_without_a_warning(extension, tmp_path, monkeypatch, measured):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    (tmp_path / "conf.py").write_text("extensions = ['claims_ledger']\nnumfig = True")
    directive = ".. claims-ledger:: All of them\n   :name: tab\n   :tables: 3 4\n"
    (tmp_path / "index.rst").write_text(f"Ledger\n======\n\n{directive}\nSee :numref:`tab`.\n")
    if measured:
        folder = tmp_path / "results" / "quick" / "s1"
        folder.mkdir(parents=True)
        execute(tmp_path, s1=["a.json"])
        records = [r for r in published_records() if r.dataset == "faces"]
        worse = [replace(r, value=99.5) if (r.table, r.row) == ("3", "PRNU") else r for r in records]
        shown = [replace(r, value=99.6, profile="reference") for r in worse if (r.table, r.row) == ("3", "PRNU")]
        Result([replace(r, profile="quick") for r in worse] + shown).save(folder, "a")  # another run's are not counted
        Result(records).save(tmp_path / "results" / "reference", "a")
    monkeypatch.setitem(sys.modules, "claims_ledger", extension)
    places = tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees"
    warnings = io.StringIO()
    with docutils_namespace():  # what one build registers is gone before the next
        Sphinx(*places, "html", status=None, warning=warnings).build()
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert warnings.getvalue() == ""
    text = re.sub("<.*?>", "", page)
    assert "Table 1" in page and "holds for bedrooms, is refuted for faces" in text
    assert 'class="claim-holds">holds for bedrooms<' in page and 'class="claim-fails">is refuted for faces<' in page
    assert ("ours 99.14, PRNU 99.50" in page) == measured
    assert ("<strong>Reference</strong> faces: ours" in page) == measured
    assert ("(quick)" in page) == measured and ("no records found" in page) != measured
    assert page.count("is stated without numbers") == 1 and "1 are stated without numbers" in page  # the twins
    assert "Relighting keeps" not in page  # Tables 7 and 8 were not asked for
