"""One function per table or figure of the paper: artifacts in, ``Result(records, arrays)`` out; nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp.experiments import (
    existence,
    format_leak,
    how_long,
    persistence,
    save_path,
    service,
    training_sets,
)
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Everything that the notebooks of a book load, of one run per data set: what ``ganfp build`` makes first.

    Tables 1 to 3, 7 and 8 and the pictures of the artifact-free subset are for every data set; Tables 4 to 6 and the
    studies beside them are for the first alone.
    """
    everywhere = (existence.needs, persistence.selection_needs)
    tables = [recipe for run in runs for needs in everywhere for recipe in needs(run)]
    beside = [existence.extra_needs, training_sets.needs, save_path.needs, service.needs]
    beside += [how_long.needs, persistence.needs, format_leak.needs]
    return [*tables, *(recipe for study in beside for recipe in study(runs[0]))]


def cost(runs: Sequence[Run]) -> dict[str, float]:
    """Core-seconds that the artifacts of a book took, by kind, whenever they were made."""
    from ganfp.runs.building import closure

    spent: dict[str, float] = {}
    for recipe in closure(needs(runs)):
        store = runs[0].store
        if store.has(recipe):
            spent[recipe.kind] = spent.get(recipe.kind, 0.0) + store.info(recipe)["seconds"]
    return spent
