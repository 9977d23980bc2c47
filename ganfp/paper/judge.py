"""Claims and verdicts: the paper's sentences as predicates on records, judged once, by one rule.

A claim consists of comparisons, each of which is shown (+1), or has its opposite shown (-1), or neither (0):

* One number is *above* another if the interval of their difference on the same images is above zero.  Where that
  difference was not measured, their 95 % intervals must not meet.
* A number is *at least* a bound if all of its interval is.
* A number without an interval (the paper prints none) is exact.

The claim holds if all of its comparisons are shown, it is refuted if the opposite of one is, and otherwise it is not
shown.  It is judged on each data set by itself, and on the paper's numbers as on ours.  Pages and ledger read the same
verdict.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ganfp.paper.published import block, stands_for
from ganfp.paper.record import Record, pick, published_records
from ganfp.paper.table import listed, minus, readable

HOLDS, REFUTED, NOT_SHOWN, NOT_MEASURED = "holds", "is refuted", "is not shown", "is not measured"
UNPRINTED = "is stated without numbers"  # of the paper alone, instead of "is not measured"

HIGH = 97.0  # percent: the largest whole number that all of "Ours" in Tables 1, 2, 3 and 6 reach
NEAR_CHANCE = 1.3  # times chance: a little more than kNN's 1.26 in Table 2 and 1.20 in Table 3
RESTORED = 2.0  # points under the clean accuracy; the paper calls 1.94 complete
SIGNIFICANT = 0.05


class NotMeasured(LookupError):
    """A claim asked for a number that the records do not hold."""


@dataclass(frozen=True)
class Verdict:
    """What a claim comes to: one of the four outcomes, the numbers behind it, and a sentence for the page.

    With several data sets ``outcome`` is the weakest of those that were measured, and ``by_dataset`` has each.
    """

    outcome: str
    numbers: str
    by_dataset: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """True or False; None where nothing was measured."""
        return None if self.outcome in (NOT_MEASURED, UNPRINTED) else self.outcome == HOLDS

    @property
    def sentence(self) -> str:
        """The verdict and its numbers: "**Holds for faces, is refuted for bedrooms.** faces: ...; bedrooms: ..."."""
        return f"**{str(self)[:1].upper()}{str(self)[1:]}.** {self.numbers}."

    def __str__(self) -> str:
        named = {o: [d for d, found in self.by_dataset.items() if found == o] for o in (HOLDS, NOT_SHOWN, REFUTED)}
        named = {outcome: datasets for outcome, datasets in named.items() if datasets}
        if len(named) < 2:
            return self.outcome
        return ", ".join(f"{outcome} for {' and '.join(datasets)}" for outcome, datasets in named.items())


Check = Callable[["Evidence"], tuple[str, str]]  # outcome and numbers, on one data set


@dataclass(frozen=True)
class Claim:
    """One claim of the paper: its section, a sentence of ours, the tables it is read from, and the check.

    ``unprinted``: the paper measured it and says so, but prints no number.
    """

    id: str
    section: str
    text: str
    tables: tuple[str, ...]
    check: Check
    unprinted: bool = False


CLAIMS: dict[str, Claim] = {}
DRAWN = ("faces", "bedrooms")  # every claim is for both; what is asked of other worlds is on their own pages


def claim(id: str, section: str, tables: str, text: str, unprinted: bool = False) -> Callable[[Check], Check]:
    """Register a check as a claim; ``tables`` are those that it is read from, with blanks between."""

    def register(check: Check) -> Check:
        CLAIMS[id] = Claim(id, section, text, tuple(tables.split()), check, unprinted)
        return check

    return register


# ---------------------------------------------------------------------------- evidence


class Evidence:
    """The records of one data set, found by the names of the paper's tables, and how they compare."""

    def __init__(self, records: Iterable[Record], dataset: str):
        self.dataset = dataset
        self.stands_for = stands_for(dataset) or "faces"  # a user's own images are read as faces are
        self.records = pick(records, dataset=dataset)

    def number(self, table: str, row: str, column: str = "", metric: str = "accuracy", **more) -> Record:
        """The one record of a cell of a table of the paper, or, with ``table`` empty, beside the tables.

        Raises :class:`NotMeasured` without one, ``ValueError`` for two that differ.  A variant never stands for the
        cell, nor does a record of another setup than the paper's.
        """
        wanted = {"row": row, "metric": metric, "variant": "", **more}
        if table:
            wanted |= {"table": table, "setup": block(table)["setup"]}
        if column:
            wanted["column"] = column
        found = pick(self.records, **wanted)
        where = ", ".join(filter(None, (table and f"Table {table}", *more.values(), row, column, metric)))
        if not found:
            raise NotMeasured(f"{where} not measured")
        if len({(r.value, r.ci_low, r.ci_high) for r in found}) > 1:
            raise ValueError(f"{len(found)} records of {where} on {self.dataset} differ; extras need a `variant`")
        return found[0]

    def maybe(self, *args, **more) -> Record | None:
        """:meth:`number`, or None where it was not measured."""
        try:
            return self.number(*args, **more)
        except NotMeasured:
            return None

    def rows(self, table: str, column: str) -> dict[str, Record]:
        """The paper's rows of a column that were measured, in its order; :class:`NotMeasured` if fewer than two."""
        found = {row: self.maybe(table, row, column) for row in block(table)["accuracy"]}
        measured = {row: r for row, r in found.items() if r}
        if len(measured) < 2:
            raise NotMeasured(f"Table {table}, {column} not measured")
        return measured

    def found(self, what: str, least: int = 1, **wanted) -> list[Record]:
        """The records whose fields equal ``wanted``; :class:`NotMeasured` names ``what`` if there are fewer."""
        found = pick(self.records, **wanted)
        if len(found) < least:
            raise NotMeasured(f"{what} not measured")
        return found

    def by_column(self, metric: str, row: str) -> dict[str, Record]:
        """The records of a row beside the tables, by column; :class:`NotMeasured` if there are none."""
        return {r.column: r for r in self.found(f"{metric} of {row}", metric=metric, row=row, variant="")}

    # ------------------------------------------------------------------ comparisons: +1, -1 or 0

    def difference(self, a: Record, b: Record) -> tuple[float, float]:
        """Interval of ``a - b``: as measured on the same images, else the widest that their own intervals allow."""
        for first, second, sign in ((a, b, 1), (b, a, -1)):
            for d in pick(self.records, metric="difference", row=first.row, column=first.column, setup=first.setup):
                of = d.params.get("of", first.metric) == first.metric == second.metric
                if of and list(d.params["against"]) == [second.row, second.column, second.setup]:
                    return (d.low, d.high) if sign > 0 else (-d.high, -d.low)
        return a.low - b.high, a.high - b.low

    def above(self, a: Record, b: Record, margin: float = 0.0) -> int:
        """Whether ``a`` is above ``b``; with a margin, whether it is not further below ``b`` than that."""
        low, high = self.difference(a, b)
        if margin:
            return 1 if low >= -margin else -1 if high < -margin else 0
        return 1 if low > 0 else -1 if high < 0 else 0


