"""What the trained attributors share: the order of images, the course of the learning rate, and mirroring."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor


def batches(n: int, batch: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """Indices of each batch: n images in a new order every epoch, a last incomplete batch left out."""
    batch, done, epoch = min(batch, n), 0, 0
    while True:
        order = np.random.default_rng([seed, epoch]).permutation(n)
        for start in range(0, n - batch + 1, batch):
            if done == steps:
                return
            yield order[start : start + batch]
            done += 1
        epoch += 1


def rate(step: int, steps: int, rise: float, decay: float) -> float:
    """The factor of the learning rate in step 1 ... ``steps``: a line from 0 to 1, then 1, then a line towards 0.

    ``rise`` and ``decay`` are the shares of the steps that the two lines take.  A high rate from the first step on may
    leave a network at chance for long, and a short training at a constant one ends on a step in some direction.
    """
    if min(rise, decay) < 0 or rise + decay > 1:
        raise ValueError(f"rise and decay must be shares of the training, 1 together at most, not {rise} and {decay}")
    up = step / (rise * steps) if rise else 1.0
    down = (1 - (step - 1) / steps) / decay if decay else 1.0
    return min(1.0, up, down)


def flip(x: Tensor, seed: int) -> Tensor:
    """Mirror each image of a batch left to right with probability 1/2."""
    chosen = torch.rand(len(x), generator=torch.Generator().manual_seed(seed)) < 0.5
    return torch.where(chosen.to(x.device)[:, None, None, None], x.flip(-1), x)
