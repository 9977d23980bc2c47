"""A table of the book, and the cells that all tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

DASH = "–"
BESIDE = ("paper", "reference", "this run")


@dataclass(frozen=True)
class Table:
    """Cells of text with the little markup of :func:`strong` and :func:`small`; ``name`` is a label, as ``tab-3``."""

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    prose: bool = False  # cells are sentences, and wrap

    def __post_init__(self) -> None:
        if "`" in self.caption:
            raise ValueError(f"a table's caption cannot hold a backtick, which would end the table: {self.caption!r}")

    def markdown(self) -> str:
        """A MyST table with a caption and a label."""
        rule = ["--:" if all(map(_is_number, column)) else ":--" for column in zip(*self.rows, strict=True)]
        lines = ["| " + " | ".join(row) + " |" for row in (self.header, rule, *self.rows)]
        kind = "results prose" if self.prose else "results"
        return "\n".join([f"```{{table}} {self.caption}", f":name: {self.name}", f":class: {kind}", "", *lines, "```"])

    def html(self) -> str:
        """The same for a notebook outside the book."""
        head = "".join(f"<th>{cell}</th>" for cell in self.header)
        body = "".join("<tr>" + "".join(f"<td>{_bold(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><caption>{escape(self.caption)}</caption><tr>{head}</tr>{body}</table>"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/markdown": self.markdown(), "text/plain": self.caption}


def plain(header: Sequence[str], rows: Iterable[Sequence], name: str, caption: str, prose: bool = False) -> Table:
    """Any other table; numbers are formatted as everywhere.  ``prose`` for cells that are sentences."""
    cells = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]
    return Table(name, caption, header, cells, prose)


def beside(r: dict | None, published: float | None) -> list[str]:
    """The cells of :data:`BESIDE`: the paper's number, and what this run's record of the place holds, if it has one."""
    return [number(published), *((number(r["reference"]), with_interval(r)) if r else (DASH, DASH))]


def with_interval(r: dict, emphasis: Callable[[str], str] = str) -> str:
    """A number in percent and, small, its interval."""
    interval = small(f"{r['ci_low']:.1f}–{r['ci_high']:.1f}")
    return f"{emphasis(number(r['value']))} {interval}"


def number(value: float | None) -> str:
    """Two decimals, as the paper prints, fewer where they mean nothing; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def p_value(p: float) -> str:
    """Two digits; what is smaller than a thousandth, as such."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def seconds(value: float | None) -> str:
    """Whole seconds, or one decimal below ten."""
    return DASH if value is None else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def strong(text: str) -> str:
    return f"**{text}**"


def small(text: str) -> str:
    return f"<small>{text}</small>"


def _is_number(cell: str) -> bool:
    """Whether a cell is aligned as numbers are; so is an empty one."""
    return not cell or cell.lstrip("*-−")[:1].isdigit() or cell == DASH


def _bold(cell: str) -> str:
    """Markdown's bold as HTML."""
    parts = cell.split("**")
    return "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(parts))
