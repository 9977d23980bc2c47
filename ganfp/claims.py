"""The paper's claims as predicates on records: evaluated on the paper's own numbers and on this run's.

A claim is checked on each data set by itself.  Two rules for all of them:

* *Above* and *below* mean that the two 95 % intervals do not meet.  A number without an interval (the paper
  prints none) counts as exact.  So a comparison that a small run cannot decide does not hold there: it is not
  shown.
* Thresholds that the paper leaves open ("near chance", "equally high") are constants below, each with its
  reason, and apply to the numbers themselves.

A claim that needs a number which was not measured is neither true nor false: its verdict is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ganfp.paper import ATTACKS, block, stands_for
from ganfp.records import readable

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
        numbers = {_number(r) for r in found}
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
            r["column"]: _number(r)
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


def _number(record: Mapping) -> Number:
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


@dataclass(frozen=True)
class Row:
    """One line of the ledger: a claim, its verdict on the paper's numbers and on this run's."""

    claim: Claim
    paper: Verdict
    run: Verdict


def ledger(paper_records: Records, run_records: Records) -> list[Row]:
    """Every claim with its two verdicts, in the order of the paper."""
    paper, run = evaluate(paper_records), evaluate(run_records)
    return [Row(c, paper[c.id], run[c.id]) for c in CLAIMS]


# --------------------------------------------------------------------------------------------------------
# Section 4.2, existence and uniqueness: Tables 1, 2, 3

_SETUPS = {"1": "architecture", "2": "training set", "3": "seed"}


def _compare(numbers: Mapping[str, Number], *, above: bool = True) -> tuple[bool, str]:
    """Each number is above the next, or, with ``above=False``, merely none is above the one before it."""
    values = list(numbers.values())
    pairs = list(zip(values, values[1:], strict=False))
    holds = all(a > b for a, b in pairs) if above else not any(b > a for a, b in pairs)
    return holds, ", ".join(f"{name} {number}" for name, number in numbers.items())


def _attributable(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        ours = world.number(table, "Ours")
        return ours.value >= HIGH, f"{ours} %, at least {HIGH:g} % wanted, chance {ours.chance:.2f} %"

    return check


def _best(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        ours = world.number(table, "Ours")
        others = _baselines(world, table)
        shown = ", ".join(f"{name} {number}" for name, number in others.items())
        return all(ours > other for other in others.values()), f"ours {ours}, {shown}"

    return check


def _baselines(world: World, table: str) -> dict[str, Number]:
    """PRNU, Eigenface and kNN; Eigenface may be missing, as it is for LSUN in the paper."""
    numbers = {"PRNU": world.number(table, "PRNU")}
    try:
        numbers["Eigenface"] = world.number(table, "Eigenface")
    except NotMeasured:
        pass
    return numbers | {"kNN": world.number(table, "kNN")}


def _order(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        prnu, *rest = _baselines(world, table).items()
        falls, _ = _compare(dict(rest), above=False)
        holds = all(prnu[1] > number for _, number in rest) and falls
        return holds, ", ".join(f"{name} {number}" for name, number in (prnu, *rest))

    return check


def _near_chance(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        knn = world.number(table, "kNN")
        times = knn.value / knn.chance
        return times <= NEAR_CHANCE, f"{knn} %, {times:.2f} times chance, at most {NEAR_CHANCE:g} wanted"

    return check


def _separated(table: str, factor: float) -> Check:
    def check(world: World) -> tuple[bool, str]:
        ours = world.number(table, "Our fingerprint", metric="fd_ratio")
        inception = world.number(table, "Inception", metric="fd_ratio")
        times = ours.value / inception.value
        return times > factor, f"{ours} against {inception}, {times:.1f} times, more than {factor:g} wanted"

    return check


def _entangled(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        ratio = world.number(table, "Inception", metric="fd_ratio")
        return ratio.value < ENTANGLED, f"{ratio}, under {ENTANGLED:g} wanted"

    return check


for _table, _what in _SETUPS.items():
    claim(
        f"attributable-{_table}",
        "4.2",
        _table,
        f"A difference in the {_what} alone is enough to attribute nearly every image to its source.",
    )(_attributable(_table))
    claim(
        f"best-{_table}",
        "4.2",
        _table,
        f"The learned fingerprint attributes better than every baseline when sources differ in the {_what}.",
    )(_best(_table))
    claim(
        f"order-{_table}",
        "4.2",
        _table,
        f"Of the baselines PRNU is the strongest, and Eigenface not worse than kNN ({_what}).",
    )(_order(_table))
    claim(
        f"separated-{_table}",
        "4.2",
        _table,
        f"Our features separate the sources far better than Inception features (FD ratio, {_what}).",
    )(_separated(_table, FAR))

for _table in ("2", "3"):
    claim(
        f"near-chance-{_table}",
        "4.2",
        _table,
        f"Raw pixels do not tell GANs apart that differ in the {_SETUPS[_table]}: kNN stays near chance.",
    )(_near_chance(_table))
    claim(
        f"entangled-{_table}",
        "4.2",
        _table,
        f"Inception features do not tell GANs apart that differ in the {_SETUPS[_table]}: FD ratio near 1.",
    )(_entangled(_table))


@claim("overlap", "4.2", "1 2", "GANs that share training data are as attributable as different architectures.")
def _overlap(world: World) -> tuple[bool, str]:
    overlap, architectures = world.number("2", "Ours"), world.number("1", "Ours")
    holds = overlap.value >= architectures.value - EQUAL
    return holds, f"{overlap} against {architectures} across architectures, {EQUAL:g} point less allowed"


@claim("no-trend", "4.2", "2", "However many training images two GANs share, they are equally attributable.")
def _no_trend(world: World) -> tuple[bool, str]:
    # a p-value, with the meaning of table 2's rungs: see `ganfp.metrics.trend`
    p = world.number("", "Ours", metric="trend", setup="training_sets").value
    return p >= SIGNIFICANT, f"p = {p:.2g} for a trend over the rungs, at least {SIGNIFICANT:g} wanted"


@claim("same-seed", "4.2", "3", "Two trainings with the same seed cannot be told apart: accuracy at chance.")
def _same_seed(world: World) -> tuple[bool, str]:
    twins = world.number("", "Ours", setup="same_seed")
    if twins.low == twins.high:
        raise NotMeasured("same seed: no interval, so chance cannot be tested")
    holds = twins.low <= twins.chance <= twins.high
    return holds, f"{twins} % [{twins.low:.2f}, {twins.high:.2f}], chance {twins.chance:g} %"


# --------------------------------------------------------------------------------------------------------
# Section 4.3, persistence: Tables 4, 5, 6


def _bands(world: World) -> dict[str, dict[str, Number]]:
    return {column: world.rows("4", column) for column in ("L-f", "H-f")}


@claim("wider-bands", "4.3", "4", "The wider the frequency band, the more of the fingerprint it carries.")
def _wider_bands(world: World) -> tuple[bool, str]:
    holds, shown = True, []
    for column, numbers in _bands(world).items():
        widest, *_, narrowest = numbers.values()
        falls, detail = _compare(numbers, above=False)
        holds &= falls and widest > narrowest
        shown.append(f"{column} at factors {detail}")
    return holds, "; ".join(shown)


@claim("every-band", "4.3", "4", "Every band down to 8 x 8 pixels, low or high, beats chance by itself.")
def _every_band(world: World) -> tuple[bool, str]:
    found = {
        f"{column} 1/{factor}": number
        for column, numbers in _bands(world).items()
        for factor, number in numbers.items()
        if number.resolution is None or number.resolution // int(factor) >= SMALLEST_BAND
    }
    if not found:
        raise NotMeasured(f"Table 4: no band of {SMALLEST_BAND} px or more")
    name, lowest = min(found.items(), key=lambda item: item[1].low)
    return lowest.low > lowest.chance, f"lowest {name}: {lowest} %, chance {lowest.chance:.2f} %"


@claim("high-over-low", "4.3", "4", "At the same resolution the high band carries no less than the low band.")
def _high_over_low(world: World) -> tuple[bool, str]:
    low, high = world.rows("4", "L-f"), world.rows("4", "H-f")
    both = [factor for factor in low if factor in high and factor != "1"]  # at 1 both are the plain network
    if not both:
        raise NotMeasured("Table 4: no factor in both columns")
    worse = [f for f in both if high[f].value < low[f].value and _differ(world, f, len(both), high[f], low[f])]
    at = worse or both
    return not worse, ", ".join(f"factor {f}: H-f {high[f]}, L-f {low[f]}" for f in at)


def _differ(world: World, factor: str, tests: int, high: Number, low: Number) -> bool:
    """By the paired test on the same images, all of them taken together (Bonferroni); by intervals without one."""
    try:
        return tests * world.number("4", factor, "H-f against L-f", metric="paired_p").value < SIGNIFICANT
    except NotMeasured:
        return high < low


def _patches(world: World) -> dict[str, Number]:
    """Accuracy by the patch's side, the largest first; in a small run that is the whole image, a row of its own."""
    wanted = {"table": "5", "column": "Ours", "metric": "accuracy", "setup": block("5")["setup"]}
    sides = {r["row"] for r in world.records if all(r[key] == value for key, value in wanted.items())}
    if len(sides) < 2:
        raise NotMeasured("Table 5 not measured")
    return {side: world.number("5", side, "Ours") for side in sorted(sides, key=int, reverse=True)}


