"""Arrays -> figures, one style and one colour per source for the whole book."""

from ganfp.paper.plots.adversaries import deceived
from ganfp.paper.plots.beyond import costs, critics_matrix, gallery, methods, open_world, reliability
from ganfp.paper.plots.curves import (
    against_n,
    beginnings,
    how_long,
    rungs,
    search,
    smooth,
    training_curves,
    training_panels,
)  # fmt: skip
from ganfp.paper.plots.fingerprints import (
    card,
    in_a_row,
    interactions,
    model_fingerprints,
    regions,
    response_matrices,
    responses,
)  # fmt: skip
from ganfp.paper.plots.images import attack_columns, attacked_rows, image_grid, image_grids, image_rows, montage
from ganfp.paper.plots.network import fingerprint_network, floors, network
from ganfp.paper.plots.results import accuracies, confusions, embeddings, immunisation, lowest_bits, strengths, transfer
from ganfp.paper.plots.spectra import attack_spectra, bands, distances, ghost_curves, patches, pyramid, receptive_fields
from ganfp.paper.plots.style import colours, use_style
