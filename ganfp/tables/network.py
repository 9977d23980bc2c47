"""Networks layer by layer (Sections 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ganfp.attributors.summary import Layer, receptive_fields
from ganfp.tables.table import DASH, Table, strong


def windows(found: Sequence[Layer], name: str, caption: str) -> Table:
    """How the receptive field grows from layer to layer, as far as layers look at a part of their input."""
    rows = []
    for layer, (side, apart) in zip(found, receptive_fields(found), strict=False):
        rows.append([layer.kind, shape(layer.output), str(layer.window), str(layer.step), str(side), str(apart)])
    header = ["layer", "output", "window", "step", "sees, px", "neighbours apart, px"]
    return Table(name, caption, header, rows)


def layer_table(found: Iterable[Layer], name: str, caption: str) -> Table:
    """Layers with their output shapes (height × width × channels, as the paper writes them)."""
    found = list(found)
    rows = [[x.kind, shape(x.output), f"{x.parameters:,}" if x.parameters else DASH, millions(x.macs)] for x in found]
    total = [
        strong("in all"),
        "",
        strong(f"{sum(x.parameters for x in found):,}"),
        strong(millions(sum(x.macs for x in found))),
    ]
    return Table(name, caption, ["layer", "output", "parameters", "MAC, millions"], [*rows, total])


def shape(output: tuple[int, ...]) -> str:
    """(C, H, W) or (D,) as H × W × C."""
    return " × ".join(map(str, (output[1], output[2], output[0]) if len(output) == 3 else (1, 1, output[0])))


def millions(macs: int) -> str:
    return f"{macs / 1e6:,.1f}" if macs else DASH
