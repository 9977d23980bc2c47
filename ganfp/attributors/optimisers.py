"""The two ways to step down a gradient: Adam, as in the paper, and Muon, which makes every direction equally long.

A faint fingerprint hides in gradients that are nearly all content.  Muon (Jordan et al. 2024) replaces the gradient of
a weight matrix by the nearest matrix with orthogonal rows, and so gives its weak directions the length of its strong
ones, a weight of any shape taken as the matrix (out, everything else).
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

OPTIMISERS = ("adam", "muon")
QUINTIC, ITERATIONS = (3.4445, -4.7750, 2.0315), 5  # a x + b x^3 + c x^5 of singular values, steepest at 0
MOMENTUM = 0.9  # of Muon, with Nesterov's look ahead
VECTORS = 0.25  # the rate of biases, which Adam moves, over that of the matrices that Muon moves


class Muon(torch.optim.Optimizer):
    """Muon for the weights of layers with an equalised learning rate, convolutions among them.

    Such a layer multiplies its weight by gain / sqrt(fan_in), so that its step is sqrt(fan_in) times as long here.
    The same numbers as ``torch.optim.Muon``, which takes matrices alone, and no rate that is a tensor.
    """

    def __init__(self, weights: Sequence[Tensor], rate: float) -> None:
        super().__init__([{"params": [w], "lr": rate * math.sqrt(w[0].numel())} for w in weights], {})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            (weight,) = group["params"]
            matrix = _rows(weight, weight).view(len(weight), -1)
            gradient = _rows(weight.grad, weight).reshape(len(weight), -1)
            state = self.state[weight]
            if not state:
                state["momentum"] = torch.zeros_like(gradient)
            momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
            longer = math.sqrt(max(1, matrix.shape[0] / matrix.shape[1]))
            direction, rate = orthogonalised(gradient.lerp(momentum, MOMENTUM)), group["lr"] * longer
            if matrix.is_cuda:  # where a captured step cannot ask for the number
                matrix.sub_(direction.float() * rate)
            else:
                matrix.add_(direction, alpha=-float(rate))


def orthogonalised(matrix: Tensor) -> Tensor:
    """A matrix (n, m) with singular values near 1 in place of its own: Newton and Schulz's iteration, in bfloat16."""
    x = matrix.bfloat16()
    x = x.T if len(matrix) > matrix.shape[1] else x
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=QUINTIC[1], alpha=QUINTIC[2]), x, beta=QUINTIC[0])
    return x.T if len(matrix) > matrix.shape[1] else x


def optimisers_of(network: nn.Module, kind: str, rate: float) -> list[torch.optim.Optimizer]:
    """What moves a network's weights."""
    parameters = list(network.parameters())
    adam: dict[str, Any] = {"betas": (0.0, 0.99), "fused": True, "capturable": parameters[0].is_cuda}
    if kind == "adam":
        return [torch.optim.Adam(parameters, rate, **adam)]
    matrices, vectors = ([p for p in parameters if (p.ndim > 1) is wide] for wide in (True, False))
    return [Muon(matrices, rate), torch.optim.Adam(vectors, rate * VECTORS, **adam)]


class Rates:
    """The learning rates of all groups of some optimisers, in one tensor that these read: see :meth:`scale`."""

    def __init__(self, optimisers: Sequence[torch.optim.Optimizer], device: str | torch.device) -> None:
        groups = [group for optimiser in optimisers for group in optimiser.param_groups]
        kind = torch.float32 if torch.device(device).type == "cuda" else torch.float64  # what fused Adam computes with
        self._full = torch.tensor([group["lr"] for group in groups], dtype=torch.float64).to(device)
        self._now = self._full.to(kind, copy=True)
        for group, rate in zip(groups, self._now, strict=True):
            group["lr"] = rate

    def scale(self, factor: Tensor) -> None:
        """Let every rate be ``factor``, float64 (), times what it was in the beginning."""
        self._now.copy_(self._full * factor)


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
