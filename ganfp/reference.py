"""The reference run: which generators are trained for it, in which order, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ganfp import building, shipping
from ganfp.gans import GANS
from ganfp.recipes import GAN
from ganfp.run import Run, project_root

FIRST_SEEDS = 5
FIRST_RUNGS = (1, 100, 1000, 100_000)  # of the paper's ladder


def folder() -> Path:
    """Where the generators are that travel with the repository."""
    return project_root() / "results" / "reference" / "generators"


def generators(runs: Sequence[Run]) -> list[GAN]:
    """All generators of the reference run, the most wanted first.

    For each data set the first seeds, the other architectures, the first rungs of the ladder; then, data set by data
    set again, the other seeds and rungs.
    """
    early = [gan for run in runs for gan in _early(run)]
    late = [gan for run in runs for gan in _all(run) if gan not in early]
    return early + late


def _early(run: Run) -> list[GAN]:
    seeds = [run.gan("progan", seed) for seed in range(1, min(FIRST_SEEDS, run.profile.seeds) + 1)]
    others = [run.gan(name) for name in GANS if name != "progan"]
    rungs = [run.gan("progan", swapped=i) for i in run.rungs if i in run.scaled(FIRST_RUNGS)]
    return seeds + others + rungs


def _all(run: Run) -> list[GAN]:
    seeds = [run.gan("progan", seed) for seed in range(1, run.profile.seeds + 1)]
    return seeds + [run.gan("progan", swapped=i) for i in run.rungs]


def train(runs: Sequence[Run], say: Callable[[str], None], jobs: int | None = None, device: str = "cpu") -> list[Path]:
    """Train what is not shipped yet, in order, and ship each generator as soon as it is finished."""
    store, target = runs[0].store, folder()
    todo = [gan for gan in generators(runs) if shipping.find(gan, target) is None]
    say(f"{len(todo)} of {len(generators(runs))} generators are still to be trained")
    shipped = []

    def ship(recipe) -> None:
        if isinstance(recipe, GAN):
            shipped.append(shipping.ship(recipe, store, target))
            say(f"shipped {shipped[-1].name}")

    for gan in [gan for gan in todo if store.has(gan)]:
        ship(gan)
    rest = [gan for gan in todo if not store.has(gan)]
    building.build(rest, store, device=device, jobs=jobs, done=ship, in_order=True)
    return shipped
