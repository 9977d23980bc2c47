"""Options that commands share, and what they have in common."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def option(name: str, default, **more):
    """An option that shows its default, if there is one."""
    return click.option(name, default=default, show_default=default is not None, **more)


def number(name: str, default: int | None = None, least: int = 0, **more):
    """An option for a whole number that is not below ``least``."""
    return option(name, default, type=click.IntRange(least), **more)


def _found(context: click.Context, parameter: click.Parameter, device: str) -> str:
    if device != "auto":
        return device
    from ganfp import machine

    return machine.found(device)


def _from_scratch(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Let ``--from-scratch`` be a part of the profile's name, under which notebooks and records know it."""
    from ganfp.runs.profiles import FROM_SCRATCH

    if wanted and not context.params["profile"].endswith(FROM_SCRATCH):
        context.params["profile"] += FROM_SCRATCH


def a_model(context: click.Context, parameter: click.Parameter, name: str | tuple[str, ...]) -> Any:
    """The folder of a model, of a path or of a name that `ganfp models` lists; of several names as many."""
    if isinstance(name, tuple):
        return tuple(a_model(context, parameter, one) for one in name)
    if (Path(name).expanduser() / "model.json").is_file():
        return Path(name).expanduser()
    from ganfp.runs.models import find
    from ganfp.runs.store import here

    return find(name, here())


MODEL = click.option("--model", required=True, callback=a_model, help="A name of `ganfp models`, or a folder.")
MODEL_FIRST = click.argument("model", callback=a_model)


def _in_environment(variable: str):
    """A callback that lets an option be a part of the environment, where every build finds it."""

    def put(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value:
            os.environ[variable] = value

    return put


PROFILE = option("--profile", "quick", is_eager=True, help="How big: a name in ganfp/runs/presets.")
KNOWN = "faces, bedrooms, npz:PATH, folder:PATH, celeba:PATH, lsun:PATH or eurosat:PATH."
DATASET = option("--dataset", "faces", help=KNOWN)
DATASETS = option("--dataset", "faces,bedrooms", help=f"One or several, with commas between: {KNOWN}")
SEED = number("--seed", 0, help="Of everything after GAN training.")
JOBS = number("--jobs", least=1, help="Processes at a time; all cores by default.")
FORCE = click.option("--force", is_flag=True, help="Replace files that are there.")
DEVICE = option("--device", "cpu", callback=_found, help="cpu, cuda, cuda:1, ...; auto: a GPU if any.")
SCRATCH = click.option(
    "--from-scratch", is_flag=True, expose_value=False, callback=_from_scratch,
    help="Train every GAN here, although trained ones travel with the repository.",
)  # fmt: skip

SCHEDULER = option(
    "--scheduler", None, expose_value=False, callback=_in_environment("GANFP_SCHEDULER"), metavar="tcp://HOST:PORT",
    help="Let a running Dask cluster make the artifacts.",
)  # fmt: skip
SHARD = option(
    "--shard", None, expose_value=False, callback=_in_environment("GANFP_SHARD"), metavar="I/N",
    help="Be the I-th of N builds that fill one folder together.",
)  # fmt: skip

ALL = click.option(
    "--all", flag_value="1", expose_value=False, callback=_in_environment("GANFP_ALL"),
    help="Measure here what is beyond the paper, too, instead of showing the reference run's records of it.",
)  # fmt: skip


def run_options(command):
    """The options that ``build`` and ``book`` share."""
    for add in (SHARD, SCHEDULER, ALL, SCRATCH, JOBS, DEVICE, SEED, DATASETS, PROFILE):
        command = add(command)
    return command


def keep(paths: Iterable[Path | None], force: bool) -> None:
    """Refuse to replace files, before any work is done, unless ``--force`` says so."""
    there = [path for path in paths if path and path.exists()]
    if there and not force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileExistsError(f"{there[0]}{more} exists already; name another place, or replace it with --force")
