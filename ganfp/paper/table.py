"""A table of the book, the cells that all tables share, and the words that sentences share with them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from ganfp.paper.record import Record, original, reference_records

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
    of: Sequence[Record] = field(default=(), repr=False)  # the records that it shows, for the line under it

    def __post_init__(self) -> None:
        if "`" in self.caption:
            raise ValueError(f"a table's caption cannot hold a backtick, which would end the table: {self.caption!r}")

    def markdown(self) -> str:
        """A MyST table with a caption and a label, and under it whose numbers these are."""
        rule = ["--:" if all(map(_is_number, column)) else ":--" for column in zip(*self.rows, strict=True)]
        lines = ["| " + " | ".join(row) + " |" for row in (self.header, rule, *self.rows)]
        kind = "results prose" if self.prose else "results"
        under = ["", "{.provenance}", provenance(self.of)] if self.of else []
        head = [f"```{{table}} {self.caption}", f":name: {self.name}", f":class: {kind}", ""]
        return "\n".join([*head, *lines, "```", *under])

    def html(self) -> str:
        """The same for a notebook outside the book."""
        head = "".join(f"<th>{cell}</th>" for cell in self.header)
        body = "".join("<tr>" + "".join(f"<td>{_bold(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><caption>{escape(self.caption)}</caption><tr>{head}</tr>{body}</table>{provenance(self.of)}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html(), "text/markdown": self.markdown(), "text/plain": self.caption}


def plain(header: Sequence[str], rows: Iterable[Sequence], name: str, caption: str, **known) -> Table:
    """Any other table; numbers are formatted as everywhere.  ``known`` are further fields of :class:`Table`."""
    cells = [[cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows]
    return Table(name, caption, header, cells, **known)


def crossed(
    found: Iterable[Record], name: str, caption: str, row: str = "row", column: str = "column", unit: str = ", %",
    corner: str = "",
) -> Table:  # fmt: skip
    """Numbers with their intervals by two fields of their records, in the order in which their values first come.

    Records of several data sets that would share a cell stand one below the other.
    """
    found = list(found)
    columns = list(dict.fromkeys(getattr(r, column) for r in found))

    def rows_of(mine: list[Record]) -> list[list[str]]:
        cells = {(getattr(r, row), getattr(r, column)): with_interval(r) for r in mine}
        names = dict.fromkeys(getattr(r, row) for r in mine)
        return [[readable(a), *(cells.get((a, b), DASH) for b in columns)] for a in names]

    alone = len({(getattr(r, row), getattr(r, column)) for r in found}) == len(found)
    rows = rows_of(found) if alone else rows_by_dataset(found, rows_of, paper=False)
    return plain([corner, *(f"{b}{unit}" for b in columns)], rows, name, caption, of=found)


def results(found: Iterable[Record], name: str, caption: str) -> Table:
    """Rows of Table 1, 2, 3 or 6: paper | reference | this run, 95 % interval, images, seconds; the best in bold.

    Records of several data sets stand one below the other, each under its name.
    """
    found = [r for r in found if not r.variant and r.metric in LABELS]
    header = ["", "", *BESIDE, "images", "training, s"]
    return Table(name, caption, header, rows_by_dataset(found, _results_of), of=found)


def rows_by_dataset(
    found: Sequence[Record], rows_of: Callable[[list[Record]], list[list[str]]], paper: bool = True
) -> list[list[str]]:
    """The rows of the records of each data set, under its name where there are several.

    ``paper``: the paper has numbers beside them, and the name of its own data set stands there, too.
    """
    rows, datasets = [], list(dict.fromkeys(r.dataset for r in found))
    for dataset in datasets:
        mine, theirs = rows_of([r for r in found if r.dataset == dataset]), original(dataset)
        if len(datasets) > 1:
            beside_it = small(f" paper: {theirs}") if paper and theirs != dataset else ""
            rows.append([strong(dataset) + beside_it, *[""] * (len(mine[0]) - 1)])
        rows += mine
    return rows


LABELS = {"accuracy": "accuracy, %", "fd_ratio": "FD ratio"}


def _results_of(found: list[Record]) -> list[list[str]]:
    top = max((r.value for r in found if r.metric == "accuracy"), default=None)
    rows = []
    for r in sorted(found, key=lambda r: list(LABELS).index(r.metric)):
        emphasis = strong if r.metric == "accuracy" and r.value == top else str
        cells = [number(r.paper), number(r.reference), this_run(r, emphasis), number(r.n), seconds(r.seconds)]
        rows.append([row_label(r), LABELS[r.metric], *cells])
    return rows


def row_label(r: Record) -> str:
    """The row as the paper prints it; what stands in for Inception is named."""
    features = r.params.get("features", "")
    instead = r.row == "Inception" and features not in ("", "Inception v3")
    return f"{features} {small('in Inception’s place')}" if instead else r.row


def provenance(records: Iterable[Record]) -> str:
    """Whose numbers these are: of each profile among them data sets, images, seconds of training, and commit."""
    profiles: dict[str, list[Record]] = {}
    for r in records:
        profiles.setdefault(r.profile, []).append(r)
    texts = []
    for profile, found in profiles.items():
        worlds, lengths, commits = (_unlike(getattr(r, k) for r in found) for k in ("dataset", "gan_images", "commit"))
        images, trained = [r.n for r in found if r.n], [r.seconds for r in found if r.seconds]
        seeds = sorted({len(r.params["seeds"]) for r in found if "seeds" in r.params})
        said = [f"profile {profile}", *([listed(worlds)] if worlds else [])]
        said += [f"n = {_span(images, number)}"] if images else []
        said += [f"{listed([str(n) for n in seeds])} seeds"] if seeds != [1] and seeds else []
        said += [f"GANs of {listed([f'{n:,}' for n in sorted(lengths)])} images"] if lengths else []
        said += [f"training {_span(trained, seconds)} s"] if trained else []
        said += [f"commit{'s' * (len(commits) > 1)} {listed(commits)}"] if commits else []
        texts.append(", ".join(said))
    return "; ".join(texts)


def _unlike(values: Iterable) -> list:
    """What is not empty among values, each once, in their order."""
    return list(dict.fromkeys(filter(None, values)))


def _span(values: Sequence[float], text: Callable[[float], str]) -> str:
    """The ends of some numbers as text, or the one text that they share."""
    return " to ".join(dict.fromkeys(text(end) for end in (min(values), max(values))))


def beside(r: Record | None, paper: float | None) -> list[str]:
    """The cells of :data:`BESIDE`: the paper's number, and what this run's record of the place holds, if it has one."""
    return [number(paper), *((number(r.reference), this_run(r)) if r else (DASH, DASH))]


def this_run(r: Record, emphasis: Callable[[str], str] = str) -> str:
    """A record's number with its interval; a dash for one of the reference run's, which stands in a column before."""
    return DASH if any(r is other for other in reference_records()) else with_interval(r, emphasis)


def with_interval(r: Record, emphasis: Callable[[str], str] = str) -> str:
    """A number and, small, its interval if it has one, with a decimal more where one would not show its width."""
    if r.ci_low is None:
        return emphasis(number(r.value))
    digits = 1 if r.high - r.low >= 0.1 else 2
    return f"{emphasis(number(r.value))} {small(f'{r.low:.{digits}f}–{r.high:.{digits}f}')}"


def number(value: float | None) -> str:
    """Two decimals, as the paper prints, fewer where they mean nothing; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, int):
        return f"{value:,}"
    return minus(f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}")


