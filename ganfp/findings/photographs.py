"""What two reference runs say, side by side: drawings and photographs."""

from __future__ import annotations

from collections.abc import Sequence

from ganfp import claims as ledger
from ganfp.experiments.photographs import DRAWINGS, PHOTOGRAPHS
from ganfp.paper import published as paper
from ganfp.paper.record import pick
from ganfp.runs import profiles

ORDER = ("Ours", "PRNU", "Eigenface", "kNN")  # of the paper, best first


def photograph_runs(records: Sequence[dict]) -> str:
    """What the two runs are, a sentence each."""
    texts = []
    for kind, name in ((DRAWINGS, "drawn faces"), (PHOTOGRAPHS, "photographs")):
        r = pick(records, dataset=kind, table="3", metric="accuracy")[0]
        size, p = profiles.load(r["profile"]), r["params"]
        seeds = "one seed" if len(p["seeds"]) == 1 else f"{len(p['seeds'])} seeds"
        texts.append(
            f"**{name.capitalize()}:** profile `{r['profile']}`, {p['resolution']} × {p['resolution']} pixels, "
            f"{r['classes'] - 1} ProGANs trained on {size.gans['progan'].total_images:,} images each, "
            f"{size.real.train:,} training and {size.real.test:,} test images per source, {seeds} of everything "
            f"after the GANs ({p['hardware']}; commit {r['commit']})."
        )
    return "\n\n".join(texts)


def photographs(records: Sequence[dict], table: str = "3") -> str:
    """The order of the methods on drawings and on photographs, and how far each is from chance."""
    texts = []
    for kind, name in ((DRAWINGS, "Drawings"), (PHOTOGRAPHS, "Photographs")):
        rows = {r["row"]: r for r in pick(records, dataset=kind, table=table, metric="accuracy") if _plain(r)}
        found = sorted((rows[row] for row in ORDER), key=lambda r: -r["value"])
        numbers = ", ".join(f"{r['row']} {r['value']:.1f} %" for r in found)
        text = f"**{name}.** {numbers}; chance is {100 / found[0]['classes']:.1f} %. "
        if [r["row"] for r in found] == list(ORDER):
            text += "That is the paper's order."
        else:
            best = [r["row"] for r in found if r["ci_high"] >= found[0]["ci_low"]]
            text += f"The paper's order is {' > '.join(ORDER)}; here "
            text += f"{best[0]} leads." if len(best) == 1 else f"{', '.join(best)} share the lead."
        texts.append(text)
    return "\n\n".join(texts)


def claims_on_photographs(records: Sequence[dict]) -> list[list[str]]:
    """Rows (claim, verdict on the paper's numbers for faces, on drawings, on photographs and their numbers)."""
    published = pick(paper.records(), dataset="faces")
    drawn, photographed = (ledger.ledger(published, pick(records, dataset=kind)) for kind in (DRAWINGS, PHOTOGRAPHS))
    return [
        [one.claim.text, str(one.paper), str(one.run), f"**{other.run}** <small>{other.run.detail}</small>"]
        for one, other in zip(drawn, photographed, strict=True)
        if other.run.holds is not None
    ]


def _plain(r: dict) -> bool:
    return not r["params"].get("variant")
