"""The two ways to step down a gradient: Adam, as in the paper, and Muon, which makes every direction equally long.

A faint fingerprint hides in gradients that are nearly all content.  Muon (Jordan et al. 2024) replaces the gradient of
a weight matrix by the nearest matrix with orthogonal rows, and so gives its weak directions the length of its strong
ones: torch's own, of which one parameter is here a weight of any shape, as the matrix (out, everything else).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

OPTIMISERS = ("adam", "muon")
MOMENTUM = 0.9  # of Muon, with Nesterov's look ahead
VECTORS = 0.25  # the rate of biases, which Adam moves, over that of the matrices that Muon moves


class Muon(torch.optim.Muon):
    """Muon for the weights of layers with an equalised learning rate, convolutions among them.

    Such a layer multiplies its weight by gain / sqrt(fan_in), so that its step is sqrt(fan_in) times as long here.
    """

    def __init__(self, weights: Sequence[Tensor], rate: float) -> None:
        self._weights = list(weights)
        views = [nn.Parameter(_rows(w.detach(), w).view(len(w), -1)) for w in self._weights]  # of the same memory
        groups = [{"params": [view], "lr": rate * math.sqrt(view.shape[1])} for view in views]
        super().__init__(groups, weight_decay=0.0, momentum=MOMENTUM)

    def zero_grad(self, set_to_none: bool = True) -> None:
        for weight in self._weights:
            weight.grad = None

    def step(self, closure=None):
        for group, weight in zip(self.param_groups, self._weights, strict=True):
            if weight.grad is not None:
                group["params"][0].grad = _rows(weight.grad, weight).reshape(len(weight), -1)
        return super().step(closure)


def optimisers_of(network: nn.Module, kind: str, rate: float) -> list[torch.optim.Optimizer]:
    """What moves a network's weights, at a learning rate that each group of parameters keeps as ``initial_lr``."""
    betas, parameters = (0.0, 0.99), list(network.parameters())
    if kind == "adam":
        found: list[torch.optim.Optimizer] = [torch.optim.Adam(parameters, rate, betas, fused=True)]
    else:
        vectors = [p for p in parameters if p.ndim < 2]
        found = [
            Muon([p for p in parameters if p.ndim > 1], rate),
            torch.optim.Adam(vectors, rate * VECTORS, betas, fused=True),
        ]
    for group in (group for one in found for group in one.param_groups):
        group["initial_lr"] = group["lr"]
    return found


def descend(optimisers: Sequence[torch.optim.Optimizer], loss: Tensor) -> None:
    """One step down the gradient of a loss."""
    for one in optimisers:
        one.zero_grad(set_to_none=True)
    loss.backward()
    for one in optimisers:
        one.step()


def _rows(x: Tensor, weight: Tensor) -> Tensor:
    """A weight or its gradient (out, ...) with its axes in the order in which the weight lies in memory."""
    last = weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last)
    return x.permute(0, 2, 3, 1) if last else x
