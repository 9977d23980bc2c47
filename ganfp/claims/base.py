"""What a claim is: a predicate on the records of one data set, with its numbers and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ganfp.paper.published import ATTACKS, block, stands_for

Records = Iterable[Mapping]

HIGH = 97.0  # percent: the largest whole number that all of "Ours" in Tables 1, 2, 3 and 6 reach
NEAR_CHANCE = 1.3  # times chance: a little more than kNN's 1.26 in Table 2 and 1.20 in Table 3
ENTANGLED = 2.0  # FD ratio: at 1 two classes differ as little as two halves of one
FAR = 10.0  # times: the fingerprint's FD ratio over Inception's; in Tables 1, 2, 3 the least is 24
EQUAL = 1.0  # points: "equally high" across setups; the paper's differences are at most 0.92 downwards
RESTORED = 2.0  # points under the clean accuracy; the paper calls 1.94 complete
SIGNIFICANT = 0.05
SUFFICIENT = {"faces": "24", "bedrooms": "52"}  # patch sides in pixels, Section 4.3
SMALLEST_BAND = 8  # pixels: "even at the resolution of 8 x 8"


class NotMeasured(LookupError):
    """A claim asked for a number that the records do not hold."""


@dataclass(frozen=True)
class Number:
    """One measured number and its interval; without one, ``low`` and ``high`` equal ``value``."""

    value: float
    low: float
    high: float
    classes: int
    resolution: int | None

    @property
    def chance(self) -> float:
        return 100 / self.classes

    def __gt__(self, other: Number) -> bool:
        return self.low > other.high

    def __lt__(self, other: Number) -> bool:
        return self.high < other.low

    def __str__(self) -> str:
        return f"{self.value:.2f}"


@dataclass(frozen=True)
class Verdict:
    """``holds`` is None where nothing was measured; ``detail`` has the numbers, ``by_dataset`` the parts."""

    holds: bool | None
    detail: str
    by_dataset: Mapping[str, bool | None] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.holds is None:
            return "not measured"
        if self.holds or True not in self.by_dataset.values():
            return "holds" if self.holds else "does not hold"
        yes, no = ([d for d, v in self.by_dataset.items() if v is verdict] for verdict in (True, False))
        return f"holds for {' and '.join(yes)}, not for {' and '.join(no)}"


@dataclass(frozen=True)
class Claim:
    """One claim: its section, one sentence of ours, the tables that it is read from, and the check."""

    id: str
    section: str
    text: str
    tables: tuple[str, ...]
    check: Callable[[Records], Verdict]


class World:
    """The records of one data set, looked up by the names of the paper's tables."""

    def __init__(self, records: Records, dataset: str):
        self.dataset = dataset
        self.stands_for = stands_for(dataset) or "faces"  # a user's own images are read like Table 7
        self.records = [r for r in records if r["dataset"] == dataset]

    def number(self, table: str, row: str, column: str = "", metric: str = "accuracy", setup: str = "") -> Number:
        """The one number of a cell.  Raises :class:`NotMeasured` without one, ``ValueError`` for two numbers.

        A record whose ``params`` name a ``variant`` is an extra beside the table and never stands for its
        cell; nor does one of another setup than the paper's.
        """
        wanted = {"row": row, "metric": metric}
        if table:
            wanted |= {"table": table, "setup": block(table)["setup"]}
        if setup:
            wanted["setup"] = setup
        if column:
            wanted["column"] = column
        found = [
            r
            for r in self.records
            if all(r[key] == value for key, value in wanted.items())
            and not (r["params"] or {}).get("variant")
            and r["value"] is not None
        ]
        where = ", ".join(filter(None, (table and f"Table {table}", setup, row, column)))
        if not found:
            raise NotMeasured(f"{where} not measured")
        numbers = {number_of(r) for r in found}
        if len(numbers) > 1:
            raise ValueError(
                f"{len(numbers)} different records for {where} on {self.dataset}: "
                "give each extra one a 'variant' in its params"
            )
        return numbers.pop()

    def rows(self, table: str, column: str) -> dict[str, Number]:
        """The paper's rows that were measured, in its order; :class:`NotMeasured` if fewer than two."""
        found = {}
        for row in block(table)["accuracy"]:
            try:
                found[row] = self.number(table, row, column)
            except NotMeasured:
                continue
        if len(found) < 2:
            raise NotMeasured(f"Table {table}, {column} not measured")
        return found

    def by_column(self, metric: str, row: str) -> dict[str, Number]:
        """The numbers of a row beside the tables, by column; :class:`NotMeasured` if there are none."""
        found = {
            r["column"]: number_of(r)
            for r in self.records
            if r["metric"] == metric and r["row"] == row and not (r["params"] or {}).get("variant")
        }
        if not found:
            raise NotMeasured(f"{metric} of {row} not measured")
        return found

    @property
    def attacked(self) -> str:
        """The table of attacks for this data set: 7 for faces, 8 for bedrooms."""
        return "7" if self.stands_for == "faces" else "8"

    def attack(self, row: str, when: str) -> dict[str, Number]:
        """Accuracies of a method under every attack, before (``atk``) or after (``dfs``) immunisation."""
        return {a: self.number(self.attacked, row, f"{a} {when}") for a in ATTACKS}

    @property
    def clean(self) -> Number:
        """Accuracy of the attribution network without an attack, Table 3."""
        return self.number("3", "Ours")


