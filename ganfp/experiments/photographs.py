"""Does what holds for drawings hold for photographs?  Two reference runs side by side (page x3)."""

from __future__ import annotations

from ganfp.paper.record import Result, reference_records

DRAWINGS, PHOTOGRAPHS = "faces", "celeba"
TABLES = ("1", "3", "4", "5", "6", "7")


def study() -> Result:
    """The published records of drawn faces and of photographs of faces, in the tables that both were measured for,
    and where in a face the network with visible fingerprints responds.

    Photographs cannot travel with the repository, so this measures nothing; ``LookupError`` if there are no records.
    """
    found = [r for r in reference_records() if r["dataset"] in (DRAWINGS, PHOTOGRAPHS) and _shown(r)]
    if missing := [kind for kind in (DRAWINGS, PHOTOGRAPHS) if not any(r["dataset"] == kind for r in found)]:
        raise LookupError(
            f"results/reference has no records of {' and '.join(missing)}; `ganfp reference --measure` makes them"
        )
    shared = {r["table"] for r in found if r["dataset"] == PHOTOGRAPHS}
    return Result([r for r in found if r["table"] in shared])


def _shown(r: dict) -> bool:
    return r["table"] in TABLES or r["metric"] in ("response", "energy") or r["setup"] == "regions"