@claim("smaller-patches", "4.3", "5", "The smaller the patch that the network sees, the lower its accuracy.")
def _smaller_patches(world: World) -> tuple[bool, str]:
    numbers = _patches(world)
    largest, *_, smallest = numbers.values()
    falls, detail = _compare({f"{side} px": number for side, number in numbers.items()}, above=False)
    return falls and largest > smallest, detail


@claim("patch-suffices", "4.3", "5", "A patch of 24 px for faces, of 52 px for bedrooms, is enough.")
def _patch_suffices(world: World) -> tuple[bool, str]:
    numbers, side = _patches(world), SUFFICIENT[world.stands_for]
    largest = next(iter(numbers))
    if side not in numbers or side == largest:
        raise NotMeasured(f"Table 5: {side} px and a larger patch not measured")
    holds = numbers[side].value >= numbers[largest].value - RESTORED
    return holds, f"{side} px {numbers[side]}, {largest} px {numbers[largest]}, {RESTORED:g} points allowed"


for _id, _text, _check in (
    ("attributable-6", "our network still attributes nearly every image.", _attributable("6")),
    ("best-6", "our network still beats every baseline.", _best("6")),
    ("separated-6", "our features still separate the sources better than Inception's.", _separated("6", 1)),
):
    claim(_id, "4.3", "6", f"On the artifact-free tenth {_text}")(_check)


