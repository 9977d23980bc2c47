"""The runner refuses what it does not know, keeps what was good, and does not do work twice."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ganfp import book, notebooks
from ganfp.notebooks import NotebookError, check_parameters, execute

PARAMETERS = """\
profile: str = "quick"  # how big
dataset: str = "faces"  # which images
seed: int = 0  # of everything random
device: str = "cpu"  # where
out: str = "results/quick"  # records"""

DEFAULTS = dict(profile="smoke", dataset="faces", seed=0, device="cpu", out="results/smoke/s1_first")
RECORD = "import pathlib; pathlib.Path(out).mkdir(exist_ok=True, parents=True); open(out + '/{}.json', 'w').write('[]')"


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
    stems = {name: path.stem for name, path in notebooks.by_name(root).items()}
    assert stems == {"s1": "s1_first", "sA": "sA_second"}
    assert len({notebooks.find(name, root) for name in ("s1", "s1_first", "s1_first.ipynb")}) == 1
    with pytest.raises(ValueError, match=r"'s9'; known: s1, sA"):
        notebooks.find("s9", root)


def test_an_unknown_parameter_is_named_with_its_neighbour_and_all_known_ones(root):
    path = notebooks.find("s1", root)
    check_parameters(path, {"seed": 3})
    message = r"'seeed' \(did you mean 'seed'\?\); known: profile, dataset, seed, device, out"
    with pytest.raises(ValueError, match=message):
        check_parameters(path, {"seed": 1, "seeed": 3})
    with pytest.raises(ValueError, match="seeed"):
        execute(path, root / "out.ipynb", {"seeed": 3}, root)
    assert not (root / "out.ipynb").exists()


def test_the_kernel_is_this_interpreter_whatever_kernels_are_installed(root, monkeypatch):
    foreign = root / "share" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "another", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(root / "share"))
    path = write(root / "which.ipynb", "import sys; print(sys.executable)")
    execute(path, root / "out.ipynb", {}, root)
    assert str(root) not in (root / "out.ipynb").read_text("utf-8")  # nor any other path of this machine
    last = nbformat.read(root / "out.ipynb", as_version=4).cells[-1]
    assert last.outputs[0].text.strip() == sys.executable


def test_a_run_that_fails_keeps_the_good_copy_and_shows_where_it_stopped(root):
    path, output = notebooks.find("s1", root), root / "executed" / "s1_first.ipynb"
    output.parent.mkdir()
    output.write_text("a good copy")
    write(path, "numerator = 1\nnumerator / seed")
    with pytest.raises(NotebookError) as failure:
        execute(path, output, {"seed": 0}, root)
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
    with pytest.raises(NotebookError, match="the disk is full"):
        book.execute_book("smoke", root=root, jobs=1)
    assert runs(root) == ["sA_second 0"]
    assert list(json.loads((root / "executed" / "run.json").read_text())) == ["sA_second"]


@pytest.fixture
def executed(root, monkeypatch, capsys):
    """A function that runs the book on a user's own images and says how many of its two pages were executed."""
    package = root / "package"
    (package / "presets").mkdir(parents=True)
    (package / "presets" / "smoke.yml").write_text("images: 1\n")
    (package / "code.py").write_text("x = 1\n")
    (root / "results" / "reference").mkdir(parents=True)
    (root / "results" / "reference" / "table1.json").write_text("[]")
    np.savez(root / "mine.npz", images=np.zeros((4, 16, 16, 3), np.uint8))
    (root / CACHE).mkdir(parents=True)
    (root / "weights.pth").write_bytes(b"one")
    monkeypatch.setattr(book, "PACKAGE", package)
    monkeypatch.setenv("TORCH_HOME", str(root / "torch"))
    # which files enter is asked here; what would be computed with them is not
    monkeypatch.setattr(book, "execute", execute_nothing)

    def run(**changes):
        book.execute_book("smoke", f"npz:{root / 'mine.npz'}", root=root, jobs=1, **changes)
        return 2 - capsys.readouterr().out.count("unchanged")

    assert (run(), run()) == (2, 0)
    return run


def execute_nothing(path, output, parameters, cwd):
    output.write_text("{}")
    return notebooks.Execution(0.0, [])


