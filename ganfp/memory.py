"""Memory that the C library keeps for the next step instead of returning it to the kernel after each."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT = 1 << 30  # free bytes at the end of the heap from which it is cut
LARGEST = 1 << 25  # bytes of a block that still comes from the heap; the most that every glibc accepts


def keep() -> None:
    """Let tensors reuse the pages of freed ones, where the C library is glibc; elsewhere nothing happens.

    By default each step's large tensors come from the kernel, which took up to a tenth of the time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, KEPT)
