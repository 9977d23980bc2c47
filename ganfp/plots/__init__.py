"""Arrays -> figures, one style and one colour per source for the whole book."""

from __future__ import annotations

from ganfp.plots.components import bands, distances, patches, pyramid, receptive_fields
from ganfp.plots.curves import against_n, beginnings, how_long, rungs, smooth, training_curves, training_panels
from ganfp.plots.images import image_grid, image_grids, image_rows, montage
from ganfp.plots.network import network
from ganfp.plots.results import accuracies, confusion, confusions, embeddings, lowest_bits, responses
from ganfp.plots.style import DIAMOND, INK, MUTED, PALETTE, PAPER, REAL, WIDTH, colours, shown_once, use_style

__all__ = [
    "DIAMOND",
    "INK",
    "MUTED",
    "PALETTE",
    "PAPER",
    "REAL",
    "WIDTH",
    "accuracies",
    "against_n",
    "bands",
    "beginnings",
    "colours",
    "confusion",
    "confusions",
    "distances",
    "embeddings",
    "how_long",
    "image_grid",
    "image_grids",
    "image_rows",
    "lowest_bits",
    "montage",
    "network",
    "patches",
    "pyramid",
    "receptive_fields",
    "responses",
    "rungs",
    "shown_once",
    "smooth",
    "training_curves",
    "training_panels",
    "use_style",
]
