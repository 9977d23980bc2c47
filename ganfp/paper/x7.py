"""Beyond the paper, x7: a few images of a new source, and no training.  Is this one of its images?  Of whose is it?"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import torch

from ganfp import metrics
from ganfp.attributors import Attributor
from ganfp.attributors.prnu import residuals
from ganfp.attributors.siamese import Siamese
from ganfp.metrics import openset
from ganfp.paper.attribution import gap
from ganfp.paper.judge import Evidence, at_least, claim, every
from ganfp.paper.record import Record, Result, estimate, one, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed
from ganfp.paper.x5 import fits, known_setup, normed, strangers
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup, load_part
from ganfp.runs.run import Run

ROWS = {"prnu": "PRNU", "visnet": "Our visNet", "cnn": "Ours"}
TUNED, ALONE = "Ours tuned to compare", "Ours tuned on known sources alone"
INVENTED = {TUNED: 8, ALONE: 0}  # traces in a batch
BATCH = 64
SHOWN = 0.6  # of the images that a profile shows its network, while it is tuned
WHITENED = ", whitened"
SIZES = (1, 3, 10, 30, 100)  # images of a source in the gallery
METRICS = {"tpr": "verified", "identified": "identified"}  # and what they are called
DRAWS = 5  # galleries of each size
FALSE = 1.0  # percent of false matches that are allowed
ENOUGH = 10


def new_setup(run: Run) -> Setup:
    """Every source that the embeddings do not know, of all kinds of page x5."""
    sources = [source for kind in strangers(run).values() for source in kind]
    return replace(known_setup(run), sources=tuple(sources))


def needed(run: Run) -> list[Recipe]:
    """The embeddings, and images of known and of new sources."""
    new, known = new_setup(run), known_setup(run)
    samples = [*new.part("test"), *new.part("validation"), *known.part("validation")]
    return [*fits(run).values(), *samples]


def tuned(run: Run, network: Attributor, invented: int) -> Siamese:
    """Our network tuned to compare, on the sources that it knows already and on none of those that are verified."""
    shown = round(SHOWN * run.profile.methods["cnn"].images)
    again = Siamese.of(network, invented=invented, images=shown, batch=BATCH, checks=1)
    return again.fine_tune(*load_part(known_setup(run), "train", run.path), change=lambda images, numbers: images)


def fingerprints(network: Attributor, images: np.ndarray) -> np.ndarray:
    """Residuals, reconstruction differences or features of images, whatever the method has, as vectors (N, D)."""
    if network.method == "prnu":
        points = residuals(images, **network.chosen_)
    elif network.method == "visnet":
        points = network.image_fingerprints(images)
    else:
        points = network.features(images)
    return points.reshape(len(images), -1)


def embedding(known: np.ndarray, labels: np.ndarray, whitened: bool) -> Callable[[np.ndarray], np.ndarray]:
    """Image fingerprints (N, D) as they are compared, by their cosine: less the mean of those of known sources.

    ``whitened``: in the metric in which images of one known source scatter alike in every direction, the linear metric
    that tells known sources apart best if all scatter alike.
    """
    from sklearn.covariance import ledoit_wolf

    centre = known.mean(axis=0)
    if not whitened:
        return lambda points: points - centre
    means = {name: known[labels == name].mean(axis=0) for name in np.unique(labels)}
    covariance, _ = ledoit_wolf(known - np.stack([means[name] for name in labels]), assume_centered=True)
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    metric = (vectors / np.sqrt(np.maximum(values, 1e-9 * values[-1]))).astype(np.float32)
    return lambda points: (points - centre) @ metric


@beyond("gallery", needed, every_dataset=True, seeds=True)
def study(run: Run) -> Result:
    """Verification and identification of new sources by galleries of each size, for every embedding.

    ``tpr``: percent of an image's matches with its own source that lie above the threshold that ``FALSE`` % of its
    matches with others pass; ``identified``: percent of images whose best match is their source.  ``column``: images in
    the gallery.  ``difference``: points that our network gained by being tuned, ``params.of`` the metric.
    """
    new, result = new_setup(run), Result()
    queries, _ = load_part(new, "test", run.path)
    enrolled, _ = load_part(new, "validation", run.path)
    known, labels = load_part(known_setup(run), "validation", run.path)
    networks = {ROWS[method]: Attributor.load(run.path(fit)) for method, fit in fits(run).items()}
    networks |= {name: tuned(run, networks[ROWS["cnn"]], invented) for name, invented in INVENTED.items()}
    sizes = [size for size in SIZES if size <= new.validation]
    compared: dict[tuple[str, int], tuple[Matches, list[Record]]] = {}
    for name, network in networks.items():
        of_known, *of_new = (fingerprints(network, images) for images in (known, queries, enrolled))
        for behind in ("", WHITENED):
            embed = embedding(of_known, labels, bool(behind))
            points, gallery = map(embed, of_new)
            for size in sizes:
                found = Matches(matches(points, gallery, len(new.sources), size, run.seed))
                compared[name + behind, size] = found, found.records(run, name + behind, size)
                result.records += compared[name + behind, size][1]
    for name, behind, size in product(INVENTED, ("", WHITENED), sizes):
        found, own = compared[name + behind, size]
        result.records += found.gained(run, own, *compared[ROWS["cnn"] + behind, size])
    return result


def matches(queries: np.ndarray, enrolled: np.ndarray, sources: int, size: int, seed: int) -> np.ndarray:
    """Cosines of images (N, D) with the mean of each source's gallery, (draws, N, sources).

    ``enrolled``: (sources x M, D), of which each of :data:`DRAWS` galleries takes ``size``, others as far as M reaches.
    """
    each = len(enrolled) // sources
    order, points = np.random.default_rng(seed).permutation(each), torch.from_numpy(normed(queries)).float()
    found, by_source = [], normed(enrolled).reshape(sources, each, -1)
    for draw in range(DRAWS):
        chosen = order[np.arange(draw * size, (draw + 1) * size) % each]
        gallery = by_source[:, chosen].mean(axis=1)
        found.append((points @ torch.from_numpy(normed(gallery)).float().T).numpy())
    return np.stack(found)


class Matches:
    """What :func:`matches` found, (draws, N, sources), of images source by source: who is verified, who identified."""

    def __init__(self, scores: np.ndarray) -> None:
        self.draws, n, self.sources = scores.shape
        own = np.repeat(np.arange(self.sources), n // self.sources)
        image = np.arange(n) % (n // self.sources)  # images of one number share a latent
        mine = np.eye(self.sources, dtype=bool)[own]
        ids = np.tile(image, self.draws), np.tile(np.repeat(image, self.sources - 1), self.draws)
        self.pairs = openset.Scores(scores[:, mine].ravel(), scores[:, ~mine].ravel(), ids)
        self.tprs = openset.tprs(self.pairs, FALSE)
        self.right, self.images, self.n = (scores.argmax(axis=2) == own).ravel(), ids[0], n

    def records(self, run: Run, row: str, size: int) -> list[Record]:
        verified = openset.bootstrapped(self.tprs, len(self.pairs.known))
        found = verified, metrics.share(self.right, self.images)
        return [estimate(run, row, metric, x, **self._place(size)) for metric, x in zip(METRICS, found, strict=True)]

    def gained(self, run: Run, own: Sequence[Record], before: "Matches", theirs: Sequence[Record]) -> list[Record]:
        """How many points these are above those of another embedding of the same images, metric by metric."""
        identified = metrics.share_difference(self.right, before.right, self.images)
        triples = zip(own, theirs, (openset.bootstrapped(self.tprs - before.tprs, self.n), identified), strict=True)
        of = [{"draws": self.draws, "of": metric} for metric in METRICS]
        return [gap(run, *one, variant=p["of"], params=p) for one, p in zip(triples, of, strict=True)]

    def _place(self, size: int) -> dict:
        params = {"draws": self.draws}
        return {"setup": "gallery", "column": str(size), "classes": self.sources, "params": params, "n": self.n}


# ---------------------------------------------------------------------------- what is said


def _by_size(e: Evidence, row: str, metric: str) -> list[Record]:
    found = e.found(f"galleries ({row})", least=2, setup="gallery", row=row, metric=metric)
    return sorted(found, key=lambda r: int(r.column))


@claim("gallery-grows", "x7", "3", "The more images of a new source are at hand, the better others are identified.")
def _grows(e: Evidence) -> tuple[str, str]:
    ends = {row: [_by_size(e, row, "identified")[i] for i in (0, -1)] for row in (*ROWS.values(), TUNED)}
    texts = [f"{row} {a.value:.1f} and {b.value:.1f}" for row, (a, b) in ends.items()]
    return every(e.above(b, a) for a, b in ends.values()), f"with the fewest and the most: {'; '.join(texts)} %"


@claim("gallery-ours", "x7", "3", "Of the embeddings ours identifies new sources best, from ten images.")
def _ours(e: Evidence) -> tuple[str, str]:
    found = {row: one(_by_size(e, row, "identified"), column=str(ENOUGH)) for row in ROWS.values()}
    outcome = every(e.above(found["Ours"], r) for row, r in found.items() if row != "Ours")
    return outcome, ", ".join(f"{row} {r.value:.1f} %" for row, r in found.items())


@claim("gallery-verifies", "x7", "3", "From the most images, ours verifies 90 % of a new source at 1 % false matches.")
def _verifies(e: Evidence) -> tuple[str, str]:
    found = [_by_size(e, row, "tpr")[-1] for row in (ROWS["cnn"], ROWS["cnn"] + WHITENED)]
    outcome = every([max(at_least(r, 90.0) for r in found)])
    return outcome, ", ".join(f"{r.row} {r.value:.1f} % from {r.column} images" for r in found)


@claim("gallery-tuned", "x7", "3", "Tuned to compare, our network verifies and identifies new sources better.")
def _tuned(e: Evidence) -> tuple[str, str]:
    signs, texts = [], []
    for metric, called in METRICS.items():
        after, before = (one(_by_size(e, row, metric), column=str(ENOUGH)) for row in (TUNED, ROWS["cnn"]))
        signs.append(e.above(after, before))
        texts.append(f"{called} {before.value:.1f} % before and {after.value:.1f} % after")
    return every(signs), f"from {ENOUGH} images {', '.join(texts)}"


def _identified_better(e: Evidence, *rows: str) -> tuple[str, str]:
    """The claim that the first of two embeddings identifies more images than the second."""
    found = {row: one(_by_size(e, row, "identified"), column=str(ENOUGH)) for row in rows}
    return every([e.above(*found.values())]), ", ".join(f"{row} {r.value:.1f} %" for row, r in found.items())


@claim("gallery-tuned-alone", "x7", "3", "Tuned on its few known sources alone, it identifies new ones worse.")
def _alone(e: Evidence) -> tuple[str, str]:
    return _identified_better(e, ROWS["cnn"], ALONE)


@claim("gallery-tuned-residuals", "x7", "3", "Tuned to compare, it identifies new sources better than residuals.")
def _against_residuals(e: Evidence) -> tuple[str, str]:
    return _identified_better(e, TUNED, ROWS["prnu"])


def table(found: Iterable[Record], metric: str, name: str, caption: str) -> Table:
    """A row for each embedding, a column for each size of the gallery."""
    some = [replace(r, column=f"{r.column} image{'s' * (r.column != '1')}") for r in pick(found, metric=metric)]
    return crossed(some, name, caption, unit="")


def sources(found: Sequence[Record]) -> str:
    """How many new sources a gallery holds, and what guessing would identify."""
    r = found[0]
    return f"{r.classes} new sources; guessing identifies {r.chance:.1f} %."
