"""Beyond the paper, x9: fingerprints removed and forged on purpose, and what a defence is worth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ganfp import adversaries, inversion, metrics
from ganfp.adversaries import GOALS
from ganfp.attributors import METHODS as KNOWN
from ganfp.attributors import Attributor
from ganfp.paper import attribution, x8
from ganfp.paper.attribution import VISNET, seed_setup
from ganfp.paper.judge import Evidence, at_least, claim, every, reach, shown, stay_under
from ganfp.paper.record import Record, Result, estimate, pick, record
from ganfp.paper.sections import beyond
from ganfp.paper.table import DASH, Table, number, plain, small, strong, with_interval
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

EACH = 50  # images of each source
REMADE = 8  # of them, those that another GAN makes again
STRENGTHS = (1, 2, 4, 8)  # grey levels
NORMS = {"linf": "L∞", "l2": "L2"}
AT = 2  # the strength at which attacks are compared
STAMPS = ("prnu", "visnet")  # whose fingerprints can be subtracted and added
SURROGATE, REMAKER, HARDENED = "a network of one's own", "made again by another GAN", "Ours, hardened"
BLACK = ("denoised", "resampled", SURROGATE)
MOST, FEW, COSTS = 80.0, 20.0, 2.0  # percent, percent, points


def surrogate(run: Run) -> Fit:
    """The adversary's own network: our method on images of his own, from another seed."""
    setup = seed_setup(run)
    return run.fit("cnn", replace(setup, seed=setup.seed + 1), seed=run.seed + 1)


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the pictures of the page show, of the first data set."""
    return [*seed_setup(runs[0]).part("test"), runs[0].fit("cnn", seed_setup(runs[0]))]


def needed(run: Run) -> list[Recipe]:
    """All images and generators, who is deceived, and the adversary's own network."""
    setup = seed_setup(run)
    parts = [sample for split in ("train", "test") for sample in setup.part(split)]
    return [*parts, *(s.origin for s in setup.sources[1:]), *(run.fit(m, setup) for m in KNOWN), surrogate(run)]


class Trial:
    """The images that are attacked, who they are of and shall be of, and what each attributor said of them before."""

    def __init__(self, run: Run, each: int = EACH) -> None:
        self.run, self.setup = run, seed_setup(run)
        of = x8.asked(run, "test", each=each)
        self.images, self.truth = of.images, of.truth
        following = dict(zip(self.setup.classes, np.roll(self.setup.classes, -1), strict=True))
        self.wanted = {"removal": self.truth, "forgery": np.array([following[name] for name in self.truth])}
        self.attributors: dict[str, Attributor] = {}
        self.before: dict[str, np.ndarray] = {}
        self.records: list[Record] = []

    def add(self, row: str, attributor: Attributor) -> None:
        self.attributors[row], self.before[row] = attributor, attributor.predict(self.images)

    def tell(
        self, column: str, goal: str, after: np.ndarray, by: str = "", rows: Iterable[str] = (),
        some: np.ndarray | slice = slice(None), **params,
    ) -> None:  # fmt: skip
        """A record for each attributor of ``rows`` (default: all): the share of its right answers that it gives up for
        any other (``removal``) or for the wanted one (``forgery``).  ``by``: the attributor that the attack knows."""
        noise = adversaries.psnr(self.images[some], after)
        for row in rows or self.attributors:
            said = self.attributors[row].predict(after)
            done = said != self.truth[some] if goal == "removal" else said == self.wanted[goal][some]
            known = self.before[row][some] == self.truth[some]
            if known.sum() < 2:
                continue  # it knew too little before to be deceived
            share = metrics.share(done[known])
            more = {"psnr": noise, "by": by, **params}
            what = {"setup": "adversary", "column": column, "variant": by, "params": more}
            self.records.append(estimate(self.run, row, goal, share, **what))


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
    _defence(trial)
    return Result(trial.records)


def attack(trial: Trial, attributor: Attributor, strength: float, goal: str, norm: str = "linf") -> np.ndarray:
    """The trial's images after PGD on an attributor."""
    columns = attributor.columns(trial.wanted[goal])
    return adversaries.pgd(attributor, trial.images, columns, strength, goal, norm, seed=trial.run.seed)


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


def _defence(trial: Trial) -> None:
    """Our network after adversarial fine-tuning: how it fares, and how many points of accuracy that costs."""
    run, setup = trial.run, trial.setup
    schedule = {"images": run.profile.immunisation.images // 4, "learning_rate": run.profile.immunisation.learning_rate}
    network = Attributor.load(run.path(run.fit("cnn", setup)), run.device, **schedule)
    adversaries.harden(network, *load_part(setup, "train", run.path), AT)
    trial.add(HARDENED, network)
    images, truth = load_part(setup, "test", run.path)
    plain_answers, answers = attribution.predictions(run, "cnn", setup), network.predict(images)
    clusters = attribution.clusters(setup)
    cost = metrics.paired_difference(truth, answers, plain_answers, clusters)
    known = {"setup": "adversary", "column": "no attack", "interval": (cost.low, cost.high), "n": len(truth)}
    trial.records.append(record(run, HARDENED, "gained_by_defence", cost.value, **known))
    for goal in GOALS:
        for strength in STRENGTHS:
            after = attack(trial, network, strength, goal)
            trial.tell(f"L∞ {strength}", goal, after, HARDENED, [HARDENED], norm="linf", strength=strength)



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
    rows = []
    for row in dict.fromkeys(r.row for r in found):
        cells = []
        for column, variant in columns.values():
            place = {"row": row, "column": column, "variant": row if variant == "=" else variant}
            both = [pick(found, metric=goal, **place) for goal in GOALS]
            cells.append(" / ".join(number(r[0].value) if r else DASH for r in both))
        if any(cell != f"{DASH} / {DASH}" for cell in cells):
            rows.append([row, *cells])
    quality = [_psnr(found, *where) for where in columns.values()]
    return plain(["", *columns], [*rows, [small("PSNR, dB"), *quality]], name, caption, of=found)


def _psnr(found: Sequence[Record], column: str, variant: str) -> str:
    values = [r.params["psnr"] for r in found if r.column == column and (variant in ("=", r.variant))]
    return small(f"{min(values):.1f}") if values else DASH


def transfer(found: Iterable[Record], goal: str, name: str, caption: str) -> Table:
    """An attack made with one attributor (row) and what it does to each other (column), at :data:`AT` grey levels."""
    found = pick(found, metric=goal, column=f"L∞ {AT}")
    names = [known.row for known in KNOWN.values()]
    cells = {(r.variant, r.row): r for r in found}
    own = lambda a, b: strong if a == b else str  # noqa: E731
    rows = [[a, *(with_interval(cells[a, b], own(a, b)) if (a, b) in cells else DASH for b in names)] for a in names]
    return plain(["made with", *names], rows, name, caption, of=found)


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


@claim("adversary-defended", "x9", "3", "Adversarial fine-tuning makes removal rarer, and costs hardly any accuracy.")
def _defended(e: Evidence) -> tuple[str, str]:
    before, after = (_success(e, row, "removal", f"L∞ {AT}", row) for row in ("Ours", HARDENED))
    cost = pick(e.records, row=HARDENED, metric="gained_by_defence")[0]
    signs = [e.above(before, after), at_least(cost, -COSTS)]
    return every(signs), f"{before.value:.1f} % removed, then {after.value:.1f} %; accuracy {cost.value:+.1f} points"
