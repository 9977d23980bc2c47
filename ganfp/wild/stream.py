"""Many files, read by several threads and given in their order, however many there are, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from ganfp.machine import cores
from ganfp.wild.prepare import Preparation
from ganfp.worlds import reader
from ganfp.worlds.reader import Notes

BYTES = 1 << 23  # of squares that one thread works on at a time
MOST = 256  # files that it works on at a time
Report = Callable[[float], object]  # is told the share of the work that is done, 0 to 1
Result = TypeVar("Result")


@dataclass(frozen=True)
class Item:
    """A file's squares, uint8 (n, 3, S, S), and what was done to it; or the reason why it is left out, and none."""

    path: Path
    squares: np.ndarray | None = None
    notes: Notes = ()
    reason: str = ""


def read(paths: Sequence[Path], preparation: Preparation) -> list[Item]:
    """Files one after the other; none of them is an error."""
    items = []
    for path in paths:
        try:
            image, notes = reader.read(path, path, preparation.check)
            items.append(Item(path, preparation.squares(image), notes))
        except ValueError as error:
            items.append(Item(path, reason=str(error).removeprefix(f"{path} ")))
    return items


def each(
    paths: Sequence[Path], preparation: Preparation, work: Callable[[list[Item]], Result], report: Report = float
) -> Iterator[Result]:
    """Read files and work on them, a few at a time, in threads of one core each; results in the files' order."""
    most = preparation.tiles if preparation.kind == "tiles" else 1
    step, workers = min(MOST, max(1, BYTES // (3 * preparation.size**2 * most))), min(8, cores())
    step = max(1, min(step, len(paths) // (2 * workers)))
    chunks = [paths[start : start + step] for start in range(0, len(paths), step)]
    ahead: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            for done in range(len(chunks)):
                while len(ahead) <= 2 * workers and done + len(ahead) < len(chunks):
                    some = chunks[done + len(ahead)]
                    ahead.append(pool.submit(lambda some=some: work(read(some, preparation))))
                yield ahead.popleft().result()
                report((done + 1) / len(chunks))
        finally:
            pool.shutdown(cancel_futures=True)
