"""Build recipes: whatever they need first, in parallel, each once, with progress and time left."""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
from tqdm import tqdm

from ganfp.machine import cores
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import Store

POLL_SECONDS = 0.5
SECONDS_BETWEEN_LINES = 30.0


def closure(recipes: Iterable[Recipe], done: Callable[[Recipe], bool] = lambda recipe: False) -> list[Recipe]:
    """The recipes and everything they need, each once, needs first; what is done is left out, and what it needs."""
    found: dict[str, Recipe] = {}

    def visit(recipe: Recipe) -> None:
        if recipe.key not in found and not done(recipe):
            for need in recipe.needs():
                visit(need)
            found[recipe.key] = recipe

    for recipe in recipes:
        visit(recipe)
    return list(found.values())


def missing(recipes: Iterable[Recipe], store: Store) -> list[Recipe]:
    """What has to be made so that ``recipes`` exist, needs first."""
    return closure(recipes, store.has)


def make(recipe: Recipe, root: str | os.PathLike, device: str = "cpu") -> Path:
    """Make one recipe whose needs are there, in this process; the folder of the artifact.

    The needs' checksums are verified first, so that no result rests on a damaged file.
    """
    store = Store(root)
    if store.has(recipe):
        return store.folder(recipe)
    for need in recipe.needs():
        store.verify(need)

    def work(folder: Path, progress) -> None:
        recipe.make(folder, store.folder, device, progress)

    notes = {
        "device": device,
        "hardware": hardware(device),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    return store.build(recipe, work, **notes)


def build(
    recipes: Iterable[Recipe],
    store: Store,
    *,
    device: str = "cpu",
    jobs: int | None = None,
    executor: Executor | None = None,
    quiet: bool = False,
    done: Callable[[Recipe], None] = lambda recipe: None,
    in_order: bool = False,
) -> float:
    """Make the recipes and what they need; returns the seconds it took.

    ``executor`` is anything with the interface of ``concurrent.futures`` whose workers see the store's folder: a
    Dask client's ``get_executor()`` on a cluster; by default ``jobs`` processes (all cores), one thread each,
    because as many trainings as cores beat one training on all cores; they end with this process, however it ends.  Longest work starts first, or, ``in_order``,
    what was asked for first.  ``done`` is called with each recipe when it is made.  If one recipe fails, those under
    way are stopped, what they had is kept for the next attempt, and the error is raised.
    """
    todo = missing(recipes, store)
    started = time.monotonic()
    if not todo:
        return 0.0
    own = executor is None
    context = multiprocessing.get_context("spawn")
    executor = executor or ProcessPoolExecutor(jobs or cores(), context, initializer=_begin_worker)
    running: dict[Future, Recipe] = {}
    try:
        with _Bar(todo, store, quiet) as bar, _single_threaded_libraries(), _main_unseen(todo):
            waiting = list(todo)
            while waiting or running:
                ready = [r for r in waiting if all(store.has(need) for need in r.needs())]
                waiting = [r for r in waiting if r not in ready]
                for recipe in ready if in_order else sorted(ready, key=lambda r: -r.cost()):
                    running[executor.submit(make, recipe, str(store.root), device)] = recipe
                ended, _ = wait(running, POLL_SECONDS, FIRST_COMPLETED)
                for future in ended:
                    recipe = running.pop(future)
                    try:
                        future.result()
                    except Exception as error:
                        error.add_note(f"while building {title(recipe)} in {store.folder(recipe)}")
                        raise
                    done(recipe)
                bar.update(running.values())
    except BaseException:
        for future in running:
            future.cancel()
        if own:
            for process in list((executor._processes or {}).values()):  # no public way to stop a running task
                process.terminate()
        raise
    finally:
        if own:
            executor.shutdown(cancel_futures=True)
    return time.monotonic() - started


class _Bar:
    """How much of the work is done, weighted by cost, what is under way, and how long it will take.

    One line that changes on a terminal; a new line now and then in a log file.
    """

    def __init__(self, todo: list[Recipe], store: Store, quiet: bool) -> None:
        self.todo, self.store, self.quiet = todo, store, quiet
        self.terminal = sys.stderr.isatty()
        self.logged = time.monotonic()
        layout = "{desc:<44.44} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
        total = sum(recipe.cost() for recipe in todo)
        self.bar = tqdm(total=total, bar_format=layout, disable=quiet or not self.terminal)
        self.total, self.done, self.started = total, 0.0, time.monotonic()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def update(self, running: Iterable[Recipe]) -> None:
        shares = {recipe.key: self.store.share(recipe) for recipe in self.todo}
        under_way = [recipe for recipe in running if 0 < shares[recipe.key] < 1]  # the others wait for a core
        names = ", ".join(map(title, under_way))
        self.done = sum(recipe.cost() * shares[recipe.key] for recipe in self.todo)
        if self.terminal:
            self.bar.set_description_str(names, refresh=False)
            self.bar.update(self.done - self.bar.n)
        elif not self.quiet and time.monotonic() - self.logged > SECONDS_BETWEEN_LINES:
            self.logged = time.monotonic()
            print(f"  {self._progress()}  {names}", file=sys.stderr, flush=True)

    def _progress(self) -> str:
        spent, share = time.monotonic() - self.started, self.done / self.total
        left = tqdm.format_interval(spent / share - spent) if share > 0.01 else "?"
        return f"{100 * share:3.0f} %  {tqdm.format_interval(spent)} spent, {left} left"


@contextmanager
def _single_threaded_libraries():
    """Let processes that start meanwhile give one thread to each library that asks the environment."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def title(recipe: Recipe) -> str:
    """A recipe in a word or two, for a line of progress."""
    name = getattr(recipe, "name", None) or getattr(recipe, "method", None)
    seeds = getattr(recipe, "seeds", None)
    parts = [
        recipe.kind,
        name,
        f"seed {seeds.init}" if seeds else None,
        "twin" if getattr(recipe, "replica", 0) else None,
    ]
    return " ".join(part for part in parts if part)


@contextmanager
def _main_unseen(todo: Iterable[Recipe]):
    """Let processes that start meanwhile not import the user's script, which may ask for this very work once more.

    Unless a recipe is defined there; then the script needs ``if __name__ == "__main__"``.
    """
    main = sys.modules["__main__"]
    hidden = [] if any(type(recipe).__module__ == "__main__" for recipe in todo) else ["__spec__", "__file__"]
    before = {name: getattr(main, name) for name in hidden if hasattr(main, name)}
    for name in before:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(main, name, value)


def _begin_worker() -> None:
    """Compute with one thread, and end when the process that asked for the work does."""
    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(process) -> None:
    process.join()
    os._exit(1)


@cache
def hardware(device: str = "cpu") -> str:
    """The machine that computes, in a few words."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {cores()} cores"