@claim("no-artifacts", "4.3", "3 6", "Attribution does not need artifacts: the best tenth is attributed as well.")
def _no_artifacts(world: World) -> tuple[bool, str]:
    selected = world.number("6", "Ours")
    return not selected < world.clean, f"{selected} on the selected tenth, {world.clean} on all"


@claim("selection-is-harder", "4.3", "3 6", "Selection lowers every FD ratio, ours and Inception's.")
def _selection_is_harder(world: World) -> tuple[bool, str]:
    pairs = {
        row: (world.number("6", row, metric="fd_ratio"), world.number("3", row, metric="fd_ratio"))
        for row in ("Inception", "Our fingerprint")
    }
    return (
        all(selected < everything for selected, everything in pairs.values()),
        ", ".join(f"{row} {selected} after {everything}" for row, (selected, everything) in pairs.items()),
    )


@claim("harder-at-equal-n", "4.3", "6", "Selection lowers both FD ratios below those of a random tenth, too.")
def _harder_at_equal_n(world: World) -> tuple[bool, str]:
    rows = ("Inception", "Our fingerprint")
    chosen, random = (
        {row: world.number("6", row, metric=f"fd_ratio_{which}") for row in rows} for which in ("selected", "random")
    )
    shown = ", ".join(f"{row} {chosen[row]}, at random {random[row].low:.2f} to {random[row].high:.2f}" for row in rows)
    return all(chosen[row] < random[row] for row in rows), shown


