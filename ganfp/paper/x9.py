"""Beyond the paper, x9: fingerprints removed and forged on purpose, and what a defence is worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from ganfp import adversaries, inversion
from ganfp.adversaries import GOALS
from ganfp.attributors import METHODS as KNOWN
from ganfp.attributors import Attributor
from ganfp.paper import attribution, hardened, x8
from ganfp.paper.attribution import VISNET, seed_setup
from ganfp.paper.judge import Evidence, at_least, claim, every, reach, shown, stay_under
from ganfp.paper.record import Record, Result, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import DASH, Table, number, plain, rows_by_dataset, small, strong, with_interval
from ganfp.paper.trial import AT, FEW, MOST, NORMS, STRENGTHS, SURROGATE, Trial, attack, surrogate
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

REMADE = 8  # of them, those that another GAN makes again
STAMPS = ("prnu", "visnet")  # whose fingerprints can be subtracted and added
REMAKER = "made again by another GAN"
BLACK = ("denoised", "resampled", SURROGATE)

defence = hardened.study  # a study of this page


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the pictures of the page show, of the first data set."""
    return [*seed_setup(runs[0]).part("test"), runs[0].fit("cnn", seed_setup(runs[0]))]


def needed(run: Run) -> list[Recipe]:
    """All images and generators, who is deceived, and the adversary's own network."""
    setup = seed_setup(run)
    parts = [sample for split in ("train", "test") for sample in setup.part(split)]
    return [*parts, *(s.origin for s in setup.sources[1:]), *(run.fit(m, setup) for m in KNOWN), surrogate(run)]


@beyond("adversaries", needed, every_dataset=True)
def study(run: Run) -> Result:
    """Success of every adversary: metrics ``removal`` and ``forgery`` in percent, row the attributor that is deceived.

    Columns: ``L∞ 2`` and the like (white-box), ``stamp 2`` (a learned fingerprint, ``variant``), or an adversary of
    :data:`BLACK`.  ``variant``: what the adversary knows; ``params.psnr`` in dB.
    """
    trial = Trial(run)
    for method, known in KNOWN.items():
        trial.add(known.row, attribution.attributor(run, method, trial.setup))
    for goal in GOALS:
        _white_box(trial, goal)
        _stamps(trial, goal)
        _black_box(trial, goal)
    return Result(trial.records)


def _white_box(trial: Trial, goal: str) -> None:
    for row, attributor in list(trial.attributors.items()):
        for norm, sign in NORMS.items():
            for strength in STRENGTHS:
                rows = () if (norm, strength) == ("linf", AT) else [row]
                after = attack(trial, attributor, strength, goal, norm)
                trial.tell(f"{sign} {strength}", goal, after, row, rows, norm=norm, strength=strength)


def _stamps(trial: Trial, goal: str) -> None:
    for method in STAMPS:
        owner = trial.attributors[KNOWN[method].row]
        # PRNU's residual is what is there, visNet's is what is taken away
        prints = owner.fingerprints_ * (1 if method == "prnu" else -1)
        away, towards = (prints[owner.columns(trial.wanted[g])] for g in GOALS)
        for strength in STRENGTHS:
            after = adversaries.stamped(trial.images, strength, away, towards if goal == "forgery" else None)
            trial.tell(f"stamp {strength}", goal, after, KNOWN[method].row, strength=strength)


def _black_box(trial: Trial, goal: str) -> None:
    if goal == "removal":
        trial.tell("denoised", goal, adversaries.denoised(trial.images))
        trial.tell("resampled", goal, adversaries.resampled(trial.images))
    own = Attributor.load(trial.run.path(surrogate(trial.run)), trial.run.device)
    trial.tell(SURROGATE, goal, attack(trial, own, AT, goal), strength=AT)
    again, some = np.array(trial.images), []
    for source in trial.setup.sources[1:]:
        mine = np.flatnonzero(trial.wanted["forgery"] == source.name)[:REMADE]
        generate, latent = x8.maker(trial.run, source.origin)
        again[mine] = inversion.invert(generate, trial.images[mine], latent, trial.run.seed).remade
        some += mine.tolist()
    trial.tell(REMAKER, goal, again[some], some=np.array(some))


# ---------------------------------------------------------------------------- what is shown


