"""Arrays -> figures, one style and one colour per source for the whole book."""

from __future__ import annotations

from ganfp.plots.curves import against_n, beginnings, how_long, rungs, smooth, training_curves, training_panels
from ganfp.plots.fingerprints import card, fingerprint_network, floors, interactions, model_fingerprints, regions
from ganfp.plots.images import image_grid, image_grids, image_rows, montage
from ganfp.plots.network import network
from ganfp.plots.results import (
    accuracies,
    confusion,
    confusions,
    embeddings,
    lowest_bits,
    response_matrices,
    responses,
)
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
    "beginnings",
    "card",
    "colours",
    "confusion",
    "confusions",
    "embeddings",
    "fingerprint_network",
    "floors",
    "how_long",
    "image_grid",
    "image_grids",
    "image_rows",
    "interactions",
    "lowest_bits",
    "model_fingerprints",
    "montage",
    "network",
    "regions",
    "response_matrices",
    "responses",
    "rungs",
    "shown_once",
    "smooth",
    "training_curves",
    "training_panels",
    "use_style",
]
