"""Processes that end when they should: with their parent, or between two steps."""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1  # of Linux's prctl.h


def end_with_parent() -> None:
    """Let this process, which multiprocessing started, end when its parent does, however that ends.

    A thread waits for it, on every system; on Linux the kernel also ends a process whose threads are all held up.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def wait() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def begin_worker(threads: int) -> None:
    """Start a worker of a pool: it, and whom it starts, compute with so many threads; it ends with its parent.

    This module imports nothing that takes long, so that the parent is watched before the worker imports what it needs.
    """
    end_with_parent()
    os.environ["OMP_NUM_THREADS"] = str(threads)  # before torch is imported, which reads it once
    quiet()


def quiet() -> None:
    """Let Pillow say nothing by itself: the reader has limits, and reasons, of its own."""
    warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def between_steps() -> Iterator[list[int]]:
    """Yield a list that takes the signals to end the process (SIGINT, SIGTERM); they count at the end of the block.

    So whoever looks at the list between two steps can save what there is.  A second Ctrl-C ends at once.  Only the main
    thread gets signals: in another one nothing changes.
    """
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if number == signal.SIGINT and number in asked:
            raise KeyboardInterrupt
        asked.append(number)

    main = threading.current_thread() is threading.main_thread()
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    former = {number: handler for number, handler in former.items() if handler not in (signal.SIG_IGN, None)}
    for number in former:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        if asked:
            signal.raise_signal(asked[-1])
