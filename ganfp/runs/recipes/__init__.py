"""What can be made, and from what: one frozen description per kind of artifact.

Everything flows one way: images -> GAN -> samples -> fitted attributor -> evaluation; the content network and the
two-dimensional embeddings hang beside.  A recipe's key is a digest of its whole description, down to the images,
plus a version per kind that changes with the code behind it.  This is the only place where the rooms (data sets,
GANs, attributors, features) meet the store.
"""

from __future__ import annotations

from ganfp.runs.recipes.attacked import (
    Answers,
    Attack,
    Immunised,
    MixedFormats,
    Resaved,
    load_attacked,
)
from ganfp.runs.recipes.attribution import (
    Evaluation,
    Fit,
    Setup,
    Source,
    load_part,
)
from ganfp.runs.recipes.base import (
    DISTANCES,
    FEATURES,
    IMAGES,
    NEIGHBOURS,
    POINTS,
    PREDICTIONS,
    PROBABILITIES,
    Progress,
    Recipe,
    load_array,
    settings,
)
from ganfp.runs.recipes.features import (
    ContentNetwork,
    Embedding,
    Features,
    InceptionWeights,
    NearestReal,
    PerceptualTrunk,
)
from ganfp.runs.recipes.sources import (
    CURVE,
    GAN,
    GAN_CODE,
    HELD_OUT,
    SEEN,
    Beginnings,
    Images,
    Sample,
    Snapshot,
    Subset,
    real_images,
)

__all__ = [
    "Answers",
    "Attack",
    "Beginnings",
    "CURVE",
    "ContentNetwork",
    "DISTANCES",
    "Embedding",
    "Evaluation",
    "FEATURES",
    "Features",
    "Fit",
    "GAN",
    "GAN_CODE",
    "HELD_OUT",
    "IMAGES",
    "Images",
    "Immunised",
    "InceptionWeights",
    "MixedFormats",
    "NEIGHBOURS",
    "NearestReal",
    "POINTS",
    "PREDICTIONS",
    "PROBABILITIES",
    "PerceptualTrunk",
    "Progress",
    "Recipe",
    "Resaved",
    "SEEN",
    "Sample",
    "Setup",
    "Snapshot",
    "Source",
    "Subset",
    "load_array",
    "load_attacked",
    "load_part",
    "real_images",
    "settings",
]
