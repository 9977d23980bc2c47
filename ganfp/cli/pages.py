"""The book: what it needs, its notebooks, its pages, the reference run."""

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

import click

from ganfp.cli.options import DATASETS, DEVICE, FORCE, JOBS, PATH, SCHEDULER, keep, number, option, run_options
from ganfp.cli.words import duration, plain, size, takes


@click.command()
def profiles() -> None:
    """List the profiles and what they cost."""
    from ganfp.runs import profiles as known

    for name in known.names():
        profile = known.load(name)
        click.echo(f"{name:<16} {takes(profile.cost):<16} {size(profile.cost.bytes):>7}  {profile.summary}")


@click.command()
@run_options
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def build(profile: str, dataset: str, seed: int, device: str, jobs: int | None, dry_run: bool) -> None:
    """Make every artifact that the notebooks of a profile load: GANs, samples, fitted attributors."""
    from ganfp.paper import sections
    from ganfp.runs import building, planning
    from ganfp.runs.run import begin_each

    runs = begin_each(profile, dataset, seed=seed, device=device)
    run, wanted = runs[0], sections.needs(runs)
    todo = building.missing(wanted, run.store)
    if dry_run:
        for recipe in todo:
            click.echo(f"{building.title(recipe):<28} {run.store.folder(recipe)}")
        click.echo(f"{len(todo)} artifacts to make, {len(building.closure(wanted)) - len(todo)} at hand or not needed")
        return
    if run.images.drawn and run.profile.generators not in ("", profile) and run.trained_as is run:
        where = "name a folder of them in $GANFP_GENERATORS, or work in a checkout"
        click.echo(f"trained generators are not at hand, and every GAN is trained here; {where}")
    if todo:
        team = planning.Workers.here(device, jobs)
        hours = planning.schedule(todo, team).hours
        how_long = f"about {duration(3600 * hours)} on {team}, by measured rates"
        click.echo(f"profile {profile}: {len(todo)} artifacts to make; {how_long}")
    seconds = run.build(wanted, jobs=jobs)
    click.echo(f"built {len(todo)} artifacts in {seconds:.0f} s" if todo else "nothing to build")


@click.command()
@run_options
@click.option("--force", is_flag=True, help="Execute notebooks of which nothing changed, too.")
@click.pass_context
def book(context: click.Context, force: bool, **options) -> None:
    """Build, execute every notebook, render _build/html/index.html."""
    from ganfp import book as pages

    pages.book_notebooks()  # is this a checkout?
    context.invoke(build, **options, dry_run=False)
    try:
        pages.execute_book(**options, force=force)
    except pages.NotebookError:
        pages.render()  # the others as they are now, and those that failed as they were
        raise
    sys.exit(pages.render())


@click.command()
def render() -> None:
    """Render the book from the notebooks as they were last executed."""
    from ganfp import book as pages

    sys.exit(pages.render())


@click.command()
@click.argument("name")
@click.option("-p", "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter; may be repeated.")
@click.option("--output", type=PATH, help="The executed copy; below runs/ by default.")
@FORCE
def notebook(name: str, parameters: tuple[tuple[str, str], ...], output: Path | None, force: bool) -> None:
    """Execute one notebook, such as s4_2, with other parameters; the book's own results stay as they are."""
    from ganfp import notebooks
    from ganfp.runs import profiles as sizes

    path = notebooks.find(name)
    if "profile" in dict(parameters):
        sizes.load(dict(parameters)["profile"])  # before a kernel starts
    values = {key: value if key in ("dataset", "out") else plain(value) for key, value in parameters}
    notebooks.check_parameters(path, values)
    if output is None:
        output = folder_of(path.stem, values) / path.name
    values.setdefault("out", str(output.parent))
    records = Path(values["out"]) if values["out"] else None
    there = [*records.glob("*.json"), *records.glob("*.npz")] if records else []
    keep([output, *there], force)
    why = "what it needs is made first; `ganfp build` makes that with bars of progress"
    click.echo(f"executing {path.name}: {why}", err=True)
    seconds, _ = notebooks.execute(path, output, values, Path.cwd())
    click.echo(f"{output} in {seconds:.0f} s" + (f"; records in {records}" if records else ""))


def folder_of(stem: str, values: dict) -> Path:
    """A folder below ``runs`` that says the parameters; what a name cannot say, a digest behind it tells apart."""
    from ganfp import worlds

    whole, said = {key: value for key, value in sorted(values.items()) if key != "out"}, {}
    if "dataset" in whole:
        whole["dataset"] = worlds.absolute(whole["dataset"])
        said["dataset"] = "+".join(map(worlds.label, worlds.names(whole["dataset"])))
    tag = ",".join(f"{key}={said.get(key, value)}" for key, value in whole.items())
    tag = re.sub(r"[^\w.,=+-]+", "-", tag)
    if tag != ",".join(f"{key}={value}" for key, value in whole.items()):
        tag += "-" + hashlib.sha256(repr(whole).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Path("runs", f"{stem}-{tag}" if tag else stem)


@click.command()
@option("--profile", "reference", help="How big.")
@DATASETS
@DEVICE
@JOBS
@SCHEDULER
@click.option("--measure", is_flag=True, help="Measure the tables on the shipped generators instead.")
@number("--seeds", 3, 1, help="Of Tables 1 to 3, measured.")
@click.option("--study", "only", multiple=True, metavar="NAME", help="Measure this one; may be repeated.")
def reference(
    profile: str, dataset: str, device: str, jobs: int | None, measure: bool, seeds: int, only: tuple[str, ...]
) -> None:
    """Train the generators of the reference run that are still missing, and ship each into results/reference.

    May be stopped at any time: finished generators are kept, and the others go on where they were.  Photographs are
    measured with --profile reference-photos --dataset celeba:PATH --measure; their GANs are not shipped.
    """
    from ganfp.paper import reference as run_of_reference
    from ganfp.runs.run import begin_each

    runs = begin_each(profile, dataset, device=device)
    if measure or only:
        run_of_reference.measure(runs, click.echo, jobs, seeds, only)
    else:
        run_of_reference.train(runs, click.echo, jobs, device)


@click.command()
@click.argument("table")
@run_options
@click.option("--stored", is_flag=True, help="Use artifacts that are there; without it, all but GANs is made anew.")
def verify(table: str, profile: str, dataset: str, seed: int, device: str, jobs: int | None, stored: bool) -> None:
    """Measure a table of the paper again, and say whether each printed number is met within its interval.

    Generators that travel with the repository are used; without --stored nothing else is.  With the book's own seed the
    same numbers come out, with another --seed other draws of images and of trainings.  Fails if one is outside.
    """
    from ganfp import worlds
    from ganfp.files import project_root
    from ganfp.paper import verify as checks
    from ganfp.runs.run import begin
    from ganfp.runs.store import VARIABLE

    with tempfile.TemporaryDirectory() as empty:
        if not stored:
            os.environ[VARIABLE] = empty
        found = []
        checks.study_of(table)  # is there such a table?
        for name in worlds.names(dataset):
            run = begin(profile, name, seed, device)
            try:
                numbers = checks.printed(run, table, project_root())
            except LookupError as missing:
                click.echo(missing)
                continue
            found += checks.verify(run, table, numbers, jobs)
    for again in found:
        click.echo(str(again))
    outside = sum(again.verdict == checks.OUTSIDE for again in found)
    if found:
        click.echo(f"{len(found)} numbers, {outside} outside their intervals")
    sys.exit(1 if outside or not found else 0)


COMMANDS = (profiles, build, book, render, notebook, reference, verify)