def number_of(record: Mapping) -> Number:
    """The number of a record; one without an interval is exact."""
    value, low, high = record["value"], record["ci_low"], record["ci_high"]
    if low is None or high is None:
        low = high = value
    return Number(value, low, high, record["classes"], (record["params"] or {}).get("resolution"))


CLAIMS: list[Claim] = []
Check = Callable[[World], tuple[bool, str]]


def claim(id: str, section: str, tables: str, text: str) -> Callable[[Check], Check]:
    """Register a check of one data set as a claim over all data sets of the records."""

    def register(check: Check) -> Check:
        CLAIMS.append(Claim(id, section, text, tuple(tables.split()), partial(_verdict, check)))
        return check

    return register


def _verdict(check: Check, records: Records) -> Verdict:
    records = list(records)
    by_dataset, details = {}, []
    for dataset in sorted({r["dataset"] for r in records}, key=_paper_order):
        try:
            holds, detail = check(World(records, dataset))
        except NotMeasured as missing:
            holds, detail = None, str(missing)
        by_dataset[dataset] = holds
        details.append(f"{dataset}: {detail}")
    measured = [v for v in by_dataset.values() if v is not None]
    return Verdict(all(measured) if measured else None, "; ".join(details), by_dataset)


def _paper_order(dataset: str) -> tuple[int, str]:
    order = ["faces", "bedrooms"]
    return (order.index(dataset) if dataset in order else len(order), dataset)


def evaluate(records: Records) -> dict[str, Verdict]:
    """Verdict of every claim, by its id, on these records."""
    records = list(records)
    return {c.id: c.check(records) for c in CLAIMS}


def compare(numbers: Mapping[str, Number], *, above: bool = True) -> tuple[bool, str]:
    """Each number is above the next, or, with ``above=False``, merely none is above the one before it."""
    values = list(numbers.values())
    pairs = list(zip(values, values[1:], strict=False))
    holds = all(a > b for a, b in pairs) if above else not any(b > a for a, b in pairs)
    return holds, ", ".join(f"{name} {number}" for name, number in numbers.items())


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its verdict on the paper's numbers, the reference run's and this run's."""

    claim: Claim
    paper: Verdict
    reference: Verdict
    run: Verdict


def ledger(paper_records: Records, run_records: Records, reference_records: Records = ()) -> list[Row]:
    """Every claim with its verdicts, in the order of the paper."""
    verdicts = [evaluate(records) for records in (paper_records, reference_records, run_records)]
    return [Row(c, *(found[c.id] for found in verdicts)) for c in CLAIMS]
