"""Arrays -> figures, one style and one colour per source for the whole book."""

from ganfp.paper.plots.attacks import (
    attack_columns,
    attack_spectra,
    attacked_rows,
    ghost_curves,
    immunisation,
    strengths,
    transfer,
)
from ganfp.paper.plots.components import bands, distances, patches, pyramid, receptive_fields
from ganfp.paper.plots.curves import against_n, beginnings, how_long, rungs, smooth, training_curves, training_panels
from ganfp.paper.plots.fingerprints import card, fingerprint_network, floors, interactions, model_fingerprints, regions
from ganfp.paper.plots.images import image_grid, image_grids, image_rows, montage
from ganfp.paper.plots.network import network
from ganfp.paper.plots.results import (
    accuracies,
    confusion,
    confusions,
    embeddings,
    lowest_bits,
    response_matrices,
    responses,
)
from ganfp.paper.plots.style import DIAMOND, INK, MUTED, PALETTE, PAPER, REAL, WIDTH, colours, shown_once, use_style
