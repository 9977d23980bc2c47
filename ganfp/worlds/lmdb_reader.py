"""Read an LMDB in a process of its own: a damaged one may end whatever process reads it (SIGBUS, SIGSEGV).

Run as a program it answers on its standard output: first a JSON line of facts, then the keys, then the value of each
key that it is asked for.  Keys and values are preceded by their number of bytes; nothing is pickled.
"""

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, cast

LENGTH = struct.Struct("<Q")


class Reader:
    """An open LMDB: ``facts`` of it, its ``ends`` (first and last key and value), its first ``keys``, their values."""

    def __init__(self, database: Path, count: int | None) -> None:
        if find_spec("lmdb") is None:
            raise ImportError("reading LSUN's LMDB needs the package lmdb: pip install lmdb")
        command = [sys.executable, "-P", str(Path(__file__).resolve()), str(database), str(count)]
        pipes: Any = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.database, self._lock = database, Lock()
        self._process = cast(Any, subprocess.Popen(command, **pipes))
        self.facts = self._taken(lambda: json.loads(self._process.stdout.readline()))
        if "error" in self.facts:
            raise ValueError(f"{database} {self.facts['error']}")
        self.ends = [self._block() for _ in range(self.facts["ends"])]
        self.keys = [self._block() for _ in range(self.facts["keys"])]

    def value(self, key: bytes) -> bytes:
        """The value of one of the keys; any thread may ask."""
        with self._lock:
            return self._taken(lambda: self._ask(key))

    def close(self) -> None:
        """End the other process."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, key: bytes) -> bytes:
        self._process.stdin.write(LENGTH.pack(len(key)) + key)
        self._process.stdin.flush()
        return self._block()

    def _block(self) -> bytes:
        return self._taken(lambda: _read(self._process.stdout))

    def _taken(self, take):
        try:
            return take()
        except (EOFError, BrokenPipeError, json.JSONDecodeError) as error:
            problem = f"{self.database} is damaged: its reader ended with status {self._process.wait()}"
            raise ValueError(f"{problem}; copy or unpack it again") from error


@contextmanager
def opened(database: Path, count: int | None) -> Iterator[Reader]:
    """A :class:`Reader` of the first ``count`` entries, all without one; ``ValueError`` that names a damaged file."""
    reader = Reader(database, count)
    try:
        yield reader
    finally:
        reader.close()


def _read(stream) -> bytes:
    """A block as :func:`_write` wrote it; ``EOFError`` where the other side has ended."""
    head = stream.read(LENGTH.size)
    block = stream.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
    if len(head) < LENGTH.size or len(block) < LENGTH.unpack(head)[0]:
        raise EOFError
    return block


def _write(block: bytes) -> None:
    sys.stdout.buffer.write(LENGTH.pack(len(block)) + block)


def _answer(path: str, count: int | None) -> None:
    from itertools import islice

    import lmdb

    try:
        # for reading only: nothing is written beside it, so that it may lie on a read-only disk
        environment = lmdb.open(path, subdir=False, readonly=True, lock=False, readahead=False)
        information, pages, size = environment.info(), environment.stat(), Path(path).stat().st_size
        if size < (information["last_pgno"] + 1) * pages["psize"]:  # to read beyond its end would end the process
            return _say(error=f"is truncated: it has {size:,} bytes; copy or unpack it again")
        numbers = size, information["last_pgno"], information["last_txnid"], pages["entries"]
        reading = environment.begin()
        cursor = reading.cursor()
        ends = [part for move in (cursor.first, cursor.last) if move() for part in cursor.item()]
        keys = list(islice(cursor.iternext(values=False), count)) if cursor.first() else []
    except lmdb.Error as error:
        return _say(error=f"is no LMDB, or a damaged one; an archive must be unpacked ({error})")
    _say(numbers=numbers, ends=len(ends), keys=len(keys))
    for block in (*ends, *keys):
        _write(block)
    while True:
        sys.stdout.buffer.flush()
        _write(reading.get(_read(sys.stdin.buffer), b""))


def _say(**facts) -> None:
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        _answer(sys.argv[1], None if sys.argv[2] == "None" else int(sys.argv[2]))
    except (EOFError, BrokenPipeError):  # nobody asks any more
        sys.exit(0)
