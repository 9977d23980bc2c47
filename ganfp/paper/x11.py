"""Beyond the paper, x11: which method for which question.  Every number is a record of the reference run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganfp.paper import x5
from ganfp.paper.record import Record, pick, reference_records
from ganfp.paper.table import DASH, Table, plain, with_interval


@dataclass(frozen=True)
class Answer:
    """A way to answer a question: what it reaches, and what brings it down; both as places of records."""

    question: str
    method: str
    reaches: dict[str, Any]
    until: str
    falls: dict[str, Any]
    page: str


def _seen(row: str) -> dict[str, Any]:
    return {"table": "3", "metric": "accuracy", "row": row, "variant": ""}


def _deceived(row: str, by: str, column: str = "L∞ 2", goal: str = "removal") -> dict[str, Any]:
    return {"setup": "adversary", "metric": goal, "row": row, "column": column, "variant": by}


def _later(row: str, column: str) -> dict[str, Any]:
    return {"setup": "baselines: seeds", "metric": "accuracy", "row": row, "column": column}


def _open(metric: str, row: str) -> dict[str, Any]:
    return {"setup": "open world", "metric": metric, "row": row, "column": "new seed", "variant": ""}


def _gallery(row: str, images: int) -> dict[str, Any]:
    return {"setup": "gallery", "metric": "identified", "row": row, "column": str(images)}


def _shown(column: str) -> dict[str, Any]:
    return {"setup": "critics' matrix", "metric": "share", "row": "Ours", "column": column}


def _known(row: str, column: str, metric: str = "tpr") -> dict[str, Any]:
    return {"setup": "generator", "metric": metric, "row": row, "column": column, "variant": ""}


WHO, NONE, NEW = "Who of these made it?", "Is it from none of these?", "Whose, of sources known from ten images?"
REAL, MINE, TUNED = "Is it real?", "Is it mine?", "Is it from my generator, trained on a little?"
WHOLE = "Has it been tampered with?"
COMPRESSED = "of others' taken for its own after a JPEG file"
ANSWERS = (
    Answer(WHO, "PRNU", _seen("PRNU"), "removed by two grey levels", _deceived("PRNU", "PRNU"), "x9_adversaries"),
    Answer(WHO, "Ours", _seen("Ours"), "removed by two grey levels", _deceived("Ours", "Ours"), "x9_adversaries"),
    Answer(WHO, "Our visNet", _seen("Our visNet"), "removed by two grey levels", _deceived("Our visNet", "Our visNet"),
           "x9_adversaries"),
    Answer(WHO, "ManiFPT, RGB", _later("ManiFPT, RGB", "clean"), "right after a JPEG file",
           _later("ManiFPT, RGB", "JPEG"), "x4_baselines"),
    *(Answer(NONE, f"{method}, largest probability (AUROC)", _open("auroc", row),
             "of known images refused where 1 % of others are named", _open("refused", row), "x5_open_world")
      for method, row in (("PRNU", x5.RESIDUALS), ("Ours", x5.PROBABILITY))),
    *(Answer(NEW, row, _gallery(row, 10), "right from a single image", _gallery(row, 1), "x7_gallery")
      for row in ("PRNU, whitened", "Our visNet, whitened", "Ours, whitened", "Ours tuned to compare, whitened")),
    Answer(REAL, "Ours, shown GANs alone", {"table": "1", "metric": "accuracy", "row": "Ours", "variant": ""},
           "of a diffusion model's images called real", {"metric": "called", "row": "Ours", "column": "real"},
           "x10_diffusion"),
    Answer(REAL, "Ours, shown the diffusion model, too", {"setup": "diffusion", "metric": "accuracy", "row": "Ours"},
           "of the diffusion model's known", {"setup": "diffusion", "metric": "recall", "row": "Ours", "variant": ""},
           "x10_diffusion"),
    *(Answer(MINE, row, _known(row, "as they are"), COMPRESSED, _known(row, "compression", "fpr"), "x8_inversion")
      for row in ("Inversion", "PRNU", "Ours")),
    Answer(TUNED, "Ours", _shown("2,253 images more"), "known when resized by a quarter", _shown("to 75% and back"),
           "x6_critics_matrix"),
    Answer(WHOLE, "PRNU beside ours", _seen("PRNU"), "deceived by what deceives ours", _deceived("PRNU", "Ours"),
           "x9_adversaries"),
)  # fmt: skip


def table(name: str, caption: str, dataset: str = "faces", records: Sequence[Record] = ()) -> Table:
    """Question, method, the percentage that it reaches, and what brings it down; of the reference run by default."""
    known = [r for r in records or reference_records() if r.dataset == dataset]
    rows, used = [], []
    for a in ANSWERS:
        found = [pick(known, **place)[:1] for place in (a.reaches, a.falls)]
        used += [r for one in found for r in one]
        reaches, falls = (with_interval(one[0]) if one else DASH for one in found)
        rows.append([a.question, a.method, reaches, f"{falls} {a.until}", f"{{doc}}`{a.page}`"])
    return plain(["", "method", "right, %", "but, %", "page"], rows, name, caption, prose=True, of=used)
