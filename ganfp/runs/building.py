"""Build recipes: whatever they need first, in parallel, each once, with progress and time left."""

import io
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ganfp import machine
from ganfp.processes import begin_worker
from ganfp.runs import cluster, planning, room
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import Store

POLL_SECONDS = 0.5
SECONDS_BETWEEN_LINES = 30.0
CHANGING_LINE = "{desc:<44.44} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
LINE_OF_A_LOG = "  {percentage:3.0f} %  {elapsed} spent, {remaining} left  {desc}"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    versions = {"torch": torch.__version__, "python": platform.python_version()}

    def work(folder: Path, progress) -> None:
        recipe.make(folder, store.folder, device, progress)

    return store.build(recipe, work, device=device, hardware=hardware(device), **versions)


def build(
    recipes: Iterable[Recipe], store: Store, *, device: str = "cpu", jobs: int | None = None,
    executor: Executor | None = None, quiet: bool = False, in_order: bool = False,
    done: Callable[[Recipe], None] = lambda recipe: None,
) -> float:  # fmt: skip
    """Make the recipes and what they need; returns the seconds it took.

    ``executor`` is anything with the interface of ``concurrent.futures`` whose workers see the store's folder; by
    default the Dask cluster that the environment names, or ``jobs`` processes, one thread each, because as many
    trainings as cores beat one training on all cores, or as many as a GPU has room for (``ganfp.machine``); they end
    with this process, however it ends.  Longest work starts first, or, ``in_order``, what was asked for first.
    ``done`` is called with each recipe when it is made.
    If one recipe fails, those under way are stopped, what they had is kept for the next attempt, and the error is
    raised.  ``ValueError``, before anything is begun, where disk or GPU is too small for it.  One of several builds on
    the folder (:class:`cluster.Shard`) makes its share, then what nobody is at.
    """
    todo, started = missing(recipes, store), time.monotonic()
    if not todo:
        return 0.0
    elsewhere = executor or os.environ.get(cluster.SCHEDULER)  # so are the GPUs then
    room.check(todo, store.root, "cpu" if elsewhere else device)
    executor, shard = executor or cluster.executor(), cluster.shard()
    jobs = jobs or machine.jobs(device, max(recipe.memory() for recipe in todo))
    context = multiprocessing.get_context("spawn")
    pool = executor or ProcessPoolExecutor(jobs, context, initializer=begin_worker, initargs=(1,))
    # Processes that start meanwhile give one thread to each library that asks the environment, and do not import the
    # user's script, which may ask for this very work once more; unless a recipe is defined there: then the script
    # needs `if __name__ == "__main__"`.
    hidden = () if any(type(recipe).__module__ == "__main__" for recipe in todo) else ("__spec__", "__file__")
    environment = _changed(os.environ, dict.fromkeys(THREADS, "1"))
    main = _changed(vars(sys.modules["__main__"]), dict.fromkeys(hidden))
    running: dict[Future, Recipe] = {}
    try:
        with _bar({r: planning.seconds(r, device) for r in todo}, store, quiet) as show, environment, main:
            waiting = list(todo)
            while waiting or running:
                waiting = [r for r in waiting if not store.has(r)]  # another build may have made it
                ready = [r for r in waiting if all(store.has(need) for need in r.needs())]
                own = [r for r in ready if shard.owns(r)]
                idle = jobs - len(running)
                ready = own or [r for r in ready if not store.busy(r)][: max(0, idle)]
                taken = {r.key for r in ready}
                waiting = [r for r in waiting if r.key not in taken]
                if not ready and not running:
                    time.sleep(POLL_SECONDS)
                for recipe in ready if in_order else sorted(ready, key=lambda r: -r.cost()):
                    running[pool.submit(make, recipe, store.name, device)] = recipe
                for future in wait(running, POLL_SECONDS, FIRST_COMPLETED).done:
                    recipe = running.pop(future)
                    try:
                        future.result()
                    except Exception as error:
                        error.add_note(f"while building {title(recipe)} in {store.folder(recipe)}")
                        raise
                    done(recipe)
                show(running.values())
    except BaseException:
        for future in running:
            future.cancel()
        if executor is None:
            for process in list((pool._processes or {}).values()):  # no public way to stop a running task
                process.terminate()
        raise
    finally:
        if executor is None:
            pool.shutdown(cancel_futures=True)
    return time.monotonic() - started


@contextmanager
def _bar(seconds: dict[Recipe, float], store: Store, quiet: bool):
    """Yield a function that shows what is under way, how much of the seconds is done, and how long the rest will take.

    One line that changes on a terminal; a new line now and then in a log file.  Below 1 % nobody knows how long.
    """
    terminal, logged = sys.stderr.isatty(), time.monotonic()
    form, file = (CHANGING_LINE, sys.stderr) if terminal else (LINE_OF_A_LOG, io.StringIO())
    total = sum(seconds.values())
    with tqdm(total=total, bar_format=form, file=file, smoothing=0, disable=quiet) as bar:

        def show(running: Iterable[Recipe]) -> None:
            nonlocal logged
            shares = {recipe.key: store.share(recipe) for recipe in seconds}
            under_way = [recipe for recipe in running if 0 < shares[recipe.key] < 1]  # the others wait for a core
            bar.set_description_str(", ".join(map(title, under_way)), refresh=False)
            done = sum(each * shares[recipe.key] for recipe, each in seconds.items())
            bar.update((done if done > 0.01 * total else 0) - bar.n)
            if not (terminal or quiet) and time.monotonic() - logged > SECONDS_BETWEEN_LINES:
                logged = time.monotonic()
                print(bar, file=sys.stderr, flush=True)

        yield show


@contextmanager
def _changed(mapping: MutableMapping[str, Any], values: dict[str, Any]):
    """Values of a mapping for as long as the context lasts."""
    before = {key: mapping[key] for key in values if key in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        mapping.update(before)
        for key in values.keys() - before.keys():
            del mapping[key]


def title(recipe: Recipe) -> str:
    """A recipe in a word or two, for a line of progress."""
    what = recipe
    while hasattr(what, "fit"):
        what = what.fit
    name = getattr(what, "name", None) or getattr(what, "method", None)
    seed = f"seed {recipe.seeds.init}" if hasattr(recipe, "seeds") else None
    twin = "twin" if getattr(recipe, "replica", 0) else None
    return " ".join(part for part in (recipe.kind, name, seed, twin) if part)


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
    return f"{model}, {machine.cores()} cores"
