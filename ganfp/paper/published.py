"""The published numbers of Yu et al. (ICCV 2019), Tables 1-8.

The numbers lie in ``published.yml``.  Rows and columns are called what the paper calls them, data sets what this
project calls them: ``faces`` beside CelebA's numbers, ``bedrooms`` beside LSUN's; the originals stand there too.
"""

from functools import cache
from pathlib import Path

import yaml

# Our data sets, and the originals by their own names, under the keys of published.yml.
STANDS_FOR = {"faces": "faces", "celeba": "faces", "bedrooms": "bedrooms", "lsun": "bedrooms"}
METRICS = ("accuracy", "fd_ratio")


def stands_for(dataset: str) -> str:
    """The key of ``published.yml`` whose numbers stand beside a data set, named with or without a path; "" if none."""
    return STANDS_FOR.get(dataset.partition(":")[0], "")


@cache
def load() -> dict:
    """Everything in ``published.yml``: tables, setups, parameter counts and the constants of the experiments."""
    return yaml.safe_load(Path(__file__).with_name("published.yml").read_text("utf-8"))


def block(table: str) -> dict:
    """One table: ``caption``, ``setup``, ``columns`` per data set, and under each metric its rows.

    Raises ``ValueError`` for a table that the paper does not have.
    """
    tables = load()["tables"]
    if table not in tables:
        raise ValueError(f"the paper has no table {table!r}; it has {', '.join(tables)}")
    return tables[table]


def chance(setup: str) -> float:
    """Accuracy in percent of guessing among the classes of a setup, e.g. 9.09 for ``seeds``."""
    return 100 / load()["setups"][setup]["classes"]


def cells(table: str) -> dict[tuple[str, str, str, str], float | None]:
    """Cells of a table by (dataset, row, column, metric), in the printed order; None for a dash."""
    rows = block(table)
    columns = [(dataset, column) for dataset, names in rows["columns"].items() for column in names]
    return {
        (dataset, row, column, metric): printed
        for metric in METRICS
        for row, numbers in rows.get(metric, {}).items()
        for (dataset, column), printed in zip(columns, numbers, strict=True)
    }


def value(
    table: str, row: str, column: str | None = None, dataset: str = "faces", metric: str = "accuracy"
) -> float | None:
    """The paper's number beside one of ours, or None where it prints none.

    ``dataset`` is one of this project's names or the original's (``celeba``, ``lsun:PATH``); any other has no
    published number.  ``column`` may be None or "" in the tables that have one column per data set.
    Raises ``ValueError`` for a table that the paper does not have.
    """
    dataset = stands_for(dataset)
    names = block(table)["columns"].get(dataset, [])
    if not column and len(names) == 1:
        column = names[0]
    return cells(table).get((dataset, row, column, metric))
