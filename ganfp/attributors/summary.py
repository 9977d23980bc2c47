"""What a network is made of, read off the network itself: layers, output shapes, parameters, multiplications."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ganfp.attributors.network import Mean, PixelConv2d
from ganfp.attributors.pyramid import Boost, Down, Residual
from ganfp.layers import EqualConv2d, EqualLinear

KINDS: dict[type[nn.Module], tuple[str, int, int]] = {  # what a layer is called, and its window and step, see `Layer`
    EqualConv2d: ("conv {0} × {0}", 0, 1),  # its window is its kernel
    PixelConv2d: ("conv {0} × {0}", 0, 1),
    EqualLinear: ("dense", 0, 1),
    nn.AvgPool2d: ("mean 2 × 2", 2, 2),
    Down: ("blur 5 × 5, every second", 5, 2),
    Residual: ("less its half resolution", 9, 1),  # 5 down, and 2 more on each side up
    Boost: ("boost 3 × 3", 3, 1),
    Mean: ("mean over positions", 0, 1),
}


@dataclass(frozen=True)
class Layer:
    """One layer: ``output`` is its shape for one image, ``macs`` its multiply-accumulate operations per image.

    ``window`` and ``step``: each number is made from so many neighbours on a side of the layer before, and the next
    one from those so many further; window 0 where it is made from all of them.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    window: int = 0
    step: int = 1


def layers(network: nn.Module, *shape: int) -> list[Layer]:
    """The layers of a network in the order in which one input of ``shape`` passes them.

    Convolutions, dense layers, poolings and pyramids count; activations are part of the layer before them.
    """
    found: list[Layer] = []

    def seen(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        kind, window, step = KINDS[type(module)]
        parameters, macs = sum(p.numel() for p in module.parameters()), 0
        if isinstance(module, (EqualConv2d, EqualLinear)):
            macs = module.weight.numel() * output[0, 0].numel()  # once for each position
        if isinstance(module, EqualConv2d):
            window = module.weight.shape[2]
        found.append(Layer(name, kind.format(window), tuple(output.shape[1:]), parameters, macs, window, step))

    hooks = [m.register_forward_hook(partial(seen, name)) for name, m in network.named_modules() if type(m) in KINDS]
    try:
        with torch.inference_mode():
            network(next(network.parameters()).new_zeros(1, *shape))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def receptive_fields(found: Iterable[Layer]) -> list[tuple[int, int]]:
    """After each layer of :func:`layers`: the side of the patch of the image that one number sees, and how far apart
    in the image two neighbouring numbers look, both in pixels.

    Ends at the first layer that sees everything.  A patch may be larger than the image, which then caps it.
    """
    side, apart, fields = 1, 1, []
    for layer in found:
        if not layer.window:
            break
        side, apart = side + (layer.window - 1) * apart, apart * layer.step
        fields.append((side, apart))
    return fields


def patch(network: nn.Module, resolution: int) -> int:
    """Side in pixels of the patch that the features of a network see before they are averaged or made dense."""
    side, _ = receptive_fields(layers(network, 3, resolution, resolution))[-1]
    return min(side, resolution)