def at_least(r: Record, bound: float) -> int:
    """Whether a number reaches a bound."""
    return 1 if r.low >= bound else -1 if r.high < bound else 0


def at_most(r: Record, bound: float) -> int:
    """Whether a number stays within a bound."""
    return 1 if r.high <= bound else -1 if r.low > bound else 0


def every(signs: Iterable[int]) -> str:
    """The outcome of a claim that consists of these comparisons."""
    signs = list(signs)
    return REFUTED if -1 in signs else HOLDS if all(sign == 1 for sign in signs) else NOT_SHOWN


def reach(found: Mapping[str, Record], bound: float) -> tuple[str, str]:
    """The claim that all of these percentages are at least so high."""
    return every(at_least(r, bound) for r in found.values()), f"{shown(found)} %; at least {bound:g} wanted"


def stay_under(found: Mapping[str, Record], bound: float) -> tuple[str, str]:
    """The claim that none of these percentages is higher."""
    return every(at_most(r, bound) for r in found.values()), f"{shown(found)} %; at most {bound:g} wanted"


def weakest(outcomes: Iterable[str]) -> str:
    """The outcome of several together, of those that were measured."""
    outcomes = set(outcomes)
    return next((o for o in (REFUTED, NOT_SHOWN, HOLDS) if o in outcomes), NOT_MEASURED)


