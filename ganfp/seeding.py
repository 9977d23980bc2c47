"""Randomness that is a function of seeds alone, and arithmetic that repeats itself."""

from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch


def mix(*integers: int) -> int:
    """One well-mixed 63-bit seed from several non-negative integers."""
    return int(np.random.SeedSequence(integers).generate_state(1, np.uint64)[0] >> np.uint64(1))


_drawing = Lock()


@contextmanager
def drawn_with(seed: int):
    """What draws from torch's own generator, as new layers do, begins at a seed; one thread at a time has it."""
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def deterministic():
    """Same inputs, same bytes, on the same machine, for as long as the context lasts."""
    debugging, cudnn = torch.utils.deterministic, torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), debugging.fill_uninitialized_memory, cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    debugging.fill_uninitialized_memory = False  # costs a seventh of a training's time and changes no number
    cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        debugging.fill_uninitialized_memory, cudnn.benchmark = before[1:]
