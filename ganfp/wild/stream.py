"""Many files, read by several threads and given in their order, however many there are, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganfp.machine import cores
from ganfp.wild.prepare import Preparation
from ganfp.worlds.reader import Notes, decode

BYTES = 1 << 23  # of squares that one thread reads at a time
MOST = 32  # files that it reads at a time


@dataclass(frozen=True)
class Item:
    """A file's squares, uint8 (n, 3, S, S), and what was done to it; or the reason why it is left out, and none."""

    path: Path
    squares: np.ndarray | None = None
    notes: Notes = ()
    reason: str = ""


def read(paths: Sequence[Path], preparation: Preparation, seen: Callable[[int], object] = int) -> Iterator[Item]:
    """The files, one after the other; none of them is an error.  ``seen`` is told how many more have been read."""

    def one(path: Path) -> Item:
        try:
            planes, notes = decode(path, path, preparation.check)
            squares = preparation.squares(planes)
        except ValueError as error:
            return Item(path, reason=str(error).removeprefix(f"{path} "))
        return Item(path, np.broadcast_to(squares, (len(squares), 3, *squares.shape[2:])), notes)

    return _in_order(paths, one, preparation, seen)


def _in_order(
    paths: Sequence[Path], one: Callable[[Path], Item], preparation: Preparation, seen: Callable[[int], object]
) -> Iterator[Item]:
    most = preparation.tiles if preparation.kind == "tiles" else 1
    step = min(MOST, max(1, BYTES // (3 * preparation.size**2 * most)))
    workers = min(8, cores())
    ahead: deque[Future[list[Item]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for start in range(0, len(paths), step):
                some = paths[start : start + step]
                ahead.append(pool.submit(lambda some=some: [one(path) for path in some]))
                if len(ahead) > 2 * workers:
                    done = ahead.popleft().result()
                    yield from done
                    seen(len(done))
            for future in ahead:
                yield from future.result()
                seen(len(future.result()))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
