"""Beyond the paper, x8: is it this generator?  Asked of the generator itself, and of the fingerprint."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ganfp import inversion, metrics
from ganfp.attributors import METHODS as KNOWN
from ganfp.gans import training
from ganfp.metrics import openset
from ganfp.paper import attacked, attribution
from ganfp.paper.attribution import gap, seed_setup
from ganfp.paper.judge import Evidence, NotMeasured, at_least, claim, every, shown
from ganfp.paper.record import Record, Result, estimate, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

EACH = {"validation": 6, "test": 12}  # images of each source
INVERSION = "Inversion"
METHODS = ("prnu", "cnn", "visnet")  # that give every source a score
CONDITIONS = ("as they are", "compression")
FALSE = 1.0  # percent of the other sources' images that may be taken for the generator's
CLEAR = 90.0  # percent


@dataclass(frozen=True)
class Asked:
    """Images of all sources, of each of which it is asked whether it is each generator's."""

    images: np.ndarray  # (N, 3, R, R), source by source
    truth: np.ndarray  # (N,) names of the sources
    numbers: np.ndarray  # (N,) of the image within its source, all different: no two images share a latent


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the pictures of the page show, of the first data set."""
    setup = seed_setup(runs[0])
    return [*setup.part("validation"), *setup.part("test"), *(s.origin for s in setup.sources[1:])]


def needed(run: Run) -> list[Recipe]:
    """All that is asked, and who is asked."""
    return [*needs([run]), *(run.fit(method, seed_setup(run)) for method in METHODS)]


def asked(run: Run, split: str, condition: str = CONDITIONS[0], each: int = 0) -> Asked:
    """Some images of every source, of other numbers each, as they are or after the paper's attack of that name."""
    setup = seed_setup(run)
    count = min(each or EACH[split], getattr(setup, split) // (2 * len(setup.sources)))
    rows = np.arange(count * len(setup.sources)).reshape(-1, count)
    parts = zip(setup.part(split), rows, strict=True)
    images, numbers = np.concatenate([run.sample(sample)[some] for sample, some in parts]), rows.ravel()
    if condition != CONDITIONS[0]:
        images = attacked.attack(run, condition).on(images, split, numbers)
    return Asked(images, np.repeat(setup.classes, count), numbers)


def maker(run: Run, origin: Recipe) -> tuple[Callable[[Tensor], Tensor], int]:
    """A generator as a function of latents, and their length."""
    network, meta = training.load_generator(run.path(origin), run.device)
    return lambda z: network(z, meta["resolution"], meta["blend"]), network.config.latent


def scores(run: Run, of: Asked) -> dict[str, np.ndarray]:
    """How much each image (N,) speaks for each generator (G,), by method, (N, G), higher for more."""
    setup = seed_setup(run)
    errors = []
    for source in setup.sources[1:]:
        generate, latent = maker(run, source.origin)
        errors.append(inversion.invert(generate, of.images, latent, run.seed, device=run.device).errors)
    found = {INVERSION: -np.stack(errors, axis=1)}
    for method in METHODS:
        attributor = attribution.attributor(run, method, setup)
        columns = attributor.columns(setup.classes[1:])
        found[KNOWN[method].row] = margins(attributor.scores(of.images))[:, columns]
    return found


def margins(values: np.ndarray) -> np.ndarray:
    """How far each score (N, K) is above the best of the others in its row."""
    order = np.sort(values, axis=1)
    best_other = np.where(values == order[:, -1:], order[:, -2:-1], order[:, -1:])
    return values - best_other


@beyond("inversion", needed)
def study(run: Run) -> Result:
    """How surely an image is told to be of a claimed generator: metrics ``tpr``, ``fpr`` (percent) and ``auroc``.

    Rows: inversion and methods; columns: :data:`CONDITIONS`.  The limit is set on validation images as they are, to
    let 1 % of others' pass; ``params.seconds`` is what an image and generator take.
    """
    names, found = np.array(seed_setup(run).classes[1:]), []
    of = asked(run, "validation")
    own = of.truth[:, None] == names
    limits = {row: openset.threshold(v[~own], FALSE) for row, v in scores(run, of).items()}
    for condition in CONDITIONS:
        of, started = asked(run, "test", condition), time.process_time()
        own, values = of.truth[:, None] == names, scores(run, of)
        seconds = (time.process_time() - started) / own.size  # nearly all of it is the inversion's
        numbers = np.broadcast_to(of.numbers[:, None], own.shape)
        mine, others = numbers[own], numbers[~own]
        right = {row: (v > limits[row])[own] for row, v in values.items()}
        for row, v in values.items():
            params = {"seconds": seconds} if row == INVERSION else {}
            known = {"setup": "generator", "column": condition, "params": params}
            shares = {"tpr": metrics.share(right[row]), "fpr": metrics.share((v > limits[row])[~own], others)}
            found += [estimate(run, row, metric, share, **known) for metric, share in shares.items()]
            area = openset.auroc(openset.Scores(v[own], v[~own], (mine, others)))
            found.append(estimate(run, row, "auroc", area, **known))
        own, *rest = pick(found, metric="tpr", column=condition)
        apart = [metrics.share_difference(right[INVERSION], right[r.row]) for r in rest]
        found += [gap(run, own, r, d, variant=f"against {r.row}") for r, d in zip(rest, apart, strict=True)]
    return Result(found)


def pictures(run: Run, count: int = 6) -> dict[str, np.ndarray]:
    """Images of the first generator, the nearest that it makes, and the nearest that the second makes."""
    setup = seed_setup(run)
    images, found = run.sample(setup.part("test")[1])[:count], {}
    found["of seed 1"] = np.asarray(images)
    for i, source in enumerate(setup.sources[1:3], 1):
        generate, latent = maker(run, source.origin)
        found[f"by seed {i}"] = inversion.invert(generate, images, latent, run.seed, device=run.device).remade
    return found


def table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Each way to ask: how many of the generator's own images it knows, as they are and compressed."""
    headers = {"tpr": "known, %", "fpr": "false, %", "auroc": "AUROC, %"}
    named = [replace(r, column=f"{r.column}: {headers[r.metric]}") for r in found if r.metric in headers]
    return crossed(named, name, caption, unit="")


def price(found: Iterable[Record]) -> str:
    """What an image and a generator take."""
    r = pick(found, row=INVERSION, metric="auroc", column=CONDITIONS[0])[0]
    return f"An inversion took {r.params['seconds']:.1f} seconds of one core."


def _found(e: Evidence, condition: str, metric: str = "tpr") -> dict[str, Record]:
    found = {r.row: r for r in pick(e.records, setup="generator", metric=metric, column=condition, variant="")}
    if INVERSION not in found:
        raise NotMeasured("inversion not measured")
    return found


@claim("inversion-knows", "x8", "3", "A generator at hand knows its own images from those of another seed.")
def _knows(e: Evidence) -> tuple[str, str]:
    found = _found(e, CONDITIONS[0])
    return every([at_least(found[INVERSION], CLEAR)]), f"{shown(found)} % known, {CLEAR:g} wanted of inversion"


@claim(
    "inversion-compressed", "x8", "3",
    "After a JPEG file inversion accuses falsely less often than PRNU and ours (exploratory).",
)  # fmt: skip
def _compressed(e: Evidence) -> tuple[str, str]:
    found = _found(e, CONDITIONS[1], "fpr")
    signs = [e.above(found[row], found[INVERSION]) for row in ("PRNU", "Ours")]
    return every(signs), f"{shown(found)} % false, and {shown(_found(e, CONDITIONS[1]))} % known"
