"""What the trained attributors share: the order of images, the fall of the learning rate, and mirroring."""

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


def decayed(step: int, steps: int, share: float) -> float:
    """The factor of the learning rate in step 1 ... ``steps``: 1, and in the last ``share`` of them a line towards 0.

    Short trainings at a constant rate end on a step in some direction; the falling rate averages those out.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"decay must be a share of the training, 0 to 1, not {share}")
    return min(1.0, (1 - (step - 1) / steps) / share) if share else 1.0


def flip(x: Tensor, seed: int) -> Tensor:
    """Mirror each image of a batch left to right with probability 1/2."""
    chosen = torch.rand(len(x), generator=torch.Generator().manual_seed(seed)) < 0.5
    return torch.where(chosen.to(x.device)[:, None, None, None], x.flip(-1), x)
