"""Section 4.2, existence and uniqueness: Tables 1, 2, 3."""

from __future__ import annotations

from ganfp.claims.base import (
    ENTANGLED,
    EQUAL,
    FAR,
    HIGH,
    NEAR_CHANCE,
    SIGNIFICANT,
    Check,
    NotMeasured,
    Number,
    World,
    claim,
    compare,
)

_SETUPS = {"1": "architecture", "2": "training set", "3": "seed"}


def attributable(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        ours = world.number(table, "Ours")
        return ours.value >= HIGH, f"{ours} %, at least {HIGH:g} % wanted, chance {ours.chance:.2f} %"

    return check


def best(table: str) -> Check:
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
        falls, _ = compare(dict(rest), above=False)
        holds = all(prnu[1] > number for _, number in rest) and falls
        return holds, ", ".join(f"{name} {number}" for name, number in (prnu, *rest))

    return check


def _near_chance(table: str) -> Check:
    def check(world: World) -> tuple[bool, str]:
        knn = world.number(table, "kNN")
        times = knn.value / knn.chance
        return times <= NEAR_CHANCE, f"{knn} %, {times:.2f} times chance, at most {NEAR_CHANCE:g} wanted"

    return check


def separated(table: str, factor: float) -> Check:
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
    )(attributable(_table))
    claim(
        f"best-{_table}",
        "4.2",
        _table,
        f"The learned fingerprint attributes better than every baseline when sources differ in the {_what}.",
    )(best(_table))
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
    )(separated(_table, FAR))

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
