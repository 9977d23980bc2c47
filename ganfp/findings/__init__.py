"""Sentences about a run, made from its records: the prose says what was measured, whatever that was."""

from __future__ import annotations

from ganfp.findings.attribution import (
    CONTRAST,
    DIFFERENCE,
    at_chance,
    caption,
    columns,
    contrast,
    diagonal,
    how_long,
    paper_images,
    paper_times,
    twins,
)
from ganfp.findings.existence import beginnings, save_path, service, trend
from ganfp.findings.features import content, critics, ladder, purity
from ganfp.findings.immunizability import ghost_control, leak
from ganfp.findings.persistence import bands, equal_n, patches, persistence_cost, selection
from ganfp.findings.photographs import claims_on_photographs, photograph_runs, photographs
from ganfp.findings.run import FRONT, banner, claims, front_page, shown_as

__all__ = [
    "CONTRAST",
    "DIFFERENCE",
    "FRONT",
    "at_chance",
    "bands",
    "banner",
    "beginnings",
    "caption",
    "claims",
    "claims_on_photographs",
    "columns",
    "content",
    "contrast",
    "critics",
    "diagonal",
    "equal_n",
    "front_page",
    "ghost_control",
    "how_long",
    "ladder",
    "leak",
    "paper_images",
    "paper_times",
    "patches",
    "persistence_cost",
    "photograph_runs",
    "photographs",
    "purity",
    "save_path",
    "selection",
    "service",
    "shown_as",
    "trend",
    "twins",
]
