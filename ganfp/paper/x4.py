"""Beyond the paper, x4: ten methods of the literature on the sources of Tables 1 to 3, and after JPEG."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ganfp import attributors
from ganfp.paper import attribution
from ganfp.paper.attacked import attack, measured
from ganfp.paper.attribution import SETUPS
from ganfp.paper.judge import Evidence, NotMeasured, claim, every
from ganfp.paper.record import Record, Result, one, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, by_dataset, listed, plain, rows_by_dataset, seconds, strong, with_interval
from ganfp.runs.recipes.attacked import Answers
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SHOWN = {"cnn": 0.4, "visnet": 0.6}  # of the images that a profile shows a network, on pages x4 to x7
CLEAN, JPEG = "clean", "JPEG"
METHODS = (*attribution.METHODS, *attributors.LATER)
OURS = attributors.METHODS["cnn"].row


def part_fit(run: Run, method: str, setup: Setup) -> Fit:
    """A method fitted to a setup, a network on a share of the images that the profile shows it."""
    if method not in SHOWN:
        return run.fit(method, setup)
    return run.fit(method, setup, images=round(SHOWN[method] * run.profile.methods[method].images))


def answers(run: Run, method: str, table: str) -> dict[str, Answers]:
    """What a method says of the test images of a table, as they are and after JPEG."""
    setup = SETUPS[table](run)
    fit, by = part_fit(run, method, setup), {CLEAN: None, JPEG: attack(run, "compression")}
    return {name: Answers(fit, setup, change) for name, change in by.items()}


def needed(run: Run) -> list[Recipe]:
    """What every method says of every table's images."""
    pairs = [(method, table) for table in SETUPS for method in METHODS]
    return [answer for pair in pairs for answer in answers(run, *pair).values()]


@beyond("baselines", needed, every_dataset=True, seeds=True)
def compare(run: Run) -> Result:
    """Accuracy of every method in the setups of Tables 1 to 3 and after JPEG, and how far ours is above each.

    ``setup``: "baselines: " and the setup's name; ``column``: clean or JPEG; ``seconds``: the processor's, of the fit.
    """
    found: list[Record] = []
    for table, setup_of in SETUPS.items():
        setup, said = setup_of(run), {method: answers(run, method, table) for method in METHODS}
        for column in (CLEAN, JPEG):
            pairs = {method: _measured(run, said[method][column], column) for method in METHODS}
            ours, named = pairs["cnn"]
            found += [r for r, _ in pairs.values()]
            for other, theirs in [pair for method, pair in pairs.items() if method != "cnn"]:
                d = attribution.difference(run, setup, ours, other, named, theirs)
                found.append(replace(d, setup=ours.setup, variant=other.row))
    return Result(found)


def _measured(run: Run, answer: Answers, column: str) -> tuple[Record, np.ndarray]:
    row, params = attributors.entry(answer.fit.method).row, {"shared": attribution.shared(run, answer.setup)}
    r, named = measured(run, answer, row, column=column, seconds=run.processor_seconds(answer.fit), params=params)
    return replace(r, setup=f"baselines: {r.setup}"), named


def _setup(name: str) -> str:
    return name.partition(": ")[2].replace("_", " ")


def _against_later(e: Evidence, column: str) -> tuple[str, str]:
    """The claim that ours is above each later method in every setup; shown is the best of them."""
    found = [r for r in pick(e.records, metric="accuracy", column=column) if r.setup.startswith("baselines: ")]
    if not found:
        raise NotMeasured(f"later methods ({column}) not measured")
    signs, texts, later = [], [], {method.row for method in attributors.LATER.values()}
    for ours in pick(found, row=OURS):
        others = [r for r in pick(found, setup=ours.setup) if r.row in later]
        best = max(others, key=lambda r: r.value)
        signs += [e.above(ours, r) for r in others]
        texts.append(f"{_setup(ours.setup)} {ours.value:.1f} against {best.value:.1f} ({best.row})")
    return every(signs), "; ".join(texts)


@claim("later-methods", "x4", "1 2 3", "Ours is above every method that came after it, in the setups of Tables 1 to 3.")
def _later(e: Evidence) -> tuple[str, str]:
    return _against_later(e, CLEAN)


@claim("later-methods-jpeg", "x4", "1 2 3", "Ours is above every method that came after it when images are JPEGs.")
def _later_jpeg(e: Evidence) -> tuple[str, str]:
    return _against_later(e, JPEG)


def table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Rows: methods; accuracy in each setup, clean and after JPEG, and the seconds of a fit (the longest of three)."""
    found = pick(found, metric="accuracy")
    places = list(dict.fromkeys((r.setup, r.column) for r in found))

    def rows_of(mine: list[Record]) -> list[list[str]]:
        best = {place: max(r.value for r in mine if (r.setup, r.column) == place) for place in places}
        rows = []
        for row in dict.fromkeys(r.row for r in mine):
            cells = [one(mine, row=row, setup=setup, column=column) for setup, column in places]
            shown = [with_interval(r, strong if r.value == best[r.setup, r.column] else str) for r in cells]
            rows.append([row, *shown, seconds(max(r.seconds for r in cells))])
        return rows

    header = ["", *(f"{_setup(setup)}, {column}" for setup, column in places), "fit, s"]
    return plain(header, rows_by_dataset(found, rows_of, paper=False), name, caption, of=found)


def undecided(found: Iterable[Record]) -> str:
    """Which methods ours is not shown to be above, setup by setup, by the paired test."""
    found = pick(found, metric="difference")
    apart = "\n\n" if len({r.dataset for r in found}) > 1 else ""  # from the name, which is no item of the list
    return by_dataset(found, lambda mine: apart + _undecided(mine))


def _undecided(found: list[Record]) -> str:
    lines = []
    for setup, column in dict.fromkeys((r.setup, r.column) for r in found):
        mine = pick(found, setup=setup, column=column)
        alike, ahead = ([r.variant for r in mine if r.low <= 0 and (r.high < 0) is below] for below in (False, True))
        said = [f"{how} {listed(names)}" for how, names in (("not told apart from", alike), ("below", ahead)) if names]
        where = f"{_setup(setup)}, {column}"
        lines.append(f"* {where}: ours is {', and '.join(said) or 'above all'}")
    return "\n".join(lines)
