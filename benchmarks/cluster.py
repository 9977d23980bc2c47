"""A Dask cluster and shards against one machine: what the scheduler costs, and what is lost when processes die.

    python -m benchmarks.cluster --kills 20

Fills a folder with GANs of profile smoke in processes of one machine, then again and again on a cluster of three
workers, and by two shards on one folder, each time with a worker or a shard killed at a random moment; a killed shard
is started again.  Compares the bytes, and counts what was begun more than once although nobody died at it.  Then hands
the cluster tasks of nothing, for its own time per task and the share of that in profile quick's build.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from ganfp.gans import training
from ganfp.runs import building, cluster, profiles
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import begin
from ganfp.runs.store import DONE, Store

EMPTY_TASKS = 300
SHARD = "import sys; from benchmarks.cluster import shard; shard(sys.argv[1])"


def wanted() -> list[Recipe]:
    run = begin("smoke", "faces")
    return [run.gan("progan", seed) for seed in range(1, 4)]


class Logged(Store):
    """A store that notes what is begun and what is ended, by whoever holds its lock."""

    def build(self, recipe: Recipe, work, **notes) -> Path:
        def noted(folder: Path, progress) -> None:
            with open(f"{self.root}.log", "a") as file:
                print("begun", recipe.key, file=file, flush=True)
                work(folder, progress)
                print("ended", recipe.key, file=file, flush=True)

        return super().build(recipe, noted, **notes)


def logged(recipe: Recipe, root: str, device: str = "cpu") -> Path:
    """On a worker: :func:`building.make` into such a store."""
    building.Store = Logged
    return building.make(recipe, root, device)


def contents(store: Store) -> dict[str, bytes]:
    """What is the same whenever it was made."""
    files = [path for folder in store.artifacts() for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(store.root)): p.read_bytes() for p in files if p.name not in (DONE, training.HISTORY)}


def wasted(store: Store) -> int:
    """How often something was begun again although it had been ended, or without a death in between to explain it."""
    lines = [line.split() for line in Path(f"{store.root}.log").read_text().splitlines()]
    begun, ended = (Counter(key for word, key in lines if word == which) for which in ("begun", "ended"))
    again = sum(begun[key] - 1 for key in begun)
    return sum(ended[key] - 1 for key in ended) + max(0, again - 1)  # one process died, of one thread


def shard(root: str) -> None:
    """Make this process's share, as `ganfp build --shard` does, in this process."""
    building.Store = Logged
    building.build(wanted(), Store(root), executor=Here(), quiet=True)


class Here(building.Executor):
    """Computes at once, here: then the death of the process is the death of what is under way."""

    def submit(self, call, *args):  # type: ignore[override]
        future: building.Future = building.Future()
        future.set_result(call(*args))
        return future


def by_shards(root: str, rng: random.Random, took: float) -> None:
    """Two shards, of which one is killed at a random moment and started again."""

    def start(number: int) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "-c", SHARD, root], env={**os.environ, cluster.SHARD: f"{number}/2"})

    shards = {number: start(number) for number in (1, 2)}
    victim = rng.choice([1, 2])
    while not Path(f"{root}.log").exists():  # the interpreter has started
        time.sleep(0.05)
    time.sleep(rng.uniform(0, took))
    shards[victim].kill()
    shards[victim].wait()
    shards[victim] = start(victim)
    if any(one.wait() for one in shards.values()):
        raise RuntimeError("a shard failed")


def by_cluster(root: str, rng: random.Random, took: float, client, workers: int) -> None:
    """A cluster that loses a worker at a random moment."""

    def kill(victim: int, moment: float) -> None:
        time.sleep(moment)
        os.kill(victim, signal.SIGKILL)

    client.wait_for_workers(workers)
    victims = list(client.run(os.getpid, on_error="ignore").values())
    killer = threading.Thread(target=kill, args=[rng.choice(victims), rng.uniform(0, took)])
    killer.start()
    building.build(wanted(), Store(root), quiet=True)
    killer.join()


def report(name: str, kills: int, scratch: str, serial: Store, fill) -> None:
    equal = unfinished = twice = 0
    for attempt in range(kills):
        store = Store(f"{scratch}/{name}-{attempt}")
        fill(str(store.root))
        equal += contents(store) == contents(serial)
        unfinished += len(list(store.root.glob("*/*.part")))
        twice += wasted(store)
        print(f"{name} {attempt + 1}: {equal} with the same bytes, {unfinished} unfinished, {twice} twice", flush=True)


def nothing(recipe: Recipe, root: str, device: str) -> None:
    """The task that measures the way to a worker and back."""


def overhead(scratch: str) -> None:
    """Seconds of the scheduler per task, and their share of profile quick's build."""
    from ganfp.paper import sections
    from ganfp.runs.run import begin_each

    recipe, pool = wanted()[0], cluster.executor()
    pool.submit(nothing, recipe, scratch, "cpu").result()
    started = time.monotonic()
    for future in [pool.submit(nothing, recipe, scratch, "cpu") for _ in range(EMPTY_TASKS)]:
        future.result()
    each = (time.monotonic() - started) / EMPTY_TASKS
    tasks = len(building.closure(sections.needs(begin_each("quick", "faces,bedrooms"))))
    seconds = profiles.load("quick").cost.seconds
    share = 100 * each * tasks / seconds
    print(f"scheduler {1e3 * each:.2f} ms per task, {tasks} tasks: {share:.2f} % of {seconds:g} s")


def main(workers: int, kills: int, seed: int) -> None:
    from distributed import Client

    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch, cluster.local(workers) as address:
        serial = Store(f"{scratch}/serial")
        building.build(wanted(), serial, quiet=True, jobs=1)
        took = sum(serial.info(recipe)["seconds"] for recipe in building.closure(wanted()))
        print(f"{len(serial.artifacts())} artifacts, one after the other {took:.1f} s", flush=True)
        report("shards", kills, scratch, serial, lambda root: by_shards(root, rng, took / 2))
        os.environ[cluster.SCHEDULER], building.make = address, logged
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers)
            overhead(scratch)
            report("cluster", kills, scratch, serial, lambda root: by_cluster(root, rng, took / 2, client, workers))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {"workers": 3, "kills": 20, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    main(**vars(parser.parse_args()))
