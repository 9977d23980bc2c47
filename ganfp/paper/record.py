"""Records: one measured number each, typed and frozen; every number in the book comes from them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.files import project_root, replacing, write_json
from ganfp.metrics import Accuracy, Mean
from ganfp.paper import published
from ganfp.worlds import DRAWN


@dataclass(frozen=True, kw_only=True)
class Record:
    """One measured number: where it stands in the paper, what it is, and whose it is.

    ``table``, ``row`` and ``column`` are as the paper prints them; ``variant`` names an extra beside a table's cell and
    is empty in the cell itself.  ``value``, ``ci_low`` and ``ci_high`` are in percent for accuracies.  ``n`` counts
    images over all classes.  ``gan_images``: how many images each GAN behind it was shown in training.  ``seconds``: of
    the training behind it.  ``params``: what else identifies or explains it.
    """

    row: str
    metric: str
    value: float
    table: str = ""
    figure: str = ""
    dataset: str = ""
    setup: str = ""
    column: str = ""
    variant: str = ""
    ci_low: float | None = None
    ci_high: float | None = None
    n: int | None = None
    classes: int | None = None
    paper: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    gan_images: int | None = None
    seconds: float | None = None
    profile: str = ""
    device: str = ""
    commit: str = ""

    @property
    def low(self) -> float:
        """The lower end of the interval; the value itself where there is none."""
        return self.value if self.ci_low is None else self.ci_low

    @property
    def high(self) -> float:
        """The upper end of the interval; the value itself where there is none."""
        return self.value if self.ci_high is None else self.ci_high

    @property
    def chance(self) -> float:
        """Accuracy in percent of guessing among the record's classes."""
        if not self.classes:
            raise ValueError(f"the record of {self.row!r}, {self.metric!r} does not say how many classes it has")
        return 100 / self.classes

    @property
    def reference(self) -> float | None:
        """The reference run's number in the same place of the same table, None where there is none."""
        place = dict(table=self.table, row=self.row, column=self.column, metric=self.metric, variant=self.variant)
        found = pick(reference_records(), **place, dataset=self.dataset.partition(":")[0]) if self.table else []
        return found[0].value if found else None


@dataclass
class Result:
    """What an experiment returns: records for tables, arrays for figures."""

    records: list[Record] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def save(self, folder: str | Path, name: str) -> None:
        """Write ``folder/name.json`` (records) and, if there are arrays, ``folder/name.npz``."""
        folder = Path(folder)
        if self.arrays:
            with replacing(folder / f"{name}.npz") as temporary, open(temporary, "wb") as file:
                np.savez_compressed(file, **self.arrays)
        write_json(folder / f"{name}.json", [asdict(record) for record in self.records])

    @classmethod
    def load(cls, folder: str | Path, name: str) -> Result:
        """What :meth:`save` wrote; raises ``FileNotFoundError`` if there is nothing of that name."""
        folder = Path(folder)
        arrays = np.load(folder / f"{name}.npz") if (folder / f"{name}.npz").exists() else {}
        return cls(read(folder / f"{name}.json"), dict(arrays))


def joined(results: Mapping[str, Result]) -> Result:
    """Results of several data sets as one; an array of a data set is named ``DATASET/NAME``."""
    return Result(
        [record for result in results.values() for record in result.records],
        {f"{dataset}/{name}": x for dataset, result in results.items() for name, x in result.arrays.items()},
    )


def arrays_of(result: Result, dataset: str) -> dict[str, np.ndarray]:
    """The arrays of one data set of a :func:`joined` result, by their own names."""
    return {k.removeprefix(f"{dataset}/"): x for k, x in result.arrays.items() if k.startswith(f"{dataset}/")}


# ---------------------------------------------------------------------------- making and finding


def record(
    run,
    row: str,
    metric: str,
    value: float,
    *,
    interval: tuple[float, float] | None = None,
    column: str | None = None,
    params: Mapping[str, Any] | None = None,
    **known: Any,
) -> Record:
    """A record with the fields that the run knows, and beside it the paper's number, if it prints one.

    ``known`` are further fields of :class:`Record`; a column that is not given is the paper's name for the data set.
    """
    column = original(run.dataset) if column is None else column
    table, low, high = known.get("table", ""), *(interval or (None, None))
    beside = table and not known.get("variant")
    return Record(
        **{"gan_images": run.trained_as.profile.gans["progan"].total_images, **known},
        row=row, metric=metric, value=float(value), column=column, dataset=run.dataset,
        ci_low=None if low is None else float(low), ci_high=None if high is None else float(high),
        paper=published.value(table, row, column, run.dataset, metric) if beside else None,
        params={"resolution": run.profile.resolution, "seed": run.seed, **(params or {})},
        profile=run.profile.name, device=run.device, commit=commit(),
    )  # fmt: skip


