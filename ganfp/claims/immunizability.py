"""Section 4.4, immunizability: Table 7 (faces) and Table 8 (bedrooms)."""

from __future__ import annotations

from collections.abc import Mapping

from ganfp.claims.base import NEAR_CHANCE, RESTORED, Number, World, claim
from ganfp.paper.published import ATTACKS

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
