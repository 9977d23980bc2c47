"""What a run is, and what it comes to: banners, claims, the front page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ganfp import claims as ledger
from ganfp.experiments.attribution import METHODS, extractor_name
from ganfp.findings.attribution import APART, CONTRAST, at_chance
from ganfp.paper import published as paper
from ganfp.paper.record import pick
from ganfp.paper.record import world as column_of
from ganfp.runs.run import Run


def banner(*runs: Run) -> str:
    """One line at the top of a page: what this run is, on one data set or several."""
    run, real = runs[0], runs[0].profile.real
    worlds = " and ".join(f"`{r.dataset}`" for r in runs)
    text = (
        f"**This run:** profile `{run.profile.name}`, {run.profile.resolution} × {run.profile.resolution} pixels, "
        "real images "
        f"{worlds}, {run.profile.seeds} GAN seeds, {real.train:,} training and {real.test:,} test images per "
        "source, "
        f"seed {run.seed}, on `{run.device}`."
    )
    if run.trained_as is not run:
        text += (
            f" Its generators travel with the repository: profile `{run.trained_as.profile.name}`, each ProGAN trained "
            f"on {run.trained_as.profile.gans['progan'].total_images:,} images."
        )
    if run.profile.name == "smoke":
        text += " **Its numbers mean nothing:** every step runs in miniature, to test the machinery."
    return text


def shown_as(run: Run, row: str) -> str:
    """The name of a feature as a panel's title."""
    return {"Inception": f"by content: {extractor_name(run)}", "Our fingerprint": "by learned fingerprint"}[row]


def claims(records: Sequence[dict], tables: Sequence[str], section: str = "") -> list[list[str]]:
    """Rows (claim, verdict on the paper's numbers, on this run's and those) for the claims read from some tables.

    With ``section`` only those that the paper makes in that section.
    """
    beside = {paper.stands_for(r["dataset"]) or "faces" for r in records}
    published = [r for r in paper.records() if r["dataset"] in beside]
    rows = []
    for row in ledger.ledger(published, list(records)):
        if section and row.claim.section != section:
            continue
        if row.claim.tables[-1] in tables and row.run.holds is not None:
            rows.append([row.claim.text, str(row.paper), f"**{row.run}** <small>{row.run.detail}</small>"])
    return rows


FRONT = ("first", "second")  # the worlds of the front page's table


def front_page(
    run: Run, records: Sequence[dict], same_seed: Sequence[dict], cost: Mapping[str, float]
) -> dict[str, str]:
    """Short texts for the front page, by the names under which they are glued; ``records`` of Tables 1 to 3."""
    worlds = list(dict.fromkeys(r["dataset"] for r in records))
    passed = same_seed[0]["params"]["equal_bytes"] and at_chance(same_seed)
    texts = {
        "profile": run.profile.name,
        "twins": "passes" if passed else "does not pass",
        "gan_images": f"{run.trained_as.profile.gans['progan'].total_images:,}",
        "core_minutes": f"{sum(cost.values()) / 60:.{0 if sum(cost.values()) >= 60 else 1}f}",
    }
    for place, world in zip(FRONT, [*worlds, None], strict=False):
        texts |= {f"{name}_{place}": text for name, text in _front_world(records, world).items()}
    first = {r["row"]: r for r in pick(records, dataset=worlds[0], table="3", metric="accuracy")}
    texts["classes"] = str(first["Ours"]["classes"])
    texts["chance"] = f"{100 / first['Ours']['classes']:.1f} %"
    texts["verdict"] = _verdict(first)
    for table in "123":
        ours = [r for r in pick(records, table=table, row="Ours", metric="accuracy")]
        texts[f"ours_{table}"] = " and ".join(f"{r['value']:.1f} % ({r['dataset']})" for r in ours)
    return texts


def _front_world(records: Sequence[dict], world: str | None) -> dict[str, str]:
    """Name, column of the paper, and the accuracies of Table 3 beside the paper's; dashes without a world."""
    rows = {r["row"]: r for r in pick(records, dataset=world, table="3", metric="accuracy")} if world else {}
    texts = {"dataset": world or "–", "column": column_of(world) if world else "–"}
    for row in METHODS.values():
        r = rows.get(row)
        texts[f"accuracy_{row.lower()}"] = f"{r['value']:.1f} %" if r else "–"
        texts[f"paper_{row.lower()}"] = f"{r['paper']:.1f} %" if r and r["paper"] is not None else "–"
    return texts


def _verdict(rows: Mapping[str, dict]) -> str:
    """The contrast of Table 3 in half a sentence."""
    chance = 100 / rows["Ours"]["classes"]
    if rows["Ours"]["value"] < CONTRAST * chance:
        return "the sources cannot be told apart"
    if rows["kNN"]["value"] <= CONTRAST * chance:
        return "only fingerprints tell the sources apart, as in the paper"
    if rows["Ours"]["ci_low"] >= APART * rows["kNN"]["ci_high"]:
        return "the learned fingerprint tells far more sources apart than raw pixels, which are not at chance yet"
    return "the sources can be told apart, but, unlike in the paper, by simple methods too"
