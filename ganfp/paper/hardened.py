"""Beyond the paper, x9: our network after adversarial fine-tuning, and an adversary who knows of it."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ganfp import adversaries, metrics
from ganfp.adversaries import GOALS
from ganfp.attributors import Attributor
from ganfp.paper import attribution
from ganfp.paper.attribution import seed_setup
from ganfp.paper.judge import Evidence, NotMeasured, at_least, claim, every, reach, shown, stay_under
from ganfp.paper.record import Record, Result, pick, record
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed
from ganfp.paper.trial import AT, FEW, MOST, NORMS, STRENGTHS, SURROGATE, Trial, attack, surrogate
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

PLAIN, HARDENED = "Ours", "Ours, hardened"
ADAPTED = ", adapted"  # behind the column of an adversary who knows of the defence
COSTS, LOST = 2.0, 50.0  # points: hardly any accuracy, and so much that there is nothing left to defend


def needed(run: Run) -> list[Recipe]:
    """All images, the network that is hardened, and the adversary's own."""
    setup = seed_setup(run)
    parts = [sample for split in ("train", "test") for sample in setup.part(split)]
    return [*parts, run.evaluation("cnn", setup), surrogate(run)]


@beyond("hardening", needed, every_dataset=True)
def study(run: Run) -> Result:
    """Removal and forgery of our network's answers, hardened and not, as :class:`Trial` counts them, and the cost.

    Columns: ``L∞ 2`` by as many steps as other networks are attacked with, ``L∞ 2, adapted`` by
    :func:`~ganfp.adversaries.adaptive`, with the metric ``difference`` of both; ``variant`` "Ours" or
    :data:`SURROGATE`: made with that network.  ``gained_by_defence``: points of accuracy on images that nobody changed.
    """
    trial, plain_network = Trial(run), attribution.attributor(run, "cnn", seed_setup(run))
    network = _hardened(run)
    trial.add(PLAIN, plain_network)
    trial.add(HARDENED, network)
    trial.records.append(_cost(run, network))
    others = {PLAIN: plain_network, SURROGATE: Attributor.load(run.path(surrogate(run)), run.device)}
    for goal in GOALS:
        for by, other in others.items():
            after = attack(trial, other, AT, goal)
            trial.tell(f"L∞ {AT}", goal, after, by, [HARDENED], setup=_setup(goal), strength=AT)
        for norm, sign in NORMS.items():
            for strength in STRENGTHS:
                column, known = f"{sign} {strength}", {"norm": norm, "strength": strength}
                before = attack(trial, plain_network, strength, goal, norm)
                trial.tell(column, goal, before, PLAIN, [PLAIN], setup=_setup(goal), **known)
                _both(trial, network, column, strength, goal, norm)
    return Result(trial.records)


def _setup(goal: str) -> str:
    return f"defence: {goal}"


def _hardened(run: Run) -> Attributor:
    known, setup = run.profile.immunisation, seed_setup(run)
    schedule = {"images": known.images, "learning_rate": known.learning_rate}
    network = Attributor.load(run.path(run.fit("cnn", setup)), run.device, **schedule)
    return adversaries.harden(network, *load_part(setup, "train", run.path), AT)


def _cost(run: Run, network: Attributor) -> Record:
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    before = attribution.predictions(run, "cnn", setup)
    cost = metrics.paired_difference(truth, network.predict(images), before, attribution.clusters(setup))
    known = {"setup": "defence", "column": "no attack", "interval": (cost.low, cost.high), "n": len(truth)}
    return record(run, HARDENED, "gained_by_defence", cost.value, **known)


