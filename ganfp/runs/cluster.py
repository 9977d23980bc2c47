"""Past one machine: recipes handed to a running Dask cluster, or shared out among equal builds on one folder.

Both need nothing but a folder of artifacts that all machines see, by the same path, with locks that hold there: a local
disk, NFS 4, or Lustre mounted with ``flock``; not ``localflock``, and no folder that a cloud service synchronises.
"""

import logging
import os
import re
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import Store

SCHEDULER, SHARD = "GANFP_SCHEDULER", "GANFP_SHARD"  # in the environment, where every build finds them
GPU = "GPU"  # the resource of Dask's workers that what runs on a GPU asks for
SECONDS_TO_CONNECT = 30
LOSSES = 10  # workers that may die under one recipe before Dask gives it up


@dataclass(frozen=True)
class Shard:
    """One of several builds of the same recipes on one folder: the ``number``-th, from 1, of ``count``."""

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> "Shard":
        """From ``2/4``; ``ValueError`` for anything else."""
        match = re.fullmatch(r"([1-9][0-9]*)/([1-9][0-9]*)", text)
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f"shard must be a number of a count, such as 2/4, not {text!r}")
        return cls(int(match[1]), int(match[2]))

    def owns(self, recipe: Recipe) -> bool:
        """Whether the recipe is of this shard's share; the others' is made when that is done and nobody is at it."""
        return int(recipe.key, 16) % self.count == self.number - 1


def shard() -> Shard:
    """This process's shard, from the environment; the only one if it says nothing."""
    return Shard.read(os.environ.get(SHARD) or "1/1")


def executor() -> Executor | None:
    """The cluster that the environment names; None if it names none."""
    address = os.environ.get(SCHEDULER)
    return Cluster(address) if address else None


class Cluster(Executor):
    """A running Dask cluster, for :func:`ganfp.runs.building.build`.

    address: of its scheduler, ``tcp://HOST:PORT``.  Raises ``ImportError`` without Dask, ``ConnectionError`` if nobody
    answers, ``ValueError`` for workers of several threads: the networks' settings are those of a process.
    """

    def __init__(self, address: str) -> None:
        try:
            import dask
            from distributed import Client
        except ImportError as error:
            raise ImportError("a scheduler needs Dask: pip install 'ganfp[cluster]'") from error
        dask.config.set({"distributed.scheduler.allowed-failures": LOSSES})
        try:
            self.client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ConnectionError(f"no Dask scheduler answers at {address!r}; `ganfp cluster` starts one") from error
        if wide := [worker for worker, threads in self.client.nthreads().items() if threads != 1]:
            self.client.close()
            raise ValueError(f"{wide[0]} has several threads; start workers with --nthreads 1, and more of them")
        self._anywhere = self.client.get_executor(pure=False, retries=0)
        self._on_gpu = self.client.get_executor(pure=False, retries=0, resources={GPU: 1})

    def submit(self, make, recipe: Recipe, root: str, device: str) -> Future:  # type: ignore[override]
        """Have a worker make the recipe; one that dies is replaced by another, which goes on where it was."""
        wants_gpu = recipe.computes and torch.device(device).type == "cuda"
        pool = self._on_gpu if wants_gpu else self._anywhere
        Store(root).root.mkdir(parents=True, exist_ok=True)  # all workers must see it
        return pool.submit(_make, make, recipe, recipe.describe(), root, device)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on running; what it has not begun for this process is dropped."""
        for pool in (self._anywhere, self._on_gpu):
            pool.shutdown(wait=wait and not cancel_futures)
        self.client.close()


def _make(make, recipe: Recipe, description: dict, root: str, device: str) -> None:
    """On a worker: make the recipe where everybody finds it."""
    if not (store := Store(root).root).is_dir():
        raise FileNotFoundError(f"this worker does not see {store}; artifacts must be shared, by one path")
    if recipe.describe() != description:
        raise ValueError("this worker has another version of ganfp; start all workers from the same code")
    torch.set_num_threads(1)
    make(recipe, root, device)


@contextmanager
def local(workers: int, gpu: bool = False):
    """A cluster of processes on this machine, one thread each, all with a GPU or none; yields its address."""
    try:
        from distributed import LocalCluster
    except ImportError as error:
        raise ImportError("a cluster needs Dask: pip install 'ganfp[cluster]'") from error
    quiet = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    resources = {GPU: 1} if gpu else None
    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, resources=resources, **quiet) as cluster:
        yield cluster.scheduler_address
