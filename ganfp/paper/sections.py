"""The sections: one module each, called as the notebook is (``s4_3``, ``sA``, ``x1``), found by its name.

A section may define

    needs(runs)   the recipes that its page loads, of one run per data set: what ``ganfp build`` makes first
    STUDIES       a mapping of names to :class:`Study`: what ``ganfp reference --measure`` publishes of it
    @beyond(...)  on a function: a study of which a page may show the reference run's records

and registers its claims with :func:`ganfp.paper.judge.claim`.
"""

import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ganfp.paper.record import Record, Result, reference_of, reference_result
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run
from ganfp.worlds import DRAWN

_NAME = re.compile(r"([a-z])(\d+|[A-Z])(?:_(\d+))?")  # s4_3, sA, x1


@dataclass(frozen=True)
class Study:
    """Something that the reference run measures and publishes: a function of a run, and what it is asked for.

    ``needs``: the recipes that it loads; ``seeds``: measured with several seeds, and pooled; ``every_dataset``: not of
    the first drawn world alone; ``photographs``: of photographs, too; ``arrays``: published with its arrays, because a
    page shows them.
    """

    measure: Callable[[Run], Result]
    needs: Callable[[Run], Sequence[Recipe]] = lambda run: ()
    seeds: bool = False
    every_dataset: bool = True
    photographs: bool = True
    arrays: bool = False


class Beyond:
    """A study beyond the paper: called, it gives a run's result, or the reference run's where that is shown instead."""

    def __init__(self, name: str, measure: Callable[[Run], Result], needs: Callable[[Run], Sequence[Recipe]], **known):
        update_wrapper(self, measure)
        self.name, self.measure, self.needs = name, measure, needs
        self.study = Study(self, needs, **{"every_dataset": False, "photographs": False, **known})

    def __call__(self, run: Run) -> Result:
        if published := reference_result(self.name, run):
            return published
        run.build(self.needs(run))
        return self.measure(run)

    def elsewhere(self, run: Run) -> list[Record]:
        """The reference run's records of the drawn worlds that the run is not of."""
        found = [reference_of(self.name, world) for world in DRAWN if world != run.dataset]
        return [r for one in found if one for r in one.records]

    def loads(self, run: Run) -> list[Recipe]:
        """The recipes that it loads when it is called."""
        return [] if reference_result(self.name, run) else list(self.needs(run))


def beyond(name: str, needs: Callable[[Run], Sequence[Recipe]], **known) -> Callable[..., Beyond]:
    """Make a function of a run a :class:`Beyond`, published under a name; ``known``: fields of its :class:`Study`."""
    return lambda measure: Beyond(name, measure, needs, **known)


@cache
def sections() -> list[ModuleType]:
    """The modules of all sections: the paper's, its supplement's (sA, sB, ...), then what the paper does not have."""
    names = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if _NAME.fullmatch(m.name)]
    return [import_module(f"ganfp.paper.{name}") for name in sorted(names, key=_order)]


def _order(name: str) -> tuple[str, bool, str, int]:
    kind, chapter, part = _NAME.fullmatch(name).groups()
    return kind, chapter.isalpha(), chapter.zfill(3), int(part or 0)


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Everything that the notebooks of a book load, of one run per data set: what ``ganfp build`` makes first."""
    found = []
    for section in sections():
        found += section.needs(runs) if hasattr(section, "needs") else []
        found += [recipe for study in _beyond(section) for recipe in study.loads(runs[0])]
    return found


def studies() -> dict[str, Study]:
    """What the reference run publishes, by name, section by section."""
    found: dict[str, Study] = {}
    for section in sections():
        found |= getattr(section, "STUDIES", {})
        for one in _beyond(section):
            found[one.name] = one.study
    return found


def _beyond(section: ModuleType) -> list[Beyond]:
    return [one for one in vars(section).values() if isinstance(one, Beyond)]