def _both(trial: Trial, network: Attributor, column: str, strength: float, goal: str, norm: str) -> None:
    known, after = trial.before[HARDENED] == trial.truth, np.array(trial.images)  # the others are not counted
    task = trial.images[known], network.columns(trial.wanted[goal][known]), strength, goal, norm
    after[known] = adversaries.adaptive(network, *task, seed=trial.run.seed)
    made = {column: attack(trial, network, strength, goal, norm), column + ADAPTED: after}
    for name, after in made.items():
        trial.tell(name, goal, after, HARDENED, [HARDENED], setup=_setup(goal), norm=norm, strength=strength)
    few, many = (trial.deceived(HARDENED, goal, after) for after in made.values())
    if len(few) > 1:
        before, adapted = trial.records[-2:]
        trial.records.append(attribution.gap(trial.run, adapted, before, metrics.share_difference(many, few)))


# ---------------------------------------------------------------------------- what is said


def table(found: Iterable[Record], goal: str, name: str, caption: str) -> Table:
    """Success in percent by norm and strength: ours and the hardened network after few steps, and who adapts."""
    own = [r for r in pick(found, metric=goal) if r.variant == r.row]
    places = [(r.row + ADAPTED * r.column.endswith(ADAPTED), r.column.removesuffix(ADAPTED)) for r in own]
    moved = [replace(r, row=row, column=column) for r, (row, column) in zip(own, places, strict=True)]
    return crossed(moved, name, caption, unit="")


def _removed(
    e: Evidence, by: str = HARDENED, behind: str = "", row: str = HARDENED, column: str = f"L∞ {AT}"
) -> Record:  # fmt: skip
    place = {"row": row, "metric": "removal", "column": column + behind, "variant": by}
    return e.found(f"removal from {row}", setup=_setup("removal"), **place)[0]


def _held(e: Evidence, *how: str, **where: str) -> Record:
    """:func:`_removed`, unless hardening took the answers away: a network that guesses cannot be deceived."""
    for cost in pick(e.records, row=HARDENED, metric="gained_by_defence"):
        if cost.high < -LOST:
            raise NotMeasured(f"hardening cost {-cost.value:.1f} points of accuracy and left nothing to defend")
    return _removed(e, *how, **where)


@claim("adversary-defended", "x9", "3", "Adversarial fine-tuning makes removal rarer, and costs hardly any accuracy.")
def _defended(e: Evidence) -> tuple[str, str]:
    before, after = _removed(e, PLAIN, row=PLAIN), _removed(e)
    cost = e.found("the cost of hardening", row=HARDENED, metric="gained_by_defence")[0]
    signs = [e.above(before, after), at_least(cost, -COSTS)]
    return every(signs), f"{before.value:.1f} % removed, then {after.value:.1f} %; accuracy {cost.value:+.1f} points"


@claim("adversary-adapts", "x9", "3", "Who knows of the defence removes more than the attack that it was trained with.")
def _adapts(e: Evidence) -> tuple[str, str]:
    few, many = _held(e), _held(e, behind=ADAPTED)
    return every([e.above(many, few)]), f"{few.value:.1f} % by ten steps, {many.value:.1f} % by one who adapts"


@claim("adversary-withstood", "x9", "3", "At its own strength the defence holds against an adversary who adapts to it.")
def _withstood(e: Evidence) -> tuple[str, str]:
    return stay_under({"removed": _held(e, behind=ADAPTED)}, FEW)


@claim("adversary-other-norm", "x9", "3", "In a norm that it was not hardened in, half the level removes most.")
def _other_norm(e: Evidence) -> tuple[str, str]:
    column = f"{NORMS['l2']} {AT // 2}"
    return reach({column: _held(e, behind=ADAPTED, column=column)}, MOST)


@claim("adversary-masked", "x9", "3", "Its own gradient deceives the hardened network more than other networks' does.")
def _masked(e: Evidence) -> tuple[str, str]:
    """Else it would hide its gradient, and no attack that descends it would measure anything (Athalye et al. 2018)."""
    found = {"its own": _held(e, behind=ADAPTED), **{by: _removed(e, by) for by in (PLAIN, SURROGATE)}}
    own, *others = found.values()
    return every(e.above(own, other) for other in others), f"{shown(found)} %"