def seconds(value: float | None) -> str:
    """Whole seconds, or one decimal below ten."""
    return DASH if value is None else f"{value:.1f}" if value < 10 else f"{value:,.0f}"


# ---------------------------------------------------------------------------- words


def p_value(p: float) -> str:
    """Two digits; what is smaller than a thousandth, as such."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def p_words(p: float) -> str:
    """ "p = 0.03", "p < 0.001"."""
    said = p_value(p)
    return f"p {said}" if said.startswith("<") else f"p = {said}"


def listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def readable(name: str) -> str:
    """``ProGAN_seed_2`` as "ProGAN, seed 2", ``ProGAN_subset_diff_10`` as "ProGAN, 10 exchanged"."""
    name = re.sub(r"_subset_diff_(\d+)", r", \1 exchanged", name)
    return name.replace("_seed_", ", seed ").replace("_again", ", again")


def minus(text: str) -> str:
    """Hyphens before digits as minus signs."""
    return re.sub(r"(?<![\w-])-(?=[\d.])", "−", text)


def by_dataset(records: Sequence[Record], text: Callable[[list[Record]], str]) -> str:
    """A text for the records of each data set, under its name where there are several."""
    names = list(dict.fromkeys(r.dataset for r in records))
    texts = [text([r for r in records if r.dataset == name]) for name in names]
    if len(names) == 1:
        return texts[0]
    return "\n\n".join(f"**{name.capitalize()}.** {found}" for name, found in zip(names, texts, strict=True))


def strong(text: str) -> str:
    return f"**{text}**"


def small(text: str) -> str:
    return f"<small>{text}</small>" if text else ""


def _is_number(cell: str) -> bool:
    """Whether a cell is aligned as numbers are; so is an empty one."""
    return not cell or cell.lstrip("*-−")[:1].isdigit() or cell == DASH


def _bold(cell: str) -> str:
    """Markdown's bold as HTML."""
    parts = cell.split("**")
    return "".join(f"<b>{part}</b>" if i % 2 else part for i, part in enumerate(parts))