def falling(e: Evidence, numbers: Sequence[Record]) -> str:
    """The outcome of "the further on, the lower": none is above the one before it, and the last is below the first."""
    rises = any(e.above(b, a) == 1 for a, b in zip(numbers, numbers[1:], strict=False))
    return REFUTED if rises else every([e.above(numbers[0], numbers[-1])])


def shown(numbers: Mapping[str, Record]) -> str:
    """Numbers by name, as a verdict lists them; between names that have commas stand semicolons."""
    names = [readable(name) for name in numbers]
    between = "; " if any("," in name for name in names) else ", "
    return between.join(f"{name} {r.value:.2f}" for name, r in zip(names, numbers.values(), strict=True))


def in_words(numbers: str) -> str:
    """Sources and setups by their names in prose, and a colon where a seed's number meets one that was measured."""
    return re.sub(r"(seed \d+) (?=[−+\d])", r"\1: ", readable(numbers).replace("_", " "))


# ---------------------------------------------------------------------------- judging


@cache
def claims() -> dict[str, Claim]:
    """Every claim of every section, in the order of the paper."""
    from ganfp.paper.sections import sections

    sections()  # each registers its own
    order = sorted(CLAIMS.values(), key=lambda c: (c.section[0], len(c.section), c.section, c.tables[-1:]))
    return {c.id: c for c in order}


def evidence(records: Iterable[Record]) -> dict[str, Evidence]:
    """The records of each data set, in the order of the paper."""
    records = list(records)
    return {name: Evidence(records, name) for name in sorted({r.dataset for r in records}, key=_paper_order)}


def judge(one: Claim, records: Iterable[Record] | dict[str, Evidence]) -> Verdict:
    """The verdict of a claim on these records, or on the :func:`evidence` of them."""
    by_dataset, said, missing = {}, {}, {}
    for dataset, known in (records if isinstance(records, dict) else evidence(records)).items():
        try:
            by_dataset[dataset], said[dataset] = one.check(known)
        except NotMeasured as reason:
            by_dataset[dataset], missing[dataset] = NOT_MEASURED, str(reason)
    if said and missing:  # a reader of numbers wants to know where there are none, and not which cell it was
        said |= {name: reason for name, reason in missing.items() if not reason.endswith("not measured")}
    numbers = "; ".join(f"{name}: {text}" for name, text in (said or missing).items())
    if unmeasured := [name for name in DRAWN if said and name in missing and name not in said]:
        numbers += f"; not measured on {listed(unmeasured)}"
    return Verdict(weakest(by_dataset.values()), minus(in_words(numbers)), by_dataset)


def on_paper(one: Claim, records: Iterable[Record] | dict[str, Evidence] = ()) -> Verdict:
    """The verdict of a claim on the paper's numbers, all by default; :data:`UNPRINTED` where it prints none."""
    verdict = judge(one, records or published_records())
    return replace(verdict, outcome=UNPRINTED) if one.unprinted and verdict.holds is None else verdict


def _paper_order(dataset: str) -> tuple[int, str]:
    return (DRAWN.index(dataset) if dataset in DRAWN else len(DRAWN), dataset)


def say(records: Iterable[Record], *ids: str) -> str:
    """What some claims come to on these records, as a list in Markdown; what was not measured is left out."""
    records, known = evidence(records), claims()
    verdicts = [(known[name], judge(known[name], records)) for name in ids]
    return "\n".join(f"* *{c.text}* {v.sentence}" for c, v in verdicts if v.holds is not None)


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its verdict on the paper's numbers, the reference run's and this run's."""

    claim: Claim
    paper: Verdict
    reference: Verdict
    run: Verdict


def ledger(run: Iterable[Record], reference: Iterable[Record] = (), paper: Iterable[Record] = ()) -> list[Row]:
    """Every claim with its verdicts, in the order of the paper; ``paper``: all of its numbers by default."""
    paper, reference, run = map(evidence, (paper or published_records(), reference, run))
    return [Row(c, on_paper(c, paper), judge(c, reference), judge(c, run)) for c in claims().values()]
