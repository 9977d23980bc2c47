"""What each kind of artifact takes of a core, from measured builds: the ``costs`` of ``ganfp/runs/rates.yml``.

    python -m benchmarks.rates smoke=STORE quick=STORE

Build each profile into a folder of its own, with GANFP_STORE, on a machine that does nothing else.  For each kind and
method: seconds that every artifact takes, and seconds for each second that `Recipe.cost` says.  They are the line
through the means of the two profiles whose costs differ most; with one profile alone, what is beyond its cost is taken
to be the same at every size.
"""

import sys
from collections import defaultdict
from statistics import mean

from ganfp.paper import sections
from ganfp.runs import building, planning
from ganfp.runs.run import begin_each
from ganfp.runs.store import Store


def measured(profile: str, root: str) -> dict[str, tuple[float, float]]:
    """Mean cost and mean seconds of each kind and method in a profile's store."""
    store, found = Store(root), defaultdict(list)
    for recipe in building.closure(sections.needs(begin_each(profile, "faces,bedrooms"))):
        if store.has(recipe):
            found[planning.sort(recipe)].append((recipe.cost(), store.info(recipe)["seconds"]))
    return {name: (mean(cost for cost, _ in pairs), mean(took for _, took in pairs)) for name, pairs in found.items()}


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Seconds of each, and for each second of cost, both at least 0."""
    (cost, seconds), (most, longest) = min(points), max(points)
    if most <= 2 * cost:
        rate = min(1.0, longest / most) if most else 0.0
    else:
        rate = max(0.0, (longest - seconds) / (most - cost))
    each = longest - rate * most
    return (each, rate) if each >= 0 else (0.0, longest / most)


def main(builds: list[str]) -> None:
    profiles = [measured(*build.split("=", 1)) for build in builds]
    for name in sorted({name for found in profiles for name in found}):
        each, rate = line([found[name] for found in profiles if name in found])
        print(f"  {name}: [{each:.2g}, {rate:.2g}]")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
