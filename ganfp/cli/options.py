"""Options that commands share, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

PROFILE = click.option(
    "--profile", default="quick", show_default=True, is_eager=True, help="How big: a name in ganfp/runs/presets."
)
KNOWN = "faces, bedrooms, npz:PATH, folder:PATH, celeba:PATH or lsun:PATH."
DATASET = click.option("--dataset", default="faces", show_default=True, help=KNOWN)
DATASETS = click.option(
    "--dataset", default="faces,bedrooms", show_default=True, help=f"One or several, with commas between: {KNOWN}"
)
SEED = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything after GAN training."
)
JOBS = click.option("--jobs", type=click.IntRange(1), help="Processes at a time; all cores by default.")
FORCE = click.option("--force", is_flag=True, help="Replace files that are there.")


def _found(context: click.Context, parameter: click.Parameter, device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


DEVICE = click.option(
    "--device", default="cpu", show_default=True, callback=_found, help="cpu, cuda, cuda:1, ...; auto: a GPU if any."
)


def _from_scratch(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Let ``--from-scratch`` be a part of the profile's name, under which notebooks and records know it."""
    from ganfp.runs.profiles import FROM_SCRATCH

    if wanted and not context.params["profile"].endswith(FROM_SCRATCH):
        context.params["profile"] += FROM_SCRATCH


SCRATCH = click.option(
    "--from-scratch", is_flag=True, expose_value=False, callback=_from_scratch,
    help="Train every GAN here, although trained ones travel with the repository.",
)  # fmt: skip


def run_options(command):
    """The options that ``build`` and ``book`` share."""
    for option in (SCRATCH, JOBS, DEVICE, SEED, DATASETS, PROFILE):
        command = option(command)
    return command


def keep(paths: Iterable[Path | None], force: bool) -> None:
    """Refuse to replace files, before any work is done, unless ``--force`` says so."""
    there = [path for path in paths if path and path.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileExistsError(f"{there[0]}{more} exists already; name another place, or replace it with --force")
