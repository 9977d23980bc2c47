"""A table's numbers made again, and held against those that a book printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganfp.paper.record import Record, original, read
from ganfp.paper.sections import Study, studies
from ganfp.paper.table import LABELS
from ganfp.runs.run import Run

SAME, WITHIN, OUTSIDE, OPEN = "the same", "within its interval", "outside its interval", "another, without an interval"


@dataclass(frozen=True)
class Again:
    """A printed number, and the one in the same place that was measured again."""

    printed: Record
    value: float

    @property
    def verdict(self) -> str:
        """Equal to the bit, within the printed 95 % interval, or outside; FD ratios have no interval."""
        if self.value == self.printed.value:
            return SAME
        if self.printed.ci_low is None:
            return OPEN
        return WITHIN if self.printed.low <= self.value <= self.printed.high else OUTSIDE

    def __str__(self) -> str:
        r = self.printed
        column = "" if r.column == original(r.dataset) else r.column
        place = ", ".join(filter(None, (r.dataset, r.row, column, r.variant, LABELS[r.metric])))
        interval = "" if r.ci_low is None else f" ({r.low:.2f} to {r.high:.2f})"
        return f"{place}: printed {r.value:.2f}{interval}, again {self.value:.2f}: {self.verdict}"


def study_of(table: str) -> Study:
    """What measures a table; ``ValueError`` for one that the paper does not have."""
    found = studies().get("attacks" if table in ("7", "8") else f"table{table}")
    if found is None:
        raise ValueError(f"the paper has no table {table!r}; it has 1 to 8")
    return found


def printed(run: Run, table: str, root: Path) -> list[Record]:
    """What the book of the run's profile below ``root`` prints of a table; ``LookupError`` says how to make it."""
    files = sorted(Path(root, "results", run.profile.name).glob("*/*.json"))
    places = {_place(r): r for file in files for r in read(file) if r.profile == run.profile.name}
    found = [r for r in places.values() if (r.table, r.dataset) == (table, run.dataset) and r.metric in LABELS]
    if not found:
        raise LookupError(
            f"the book has no Table {table} on {run.dataset} at profile {run.profile.name}; "
            f"make it first: ganfp book --profile {run.profile.name} --dataset {run.source}"
        )
    return found


def verify(run: Run, table: str, numbers: Sequence[Record], jobs: int | None = None) -> list[Again]:
    """Measure a table, making what the run's store lacks, and pair its numbers with those that were printed."""
    study = study_of(table)
    run.build(study.needs(run), jobs=jobs)
    return compared(numbers, study.measure(run).records)


def compared(numbers: Iterable[Record], again: Iterable[Record]) -> list[Again]:
    """The numbers that were measured again; ``LookupError`` if one was not."""
    found = {_place(r): r.value for r in again}
    numbers = list(numbers)
    if missing := [r for r in numbers if _place(r) not in found]:
        raise LookupError(f"not measured again: {', '.join(' '.join(_place(r)) for r in missing)}")
    return [Again(r, found[_place(r)]) for r in numbers]


def _place(r: Record) -> tuple[str, ...]:
    return r.table, r.dataset, r.row, r.column, r.metric, r.variant
