"""Several data sets side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganfp.tables.table import DASH, Table, number, with_interval


def side_by_side(
    found: Sequence[dict], datasets: Mapping[str, str], name: str, caption: str, labels: Sequence[str] = ()
) -> Table:
    """The paper's numbers and those of several data sets, record by record; ``datasets`` says what each is called.

    A place of the table stands under the names of its row, column and metric, as far as these differ at all;
    ``labels`` are the headers of those names.
    """
    found = [r for r in found if not r["params"].get("variant") and r["metric"] in ("accuracy", "fd_ratio")]
    places: dict[tuple, dict[str, dict]] = {}
    for r in found:
        places.setdefault((r["row"], r["column"], r["metric"]), {})[r["dataset"]] = r
    named = [len({place[part] for place in places}) > 1 for part in range(3)]
    rows = []
    for (row, column, metric), found_in in places.items():
        label = [row, column, {"accuracy": "accuracy, %", "fd_ratio": "FD ratio"}[metric]]
        published = next((r["paper"] for r in found_in.values() if r["paper"] is not None), None)
        cells = [_with_any_interval(found_in[d]) if d in found_in else DASH for d in datasets]
        rows.append([*(text for text, shown in zip(label, named, strict=True) if shown), number(published), *cells])
    return Table(name, caption, [*(labels or [""] * sum(named)), "paper", *datasets.values()], rows)


def _with_any_interval(r: dict) -> str:
    return number(r["value"]) if r["ci_low"] is None else with_interval(r)
