"""What every page says of its run: the banner, the columns of its tables, the claims that it bears on."""

from collections.abc import Iterable, Mapping, Sequence

from ganfp.paper import published
from ganfp.paper.judge import claims, judge, on_paper
from ganfp.paper.record import Record, published_records, reference_records
from ganfp.paper.table import Table, plain, provenance
from ganfp.runs.run import Run


def banner(*runs: Run) -> str:
    """One line at the top of a page: what this run is, on one data set or several."""
    run, real = runs[0], runs[0].profile.real
    datasets = " and ".join(f"`{r.dataset}`" for r in runs)
    text = (
        f"**This run:** profile `{run.profile.name}`, {run.profile.resolution} × {run.profile.resolution} pixels, "
        f"real images {datasets}, {run.profile.seeds} GAN seeds, {real.train:,} training and {real.test:,} test images "
        f"per source, seed {run.seed}, on `{run.device}`."
    )
    if run.trained_as is not run:
        seen = run.trained_as.profile.gans["progan"].total_images
        text += (
            f" Its generators travel with the repository: profile `{run.trained_as.profile.name}`, each ProGAN trained "
            f"on {seen:,} images."
        )
    if run.profile.name == "smoke":
        text += " **Its numbers mean nothing:** every step runs in miniature, to test the machinery."
    return text


OWN = "<!-- this run's own numbers -->"


def whose(run: Run, records: Iterable[Record]) -> str:
    """A warning where numbers under a page's banner are not that run's own, and a comment where they are."""
    others = [r for r in records if r.profile != run.profile.name]
    return f"**Not this run's numbers, but of another:** {provenance(others)}." if others else OWN


def caption(table: str, records: Sequence[Record], more: str = "Small: 95 % interval. Bold: best accuracy.") -> str:
    """The caption of a table of the paper: its own in our words, and how many sources this run and the paper have."""
    block = published.block(table)
    here, theirs = records[0].classes, published.load()["setups"][block["setup"]]["classes"]
    text = f"{block['caption']} This run has {here} sources (chance {100 / here:.1f} %)"
    if theirs != here:
        text += f", the paper {theirs} ({100 / theirs:.1f} %)"
    if not any(published.stands_for(r.dataset) for r in records):
        text += "; the paper has no numbers for these images"
    return f"{text}. {more}"


def columns(*runs: Run, tables: Sequence[str] = ("1", "2", "3")) -> str:
    """The line under some of the paper's tables: what stands in its columns."""
    run = runs[0]
    text = "*paper*: CelebA beside faces and LSUN beside bedrooms, 128 px. "
    names = {one.dataset for one in runs}
    found = {r.dataset: r for r in reference_records() if r.table in tables and r.dataset in names}
    if found:
        r = next(iter(found.values()))
        text += (
            f"*reference*: the same experiment by profile `{r.profile}`, {_seeds(found)} "
            f"of everything after the GANs ({r.params['hardware']}; commit {r.commit}). "
        )
    else:
        text += "*reference*: not measured on these images. "
    source = "shipped generators" if run.shipped else "generators that were trained here"
    return text + (
        f"*this run*: profile `{run.profile.name}`, {source}, methods trained here. {{doc}}`../book/reading` says more."
    )


def _seeds(found: Mapping[str, Record]) -> str:
    """How many seeds the records of each data set are pooled over."""
    said = {name: len(r.params["seeds"]) for name, r in found.items()}
    texts = {name: "one seed" if count == 1 else f"pooled over {count} seeds" for name, count in said.items()}
    if len(set(said.values())) == 1:
        return next(iter(texts.values()))
    return " and ".join(f"{text} ({name})" for name, text in texts.items())


def claims_table(records: Iterable[Record], name: str, caption: str, *, section: str, tables: str = "") -> Table:
    """The claims of a section (of those read from some ``tables`` last, if any are named) and their two verdicts.

    One is on the paper's numbers, the other on these records; what they cannot decide about is left out.
    """
    records = list(records)
    standing = {published.stands_for(r.dataset) or "faces" for r in records}
    paper = [r for r in published_records() if r.dataset in standing]
    rows = []
    for c in claims().values():
        if c.section == section and (not tables or c.tables[-1] in tables.split()):
            verdict = judge(c, records)
            if verdict.holds is not None:
                rows.append([c.text, str(on_paper(c, paper)), f"**{verdict}** <small>{verdict.numbers}</small>"])
    return plain(["claim", "in the paper", "in this run"], rows or [["none", "", ""]], name, caption, prose=True)
