"""What this process may use of its machine."""

import os

import torch

SIDE_BY_SIDE = 8
"""Processes that share a GPU.  On an H200 eight of them, under MPS, got through four times as many graphs of tiny
kernels as one; without MPS they take turns, and what the CPU does for one passes while the GPU works for another.
"""
CONTEXT = 2**29  # bytes of a GPU that a process takes before its first tensor


def cores() -> int:
    """Processor cores that this process may run on, which taskset or a scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def found(device: str) -> str:
    """The device itself; for ``auto`` a GPU if there is one, else the CPU."""
    return device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


def jobs(device: str, need: float = 0.0) -> int:
    """Artifacts to make at a time: on a CPU one a core; on a GPU as many as gain and fit, of ``need`` bytes each."""
    if torch.device(device).type != "cuda":
        return cores()
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(SIDE_BY_SIDE, cores(), int(0.9 * free // (CONTEXT + need))))


def memory() -> int:
    """Bytes of memory that the machine has; where the system does not say, more than any."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 62
