"""Beyond the paper, x3: does what holds for drawings hold for photographs?  Two reference runs side by side."""

from collections.abc import Mapping, Sequence

from ganfp.paper.judge import NOT_MEASURED, ledger
from ganfp.paper.record import Record, Result, original, pick, published_records, reference_records
from ganfp.paper.table import DASH, LABELS, Table, number, plain, with_interval
from ganfp.runs import profiles

DRAWINGS, PHOTOGRAPHS = "faces", "celeba"
NAMES = {DRAWINGS: "drawn faces", PHOTOGRAPHS: "photographs"}
TABLES = ("1", "3", "4", "5", "6", "7")


def study() -> Result:
    """The published records of drawn faces and of photographs of faces, in the tables that both were measured for,
    and where in a face the network with visible fingerprints responds.

    Photographs cannot travel with the repository, so this measures nothing; ``LookupError`` if there are no records.
    """
    found = [r for r in reference_records() if r.dataset in NAMES]
    if missing := [name for name in NAMES if not pick(found, dataset=name)]:
        raise LookupError(
            f"results/reference has no records of {' and '.join(missing)}; `ganfp reference --measure` makes them"
        )
    tables = {r.table for r in pick(found, dataset=PHOTOGRAPHS)} & {*TABLES, ""}
    return Result([r for r in found if r.table in tables])


def what_ran(records: Sequence[Record], names: Mapping[str, str] = NAMES) -> str:
    """What the runs are, a sentence each."""
    texts = []
    for dataset, name in names.items():
        r = pick(records, dataset=dataset, table="3", metric="accuracy")[0]
        size, p = profiles.load(r.profile), r.params
        seeds = "one seed" if len(p["seeds"]) == 1 else f"{len(p['seeds'])} seeds"
        texts.append(
            f"**{name.capitalize()}:** profile `{r.profile}`, {p['resolution']} × {p['resolution']} pixels, "
            f"{r.classes - 1} ProGANs trained on {r.gan_images:,} images each, {size.real.train:,} "
            f"training and {size.real.test:,} test images per source, {seeds} of everything after the GANs "
            f"({p['hardware']}; commit {r.commit})."
        )
    return "\n\n".join(texts)


def side_by_side(
    found: Sequence[Record], name: str, caption: str, labels: Sequence[str] = (), names: Mapping[str, str] = NAMES
) -> Table:
    """The paper's numbers and those of the runs, cell by cell.

    A place of the table stands under the names of its row, column and metric, as far as these differ at all;
    ``labels`` are the headers of those names.
    """
    found = [r for r in found if not r.variant and r.metric in LABELS]
    places: dict[tuple, dict[str, Record]] = {}
    for r in found:
        column = "" if r.column == original(r.dataset) else r.column
        places.setdefault((r.row, column, r.metric), {})[r.dataset] = r
    differ = [len({place[part] for place in places}) > 1 for part in range(3)]
    rows = []
    for (row, column, metric), cells in places.items():
        label = [text for text, shown in zip((row, column, LABELS[metric]), differ, strict=True) if shown]
        paper = next((r.paper for r in cells.values() if r.paper is not None), None)
        measured = [with_interval(cells[d]) if d in cells else DASH for d in names]
        rows.append([*label, number(paper), *measured])
    return Table(name, caption, [*(labels or [""] * sum(differ)), "paper", *names.values()], rows, of=found)


def claims_table(records: Sequence[Record], name: str, caption: str) -> Table:
    """Every claim that photographs can decide about: its verdict on the paper's faces, on drawings, on photographs."""
    drawn, photographed = (pick(records, dataset=dataset) for dataset in NAMES)
    rows = [
        [row.claim.text, str(row.paper), str(row.reference), f"**{row.run}** <small>{row.run.numbers}</small>"]
        for row in ledger(photographed, drawn, pick(published_records(), dataset=DRAWINGS))
        if row.run.outcome != NOT_MEASURED
    ]
    return plain(["claim", "in the paper", "on drawings", "on photographs"], rows, name, caption, prose=True)