def pictures(run: Run) -> tuple[list[str], np.ndarray]:
    """An image of each of three sources, as it is and after PGD on our network: names, uint8 (3, K, 3, R, R)."""
    trial = Trial(run, 1)
    network = attribution.attributor(run, "cnn", trial.setup)
    make: Mapping[str, Callable[[], np.ndarray]] = {
        "none": lambda: trial.images, **{f"L∞ {s}": partial(attack, trial, network, s, "forgery") for s in STRENGTHS}
    }
    return list(make), np.stack([images()[:3] for images in make.values()], axis=1)


def table(found: Iterable[Record], columns: Mapping[str, tuple[str, str]], name: str, caption: str) -> Table:
    """Removal and forgery, percent, by attributor; ``columns``: header -> (column, variant), "=" for the row's own."""
    found = [r for r in found if r.metric in GOALS]

    def rows_of(mine: list[Record]) -> list[list[str]]:
        rows = []
        for row in dict.fromkeys(r.row for r in mine):
            cells = []
            for column, variant in columns.values():
                place = {"row": row, "column": column, "variant": row if variant == "=" else variant}
                both = [pick(mine, metric=goal, **place) for goal in GOALS]
                cells.append(" / ".join(number(r[0].value) if r else DASH for r in both))
            if any(cell != f"{DASH} / {DASH}" for cell in cells):
                rows.append([row, *cells])
        return [*rows, [small("PSNR, dB"), *(_psnr(mine, *where) for where in columns.values())]]

    return plain(["", *columns], rows_by_dataset(found, rows_of, paper=False), name, caption, of=found)


def _psnr(found: Sequence[Record], column: str, variant: str) -> str:
    values = [r.params["psnr"] for r in found if r.column == column and (variant in ("=", r.variant))]
    return small(f"{min(values):.1f}") if values else DASH


def transfer(found: Iterable[Record], goal: str, name: str, caption: str) -> Table:
    """An attack made with one attributor (row) and what it does to each other (column), at :data:`AT` grey levels."""
    found, names = pick(found, metric=goal, column=f"L∞ {AT}"), [known.row for known in KNOWN.values()]

    def rows_of(mine: list[Record]) -> list[list[str]]:
        cells = {(r.variant, r.row): with_interval(r, strong if r.variant == r.row else str) for r in mine}
        return [[made, *(cells.get((made, asked), DASH) for asked in names)] for made in names]

    header = ["made with", *names]
    return plain(header, rows_by_dataset(found, rows_of, paper=False), name, caption, of=found)


# ---------------------------------------------------------------------------- what is claimed


def _success(e: Evidence, row: str, goal: str, column: str, by: str) -> Record:
    where = {"setup": "adversary", "row": row, "metric": goal, "column": column, "variant": by}
    return e.found(f"{goal} of {row} by {column}", **where)[0]


def _own(e: Evidence, goal: str) -> dict[str, Record]:
    return {row: _success(e, row, goal, f"L∞ {AT}", row) for row in ("Ours", VISNET)}


@claim("adversary-removes", "x9", "3", "With the network at hand, two grey levels remove most fingerprints.")
def _removes(e: Evidence) -> tuple[str, str]:
    return reach(_own(e, "removal"), MOST)


@claim("adversary-forges", "x9", "3", "With the network at hand, two grey levels forge most other fingerprints.")
def _forges(e: Evidence) -> tuple[str, str]:
    return reach(_own(e, "forgery"), MOST)


@claim("adversary-transfers", "x9", "3", "An attack on our network hardly deceives PRNU.")
def _transfers(e: Evidence) -> tuple[str, str]:
    found = {goal: _success(e, "PRNU", goal, f"L∞ {AT}", "Ours") for goal in GOALS}
    return stay_under(found, FEW)


@claim("adversary-shared", "x9", "3", "An attack on visNet removes most of PRNU's fingerprints, too.")
def _shared(e: Evidence) -> tuple[str, str]:
    return reach({"PRNU": _success(e, "PRNU", "removal", f"L∞ {AT}", VISNET)}, MOST)


@claim("adversary-blind", "x9", "3", "To remove most of our fingerprints one needs neither network nor fingerprint.")
def _blind(e: Evidence) -> tuple[str, str]:
    found = {name: _success(e, "Ours", "removal", name, "") for name in BLACK}
    best = max(found.values(), key=lambda r: r.value)
    return every([at_least(best, MOST)]), f"{shown(found)} %; most is {MOST:g} %"


@claim("adversary-launders", "x9", "3", "What another GAN has made again is taken for that GAN's.")
def _launders(e: Evidence) -> tuple[str, str]:
    return reach({row: _success(e, row, "forgery", REMAKER, "") for row in ("PRNU", "Ours", VISNET)}, MOST)
