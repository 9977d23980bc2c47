"""One function per table or figure of the paper: artifacts in, ``Result(records, arrays)`` out; nothing is drawn."""

from __future__ import annotations

from ganfp.experiments import existence
from ganfp.recipes import Recipe
from ganfp.run import Run


def needs(run: Run) -> list[Recipe]:
    """Everything that the notebooks of a run load: what ``ganfp build`` makes before they start."""
    return existence.needs(run)