CACHE = Path("torch", "hub", "checkpoints")
CHANGES = {
    "code": lambda root, patch: (root / "package" / "code.py").write_text("x = 2\n"),
    "preset": lambda root, patch: (root / "package" / "presets" / "smoke.yml").write_text("images: 2\n"),
    "data": lambda root, patch: (root / "package" / "data.npz").write_bytes(b"new"),
    "records": lambda root, patch: (root / "results" / "reference" / "table1.json").write_text("[1]"),
    "generator": lambda root, patch: (root / "results" / "reference" / "gan.safetensors").write_bytes(b"new"),
    "images": lambda root, patch: np.savez(root / "mine.npz", images=np.ones((4, 16, 16, 3), np.uint8)),
    "inception": lambda root, patch: patch.setenv("GANFP_INCEPTION", str(root / "weights.pth")),
    "cache": lambda root, patch: (root / CACHE / "vgg16-397923af.pth").write_bytes(b"a trunk that torchvision left"),
    "perceptual": lambda root, patch: patch.setenv("GANFP_PERCEPTUAL", str(root / "weights.pth")),
    "notebooks": lambda root, patch: [path.open("a").write(" ") for path in (root / "notebooks").iterdir()],
    "libraries": lambda root, patch: patch.setattr(book, "_LIBRARIES", ("torch",)),
}


def test_whatever_changes_a_page_has_it_executed_again(executed, root, monkeypatch):
    for name, change in CHANGES.items():
        change(root, monkeypatch)
        assert executed() == 2, name
    assert executed() == 0


def test_a_replaced_weight_file_and_other_parameters_count_too(executed, root, monkeypatch):
    monkeypatch.setenv("GANFP_PERCEPTUAL", str(root / "weights.pth"))
    assert executed() == 2
    (root / "weights.pth").write_bytes(b"two")
    assert executed() == 2 and executed(seed=1) == 2 and executed(seed=1) == 0


def results(root):
    return sorted(str(p.relative_to(root / "results")) for p in (root / "results").rglob("*") if p.is_file())


def test_a_page_replaces_its_own_records_and_nothing_else(root):
    for name in ("s1_first", "sA_second"):
        write(root / "notebooks" / f"{name}.ipynb", f"{RECORD.format('old')}\n{RECORD.format('both')}")
    book.execute_book("smoke", root=root, jobs=1)
    (root / "results" / "smoke" / "notes.txt").write_text("a user's")
    (root / "results" / "smoke" / "s1_first" / "mine.json").write_text("a user's")
    write(root / "notebooks" / "s1_first.ipynb", f"{RECORD.format('both')}\n{RECORD.format('new')}\nprint(out)")
    ledger = book.execute_book("smoke", root=root, jobs=1)
    assert ledger["s1_first"]["records"] == ["both.json", "new.json"]
    first = ["s1_first/both.json", "s1_first/mine.json", "s1_first/new.json"]
    assert results(root) == [f"smoke/{x}" for x in ("notes.txt", *first, "sA_second/both.json", "sA_second/old.json")]
    assert ".part" not in (root / "executed" / "s1_first.ipynb").read_text()
    assert "results/smoke/s1_first" in (root / "executed" / "s1_first.ipynb").read_text()

    (root / "results" / "smoke" / "s1_first" / "new.json").unlink()  # and what is lost is made again
    book.execute_book("smoke", root=root, jobs=1)
    assert "smoke/s1_first/new.json" in results(root)


def test_a_page_that_fails_keeps_its_last_good_records(root):
    write(root / "notebooks" / "s1_first.ipynb", RECORD.format("good"))
    before = book.execute_book("smoke", root=root, jobs=1)
    copy = (root / "executed" / "s1_first.ipynb").read_text()
    write(root / "notebooks" / "s1_first.ipynb", f"{RECORD.format('good')}\n{RECORD.format('bad')}\n1 / 0")
    with pytest.raises(NotebookError, match="ZeroDivisionError"):
        book.execute_book("smoke", root=root, jobs=1)
    assert results(root) == ["smoke/s1_first/good.json"]
    assert (root / "executed" / "s1_first.ipynb").read_text() == copy
    assert json.loads((root / "executed" / "run.json").read_text())["s1_first"] == before["s1_first"]


