"""A file that one process holds at a time, on every system, until it lets go or ends."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

POLL_SECONDS = 0.1


@contextmanager
def held(path: Path, busy: Callable[[], None]) -> Iterator[None]:
    """Hold a lock file, made if need be; its folder must be there.

    While another process holds it: ``busy`` is called once, to say so or to raise, and then it is waited for.
    ``OSError`` where the disk cannot lock, or where the file is a link.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    try:
        told = False
        while not _taken(handle, path):
            if not told:
                busy()
                told = True
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)  # which lets go, as the end of the process does


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file now."""
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        return not _taken(handle, path)
    finally:
        os.close(handle)


def _taken(handle: int, path: Path) -> bool:
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        remedy = "use a folder on a local disk; $GANFP_STORE names one for artifacts"
        raise OSError(f"{path} cannot be locked ({error}): {remedy}") from error
    return True
