"""What every adversary of page x9 is tried on: the same images, the same aims, and a count of who is deceived."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ganfp import adversaries, metrics
from ganfp.attributors import Attributor
from ganfp.paper import x8
from ganfp.paper.attribution import seed_setup
from ganfp.paper.record import Record, estimate
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.run import Run

EACH = 50  # images of each source
MOST, FEW = 80.0, 20.0  # percent
SURROGATE = "a network of one's own"
STRENGTHS = (1, 2, 4, 8)  # grey levels
NORMS = {"linf": "L∞", "l2": "L2"}
AT = 2  # the strength at which attacks are compared


def surrogate(run: Run) -> Fit:
    """The adversary's own network: our method on images of his own, from another seed."""
    setup = seed_setup(run)
    return run.fit("cnn", replace(setup, seed=setup.seed + 1), seed=run.seed + 1)


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
        some: np.ndarray | slice = slice(None), setup: str = "adversary", **params,
    ) -> None:  # fmt: skip
        """A record for each attributor of ``rows`` (default: all): the share of its right answers that it gives up for
        any other (``removal``) or for the wanted one (``forgery``).  ``by``: the attributor that the attack knows."""
        noise = adversaries.psnr(self.images[some], after)
        for row in rows or self.attributors:
            done = self.deceived(row, goal, after, some)
            if len(done) < 2:
                continue  # it knew too little before to be deceived
            more = {"psnr": noise, "by": by, **params}
            what = {"setup": setup, "column": column, "variant": by, "params": more}
            self.records.append(estimate(self.run, row, goal, metrics.share(done), **what))

    def deceived(
        self, row: str, goal: str, after: np.ndarray, some: np.ndarray | slice = slice(None)
    ) -> np.ndarray:  # fmt: skip
        """Of the images that an attributor had named rightly, which it gives up afterwards, (n,) bool."""
        said = self.attributors[row].predict(after)
        done = said != self.truth[some] if goal == "removal" else said == self.wanted[goal][some]
        return done[self.before[row][some] == self.truth[some]]


def attack(trial: Trial, attributor: Attributor, strength: float, goal: str, norm: str = "linf") -> np.ndarray:
    """The trial's images after PGD on an attributor."""
    columns = attributor.columns(trial.wanted[goal])
    return adversaries.pgd(attributor, trial.images, columns, strength, goal, norm, seed=trial.run.seed)
