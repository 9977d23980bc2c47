"""From clean notebooks to a rendered book: papermill executes them, Jupyter Book renders what they showed.

The notebooks under ``notebooks/`` carry no outputs.  Executed copies go to ``executed/`` beside a ledger,
``executed/run.json``, that says what each was made from; a notebook of which nothing changed is not executed
again.  A Sphinx extension, ``book/_ext/executed_notebooks.py``, shows the copies in the originals' place.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import metadata
from pathlib import Path

import papermill
import yaml
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError
from traitlets import default
from traitlets.config import Config

from ganfp import machine, worlds

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent

_SHORT = re.compile(r"([a-z](?:\d+(?:_\d+)*|[A-Z]))_")  # s4_2 of s4_2_existence, sA of sA_frechet_ratio
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LIBRARIES = ("torch", "numpy", "scikit-learn", "matplotlib")
# ipykernel warns of an unencrypted loopback connection; "auto" picks what both ends can speak.
_QUIET = Config({"KernelManager": {"transport_encryption": "auto"}})


class NotebookError(RuntimeError):
    """A notebook did not run to its end; the message shows the traceback's end and names the copy."""


class _ThisPython(AsyncKernelManager):
    """Start kernels of the running interpreter, whatever kernel Jupyter calls "python3" on this machine."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self):
        return KernelSpecManager(kernel_dirs=[])


def notebooks(root: Path = ROOT) -> dict[str, Path]:
    """Notebooks of the book by short name: ``{"s4_2": root/notebooks/s4_2_existence.ipynb, ...}``."""
    paths = sorted((Path(root) / "notebooks").glob("*.ipynb"))
    return {(m[1] if (m := _SHORT.match(p.stem)) else p.stem): p for p in paths}


def notebook(name: str, root: Path = ROOT) -> Path:
    """Path of one notebook, by short name (``s4_2``) or by file name with or without its ending.

    Raises ``ValueError`` that lists the known names.
    """
    known = notebooks(root)
    stem = Path(name).name.removesuffix(".ipynb")
    for short, path in known.items():
        if stem in (short, path.stem):
            return path
    raise ValueError(f"no notebook is called {name!r}; known: {', '.join(known) or 'none'}")


def book_notebooks(root: Path = ROOT) -> list[Path]:
    """The notebooks that ``_toc.yml`` names, in its order."""
    toc = yaml.safe_load((Path(root) / "_toc.yml").read_text("utf-8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [Path(root) / f"{f}.ipynb" for f in files if f.startswith("notebooks/")]


def known_parameters(path: Path) -> dict[str, dict]:
    """Parameters that a notebook declares: ``{name: {"inferred_type_name", "default", "help", ...}}``."""
    return papermill.inspect_notebook(str(path))


def check_parameters(path: Path, parameters: Mapping[str, object]) -> None:
    """Refuse parameters that the notebook does not declare; papermill itself would only print a line.

    Raises ``ValueError`` that names the parameter, the nearest known one, and all known ones.
    """
    known = known_parameters(path)
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"{Path(path).name} has no parameter {name!r}{hint}; known: {', '.join(known) or 'none'}")


def datasets_for(path: Path, asked: str) -> str:
    """Which of the data sets of a book a notebook is executed with.

    Those of its own default that were asked for; if none was, as many of those asked for as its default has, so that
    a page about one world shows a user's images when the book is made of those.
    """
    own = worlds.names(known_parameters(path)["dataset"]["default"].strip("\"'"))
    asked = worlds.names(asked)
    return ",".join([name for name in own if name in asked] or asked[: len(own)])


def execute(path: Path, output: Path, parameters: Mapping[str, object], cwd: Path = ROOT) -> float:
    """Execute one notebook into ``output`` and return the seconds it took.

    The copy is written under a hidden name and renamed at the end, so a run that fails never replaces a good
    copy.  Raises ``ValueError`` for an unknown parameter and :class:`NotebookError` when a cell fails.
    """
    path, output = Path(path), Path(output)
    check_parameters(path, parameters)
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_name(f".{output.name}")
    start = time.monotonic()
    try:
        papermill.execute_notebook(
            str(path),
            str(part),
            parameters=dict(parameters),
            cwd=str(cwd),
            kernel_name="python3",
            kernel_manager_class=_ThisPython,
            config=_QUIET,
            progress_bar=False,
            shutdown_kernel="immediate",  # a kernel that is asked politely may log the interruption as an error
        )
    except PapermillExecutionError as error:
        lines = _ANSI.sub("", "\n".join(error.traceback)).splitlines()[-12:]
        what = f"cell [{error.exec_count}] raised {error.ename}: {error.evalue}"
        raise NotebookError(_failure(path, what, part, lines)) from None
    except RuntimeError as error:  # the kernel died or did not answer
        raise NotebookError(_failure(path, str(error), part)) from error
    part.replace(output)
    return time.monotonic() - start


def _failure(path: Path, what: str, part: Path, lines: list[str] | None = None) -> str:
    shown = "".join(f"\n    {line}" for line in lines or [])
    return f"{path.name}: {what}{shown}\n  executed as far as it came: {part}"


def digest(path: Path, parameters: Mapping[str, object]) -> str:
    """SHA-256 of all that an executed notebook depends on.

    Its source, its parameters, a user's own images, the code and presets of this package, the Python version and
    the libraries'.
    """
    result = hashlib.sha256(Path(path).read_bytes())
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    images = [worlds.digest(name) for name in worlds.names(str(parameters.get("dataset", "faces")))]
    result.update(json.dumps([dict(parameters), images, versions, sys.version], sort_keys=True).encode())
    for source in sorted(p for end in ("py", "yml") for p in PACKAGE.rglob(f"*.{end}")):
        result.update(f"\0{source.relative_to(PACKAGE).as_posix()}\0".encode())
        result.update(source.read_bytes())
    return result.hexdigest()


def execute_book(
    profile: str,
    dataset: str = "faces,bedrooms",
    seed: int = 0,
    device: str = "cpu",
    root: Path = ROOT,
    *,
    force: bool = False,
    jobs: int | None = None,
) -> dict[str, dict]:
    """Execute the notebooks of the book into ``root/executed``; return the ledger, a record per notebook.

    Each notebook gets those of the data sets that it is about: see :func:`datasets_for`.  A notebook of which nothing
    changed is left alone unless ``force``.  ``jobs`` notebooks run at a time
    (default: as many as cores, at most 4), each with its share of the cores as threads.  Notebooks write
    their records to ``root/results/<profile>``.  All of them are tried; when some failed, their earlier
    copies stay and :class:`NotebookError` is raised at the end.
    """
    from ganfp.files import write_json  # imports torch, which a process that only runs a kernel does without

    root = Path(root)
    out = f"results/{profile}"
    shared = dict(profile=profile, seed=seed, device=device, out=out)
    cores = machine.cores()
    jobs = jobs or min(cores, 4)
    paths = book_notebooks(root)
    parameters = {p: {**shared, "dataset": datasets_for(p, dataset)} for p in paths}
    ledger = _read_ledger(root, keep={p.stem for p in paths})
    digests = {p: digest(p, parameters[p]) for p in paths}

    def unchanged(path: Path) -> bool:
        same = ledger.get(path.stem, {}).get("digest") == digests[path]
        return same and (root / "executed" / path.name).exists() and (root / out).exists()

    todo = []
    for path in paths:
        if unchanged(path) and not force:
            print(f"  {path.stem:<28} unchanged", flush=True)
        else:
            check_parameters(path, parameters[path])
            todo.append(path)

    failures = []
    with ProcessPoolExecutor(
        max_workers=min(jobs, len(todo)) or 1,
        mp_context=multiprocessing.get_context("spawn"),  # a fork of a process with torch's threads may hang
        initializer=_use_threads,
        initargs=(max(1, cores // jobs),),
    ) as pool:
        copies = {p: root / "executed" / p.name for p in todo}
        running = {pool.submit(execute, p, copies[p], parameters[p], root): p for p in todo}
        for done in as_completed(running):
            path = running[done]
            try:
                seconds = done.result()
            except NotebookError as error:
                failures.append(str(error))
                print(f"  {path.stem:<28} FAILED", flush=True)
                continue
            ledger[path.stem] = {
                "digest": digests[path],
                "seconds": round(seconds, 1),
                "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "parameters": parameters[path],
            }
            in_order = {p.stem: ledger[p.stem] for p in paths if p.stem in ledger}
            write_json(root / "executed" / "run.json", in_order)
            print(f"  {path.stem:<28} {seconds:6.1f} s", flush=True)
    if failures:
        raise NotebookError("\n".join(failures))
    return _read_ledger(root)


def _use_threads(count: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(count)  # kernels inherit it


def _read_ledger(root: Path, keep: set[str] | None = None) -> dict[str, dict]:
    path = root / "executed" / "run.json"
    ledger = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: record for name, record in ledger.items() if keep is None or name in keep}


def render(root: Path = ROOT) -> int:
    """Render ``root/_build/html`` from the executed notebooks; return Jupyter Book's exit status, 0 if well.

    Every warning of Sphinx is an error, dangling references included.
    """
    root = Path(root).resolve()
    # A number glued by a notebook that is gone would outlive it in an incremental build.
    for name in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(root / "_build" / name, ignore_errors=True)
    script = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    if script is None:
        raise FileNotFoundError(f"no jupyter-book beside {sys.executable}; run: pip install -e '.[book]'")
    command = [script, "build", str(root), "-W", "-n", "--keep-going", "-q"]
    status = subprocess.call(command, stdout=subprocess.DEVNULL)  # warnings and errors go to stderr
    page = root / "_build" / "html" / "index.html"
    if page.exists():
        print(f"the book: {page.as_uri()}", flush=True)
    return status
