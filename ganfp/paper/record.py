"""Records: one measured number each, a flat JSON object; every number in the book comes from them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.files import project_root, replacing, write_json
from ganfp.metrics import Accuracy
from ganfp.paper import published as paper

KEYS = (
    "table", "figure", "dataset", "setup", "row", "column", "metric", "value", "ci_low", "ci_high", "n", "classes",
    "paper", "reference", "params", "seconds", "profile", "device", "commit",
)  # fmt: skip


@dataclass
class Result:
    """What an experiment returns: records for tables, arrays for figures."""

    records: list[dict] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def value(self, row: str, metric: str = "accuracy", variant: str | None = None) -> dict:
        """The one record of a row; ``variant`` names an extra beside the table."""
        found = [
            r
            for r in self.records
            if r["row"] == row and r["metric"] == metric and r["params"].get("variant") == variant
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} records of {row}, {metric}, variant {variant}; one was expected")
        return found[0]

    def save(self, folder: str | Path, name: str) -> None:
        """Write ``folder/name.json`` (records) and, if there are arrays, ``folder/name.npz``."""
        folder = Path(folder)
        if self.arrays:
            with replacing(folder / f"{name}.npz") as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, **self.arrays)
        write_json(folder / f"{name}.json", self.records)

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Result:
        """What :meth:`save` wrote; raises ``FileNotFoundError`` if there is nothing of that name."""
        folder = Path(folder)
        arrays = np.load(folder / f"{name}.npz") if (folder / f"{name}.npz").exists() else {}
        return cls(json.loads((folder / f"{name}.json").read_text("utf-8")), dict(arrays))


def joined(results: Mapping[str, Result]) -> Result:
    """Results of several data sets as one; an array of a data set is named ``DATASET/NAME``."""
    return Result(
        [record for result in results.values() for record in result.records],
        {f"{dataset}/{name}": x for dataset, result in results.items() for name, x in result.arrays.items()},
    )


def record(
    run,
    row: str,
    metric: str,
    value: float,
    *,
    table: str = "",
    figure: str = "",
    setup: str = "",
    column: str | None = None,
    interval: tuple[float, float] | None = None,
    n: int | None = None,
    classes: int | None = None,
    params: dict[str, Any] | None = None,
    seconds: float | None = None,
) -> dict:
    """A record with the fields that the run knows, and beside it the paper's and the reference run's number if any."""
    params = {"resolution": run.profile.resolution, "seed": run.seed, **(params or {})}
    published = table and not params.get("variant")
    if column is None:
        column = world(run.dataset)
    return {
        "table": table,
        "figure": figure,
        "dataset": run.dataset,
        "setup": setup,
        "row": row,
        "column": column,
        "metric": metric,
        "value": float(value),
        "ci_low": None if interval is None else float(interval[0]),
        "ci_high": None if interval is None else float(interval[1]),
        "n": n,
        "classes": classes,
        "paper": paper.value(table, row, column, run.dataset, metric) if published else None,
        "reference": reference_value(table, run.dataset, row, column, metric, params.get("variant")),
        "params": params,
        "seconds": seconds,
        "profile": run.profile.name,
        "device": run.device,
        "commit": commit(),
    }


def accuracy_record(run, row: str, measured: Accuracy, **fields) -> dict:
    """A :func:`record` of an accuracy, with its interval and its number of images."""
    interval = measured.low, measured.high
    return record(run, row, "accuracy", measured.value, interval=interval, n=measured.n, **fields)


def world(dataset: str) -> str:
    """The paper's name for what a data set stands for, CelebA or LSUN; the data set's own name otherwise."""
    return {"faces": "CelebA", "bedrooms": "LSUN"}.get(paper.stands_for(dataset), dataset)


def readable(name: str) -> str:
    """``ProGAN_seed_2`` as "ProGAN, seed 2", ``ProGAN_subset_diff_10`` as "ProGAN, 10 exchanged"."""
    name = re.sub(r"_subset_diff_(\d+)", r", \1 exchanged", name)
    return name.replace("_seed_", ", seed ").replace("_again", ", again")


def load(folder: str | Path) -> list[dict]:
    """All records in a folder's JSON files, in the order of the files' names."""
    return [record for path in sorted(Path(folder).glob("*.json")) for record in json.loads(path.read_text())]


def pick(records: Iterable[dict], **wanted) -> list[dict]:
    """The records whose fields equal ``wanted``."""
    return [record for record in records if all(record[key] == value for key, value in wanted.items())]


def reference_folder() -> Path:
    """Where the records of the reference run are, which travel with the repository."""
    return project_root() / "results" / "reference"


@cache
def reference_records(folder: Path | None = None) -> tuple[dict, ...]:
    """All records of the reference run."""
    return tuple(load(folder or reference_folder()))


def reference_value(table: str, dataset: str, row: str, column: str, metric: str, variant: str | None) -> float | None:
    """The reference run's number in the same place of the same table, None where there is none."""
    if not table:
        return None
    place = {"table": table, "row": row, "column": column, "metric": metric, "dataset": dataset.partition(":")[0]}
    found = [r for r in pick(reference_records(), **place) if r["params"].get("variant") == variant]
    return found[0]["value"] if found else None


@cache
def commit() -> str:
    """The commit that the code stands at, with ``+`` if files differ from it; empty outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
