"""Section 4.5, visualisation: the visNet row of Table 3, Figures 7 and 36."""

from __future__ import annotations

from collections.abc import Mapping

from ganfp.claims.base import RESTORED, NotMeasured, Number, World, claim, number_of
from ganfp.paper.record import readable


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
    eyes, elsewhere = number_of(alone[0]), alone[0]["params"]["elsewhere"]
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
