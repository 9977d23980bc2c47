"""Section 3.2: networks that see a part of an image (Figures 2b to 2d), layer by layer."""

from collections.abc import Iterable, Sequence

import numpy as np

from ganfp import worlds
from ganfp.attributors import pyramid
from ganfp.attributors.network import SMALLEST, AttributionNetwork
from ganfp.attributors.summary import Layer, layers, receptive_fields
from ganfp.attributors.summary import patch as patch_of
from ganfp.images import to_float
from ganfp.paper.attribution import seed_setup
from ganfp.paper.published import block
from ganfp.paper.table import DASH, Table, plain, strong
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

PAPER = (128, 11)  # pixels and sources


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """A real image to explain with."""
    return [seed_setup(runs[0]).part("test")[0]]


# ---------------------------------------------------------------------------- bands


def factors(run: Run) -> list[int]:
    """Downsampling factors that the run's resolution allows, those of the paper's Table 4 as far as they go."""
    return [f for f in map(int, block("4")["accuracy"]) if run.profile.resolution // f >= SMALLEST]


def picture(run: Run, resolution: int) -> np.ndarray:
    """A real image (3, R, R) uint8 to explain with: this run's first, or, at another resolution, a drawn one."""
    if resolution == run.profile.resolution:
        return np.array(run.sample(seed_setup(run).part("test")[0])[0])
    world = run.dataset if run.dataset in worlds.DRAWN else worlds.DRAWN[0]
    return worlds.drawn(world).draw(1, resolution, run.seed)[0]


def pyramids(image: np.ndarray, gain: float = 3.0) -> dict[str, list[np.ndarray]]:
    """All low and high bands of an image (3, R, R) uint8, largest first, float32; high ones times ``gain``."""
    x = to_float(image[None])
    steps = range((image.shape[-1] // SMALLEST).bit_length())
    return {
        column: [scale * pyramid.band(name, i)(x)[0].numpy() for i in steps]
        for column, name, scale in (("L-f", "low", 1.0), ("H-f", "high", gain))
    }


# ---------------------------------------------------------------------------- patches


def poolings(run: Run) -> list[int]:
    """Resolutions at which a post-pooling network can start to average, smallest first."""
    return [run.profile.resolution // f for f in reversed(factors(run))]


def patch(run: Run, pool_at: int) -> int:
    """Side in pixels of the patches of this run's post-pooling network, read off its layers."""
    settings = dict(run.fit("cnn", seed_setup(run)).settings)
    size, resolution = (settings["fmap_base"], settings["fmap_max"]), run.profile.resolution
    return patch_of(AttributionNetwork(resolution, run.profile.seeds + 1, *size, pool_at=pool_at), resolution)


def paper_patches() -> dict[int, int]:
    """Patch sides in pixels of the paper's six post-pooling networks, by the resolution that they pool from."""
    poolings = block("5")["pooling"].values()
    return {at: patch_of(AttributionNetwork(*PAPER, pool_at=at), PAPER[0]) for at in poolings}


# ---------------------------------------------------------------------------- tables


def windows_table(found: Sequence[Layer], name: str, caption: str) -> Table:
    """How the receptive field grows from layer to layer, as far as layers look at a part of their input."""
    rows = [
        [layer.kind, shape(layer.output), str(layer.window), str(layer.step), str(side), str(apart)]
        for layer, (side, apart) in zip(found, receptive_fields(found), strict=False)
    ]
    return plain(["layer", "output", "window", "step", "sees, px", "neighbours apart, px"], rows, name, caption)


def layer_table(found: Iterable[Layer], name: str, caption: str) -> Table:
    """Layers with their output shapes (height × width × channels, as the paper writes them)."""
    found = list(found)
    rows = [[x.kind, shape(x.output), f"{x.parameters:,}" if x.parameters else DASH, millions(x.macs)] for x in found]
    parameters, macs = (sum(getattr(x, key) for x in found) for key in ("parameters", "macs"))
    rows.append([strong("in all"), "", strong(f"{parameters:,}"), strong(millions(macs))])
    return plain(["layer", "output", "parameters", "MAC, millions"], rows, name, caption)


def cost_table(name: str, caption: str) -> Table:
    """Parameters and multiply-accumulate operations of the paper's low-band and post-pooling networks."""
    parts = {f"L-f, 1/{f}": {"factor": int(f)} for f in block("4")["accuracy"]}
    parts |= {f"pooling from {at}": {"pool_at": at} for at in paper_patches()}
    rows = []
    for label, part in parts.items():
        found = layers(AttributionNetwork(*PAPER, **part), 3, PAPER[0], PAPER[0])
        parameters, macs = (sum(getattr(x, key) for x in found) for key in ("parameters", "macs"))
        rows.append([label, f"{parameters / 1e6:.2f}", millions(macs)])
    return plain(["network", "parameters, millions", "MAC, millions"], rows, name, caption)


def shape(output: tuple[int, ...]) -> str:
    """(C, H, W) or (D,) as H × W × C."""
    return " × ".join(map(str, (output[1], output[2], output[0]) if len(output) == 3 else (1, 1, output[0])))


def millions(macs: int) -> str:
    return f"{macs / 1e6:,.1f}" if macs else DASH
