"""The runner refuses what it does not know, keeps what was good, and does not do work twice."""

import json
import sys

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ganfp import book

PARAMETERS = """\
profile: str = "quick"  # how big
dataset: str = "faces"  # which images
seed: int = 0  # of everything random
device: str = "cpu"  # where
out: str = "results/quick"  # records"""

DEFAULTS = dict(profile="smoke", dataset="faces", seed=0, device="cpu", out="results/smoke")


def write(path, source):
    cells = [
        new_markdown_cell("# A page"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(source),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = str(number)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@pytest.fixture
def root(tmp_path):
    """A book of two tiny notebooks, which add a line to ``runs.txt`` whenever they run."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results" / "smoke").mkdir(parents=True)
    names = ("s1_first", "sA_second")
    for name in names:
        write(tmp_path / "notebooks" / f"{name}.ipynb", f"print('{name}', seed, file=open('runs.txt', 'a'))")
    chapters = [{"file": f"notebooks/{name}"} for name in names]
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump({"root": "index", "parts": [{"chapters": chapters}]}))
    return tmp_path


def runs(root):
    path = root / "runs.txt"
    lines = sorted(path.read_text().splitlines()) if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_notebooks_have_short_names(root):
    stems = {name: path.stem for name, path in book.notebooks(root).items()}
    assert stems == {"s1": "s1_first", "sA": "sA_second"}
    assert len({book.notebook(name, root) for name in ("s1", "s1_first", "s1_first.ipynb")}) == 1
    with pytest.raises(ValueError, match=r"'s9'; known: s1, sA"):
        book.notebook("s9", root)


def test_an_unknown_parameter_is_named_with_its_neighbour_and_all_known_ones(root):
    path = book.notebook("s1", root)
    book.check_parameters(path, {"seed": 3})
    message = r"'seeed' \(did you mean 'seed'\?\); known: profile, dataset, seed, device, out"
    with pytest.raises(ValueError, match=message):
        book.check_parameters(path, {"seed": 1, "seeed": 3})
    with pytest.raises(ValueError, match="seeed"):
        book.execute(path, root / "out.ipynb", {"seeed": 3}, root)
    assert not (root / "out.ipynb").exists()


def test_the_kernel_is_this_interpreter_whatever_kernels_are_installed(root, monkeypatch):
    foreign = root / "share" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "another", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(root / "share"))
    path = write(root / "which.ipynb", "import sys; print(sys.executable)")
    book.execute(path, root / "out.ipynb", {}, root)
    last = nbformat.read(root / "out.ipynb", as_version=4).cells[-1]
    assert last.outputs[0].text.strip() == sys.executable


def test_a_run_that_fails_keeps_the_good_copy_and_shows_where_it_stopped(root):
    path, output = book.notebook("s1", root), root / "executed" / "s1_first.ipynb"
    output.parent.mkdir()
    output.write_text("a good copy")
    write(path, "numerator = 1\nnumerator / seed")
    with pytest.raises(book.NotebookError) as failure:
        book.execute(path, output, {"seed": 0}, root)
    message = str(failure.value)
    assert "s1_first.ipynb" in message and "ZeroDivisionError" in message and "numerator / seed" in message
    partial = output.with_name(".s1_first.ipynb")
    assert str(partial) in message and partial.exists()
    assert output.read_text() == "a good copy"


def test_only_what_changed_is_executed_again(root, capsys):
    first, second = "s1_first 0", "sA_second 0"
    ledger = book.execute_book("smoke", root=root, jobs=1)
    assert runs(root) == [first, second]
    assert list(ledger) == ["s1_first", "sA_second"]
    assert ledger["s1_first"]["parameters"] == DEFAULTS and ledger["s1_first"]["seconds"] > 0
    capsys.readouterr()

    book.execute_book("smoke", root=root, jobs=1)
    assert runs(root) == []
    assert capsys.readouterr().out.count("unchanged") == 2

    write(root / "notebooks" / "sA_second.ipynb", "print('sA_second', seed, file=open('runs.txt', 'a'));")
    book.execute_book("smoke", root=root, jobs=1)
    assert runs(root) == [second]

    book.execute_book("smoke", seed=4, root=root, jobs=1)
    assert runs(root) == ["s1_first 4", "sA_second 4"]


def test_the_others_still_run_when_one_fails(root):
    write(root / "notebooks" / "s1_first.ipynb", "raise OSError('the disk is full')")
    with pytest.raises(book.NotebookError, match="the disk is full"):
        book.execute_book("smoke", root=root, jobs=1)
    assert runs(root) == ["sA_second 0"]
    assert list(json.loads((root / "executed" / "run.json").read_text())) == ["sA_second"]


def test_the_digest_depends_on_source_parameters_and_code(root, monkeypatch):
    path = book.notebook("s1", root)
    package = root / "package"
    (package / "presets").mkdir(parents=True)
    (package / "presets" / "smoke.yml").write_text("images: 1\n")
    (package / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(book, "PACKAGE", package)
    seen = {book.digest(path, DEFAULTS)}
    assert book.digest(path, dict(reversed(DEFAULTS.items()))) in seen
    seen.add(book.digest(path, DEFAULTS | {"seed": 1}))
    (package / "code.py").write_text("x = 2\n")
    seen.add(book.digest(path, DEFAULTS))
    (package / "presets" / "smoke.yml").write_text("images: 2\n")
    seen.add(book.digest(path, DEFAULTS))
    write(path, "1")
    seen.add(book.digest(path, DEFAULTS))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("name", "asked", "given"),
    [
        ("s4_2", "faces,bedrooms", "faces,bedrooms"),
        ("sB", "faces,bedrooms", "faces"),
        ("sC", "faces,bedrooms", "bedrooms"),
        ("sC", "npz:mine.npz", "npz:mine.npz"),
        ("s1", "npz:a.npz,npz:b.npz", "npz:a.npz"),
        ("s4_2", "npz:mine.npz", "npz:mine.npz"),
        ("s4_2", "bedrooms", "bedrooms"),
    ],
)
def test_a_page_gets_the_data_sets_that_it_is_about(name, asked, given):
    assert book.datasets_for(book.notebook(name), asked) == given
