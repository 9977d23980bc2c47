"""What a profile takes, found before anything is made: operations, hours, disk, memory, and the schedule of workers.

Hours follow from the rates in ``rates.yml``.  What networks do is a GPU's, where there is one, all else a core's.
Rates of cores were measured at 32 px: at more pixels, methods without a network take longer than is said here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ganfp.machine import SIDE_BY_SIDE, cores
from ganfp.runs import operations
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.room import disk


@dataclass(frozen=True)
class Line:
    """All artifacts of one kind: how many, operations, hours of a GPU and of a core, bytes on disk, most of a GPU."""

    kind: str
    count: int
    operations: float
    gpu_hours: float
    core_hours: float
    disk: float
    memory: float


@dataclass(frozen=True)
class Workers:
    """GPUs of a card, each shared by :data:`SIDE_BY_SIDE` processes, or, without a card, processes of one core."""

    count: int
    card: str | None = None

    @classmethod
    def read(cls, text: str) -> "Workers":
        """From ``8xH100`` or ``2xcore``; ``ValueError`` for anything else."""
        match, known = re.fullmatch(r"([1-9][0-9]*)x(\w+)", text), ["core", *rates()["cards"]]
        if not match or match[2] not in known:
            raise ValueError(f"workers must be a number of {', '.join(known)}, such as 8xH100, not {text!r}")
        return cls(int(match[1]), None if match[2] == "core" else match[2])

    @classmethod
    def here(cls, device: str, jobs: int | None = None) -> "Workers":
        """This machine's: cores, or ``jobs`` of them; for any GPU, one of the card that the rates are of."""
        return cls(1, rates()["card"]) if device.startswith("cuda") else cls(jobs or cores())

    def __str__(self) -> str:
        return f"{self.count} {self.card or 'core'}{'s' if self.count != 1 else ''}"

    @property
    def processes(self) -> int:
        return self.count * (SIDE_BY_SIDE if self.card else 1)


@dataclass(frozen=True)
class Schedule:
    """Hours until all is made, those of the longest chain of needs, and bytes that workers read and write."""

    hours: float
    chain: float
    network: float


@cache
def rates() -> dict[str, Any]:
    """What was measured, and on what."""
    return yaml.safe_load(Path(__file__).with_name("rates.yml").read_text("utf-8"))


def gpu_seconds(recipe: Recipe) -> float:
    """Of a whole GPU, as others keep it busy beside this."""
    return operations.work(recipe).operations / _speed()


def alone_seconds(recipe: Recipe) -> float:
    """On a GPU that does nothing else: it also waits for the starts of kernels."""
    return max(gpu_seconds(recipe), operations.work(recipe).steps * rates()["step"])


@cache
def _speed() -> float:
    return operations.measured(rates()["together"])


def core_seconds(recipe: Recipe) -> float:
    """On one core: those that every artifact of its kind takes, and those that grow with its cost."""
    known = rates()["costs"]
    each, rate = known.get(sort(recipe), known.get(recipe.kind, (0.0, 1.0)))
    return each + rate * recipe.cost()


def seconds(recipe: Recipe, device: str) -> float:
    """On a core, or, for what networks do, on a GPU if ``device`` is one."""
    on_gpu = device.startswith("cuda") and operations.work(recipe).operations
    return gpu_seconds(recipe) if on_gpu else core_seconds(recipe)


def sort(recipe: Recipe) -> str:
    """Kind and method of a recipe, as ``rates.yml`` calls them."""
    what = recipe
    while hasattr(what, "fit"):
        what = what.fit
    return f"{recipe.kind} {getattr(what, 'method', '')}".strip()


def plan(recipes: Iterable[Recipe]) -> list[Line]:
    """A line for each kind of artifact among the recipes, in the order in which they come."""
    kinds: dict[str, list[Recipe]] = {}
    for recipe in recipes:
        kinds.setdefault(recipe.kind, []).append(recipe)
    return [_line(kind, some) for kind, some in kinds.items()]


def _line(kind: str, some: list[Recipe]) -> Line:
    done = [operations.work(recipe).operations for recipe in some]
    cores = sum(core_seconds(recipe) for recipe, count in zip(some, done, strict=True) if not count)
    most = max(recipe.memory() for recipe in some)
    return Line(kind, len(some), sum(done), sum(done) / _speed() / 3600, cores / 3600, sum(map(disk, some)), most)


def schedule(recipes: list[Recipe], workers: Workers) -> Schedule:
    """What :func:`ganfp.runs.building.build` does with workers, by the rates; recipes: needs first.

    A process takes the next recipe whose needs are there, in the order in which they came to be so, longest first
    among those of one moment.  GPUs share their time among what runs on them; nothing is faster there than alone.
    """
    on_gpu = {r.key: gpu_seconds(r) for r in recipes if workers.card and operations.work(r).operations}
    alone = {r.key: rates()["task"] + (alone_seconds(r) if r.key in on_gpu else core_seconds(r)) for r in recipes}
    needs = {r.key: [need.key for need in r.needs() if need.key in alone] for r in recipes}
    chain: dict[str, float] = {}
    for key, some in needs.items():
        chain[key] = alone[key] + max((chain[need] for need in some), default=0.0)
    waiting, cost = set(alone), {r.key: r.cost() for r in recipes}
    queue, running, done, now = list[str](), dict[str, float](), set[str](), rates()["start"]
    while waiting or queue or running:
        ready = [key for key in alone if key in waiting and done.issuperset(needs[key])]
        waiting.difference_update(ready)
        queue += sorted(ready, key=lambda key: -cost[key])
        while queue and len(running) < workers.processes:
            key = queue.pop(0)
            running[key] = alone[key]
        share = sum(on_gpu[key] / max(alone[key], 1e-9) for key in running if key in on_gpu) / workers.count
        slowed = {key: max(1.0, share) if key in on_gpu else 1.0 for key in running}
        step = min(left * slowed[key] for key, left in running.items())
        left_of = {key: left - step / slowed[key] for key, left in running.items()}
        running = {key: left for key, left in left_of.items() if left > 1e-9}
        done |= left_of.keys() - running.keys()
        now += step
    moved = sum(disk(one) for r in recipes for one in (r, *r.needs()))
    return Schedule(now / 3600, max(chain.values(), default=0.0) / 3600, moved)
