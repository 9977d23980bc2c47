"""The notebooks are clean in git, take the same parameters, and run to their end."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

from ganfp import book, notebooks

PATHS = list(notebooks.by_name().values())
NAMES = ["profile", "dataset", "seed", "device", "out"]
RUN_METADATA = "metadata.papermill cell.metadata.papermill metadata.language_info.version"


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def test_the_table_of_contents_names_every_notebook():
    assert sorted(book.book_notebooks()) == sorted(PATHS)


def test_carries_no_outputs_and_no_traces_of_a_run(path):
    command = [sys.executable, "-m", "nbstripout", "--verify", "--extra-keys", RUN_METADATA, str(path)]
    assert subprocess.run(command, capture_output=True).returncode == 0, f"run: nbstripout {path.name}"


def test_has_one_parameters_cell_with_the_five_parameters_explained(path, cells):
    """A lab may have more of its own, after those that all have."""
    (cell,) = [cell for cell in code(cells) if "parameters" in cell.metadata.get("tags", [])]
    known = notebooks.known_parameters(path)
    assert len(cell.source.splitlines()) == len(known)
    own = list(known)[len(NAMES) :]
    assert list(known)[: len(NAMES)] == NAMES and (not own or path.stem.startswith("lab"))
    for name, parameter in known.items():
        assert parameter["inferred_type_name"] == ("int" if name in ("seed", "images", "quality") else "str"), name
        assert parameter["help"], f"{name} has no comment"


def test_cells_are_short(cells):
    assert max(len(cell.source.splitlines()) for cell in code(cells)) <= 25


def test_has_a_title_and_sections(cells):
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", text, re.M)) == 1
    assert re.search(r"^## ", text, re.M)


def test_runs_and_writes_only_where_told(path, smoke):
    assert (smoke / "executed" / path.name).exists()
    written = {p.relative_to(smoke) for p in smoke.rglob("*") if p.is_file()}
    places = [Path(x) for x in ("executed", "results/smoke", "results/reference", "_build", "book", "notebooks")]
    strays = [p for p in written if len(p.parts) > 1 and not any(p.is_relative_to(place) for place in places)]
    assert not strays
    for place in ("book", "notebooks"):
        before = {p.relative_to(ROOT) for p in (ROOT / place).rglob("*") if p.is_file()}
        after = {p for p in written if p.parts[0] == place}
        assert {p for p in after - before if "__pycache__" not in p.parts} == set()


def test_figures_have_names_captions_and_alternative_texts(path, smoke):
    for cell in code(nbformat.read(smoke / "executed" / path.name, as_version=4).cells):
        kinds = [kind for output in cell.outputs for kind in output.get("data", ())]
        if any(kind.startswith("image/") for kind in kinds):
            mystnb = cell.metadata.get("mystnb", {})
            assert mystnb.get("figure", {}).get("name"), cell.source
            assert mystnb.get("figure", {}).get("caption"), cell.source
            assert mystnb.get("image", {}).get("alt"), cell.source


def test_executed_cells_report_no_error_and_no_warning(path, smoke):
    for cell in code(nbformat.read(smoke / "executed" / path.name, as_version=4).cells):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert "Warning" not in output.get("text", ""), output.text
