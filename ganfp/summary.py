"""What a network is made of, read off the network itself: layers, output shapes, parameters, multiplications."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganfp.layers import EqualConv2d, EqualLinear


@dataclass(frozen=True)
class Layer:
    """One layer: ``output`` is its shape for one image, ``macs`` its multiply-accumulate operations per image."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int


def layers(network: nn.Module, *shape: int) -> list[Layer]:
    """The layers of a network in the order in which one input of ``shape`` passes them.

    Convolutions, dense layers and poolings count; activations are part of the layer before them.
    """
    found: list[Layer] = []

    def seen(name: str):
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found.append(_layer(name, module, output))

        return hook

    kinds = (EqualConv2d, EqualLinear, nn.AvgPool2d)
    hooks = [m.register_forward_hook(seen(name)) for name, m in network.named_modules() if isinstance(m, kinds)]
    try:
        with torch.inference_mode():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _layer(name: str, module: nn.Module, output: Tensor) -> Layer:
    parameters = sum(p.numel() for p in module.parameters())
    if isinstance(module, EqualConv2d):
        out, into, kernel, _ = module.weight.shape
        positions = output[0, 0].numel()
        return Layer(
            name, f"conv {kernel} × {kernel}", tuple(output.shape[1:]), parameters, out * into * kernel**2 * positions
        )
    if isinstance(module, EqualLinear):
        return Layer(name, "dense", tuple(output.shape[1:]), parameters, module.weight.numel())
    return Layer(name, "mean 2 × 2", tuple(output.shape[1:]), parameters, 0)
