"""From clean notebooks to a rendered book: papermill executes them, Jupyter Book renders what they showed.

The notebooks under ``notebooks/`` carry no outputs.  Executed copies go to ``executed/`` beside a ledger, ``run.json``,
that says what each was made from and which records it left; one of which nothing changed is not executed again.  A
Sphinx extension, ``book/_ext/executed_notebooks.py``, shows the copies in the originals' place.  Which pages there are
is said by ``_toc.yml`` alone, and what a page needs by its own parameters.
"""

import datetime
import gc
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import yaml

from ganfp import worlds
from ganfp.locks import held
from ganfp.machine import cores
from ganfp.notebooks import ROOT, NotebookError, check_parameters, execute, known_parameters
from ganfp.processes import begin_worker, end_with_parent

PACKAGE = Path(__file__).resolve().parent
_LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "PyWavelets", "pillow", "pandas", "matplotlib", "seaborn")


def book_notebooks(root: Path = ROOT) -> list[Path]:
    """The notebooks that ``_toc.yml`` names, in its order; ``FileNotFoundError`` outside a checkout."""
    contents = Path(root) / "_toc.yml"
    if not contents.is_file():
        raise FileNotFoundError(f"{contents} is missing: a book is made in a checkout, after pip install -e '.[book]'")
    toc = yaml.safe_load(contents.read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [Path(root) / f"{f}.ipynb" for f in files if f.startswith("notebooks/")]


def datasets_for(path: Path, asked: str) -> str:
    """Which of the data sets of a book a notebook is executed with: those of its own default that were asked for.

    If none was, as many of those asked for as its default has: a page about one world shows a user's images.
    """
    own = worlds.names(known_parameters(path)["dataset"]["default"].strip("\"'"))
    asked = worlds.names(asked)
    return ",".join([name for name in own if name in asked] or asked[: len(own)])


def digest(path: Path, parameters: Mapping[str, object], inputs: Mapping[str, list[str]], shared: str) -> str:
    """SHA-256 of a notebook's source, its parameters, the ``inputs`` of its data sets, and what all pages share."""
    used = [inputs[name] for name in worlds.names(str(parameters["dataset"]))]
    text = json.dumps([dict(parameters), used, shared], sort_keys=True)
    return hashlib.sha256(Path(path).read_bytes() + text.encode()).hexdigest()


def shared_digest(root: Path = ROOT) -> str:
    """SHA-256 of what all pages depend on: code, presets, libraries, Python, the reference run and its generators."""
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    result = hashlib.sha256(json.dumps([versions, sys.version, os.environ.get("GANFP_ALL")], sort_keys=True).encode())
    for folder in (PACKAGE, Path(root) / "results" / "reference"):
        for file in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            result.update(f"\0{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes())
    return result.hexdigest()


def execute_book(
    profile: str, dataset: str = "faces,bedrooms", seed: int = 0, device: str = "cpu", root: Path = ROOT, *,
    force: bool = False, jobs: int | None = None,
) -> dict[str, dict]:  # fmt: skip
    """Execute the notebooks of the book into ``root/executed``; return the ledger, a record per notebook.

    Each gets those of the data sets that it is about (:func:`datasets_for`) and a folder for its records,
    ``root/results/PROFILE/NOTEBOOK``.  One of which nothing changed is left alone unless ``force``.  ``jobs`` run at a
    time (default: as many as cores, at most 4), each with its share of the cores as threads.  All are tried; of those
    that fail earlier copies and records stay, ``executed/failed.json`` says when, so that their pages can, and
    :class:`NotebookError` is raised at the end.
    """
    from ganfp.files import write_json  # imports torch, which a process that only runs a kernel does without
    from ganfp.paper.record import commit
    from ganfp.runs.run import begin_each

    root, dataset = Path(root), worlds.absolute(dataset)  # notebooks are executed in the root
    jobs = jobs or min(cores(), 4)
    runs = begin_each(profile, dataset, seed=seed, device=device)
    # keys of recipes, which hold the digests of a user's images and of the weight files that stand in for the paper's
    inputs = {run.source: [run.images.key, run.extractor.key, run.perceptual.key] for run in runs}
    common = dict(profile=profile, seed=seed, device=device)
    parameters = {
        path: common | dict(dataset=datasets_for(path, dataset), out=f"results/{profile}/{path.stem}")
        for path in book_notebooks(root)
    }
    shared = shared_digest(root)
    digests = {path: digest(path, given, inputs, shared) for path, given in parameters.items()}
    with _alone(root):
        known = _read_ledger(root)
        ledger = {path.stem: known[path.stem] for path in parameters if path.stem in known}

        def unchanged(path: Path) -> bool:
            page, out = ledger.get(path.stem, {}), root / parameters[path]["out"]
            files = [root / "executed" / path.name, *(out / name for name in page.get("records", ()))]
            return page.get("digest") == digests[path] and all(map(Path.exists, files))

        todo = [path for path in parameters if force or not unchanged(path)]
        for path in parameters:
            if path in todo:
                check_parameters(path, parameters[path])
            else:
                print(f"  {path.stem:<28} unchanged", flush=True)
        failures, failed = [], {}
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
        threads = max(1, cores() // jobs)
        with ProcessPoolExecutor(min(jobs, len(todo)) or 1, spawn, begin_worker, (threads,)) as pool:
            running = {pool.submit(execute, p, root / "executed" / p.name, parameters[p], root): p for p in todo}
            for done in as_completed(running):
                path, date = running[done], datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
                try:
                    seconds, records = done.result()
                except NotebookError as error:
                    failures.append(str(error))
                    failed[path.stem] = date
                    print(f"  {path.stem:<28} FAILED", flush=True)
                    continue
                page = dict(digest=digests[path], seconds=round(seconds, 1), date=date)
                page |= dict(parameters=parameters[path], records=records, commit=commit())
                _drop_records(root, ledger.get(path.stem), page)
                ledger[path.stem] = page
                in_order = {p.stem: ledger[p.stem] for p in parameters if p.stem in ledger}
                write_json(root / "executed" / "run.json", in_order)
                print(f"  {path.stem:<28} {seconds:6.1f} s", flush=True)
        write_json(root / "executed" / "failed.json", failed)
    if failures:
        raise NotebookError("\n".join(failures))
    return _read_ledger(root)


def _drop_records(root: Path, old: dict | None, new: dict) -> None:
    """Remove the records that a page left when it was last executed and no longer makes, and nothing else."""
    if old and old["parameters"]["out"] == new["parameters"]["out"]:
        for name in {Path(name).name for name in old.get("records", ())} - set(new["records"]):
            (root / new["parameters"]["out"] / name).unlink(missing_ok=True)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the book's lock: two commands that write the same pages go one after the other."""
    from ganfp.files import sweep

    (root / "executed").mkdir(exist_ok=True)
    waiting = f"waiting for another command that works on {root / 'executed'}"
    with held(root / "executed" / ".lock", lambda: print(waiting, flush=True)):
        sweep(root / "executed")
        yield


def _read_ledger(root: Path) -> dict[str, dict]:
    """What each executed notebook was made from; ``ValueError`` that names a damaged file."""
    from ganfp.files import read_json

    path = root / "executed" / "run.json"
    pages = read_json(path, "delete it, and all pages are executed again") if path.exists() else {}
    entries = {"digest": str, "seconds": int | float, "date": str, "parameters": dict, "records": list}
    for name, page in pages.items():
        whole = isinstance(page, dict) and all(isinstance(page.get(key), kind) for key, kind in entries.items())
        if not whole or "out" not in page["parameters"]:
            raise ValueError(f"{path} is damaged at {name!r:.40}; delete it, and all pages are executed again")
    return pages


def render(root: Path = ROOT) -> int:
    """Render ``root/_build/html`` from the executed notebooks; return 0 if well, 1 if not.

    Every warning of Sphinx is an error, dangling references included.  Pages are made aside, from nothing (a number
    glued by a notebook that is gone would outlive it otherwise), and take their place when all of them are well.
    """
    root = Path(root).resolve()
    if find_spec("jupyter_book") is None:
        raise FileNotFoundError(f"no jupyter-book beside {sys.executable}; run: pip install -e '.[book]'")
    build, html = root / "_build", root / "_build" / "html"
    build.mkdir(exist_ok=True)
    beside = dict(prefix=".render-", dir=build, ignore_cleanup_errors=True)
    with _alone(root), tempfile.TemporaryDirectory(**beside) as aside:
        for left in set(build.glob(".render-*")) - {Path(aside)}:  # of killed processes
            if (left / "former").exists() and not html.exists():
                (left / "former").replace(html)
            shutil.rmtree(left, ignore_errors=True)
        command = ["build", str(root), "--path-output", aside, "-W", "-n", "--keep-going", "-q"]
        sphinx = multiprocessing.get_context("spawn").Process(target=_jupyter_book, args=(command,))
        sphinx.start()
        sphinx.join()
        if sphinx.exitcode:
            print(f"{html} is left as it was", file=sys.stderr)
            return 1
        if html.exists():
            html.replace(Path(aside, "former"))
        Path(aside, "_build", "html").replace(html)
    print(f"the book: {(html / 'index.html').as_uri()}", flush=True)
    return 0


def _jupyter_book(arguments: list[str]) -> None:
    """Jupyter Book's command, silent but for warnings and errors, in a process that ends with its parent."""
    end_with_parent()
    gc.disable()  # documents are trees of cycles that are used to the end: looking for waste takes a third of the time
    from jupyter_book.cli.main import main

    with open(os.devnull, "w") as sys.stdout:
        main(arguments)