# --------------------------------------------------------------------------------------------------------
# Section 4.4, immunizability: Table 7 (faces) and Table 8 (bedrooms)

_RESTORED_ATTACKS = ("blur", "cropping", "relighting")
_PARTIAL_ATTACKS = ("noise", "compression", "combination")
_FATAL_ATTACKS = ("noise", "compression")
_MILD_ATTACKS = ("blur", "cropping", "relighting", "combination")


def _shown(numbers: Mapping[str, Number]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


@claim("attacks-hurt", "4.4", "3 7 8", "Every attack lowers the accuracy of the attribution network.")
def _attacks_hurt(world: World) -> tuple[bool, str]:
    attacked, clean = world.attack("Ours", "atk"), world.clean
    return all(a < clean for a in attacked.values()), f"clean {clean}; {_shown(attacked)}"


@claim("fatal-attacks", "4.4", "7 8", "Noise and JPEG compression defeat the network: it ends near chance.")
def _fatal_attacks(world: World) -> tuple[bool, str]:
    attacked = world.attack("Ours", "atk")
    attacked = {name: attacked[name] for name in _FATAL_ATTACKS}
    holds = all(a.value <= NEAR_CHANCE * a.chance for a in attacked.values())
    limit = NEAR_CHANCE * next(iter(attacked.values())).chance
    return holds, f"{_shown(attacked)}, at most {limit:.2f} wanted"


@claim("mild-attacks", "4.4", "7 8", "Under the other four attacks the network still beats chance.")
def _mild_attacks(world: World) -> tuple[bool, str]:
    attacked = world.attack("Ours", "atk")
    attacked = {name: attacked[name] for name in _MILD_ATTACKS}
    chance = next(iter(attacked.values())).chance
    return all(a.low > a.chance for a in attacked.values()), f"{_shown(attacked)}, chance {chance:.2f}"


@claim("relighting-is-weakest", "4.4", "7 8", "Relighting keeps the high frequencies and is the weakest attack.")
def _relighting_is_weakest(world: World) -> tuple[bool, str]:
    attacked = world.attack("Ours", "atk")
    relighting = attacked.pop("relighting")
    return all(relighting > a for a in attacked.values()), f"relighting {relighting}; {_shown(attacked)}"


@claim("immunisation-restores", "4.4", "3 7 8", "Immunisation undoes blur, cropping and relighting.")
def _immunisation_restores(world: World) -> tuple[bool, str]:
    immunised, clean = world.attack("Ours", "dfs"), world.clean
    immunised = {name: immunised[name] for name in _RESTORED_ATTACKS}
    holds = all(a.value >= clean.value - RESTORED for a in immunised.values())
    return holds, f"clean {clean}; {_shown(immunised)}, {RESTORED:g} points allowed"


@claim("immunisation-helps", "4.4", "3 7 8", "Against noise, JPEG and the combination it wins back a part.")
def _immunisation_helps(world: World) -> tuple[bool, str]:
    attacked, immunised, clean = world.attack("Ours", "atk"), world.attack("Ours", "dfs"), world.clean
    holds = all(attacked[name] < immunised[name] < clean for name in _PARTIAL_ATTACKS)
    shown = ", ".join(f"{name} {attacked[name]} to {immunised[name]}" for name in _PARTIAL_ATTACKS)
    return holds, f"clean {clean}; {shown}"


@claim("combination-ends-lowest", "4.4", "7 8", "After immunisation the combination is the strongest attack.")
def _combination_ends_lowest(world: World) -> tuple[bool, str]:
    immunised = world.attack("Ours", "dfs")
    combination = immunised.pop("combination")
    return all(combination < a for a in immunised.values()), f"combination {combination}; {_shown(immunised)}"


@claim("combination-recovers-least", "4.4", "3 7 8", "Immunisation wins back least from the combination.")
def _combination_recovers_least(world: World) -> tuple[bool, str]:
    attacked, immunised, clean = world.attack("Ours", "atk"), world.attack("Ours", "dfs"), world.clean
    # an attack that took nothing has nothing to be won back
    lost = {a: clean.value - attacked[a].value for a in ATTACKS if attacked[a] < clean}
    share = {a: (immunised[a].value - attacked[a].value) / lost[a] for a in lost}
    shown = ", ".join(f"{name} {s:.0%}" for name, s in share.items())
    return min(share, key=share.get, default="") == "combination", f"share of the loss won back: {shown}"


@claim("best-immunised", "4.4", "7 8", "After immunisation our network beats PRNU under every attack.")
def _best_immunised(world: World) -> tuple[bool, str]:
    ours, prnu = world.attack("Ours", "dfs"), world.attack("PRNU", "dfs")
    shown = ", ".join(f"{a} {ours[a]} against {prnu[a]}" for a in ATTACKS)
    return all(ours[a] > prnu[a] for a in ATTACKS), shown


@claim("prnu-gains-less", "4.4", "7 8", "PRNU gains less from immunisation than our network.")
def _prnu_gains_less(world: World) -> tuple[bool, str]:
    gain = {
        row: {a: world.attack(row, "dfs")[a].value - world.attack(row, "atk")[a].value for a in ATTACKS}
        for row in ("Ours", "PRNU")
    }
    shown = ", ".join(f"{a} {gain['Ours'][a]:+.2f} against {gain['PRNU'][a]:+.2f}" for a in ATTACKS)
    return all(gain["PRNU"][a] < gain["Ours"][a] for a in ATTACKS), shown


# --------------------------------------------------------------------------------------------------------
# Section 4.5, visualisation: the visNet row of Table 3, Figures 7 and 36


@claim("visnet", "4.5", "3", "The network with visible fingerprints attributes as well as the plain one.")
def _visnet(world: World) -> tuple[bool, str]:
    visnet = world.number("3", "Our visNet")
    holds = visnet.value >= world.clean.value - RESTORED
    return holds, f"{visnet} against {world.clean}, {RESTORED:g} points allowed"


@claim("own-model", "4.5", "3", "The images of every source respond most to the model fingerprint of that source.")
def _own_model(world: World) -> tuple[bool, str]:
    leads = world.by_column("margin", "Our visNet")
    return all(lead.low > 0 for lead in leads.values()), f"lead over the next model: {_digits(leads)}"


@claim("real-at-the-eyes", "4.5", "3", "Real images are recognised at the eyes: there the response is densest.")
def _real_at_the_eyes(world: World) -> tuple[bool, str]:
    dense = world.by_column("response", "real")
    others = [number for region, number in dense.items() if region != "eyes"]
    return all(dense["eyes"] > number for number in others), f"times the average pixel: {_digits(dense)}"


@claim("eyes-suffice", "4.5", "3", "The eyes alone suffice to know a real image, more than as many other pixels do.")
def _eyes_suffice(world: World) -> tuple[bool, str]:
    alone = [r for r in world.records if (r["setup"], r["row"], r["column"]) == ("regions", "real", "eyes")]
    if not alone:
        raise NotMeasured("attribution by the eyes alone not measured")
    eyes, elsewhere = _number(alone[0]), alone[0]["params"]["elsewhere"]
    return eyes.low > elsewhere, f"{eyes} % by the eyes, {elsewhere:.2f} % by as many random pixels"


@claim("gans-at-the-background", "4.5", "3", "GANs are recognised by the background more than real images are.")
def _gans_at_the_background(world: World) -> tuple[bool, str]:
    sources = dict.fromkeys(r["row"] for r in world.records if r["metric"] == "response")
    dense = {source: world.by_column("response", source)["background"] for source in sources}
    if "real" not in dense:
        raise NotMeasured("response by region not measured")
    real = dense.pop("real")
    return all(gan > real for gan in dense.values()), f"times the average pixel: real {real}; {_digits(dense)}"


def _digits(numbers: Mapping[str, Number]) -> str:
    return "; ".join(f"{readable(name)} {number.value:.3g}" for name, number in numbers.items())
