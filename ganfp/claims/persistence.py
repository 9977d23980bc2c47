"""Section 4.3, persistence: Tables 4, 5, 6."""

from __future__ import annotations

from ganfp.claims.base import (
    RESTORED,
    SIGNIFICANT,
    SMALLEST_BAND,
    SUFFICIENT,
    NotMeasured,
    Number,
    World,
    claim,
    compare,
)
from ganfp.claims.existence import attributable, best, separated
from ganfp.paper.published import block


def _bands(world: World) -> dict[str, dict[str, Number]]:
    return {column: world.rows("4", column) for column in ("L-f", "H-f")}


@claim("wider-bands", "4.3", "4", "The wider the frequency band, the more of the fingerprint it carries.")
def _wider_bands(world: World) -> tuple[bool, str]:
    holds, shown = True, []
    for column, numbers in _bands(world).items():
        widest, *_, narrowest = numbers.values()
        falls, detail = compare(numbers, above=False)
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
    falls, detail = compare({f"{side} px": number for side, number in numbers.items()}, above=False)
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
    ("attributable-6", "our network still attributes nearly every image.", attributable("6")),
    ("best-6", "our network still beats every baseline.", best("6")),
    ("separated-6", "our features still separate the sources better than Inception's.", separated("6", 1)),
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
