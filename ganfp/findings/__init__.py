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
from ganfp.findings.immunizability import (
    attack_caption,
    attacks,
    clean_after,
    defences,
    ghost_control,
    leak,
    noise_readings,
    relighting,
    transfer,
)
from ganfp.findings.photographs import claims_on_photographs, photograph_runs, photographs
from ganfp.findings.run import FRONT, banner, claims, front_page, shown_as

__all__ = [
    "CONTRAST",
    "DIFFERENCE",
    "FRONT",
    "at_chance",
    "bands",
    "attack_caption",
    "attacks",
    "banner",
    "beginnings",
    "caption",
    "claims",
    "claims_on_photographs",
    "columns",
    "clean_after",
    "content",
    "contrast",
    "critics",
    "defences",
    "diagonal",
    "equal_n",
    "front_page",
    "ghost_control",
    "how_long",
    "ladder",
    "leak",
    "noise_readings",
    "paper_images",
    "paper_times",
    "patches",
    "photograph_runs",
    "photographs",
    "purity",
    "relighting",
    "save_path",
    "selection",
    "service",
    "shown_as",
    "transfer",
    "trend",
    "twins",
]
