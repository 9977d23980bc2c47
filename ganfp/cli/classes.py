"""A class: notebooks for its students and its teacher, and how many sources each student named."""

import secrets
from pathlib import Path

import click

from ganfp.cli.options import FOLDER, FORCE, PATH, PROFILE, keep, number


@click.command("class")
@click.argument("out", type=PATH)
@click.argument("names", nargs=-1)
@number("--students", 10, 1, help="How many; student 1 has seed 1, and so on.")
@PROFILE
@FORCE
def class_(out: Path, names: tuple[str, ...], students: int, profile: str, force: bool) -> None:
    """Write each student's notebooks into OUT, without solutions, and the teacher's with them; the labs by default.

    NAMES are notebooks, such as lab1 or s4_2.
    """
    import nbformat

    from ganfp import notebooks, teaching
    from ganfp.runs.run import begin

    paths = [notebooks.find(name) for name in names or [n for n in notebooks.by_name() if n.startswith("lab")]]
    sources = {path.name: nbformat.read(path, as_version=4) for path in paths}
    keep([out / "students", out / "teacher"], force)
    blind = any("blind" in notebooks.known_parameters(path) for path in paths)
    key = 2**20 + secrets.randbelow(2**30)  # nobody who has a notebook and its seed can draw these images again
    sets = teaching.blind_sets(begin(profile), 30, students, key) if blind else []
    for seed in range(1, students + 1):
        values = {"profile": profile, "seed": seed, "blind": teaching.IMAGES}
        for who in ("students", "teacher"):
            folder = out / who / f"{seed:02}"
            folder.mkdir(parents=True, exist_ok=True)
            for name, notebook in sources.items():
                given = teaching.without_solutions(notebook) if who == "students" else notebook
                nbformat.write(teaching.parametrised(given, values), folder / name)
            if sets:
                images, truth = sets[seed - 1]
                teaching.write_blind(folder, images, truth if who == "teacher" else None)
    click.echo(f"{students} students, {len(paths)} notebooks each: hand out the folders in {out / 'students'}")


@click.command()
@click.argument("out", type=FOLDER)
def mark(out: Path) -> None:
    """Compare what each student of the class in OUT handed in, of lab 3, with the teacher's answers."""
    from ganfp import metrics, teaching

    for folder in sorted((out / "students").iterdir()):
        truth, handed = teaching.read_names(out / "teacher" / folder.name / teaching.TRUTH), folder / teaching.ANSWERS
        named = teaching.read_names(handed) if handed.exists() else []
        if len(named) == len(truth):
            found = metrics.accuracy(truth, named)
            said = f"{sum(truth == named):>4} of {len(truth)} right (95 % interval {found.low:.0f}-{found.high:.0f} %)"
        else:
            said = f"{len(named):>4} answers to {len(truth)} images" if handed.exists() else "   - nothing handed in"
        click.echo(f"{folder.name}  {said}")


COMMANDS = (class_, mark)
