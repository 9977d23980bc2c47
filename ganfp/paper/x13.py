"""Beyond the paper, x13: what attribution costs as images, sources and resolution grow, and what resolution changes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from ganfp import attributors, worlds
from ganfp.gans import training
from ganfp.metrics.power import PowerLaw, power_law
from ganfp.paper.attribution import METHODS, accuracy, difference, predictions
from ganfp.paper.judge import Evidence, at_least, at_most, claim, every, shown
from ganfp.paper.record import Record, Result, pick, record
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed
from ganfp.runs import profiles
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

REPEATS = 3
SHOWN, SOURCES = 256, 4  # images in all, and sources of them, at the middle size of each axis
# Sizes of each axis; the others keep their middle one.
AXES = {
    "resolution": (16, 32, 64),
    "images": (SHOWN // 2, SHOWN, 2 * SHOWN),
    "sources": (SOURCES // 2, SOURCES, 2 * SOURCES),
}
PAIR = "quick64"  # the profile that trains two ProGANs at each resolution, where the run's own would train longer ones
LINEAR = 0.2  # how far an exponent of proportion may be from 1


@beyond("cost", lambda run: ())
def study(run: Run) -> Result:
    """CPU seconds of each step at three sizes of each axis.

    ``setup``: the axis, ``column``: the size; metric ``cpu_seconds`` is the median of ``params["seconds"]``, and
    ``exponent`` that of the power law through all of them.
    """
    result = Result()
    for axis, row in product(AXES, ("ProGAN", "PRNU", "Ours")):
        if (axis, row) != ("sources", "ProGAN"):  # a source is a training more
            result.records += _timed(run, axis, row)
    return result


def _timed(run: Run, axis: str, row: str) -> list[Record]:
    step = {"ProGAN": progan, "PRNU": partial(fit, "prnu"), "Ours": partial(fit, "cnn")}[row]
    sized = {name: sizes[1] for name, sizes in AXES.items()}
    works = {size: step(run, **sized | {axis: size}) for size in AXES[axis]}
    seconds: dict[int, list[float]] = {size: [] for size in works}
    works[AXES[axis][0]]()  # what is done once in a process is not counted
    for _, (size, work) in product(range(REPEATS), works.items()):  # in turns: other work slows all sizes alike
        started = time.process_time()
        work()
        seconds[size].append(time.process_time() - started)
    law = power_law([size for size in seconds for _ in range(REPEATS)], [s for each in seconds.values() for s in each])
    place = {"setup": axis, "gan_images": None}
    found = [
        record(
            run, row, "cpu_seconds", np.median(each), column=str(size),
            params=sized | {axis: size, "seconds": each}, **place,
        )
        for size, each in seconds.items()
    ]  # fmt: skip
    place |= {"interval": (law.low, law.high), "n": law.n, "params": sized | {axis: list(AXES[axis])}}
    return [*found, record(run, row, "exponent", law.exponent, column=axis, **place)]


def progan(run: Run, resolution: int, images: int, sources: int) -> Callable[[], None]:
    """A training of ProGAN, its whole schedule on so many images."""
    config = replace(run.profile.gans["progan"], resolution=resolution)
    share = images / config.total_images
    config = replace(config, total_images=images, phase_images=max(1, round(config.phase_images * share)))
    real = worlds.drawn("faces").draw(SHOWN, resolution, 0)

    def work() -> None:
        one = training.Training("progan", config, training.Seeds.all(1), real, "cpu")
        while one.seen < images:
            one.step()

    return work


def fit(method: str, run: Run, resolution: int, images: int, sources: int) -> Callable[[], None]:
    """A method fitted to ``images`` images of so many sources; a network is shown each of them once.

    Drawn faces stand for all sources: what an image shows does not change what it costs.
    """
    shown = images * sources // SOURCES
    real = worlds.drawn("faces").draw(shown, resolution, 0)
    labels = np.resize([f"source {i}" for i in range(sources)], shown)
    settings = vars(run.profile.methods["cnn"]) | {"images": shown, "checks": 1} if method == "cnn" else {}

    def work() -> None:
        one = attributors.attributor_class(method)(**settings, device="cpu")
        one.fit(real, labels, validation=(real[: 4 * sources], labels[: 4 * sources]))

    return work


def laws(found: Iterable[Record], axis: str) -> dict[str, tuple[list[int], list[list[float]], PowerLaw]]:
    """Sizes, seconds of each repetition and their power law, by step: what the figure draws."""
    laws, mine = {}, pick(found, setup=axis, metric="cpu_seconds")
    for row in dict.fromkeys(r.row for r in mine):
        records = pick(mine, row=row)
        sizes, seconds = [int(r.column) for r in records], [list(r.params["seconds"]) for r in records]
        laws[row] = sizes, seconds, power_law(np.repeat(sizes, list(map(len, seconds))), np.concatenate(seconds))
    return laws


def exponents(found: Sequence[Record], name: str, caption: str) -> Table:
    """The exponent of every step's cost in resolution, images and sources."""
    some = [r for axis in AXES for r in pick(found, metric="exponent", setup=axis)]
    return crossed(some, name, caption, unit="", corner="exponent in")


