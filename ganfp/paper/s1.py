"""Section 1 (Figure 1): the same images by content and by fingerprint, in the plane."""

from collections.abc import Sequence

import numpy as np

from ganfp.paper.attribution import feature_name, seed_setup
from ganfp.paper.record import Record, Result, one, record
from ganfp.runs.recipes import base as files
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.features import Embedding
from ganfp.runs.run import Run

FEATURES = ("Inception", "Our fingerprint")
NEIGHBOURS = 10


def embeddings(run: Run) -> dict[str, Embedding]:
    """Both features in the plane."""
    setup = seed_setup(run)
    found = (run.features(setup), run.evaluation("cnn", setup))
    return {row: run.embedding(features, setup) for row, features in zip(FEATURES, found, strict=True)}


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page loads, of the first data set."""
    return list(embeddings(runs[0]).values())


def figure1(run: Run) -> Result:
    """Content (or Inception) features and fingerprints of the same test images in the plane by t-SNE.

    Arrays: ``labels``; ``Inception`` and ``Our fingerprint``, (N, 2) each.  Records: how many of the ten nearest
    neighbours in the feature space itself are of the same source, in percent, which no layout can flatter.
    """
    setup, result = seed_setup(run), Result()
    known = {"figure": "1", "setup": setup.name, "classes": len(setup.sources)}
    for row, embedding in embeddings(run).items():
        labels = setup.labels("test")[embedding.rows()]
        features = run.array(embedding.features, files.FEATURES)[embedding.rows()]
        purity, params = neighbour_purity(features, labels), {"features": feature_name(run, row)}
        result.arrays |= {"labels": labels, row: run.array(embedding, files.POINTS)}
        result.records.append(record(run, row, "neighbour_purity", purity, n=len(labels), params=params, **known))
    return result


def neighbour_purity(features: np.ndarray, labels: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Mean share, in percent, of the k nearest other images that come from the same source."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = NearestNeighbors(n_neighbors=k).fit(features).kneighbors(return_distance=False)
    return 100 * float((labels[neighbours] == labels[:, None]).mean())


def title(run: Run, row: str) -> str:
    """The name of a feature as a panel's title."""
    return f"by content: {feature_name(run, row)}" if row == "Inception" else "by learned fingerprint"


def purity(records: Sequence[Record]) -> str:
    """Same-source neighbours by both features, beside what chance would give."""
    content, ours = (one(records, row=row) for row in FEATURES)
    return (
        f"Of the ten nearest neighbours of an image, {content.value:.0f} % come from its own source if neighbours are "
        f"found by content ({content.params['features']}), and {ours.value:.0f} % if they are found by fingerprint; "
        f"neighbours that were drawn by lot would be of the same source in {content.chance:.0f} %."
    )
