"""The sections: one module each, called as the notebook is (``s4_3``, ``sA``, ``x1``), found by its name.

A section may define

    needs(runs)   the recipes that its page loads, of one run per data set: what ``ganfp build`` makes first
    STUDIES       a mapping of names to :class:`Study`: what ``ganfp reference --measure`` publishes of it

and registers its claims with :func:`ganfp.paper.judge.claim`.
"""

import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ganfp.paper.record import Result
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

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
    return [recipe for section in sections() if hasattr(section, "needs") for recipe in section.needs(runs)]


def studies() -> dict[str, Study]:
    """What the reference run publishes, by name, section by section."""
    return {name: s for section in sections() for name, s in getattr(section, "STUDIES", {}).items()}
