"""What this process may use of its machine."""

import os


def cores() -> int:
    """Processor cores that this process may run on, which taskset or a scheduler may have made fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
