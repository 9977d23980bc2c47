"""Records -> tables: the paper's number, this run's with its interval, and what it took.

A :class:`~ganfp.tables.table.Table` shows itself as HTML in Jupyter, and in the book as a numbered, captioned table.
"""

from __future__ import annotations

from ganfp.tables.existence import by_class, controls, conventions, cues, extremes, folders, results, trends
from ganfp.tables.immunizability import attacks, formats, ghosts
from ganfp.tables.network import layer_table, millions, windows
from ganfp.tables.photographs import side_by_side
from ganfp.tables.table import Table, number, plain

__all__ = [
    "Table",
    "at_equal_n",
    "attacks",
    "bands",
    "by_class",
    "controls",
    "conventions",
    "cues",
    "extremes",
    "folders",
    "formats",
    "ghosts",
    "layer_table",
    "millions",
    "number",
    "patches",
    "plain",
    "results",
    "selection",
    "side_by_side",
    "trends",
    "windows",
]
