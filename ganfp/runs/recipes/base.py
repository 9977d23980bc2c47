"""What a recipe is, and how its artifact's arrays are read."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ganfp.runs import code

Progress = Callable[[float], None]
IMAGES, PREDICTIONS, FEATURES = "images.npy", "predictions.npy", "features.npy"
CURVE = "curve.npy"
POINTS, DISTANCES, NEIGHBOURS = "points.npy", "distances.npy", "neighbours.npy"
IN_MEMORY = 2**31  # bytes of images that are held at a time: at 32 px 699,000 of them, at 128 px 43,000
ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Recipe(ABC):
    """A frozen description of an artifact; subclasses say how to make it from the artifacts it needs."""

    kind: ClassVar[str]
    computes: ClassVar[bool] = True  # on the device that it is given

    @cached_property
    def key(self) -> str:
        """A digest of the description, and of those of all that it is made from."""
        text = json.dumps([self.describe(), [need.key for need in self.needs()]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def describe(self) -> dict:
        """Everything that the result depends on, as plain JSON values."""
        own = {"kind": self.kind, "code": code.digest(type(self), self.modules()), **_in_key(self)}
        return json.loads(json.dumps(own, default=lambda v: v.describe() if isinstance(v, Recipe) else _in_key(v)))

    def modules(self) -> tuple[str, ...]:
        """The modules that it has from a registry, see :mod:`ganfp.runs.code`: by default those of its recipes."""
        return tuple(module for recipe in Recipe.needs(self) for module in recipe.modules())

    def needs(self) -> list[Recipe]:
        """The recipes that this one is made from: by default those among its fields."""
        values = [getattr(self, f.name) for f in fields(self)]
        flat = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
        return [one for one in flat if isinstance(one, Recipe)]

    def cost(self) -> float:
        """A rough number of core-seconds, for the order of work and the time left."""
        return 1.0

    def memory(self) -> float:
        """A rough number of bytes that it takes of a GPU, to know how many share one."""
        return 0.0

    @abstractmethod
    def make(self, folder: Path, paths: Callable[[Recipe], Path], device: str, progress: Progress) -> None:
        """Fill ``folder``; ``paths`` gives the folder of each recipe in :meth:`needs`."""


def load_array(folder: Path, name: str) -> np.ndarray:
    """An array of an artifact as a read-only memory map; a damaged file raises ``ValueError`` that names it."""
    try:
        return np.load(folder / name, mmap_mode="r")
    except OSError:
        raise
    except Exception as error:  # what numpy's reader of headers meets: TokenError, SyntaxError, OverflowError, ...
        raise ValueError(f"{folder / name} is damaged ({error}); delete {folder} and build again") from error


def joined(arrays: Sequence[np.ndarray], scratch: Path) -> np.ndarray:
    """Arrays (n, ...) one after the other: in memory, or, beyond :data:`IN_MEMORY` bytes, in a file that nobody sees.

    scratch: a folder on a disk with room for that file, which is gone when the array is; if it is only read, as a lower
    store may be, the system's own folder for such files is taken.
    """
    if sum(array.nbytes for array in arrays) <= IN_MEMORY:
        return np.concatenate(arrays)
    shape = (sum(map(len, arrays)), *arrays[0].shape[1:])
    with tempfile.TemporaryFile(dir=scratch if os.access(scratch, os.W_OK) else None) as file:
        if hasattr(os, "posix_fallocate"):  # where the disk is full, an error now, and not the end of the process later
            os.posix_fallocate(file.fileno(), 0, sum(array.nbytes for array in arrays))
        whole = np.memmap(file, arrays[0].dtype, "w+", shape=shape)
    blocks = (array[i : i + ROWS_AT_A_TIME] for array in arrays for i in range(0, len(array), ROWS_AT_A_TIME))
    at = 0
    for block in blocks:
        whole[at : at + len(block)] = block
        at += len(block)
    return whole


def settings(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """A mapping as a frozen, sorted tuple of pairs."""
    return tuple(sorted(values.items()))


def _in_key(value) -> dict[str, Any]:
    """The fields of a dataclass that results depend on."""
    return {f.name: getattr(value, f.name) for f in fields(value) if f.metadata.get("key", True)}
