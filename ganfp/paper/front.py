"""The front page: what a run comes to, in words and numbers that `book/index.md` takes from the page of Section 4.2."""

from collections.abc import Mapping, Sequence

import numpy as np

from ganfp.paper import judge, sections
from ganfp.paper.attribution import METHODS, SETUPS
from ganfp.paper.published import chance
from ganfp.paper.record import Record, one, original, pick
from ganfp.paper.s4_2 import beaten
from ganfp.paper.table import DASH, readable
from ganfp.runs.building import closure
from ganfp.runs.run import Run


def texts(runs: Sequence[Run], records: Sequence[Record]) -> dict[str, str]:
    """Short texts for the front page, by the names under which they are glued; ``records`` of everything above."""
    run, accuracies = runs[0], [r for r in records if r.metric == "accuracy" and r.table in SETUPS]
    ours = one(accuracies, dataset=run.dataset, table="3", row="Ours")
    core_minutes = cost(runs) / 60
    said = {
        "profile": run.profile.name,
        "classes": str(ours.classes),
        "chance": f"{ours.chance:.1f} %",
        "gan_images": f"{run.trained_as.profile.gans['progan'].total_images:,}",
        "core_minutes": f"{core_minutes:.{0 if core_minutes >= 1 else 1}f}",
        "contrast": verdict("contrast-3", records),
        "content": content(pick(accuracies, table="3")),
        "best": beaten(records, "3"),
        "twins": _twins(run, records),
    }
    for place, each in zip(("first", "second"), [*runs, None], strict=False):
        found = {r.row: r for r in pick(accuracies, table="3", dataset=each.dataset)} if each else {}
        said |= {f"dataset_{place}": each.dataset if each else DASH}
        said |= {f"column_{place}": original(each.dataset) if each else DASH}
        for row in METHODS.values():
            r = found.get(row)
            said[f"accuracy_{row.lower()}_{place}"] = f"{r.value:.1f} %" if r else DASH
            said[f"paper_{row.lower()}_{place}"] = f"{r.paper:.1f} %" if r and r.paper is not None else DASH
    for table in SETUPS:
        named = pick(accuracies, table=table, row="Ours")
        said[f"ours_{table}"] = " and ".join(f"{r.value:.1f} % ({r.dataset})" for r in named)
    return said


def quiz(arrays: Mapping[str, np.ndarray], seed: int) -> dict[str, dict[str, np.ndarray]]:
    """An image of each source in an order drawn by the seed: ``images``, their ``fingerprints``, and the ``answer``.

    Each maps titles to a picture (3, R, R); ``arrays`` as :func:`ganfp.paper.s4_5.fingerprints` returns them.
    """
    order = np.random.default_rng(seed).permutation(len(arrays["classes"]))
    letters = {chr(ord("A") + i): k for i, k in enumerate(order)}
    sources = [readable(str(name)) for name in arrays["classes"]]
    named = arrays["shown"].argmax(axis=1)
    answers = {f"{a}: {sources[k]}": k for a, k in letters.items()}
    return {
        "images": {a: arrays["images"][k] for a, k in letters.items()},
        "fingerprints": {a: arrays["image_fingerprints"][k] for a, k in letters.items()},
        "answer": {a + (f"\n(named {sources[named[k]]})" if named[k] != k else ""): arrays["models_visnet"][k]
                   for a, k in answers.items()},
    }  # fmt: skip


def content(records: Sequence[Record]) -> str:
    """How far from chance the methods are that look at content, beside the paper: in multiples of chance."""

    def times(row: str) -> str:
        here = [f"{r.value / r.chance:.1f} ({r.dataset})" for r in pick(records, row=row)]
        there = [f"{r.paper / chance(r.setup):.1f}" for r in pick(records, row=row) if r.paper is not None]
        beside = f"; the paper {' and '.join(there)}" if there else ""
        return f"{row} reaches {' and '.join(here)} times chance{beside}"

    return ". ".join(map(times, ("kNN", "Eigenface")))


def verdict(id: str, records: Sequence[Record]) -> str:
    """What a claim comes to, in the words of the ledger."""
    return str(judge.judge(judge.CLAIMS[id], records))


def _twins(run: Run, records: Sequence[Record]) -> str:
    r = pick(records, setup="same_seed", metric="accuracy")[0]
    equal, apart = (verdict(id, records) for id in ("same-seed-bytes", "same-seed"))
    other = "" if run.trained_as is run else ", not the ones of the table"
    return (
        f"The control, one seed trained twice, is of ProGANs that this run trained itself on {r.gan_images:,} "
        f"images{other}. That the two generators are equal byte by byte {equal}; that no method tells "
        f"their images apart {apart}."
    )


def cost(runs: Sequence[Run]) -> float:
    """Core-seconds that the artifacts of a book took, whenever they were made."""
    store = runs[0].store
    return sum(store.info(recipe)["seconds"] for recipe in closure(sections.needs(runs)) if store.has(recipe))
