"""Arrays -> figures, one style and one colour per source for the whole book."""

from __future__ import annotations

from ganfp.paper.plots.attacks import attack_columns, attack_spectra, attacked_rows, ghost_curves, immunisation, strengths
from ganfp.paper.plots.components import bands, distances, patches, pyramid, receptive_fields
from ganfp.paper.plots.curves import against_n, beginnings, how_long, rungs, smooth, training_curves, training_panels
from ganfp.paper.plots.fingerprints import card, fingerprint_network, floors, interactions, model_fingerprints, regions
from ganfp.paper.plots.images import image_grid, image_grids, image_rows, montage
from ganfp.paper.plots.network import network
from ganfp.paper.plots.results import accuracies, confusions, embeddings, lowest_bits, response_matrices, responses, transfer
from ganfp.paper.plots.style import colours, use_style
