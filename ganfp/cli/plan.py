"""What a run takes, before it is begun."""

import click

from ganfp.cli.options import ALL, DATASETS, DEVICE, PROFILE, SCRATCH, SEED, option


@click.command()
@PROFILE
@DATASETS
@SEED
@DEVICE
@SCRATCH
@ALL
@option("--workers", "1xH200", metavar="NxKIND", help="Who is to make it: a number of H100, H200 or core.")
def plan(profile: str, dataset: str, seed: int, device: str, workers: str) -> None:
    """Count what a profile takes: artifacts, operations, hours, disk, memory; say what cannot fit.

    The hours of the workers are those of a schedule, simulated from measured rates.
    """
    from ganfp.paper import sections
    from ganfp.runs import building, planning, room
    from ganfp.runs.run import begin_each

    team, rates = planning.Workers.read(workers), planning.rates()
    runs = begin_each(profile, dataset, seed=seed, device=device)
    todo = building.missing(sections.needs(runs), runs[0].store)
    heads = f"{'artifact':<12}{'number':>7}{'operations':>12}{'GPU hours':>11}{'core hours':>12}"
    click.echo(f"{heads}{'disk':>12}{'GPU memory':>12}")
    lines = planning.plan(todo)
    for line in lines:
        hours = f"{_or_dash(line.operations, '.2g', 12)}{_or_dash(line.gpu_hours, '.2f', 11)}"
        room_of = f"{_or_dash(line.disk / 1e9, '.2f', 9, ' GB')}{_or_dash(line.memory / 1e9, '.1f', 9, ' GB')}"
        click.echo(f"{line.kind:<12}{line.count:>7}{hours}{_or_dash(line.core_hours, '.2f', 12)}{room_of}")
    count, gpu, cores, disk = (
        sum(getattr(line, key) for line in lines) for key in ("count", "gpu_hours", "core_hours", "disk")
    )
    shares = f"networks take {_time(gpu)} of one {rates['card']}, the rest {_time(cores)} of {rates['core']}"
    click.echo(f"{count} artifacts: {shares}")
    found = planning.schedule(todo, team)
    click.echo(f"{workers}: {_time(found.hours)}; the longest chain of needs takes {_time(found.chain)}")
    click.echo(f"{disk / 1e9:.1f} GB of disk, {found.network / 1e9:.1f} GB read and written by workers")
    room.check(todo, runs[0].store.root, device, rates["cards"][team.card]["bytes"] if team.card else None)


def _or_dash(value: float, form: str, width: int, unit: str = "") -> str:
    return f"{format(value, form) if value else '-':>{width}}{unit if value else ' ' * len(unit)}"


def _time(hours: float) -> str:
    return f"{hours:.0f} hours" if hours >= 10 else f"{hours:.1f} hours" if hours >= 1 else f"{3600 * hours:.0f} s"


COMMANDS = (plan,)