def test_the_page_of_a_notebook_that_failed_says_so(root):
    write(root / "notebooks" / "s1_first.ipynb", "1")
    book.execute_book("smoke", root=root, jobs=1)
    write(root / "notebooks" / "s1_first.ipynb", "1 / 0")
    with pytest.raises(NotebookError):
        book.execute_book("smoke", root=root, jobs=1)
    sys.path.insert(0, str(book.ROOT / "book" / "_ext"))
    import executed_notebooks

    config = type("Config", (), {"executed_notebooks_dir": "executed"})
    app = type("App", (), {"srcdir": root, "config": config})
    shown = {}
    for name in ("s1_first", "sA_second"):
        source = [(root / "notebooks" / f"{name}.ipynb").read_text()]
        executed_notebooks.show_copy(app, f"notebooks/{name}", source)
        shown[name] = [str(cell["source"]) for cell in json.loads(source[0])["cells"]]
    assert "The last execution of this page" in shown["s1_first"][1] and "1 / 0" not in str(shown["s1_first"])
    assert "The last execution" not in str(shown["sA_second"])
    write(root / "notebooks" / "s1_first.ipynb", "2")
    book.execute_book("smoke", root=root, jobs=1)
    assert json.loads((root / "executed" / "failed.json").read_text()) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"s1_first": {}}', '{"s1_first": []}'])
def test_a_damaged_ledger_is_named(root, text):
    (root / "executed").mkdir()
    (root / "executed" / "run.json").write_text(text)
    with pytest.raises(ValueError, match="run.json is .*; delete it, and all pages are executed again"):
        book.execute_book("smoke", root=root, jobs=1)


def test_a_page_that_is_gone_leaves_the_ledger(root):
    assert list(book.execute_book("smoke", root=root, jobs=1)) == ["s1_first", "sA_second"]
    toc = {"root": "index", "parts": [{"chapters": [{"file": "notebooks/sA_second"}]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    (root / "notebooks" / "sA_second.ipynb").open("a").write(" ")
    assert list(book.execute_book("smoke", root=root, jobs=1)) == ["sA_second"]


def test_a_killed_book_leaves_no_process_and_its_lock_is_free(root):
    waits = "import os, time\nprint(os.getpid(), file=open('pid', 'w'), flush=True)\ntime.sleep(120)"
    write(root / "notebooks" / "s1_first.ipynb", waits)
    code = f"from ganfp import book\nif __name__ == '__main__': book.execute_book('smoke', root={str(root)!r}, jobs=2)"
    (root / "main.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(book.ROOT)}
    process = subprocess.Popen([sys.executable, root / "main.py"], env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: (root / "pid").exists() and (root / "pid").read_text().strip(), 60)
    finally:
        process.kill()
    process.wait()
    kernel = int((root / "pid").read_text())
    wait_for(lambda: gone(kernel), 20)
    write(root / "notebooks" / "s1_first.ipynb", "1")
    assert len(book.execute_book("smoke", root=root, jobs=1)) == 2


def test_pages_take_their_place_when_all_of_them_are_well(root, capfd):
    (root / "_config.yml").write_text("only_build_toc_files: true\nexclude_patterns: ['.*']\n")
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (root / "index.md").write_text("# One\n")
    (root / "_build" / ".render-killed").mkdir(parents=True)
    assert book.render(root) == 0
    page = root / "_build" / "html" / "index.html"
    assert "One" in page.read_text()
    (root / "_build" / ".render-killed").mkdir()  # killed between its last two moves
    page.parent.rename(root / "_build" / ".render-killed" / "former")
    (root / "index.md").write_text("# Two\n\n{doc}`gone`\n")
    assert book.render(root) != 0
    said = capfd.readouterr().err
    assert "gone" in said and "is left as it was" in said and "One" in page.read_text()
    (root / "index.md").write_text("# Three\n")
    assert book.render(root) == 0 and "Three" in page.read_text()
    assert [path.name for path in (root / "_build").iterdir()] == ["html"]


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z" if Path("/proc").exists() else False


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
    assert book.datasets_for(notebooks.find(name), asked) == given