def estimate(run, row: str, metric: str, found: Mean | Accuracy, **known: Any) -> Record:
    """A :func:`record` of a number with its interval and, unless ``known`` says another, of how many values it is."""
    return record(run, row, metric, found.value, **{"interval": (found.low, found.high), "n": found.n, **known})


def accuracy_record(run, row: str, measured: Accuracy, **known: Any) -> Record:
    """An :func:`estimate` of an accuracy, over clusters with the design effect."""
    deff = {"deff": measured.deff} if measured.clusters < measured.n else {}
    return estimate(run, row, "accuracy", measured, **known | {"params": {**known.get("params", {}), **deff}})


def original(dataset: str) -> str:
    """The paper's data set that one of ours stands for, CelebA or LSUN; else what a data set is called."""
    kind = published.stands_for(dataset) or dataset.partition(":")[0]
    return {"faces": "CelebA", "bedrooms": "LSUN", "eurosat": "EuroSAT"}.get(kind, dataset)


def pick(records: Iterable[Record], **wanted: Any) -> list[Record]:
    """The records whose fields equal ``wanted``."""
    found = list(records)
    for key, value in wanted.items():  # one field after another: each leaves fewer for the next
        found = [r for r in found if getattr(r, key) == value]
    return found


def one(records: Iterable[Record], **wanted: Any) -> Record:
    """The only record whose fields equal ``wanted``; raises ``LookupError`` for none or several."""
    found = pick(records, **wanted)
    if len(found) != 1:
        raise LookupError(f"{len(found)} records of {wanted}; one was expected")
    return found[0]


# ---------------------------------------------------------------------------- files


def read(path: Path) -> list[Record]:
    """The records of a file; ``ValueError`` names the file if it holds anything else."""
    try:
        return [Record(**values) for values in json.loads(path.read_text("utf-8"))]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} does not hold records ({error}); delete it and measure again") from error


def load(folder: str | Path) -> list[Record]:
    """All records in a folder's JSON files, in the order of the files' names."""
    return [record for path in sorted(Path(folder).glob("*.json")) for record in read(path)]


def reference_folder() -> Path:
    """Where the records of the reference run are, which travel with the repository."""
    return project_root() / "results" / "reference"


@cache
def reference_records(folder: Path | None = None) -> tuple[Record, ...]:
    """All records of the reference run."""
    return tuple(load(folder or reference_folder()))


def reference_result(name: str, run) -> Result | None:
    """What the reference run published under a name of a run's data set, for a page to show instead of measuring it.

    None where the run measures itself what is beyond the paper, and where the reference run has nothing of it.
    """
    return None if run.live else reference_of(name, run.dataset)


def reference_of(name: str, dataset: str) -> Result | None:
    """What the reference run published under a name of a data set, None where it has nothing of it."""
    try:
        return Result.load(reference_folder(), f"{name}-{dataset}")
    except FileNotFoundError:
        return None


def elsewhere(records: Iterable[Record], table: str) -> list[Record]:
    """The reference run's records of a table on the drawn data sets that these records are not of."""
    measured = {r.dataset for r in records}
    return [r for r in pick(reference_records(), table=table) if r.dataset in set(DRAWN) - measured]


def published_records(table: str | None = None) -> list[Record]:
    """The paper's numbers, of one table or of all; a cell without a number gives no record.

    ``n`` counts the test images over all classes, None where the paper does not say (every FD ratio, and Table 6).  The
    paper prints no intervals.
    """
    everything, found = published.load(), []
    for name in everything["tables"] if table is None else [table]:
        block = published.block(name)
        setup = everything["setups"][block["setup"]]
        for (dataset, row, column, metric), value in published.cells(name).items():
            params = {"resolution": everything["resolution"]}
            if "pooling" in block:
                params["pooling"] = block["pooling"][row]
            if value is not None:
                found.append(
                    Record(
                        row=row, metric=metric, value=value, table=name, dataset=dataset, setup=block["setup"],
                        column=column, n=setup["test"] if metric == "accuracy" else None, classes=setup["classes"],
                        paper=value, params=params, profile="paper",
                    )  # fmt: skip
                )
    return found


# A study's records are no reason to doubt the next one's.
BUT_RECORDS = ("--", ":(top)", *(f":(top,glob,exclude)results/reference/*.{suffix}" for suffix in ("json", "npz")))


@cache
def commit(folder: Path = Path(__file__).parent) -> str:
    """The commit that the code stands at, with ``+`` if files but records differ; empty outside a checkout."""
    git = ["git", "-C", str(folder)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        status = [*git, "status", "--porcelain", "-uno", *BUT_RECORDS]
        changed = subprocess.run(status, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
