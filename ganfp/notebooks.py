"""One notebook: found by its name, asked for its parameters, executed by papermill."""

import difflib
import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import papermill
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError
from traitlets import default
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
_SHORT = re.compile(r"([a-z]+(?:\d+(?:_\d+)*|[A-Z]))_")  # s4_2 of s4_2_existence, sA of sA_..., lab1 of lab1_prnu
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# ipykernel warns of an unencrypted loopback connection; "auto" picks what both ends can speak.
_QUIET = Config({"KernelManager": {"transport_encryption": "auto"}})


class NotebookError(RuntimeError):
    """A notebook did not run to its end; the message shows the traceback's end and names the copy."""


class _ThisPython(AsyncKernelManager):
    """Start kernels of the running interpreter, whatever kernel Jupyter calls "python3" on this machine."""

    @default("kernel_spec_manager")
    def _only_the_native_kernel(self):
        return KernelSpecManager(kernel_dirs=[])


def by_name(root: Path = ROOT) -> dict[str, Path]:
    """Notebooks of the book by short name: ``{"s4_2": root/notebooks/s4_2_existence.ipynb, ...}``.

    ``FileNotFoundError`` outside a checkout.
    """
    folder = Path(root) / "notebooks"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: notebooks are executed in a checkout of the repository")
    paths = sorted(folder.glob("*.ipynb"))
    return {(m[1] if (m := _SHORT.match(p.stem)) else p.stem): p for p in paths}


def find(name: str, root: Path = ROOT) -> Path:
    """One notebook by short name (``s4_2``) or file name; ``ValueError`` lists the known names."""
    known = by_name(root)
    stem = Path(name).name.removesuffix(".ipynb")
    for short, path in known.items():
        if stem in (short, path.stem):
            return path
    raise ValueError(f"no notebook is called {name!r}; known: {', '.join(known) or 'none'}")


def known_parameters(path: Path) -> dict[str, dict]:
    """Parameters that a notebook declares: ``{name: {"inferred_type_name", "default", "help", ...}}``."""
    return papermill.inspect_notebook(str(path))


def check_parameters(path: Path, parameters: Mapping[str, object]) -> None:
    """``ValueError`` for a parameter that the notebook does not declare; papermill itself would only print a line."""
    known = known_parameters(path)
    for name in parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"{Path(path).name} has no parameter {name!r}{hint}; known: {', '.join(known) or 'none'}")


class Execution(NamedTuple):
    """What came of a notebook."""

    seconds: float
    records: list[str]  # names of the files that it left in ``out``


def execute(path: Path, output: Path, parameters: Mapping[str, object], cwd: Path = ROOT) -> Execution:
    """Execute one notebook into ``output``, and its records into the folder that its parameter ``out`` names, if any.

    Copy and records are written under hidden names and take their places at the end, so a run that fails never
    replaces good ones.  Raises ``ValueError`` for an unknown parameter and :class:`NotebookError` when a cell fails.
    """
    path, output, out = Path(path), Path(output), str(parameters.get("out", ""))
    check_parameters(path, parameters)
    output.parent.mkdir(parents=True, exist_ok=True)
    part, aside = output.with_name(f".{output.name}"), Path(out).with_name(f".{Path(out).name}.part") if out else None
    if aside:
        parameters = {**parameters, "out": str(aside)}
        shutil.rmtree(Path(cwd, aside), ignore_errors=True)  # what a killed run left
    start = time.monotonic()
    try:
        papermill.execute_notebook(
            str(path), str(part), parameters=dict(parameters), cwd=str(cwd), kernel_name="python3",
            kernel_manager_class=_ThisPython, config=_QUIET, progress_bar=False,
            shutdown_kernel="immediate",  # a kernel that is asked politely may log the interruption as an error
        )  # fmt: skip
        seconds = time.monotonic() - start
        records = _settle(Path(cwd, aside), Path(cwd, out)) if aside else []
    except PapermillExecutionError as error:
        lines = _ANSI.sub("", "\n".join(error.traceback)).splitlines()[-12:]
        what = f"cell [{error.exec_count}] raised {error.ename}: {error.evalue}"
        raise NotebookError(_failure(path, what, part, lines)) from None
    except RuntimeError as error:  # the kernel died or did not answer
        raise NotebookError(_failure(path, str(error), part)) from error
    finally:
        if aside:
            shutil.rmtree(Path(cwd, aside), ignore_errors=True)
    # The copy names the folder where the records are, not where they were made, and no folder of this machine.
    names = {str(aside): out} if aside else {}
    text = part.read_text("utf-8")
    for name, better in (names | {str(part): output.name, str(path): path.name}).items():
        text = text.replace(json.dumps(name)[1:-1], better)
    part.write_text(text, "utf-8")
    part.replace(output)
    return Execution(seconds, records)


def _settle(aside: Path, out: Path) -> list[str]:
    """Move files to where they belong; whatever else is there stays.  Their names."""
    files = sorted(aside.iterdir()) if aside.is_dir() else []
    out.mkdir(parents=True, exist_ok=True)
    return [file.replace(out / file.name).name for file in files]


def _failure(path: Path, what: str, part: Path, lines: list[str] | None = None) -> str:
    shown = "".join(f"\n    {line}" for line in lines or [])
    return f"{path.name}: {what}{shown}\n  executed as far as it came: {part}"