def _exponents(e: Evidence, axis: str) -> dict[str, Record]:
    return {r.row: r for r in e.found(f"cost in {axis}", setup=axis, metric="exponent")}


@claim("cost-pixels", "x13", "3", "No step costs more than in proportion to the pixels: exponents of at most 2.")
def _pixels(e: Evidence) -> tuple[str, str]:
    found = _exponents(e, "resolution")
    return every(at_most(r, 2.0) for r in found.values()), shown(found)


def _proportional(e: Evidence, axis: str) -> tuple[str, str]:
    found = _exponents(e, axis)
    signs = [sign for r in found.values() for sign in (at_least(r, 1 - LINEAR), at_most(r, 1 + LINEAR))]
    return every(signs), shown(found)


@claim("cost-images", "x13", "3", "Cost is proportional to the images: its exponents lie between 0.8 and 1.2.")
def _images(e: Evidence) -> tuple[str, str]:
    return _proportional(e, "images")


@claim("cost-sources", "x13", "3", "Cost is proportional to the sources: its exponents lie between 0.8 and 1.2.")
def _sources(e: Evidence) -> tuple[str, str]:
    return _proportional(e, "sources")


# ---------------------------------------------------------------------------- the contrast


def pairs(run: Run) -> dict[int, tuple[Run, Setup]]:
    """By resolution, the run at that size, and its task: real images and those of two ProGANs of different seeds."""
    small = min(run.by_itself.profile, profiles.load(PAIR), key=lambda p: p.gans["progan"].total_images)
    found = {}
    for side in AXES["resolution"]:
        gans = {name: replace(config, resolution=side) for name, config in small.gans.items()}
        growing = gans["progan"]
        if growing.stage(growing.total_images).resolution < side:
            continue  # so few images that it does not grow so far
        one = replace(run, profile=replace(small, resolution=side, gans=gans))
        sources = [("real", one.images), *((f"ProGAN_seed_{seed}", one.gan("progan", seed)) for seed in (1, 2))]
        found[side] = one, one.setup("pair", sources)
    return found


def _needs(run: Run) -> list[Recipe]:
    return [one.evaluation(method, setup) for one, setup in pairs(run).values() for method in METHODS]


@beyond("contrast", _needs)
def contrast(run: Run) -> Result:
    """Accuracy of every method on the pair of each resolution, and how far ours is above each of the others.

    ``setup``: "pair"; ``column``: the resolution, such as "32 px"; metrics ``accuracy`` and ``difference``.
    """
    found: list[Record] = []
    for side, (one, setup) in pairs(run).items():
        measured = {method: accuracy(one, method, setup, column=f"{side} px") for method in METHODS}
        said = {method: predictions(one, method, setup) for method in METHODS}
        ours, named = measured["cnn"], said["cnn"]
        found += measured.values()
        found += [difference(one, setup, ours, measured[m], named, said[m]) for m in METHODS if m != "cnn"]
    return Result(found)


def accuracies(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of every method at each resolution."""
    return crossed(pick(found, setup="pair", metric="accuracy"), name, caption)


def _margins(e: Evidence, row: str) -> dict[str, Record]:
    found = e.found("contrast", setup="pair", metric="difference", row="Ours")
    return {r.column: r for r in found if r.params["against"][0] == row}


@claim("contrast-sizes", "x13", "3", "At every resolution the learned fingerprint attributes more images than content.")
def _contrast(e: Evidence) -> tuple[str, str]:
    found = {f"{row}, {side}": r for row in ("kNN", "Eigenface") for side, r in _margins(e, row).items()}
    return every(at_least(r, 0.0) for r in found.values()), f"{shown(found)} points above"


@claim("contrast-grows", "x13", "3", "The larger the images, the further the learned fingerprint is above kNN.")
def _grows(e: Evidence) -> tuple[str, str]:
    found = _margins(e, "kNN")
    first, *_, last = found.values()
    return every([e.above(last, first)]), f"{shown(found)} points above"
