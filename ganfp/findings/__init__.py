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
from ganfp.findings.run import FRONT, banner, claims, front_page, shown_as
from ganfp.findings.visualization import lattice, logits, own_models, regions, visnet

__all__ = [
    "CONTRAST",
    "DIFFERENCE",
    "FRONT",
    "at_chance",
    "banner",
    "beginnings",
    "caption",
    "claims",
    "columns",
    "content",
    "contrast",
    "critics",
    "diagonal",
    "front_page",
    "how_long",
    "ladder",
    "lattice",
    "logits",
    "own_models",
    "paper_images",
    "paper_times",
    "purity",
    "regions",
    "save_path",
    "service",
    "shown_as",
    "trend",
    "twins",
    "visnet",
]
