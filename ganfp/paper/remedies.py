"""What it takes to see a faint fingerprint: ways to train the attribution network (pages 3.1 and x1)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ganfp.paper import attribution
from ganfp.paper.attribution import predictions, seed_setup
from ganfp.paper.judge import HOLDS, REFUTED, Evidence, NotMeasured, claim, every, shown
from ganfp.paper.record import Record, Result, pick, reference_records
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, plain, seconds, with_interval
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

PAPERS, ADAM, BOOSTED, MUON, BOTH = "as in the paper", "Adam", "Adam, boosted", "Muon", "Muon, boosted"
LONGER = 4  # times
_ALIKE = {"boost": 1.0, "decay": 0.5, "flip": False}
_ADAM = _ALIKE | {"optimiser": "adam", "batch": 16, "learning_rate": 0.01, "rise": 0.4}
_MUON = _ALIKE | {"optimiser": "muon", "batch": 32, "learning_rate": 0.02, "rise": 0.2}
WAYS: dict[str, dict[str, Any]] = {
    PAPERS: _ADAM | {"batch": 32, "learning_rate": 0.001, "rise": 0.0, "decay": 0.0, "flip": True},
    ADAM: _ADAM,
    BOOSTED: _ADAM | {"boost": 8.0},
    MUON: _MUON,
    BOTH: _MUON | {"boost": 3.0},
}
SHARE = 0.4  # of the images that a profile shows its network
RELIABLE = 95.0  # percent


def ways(run: Run) -> dict[str, dict[str, Any]]:
    """The settings of every way that is compared, each shown as many images, and of the second shown more."""
    shown = round(SHARE * run.profile.methods["cnn"].images)
    found = {name: way | {"images": shown} for name, way in WAYS.items()}
    return found | {f"{ADAM}, {LONGER} times as long": _ADAM | {"images": LONGER * shown}}


def needs(run: Run) -> list[Recipe]:
    """Every artifact that :func:`compare` loads."""
    return [run.evaluation("cnn", seed_setup(run), **way) for way in ways(run).values()]


@beyond("remedies", needs, seeds=True, every_dataset=True, photographs=True)
def compare(run: Run) -> Result:
    """Accuracy of our network on the sources of Table 3, trained in each way, as variants beside that table.

    ``params.shown``: images shown.
    """
    setup, found, answers = seed_setup(run), {}, {}
    for name, way in ways(run).items():
        r = attribution.accuracy(run, "cnn", setup, part=way, variant=name)
        found[name] = replace(r, params={**r.params, "shown": way["images"]})
        answers[name] = predictions(run, "cnn", setup, **way)
    apart = [
        replace(attribution.difference(run, setup, found[BOTH], r, answers[BOTH], answers[name]), variant=name)
        for name, r in found.items()
        if name != BOTH
    ]
    return Result([*found.values(), *apart])


def elsewhere(found: Sequence[Record]) -> list[Record]:
    """The reference run's records of the same on other kinds of images."""
    measured = {r.dataset for r in found}
    return [r for r in reference_records() if r.variant in {v.variant for v in found} and r.dataset not in measured]


def table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Each way: images shown, seconds, accuracy with its interval, and the worst of the seeds."""
    found, rows = pick(found, metric="accuracy"), []
    for r in found:
        worst = min(r.params.get("seeds", [r.value]))
        rows.append([r.dataset, r.variant, r.params["shown"], seconds(r.seconds), with_interval(r), worst])
    header = ["", "", "images shown", "training, s", "accuracy, %", "worst seed"]
    return plain(header, rows, name, caption, of=found)


def _ways(e: Evidence) -> dict[str, Record]:
    found = {r.variant: r for r in pick(e.records, metric="accuracy", row="Ours", table="") if r.variant in WAYS}
    if not found:
        raise NotMeasured("ways to train our network not measured")
    return found


@claim("remedy-needed", "3.1", "3", "Trained as in the paper, ours misses what Muon and a boosted input find.")
def _needed(e: Evidence) -> tuple[str, str]:
    found = _ways(e)
    apart = pick(e.records, metric="difference", row="Ours", variant=PAPERS)
    outcome = every(1 if d.low > 0 else -1 if d.high < 0 else 0 for d in apart)
    return outcome, shown(found)


@claim("remedy-reliable", "3.1", "3", "Every seed of a network trained with Muon and a boosted input finds them.")
def _reliable(e: Evidence) -> tuple[str, str]:
    both = _ways(e)[BOTH]
    seeds = both.params.get("seeds", [both.value])
    if len(seeds) == 1:
        raise NotMeasured("one seed says nothing of every seed")
    outcome = HOLDS if min(seeds) >= RELIABLE else REFUTED
    return outcome, f"worst of {len(seeds)} seeds {min(seeds):.2f} %, at least {RELIABLE:g} wanted"
