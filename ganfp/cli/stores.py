"""The folder of artifacts: taken to another machine, checked, and cleared; and machines that fill it together."""

import shutil
import time
from pathlib import Path

import click

from ganfp.cli.options import DATASETS, PATH, number, option
from ganfp.cli.words import size


def _wanted(profile: str, dataset: str) -> list:
    """What the book of a profile loads, and what that is made from."""
    from ganfp.paper import sections
    from ganfp.runs import building
    from ganfp.runs.run import begin_each

    return building.closure(sections.needs(begin_each(profile, dataset)))


@click.group()
def store() -> None:
    """Move artifacts between machines, check them, and remove what is not needed."""


@store.command()
@click.argument("archive", type=PATH)
@option("--profile", None, help="Only what the book of this profile needs; all by default.")
@DATASETS
def export(archive: Path, profile: str | None, dataset: str) -> None:
    """Write finished artifacts into one tar file, with their checksums."""
    from ganfp.cli.options import keep
    from ganfp.runs import archive as archives
    from ganfp.runs.store import here

    keep([archive], force=False)
    folders = here().artifacts()
    if profile:
        wanted = {here().folder(recipe) for recipe in _wanted(profile, dataset)}
        folders = [folder for folder in folders if folder in wanted]
    count = archives.export(folders, archive)
    click.echo(f"{archive}: {count} artifacts, {size(archive.stat().st_size)}")


@store.command(name="import")
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(archive: Path) -> None:
    """Take over the artifacts of a tar file that ``store export`` wrote."""
    from ganfp.runs import archive as archives
    from ganfp.runs.store import here

    new, count, others = archives.load(archive, here())
    click.echo(f"{new} new artifacts of {count}")
    if others:
        said = f"{len(others)} were here already with other bytes and stay as they are, such as {others[0]}"
        click.echo(f"{said}: they were made on another machine, or with other versions")


@store.command()
@click.option("--delete", is_flag=True, help="Delete the damaged ones, so that the next build makes them again.")
def verify(delete: bool) -> None:
    """Read every artifact and compare it with its checksums; the exit status is 1 if one is damaged and kept.

    Of a lower store nothing is deleted.
    """
    from ganfp.runs import archive as archives
    from ganfp.runs.store import here

    store, kept, deleted = here(), 0, 0
    folders = store.artifacts()
    for folder in folders:
        if wrong := archives.faults(folder):
            click.echo("\n".join(wrong))
            if delete and store.root in folder.parents:
                shutil.rmtree(folder)
                deleted += 1
            else:
                kept += 1
    click.echo(f"{len(folders)} artifacts, {kept + deleted} damaged{f', {deleted} of them deleted' * (deleted > 0)}")
    if kept:
        raise SystemExit(1)


@store.command()
@option("--profile", "quick", multiple=True, help="What the book of this profile needs is kept; may be repeated.")
@DATASETS
@click.option("--delete", is_flag=True, help="Delete; without it the command only says what it would.")
def prune(profile: tuple[str, ...], dataset: str, delete: bool) -> None:
    """Free what the books of these profiles do not need."""
    from ganfp.runs import archive as archives
    from ganfp.runs.store import here

    freed, count = 0, 0
    needed = [recipe for name in profile for recipe in _wanted(name, dataset)]
    for folder, size_of in archives.not_needed(here(), needed):
        freed, count = freed + size_of, count + 1
        if delete:
            shutil.rmtree(folder)
    click.echo(f"{count} artifacts, {size(freed)}, {'deleted' if delete else 'would be deleted; --delete does it'}")


@click.command()
@number("--workers", 2, 1, help="Processes, one thread each.")
@click.option("--gpu", is_flag=True, help="They have a GPU, all the same one.")
def cluster(workers: int, gpu: bool) -> None:
    """Start a Dask cluster on this machine, to try ``--scheduler`` on; Ctrl-C ends it."""
    from ganfp.runs import cluster as clusters

    with clusters.local(workers, gpu) as address:
        click.echo(f"ganfp build --scheduler {address}")
        while True:
            time.sleep(3600)


COMMANDS = (store, cluster)
