"""What a run takes, before it is begun."""

import shutil

import click

from ganfp.cli.options import DATASETS, DEVICE, PROFILE, SEED


@click.command()
@PROFILE
@DATASETS
@SEED
@DEVICE
def plan(profile: str, dataset: str, seed: int, device: str) -> None:
    """Count what a profile takes: artifacts, operations, hours of a GPU, disk, memory; refuse what cannot fit."""
    import torch

    from ganfp.paper import sections
    from ganfp.runs import building, planning
    from ganfp.runs.run import begin_each

    runs = begin_each(profile, dataset, seed=seed, device=device)
    lines = planning.plan(building.missing(sections.needs(runs), runs[0].store))
    click.echo(f"{'artifact':<16}{'number':>8}{'operations':>12}{'GPU hours':>11}{'disk':>11}{'GPU memory':>12}")
    for line in lines:
        numbers = f"{line.count:>8}{line.operations:>12.2g}{line.hours:>11.2f}"
        click.echo(f"{line.kind:<16}{numbers}{line.disk / 1e9:>8.2f} GB{line.memory / 1e9:>9.1f} GB")
    count, hours, disk = (sum(getattr(line, key) for line in lines) for key in ("count", "hours", "disk"))
    card = planning.rates()["card"]
    click.echo(f"{count} artifacts, networks for about {hours:.1f} hours on {card}, {disk / 1e9:.1f} GB of disk")
    root = runs[0].store.root
    near = next(folder for folder in (root, *root.parents) if folder.exists())
    memory = planning.rates()["bytes"]
    if torch.device(runs[0].device).type == "cuda":
        memory = torch.cuda.get_device_properties(runs[0].device).total_memory
    planning.check(lines, shutil.disk_usage(near).free, memory)


COMMANDS = (plan,)
