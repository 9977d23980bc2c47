"""From folders to an answer: learn sources, name those of images, verify a service."""

import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import gmtime, strftime, time

import click

from ganfp.cli.options import DEVICE, FOLDER, FORCE, MODEL_FIRST, PATH, keep, number, option
from ganfp.cli.words import cell, line

COLUMNS = ("path", "source", "none", "tiles", "votes", "votes_low", "votes_high", "warnings")  # then probabilities
SHOWN = 3  # files left out for one kind of reason that the screen names
CHOICES = ("cnn", "visnet", "prnu", "knn", "eigenface", "all")
STRICT = click.option("--strict", is_flag=True, help="Stop at the first file that cannot be used.")
INPUTS = click.argument("images", nargs=-1, required=True, metavar="IMAGE|FOLDER|GLOB...")


class _Attribute(click.Group):
    """Knows the form that this command once had."""

    def resolve_command(self, context: click.Context, words: list[str]):
        if words and self.get_command(context, words[0]) is None and "--model" in words[:-1]:
            model = words[words.index("--model") + 1]
            context.fail(f"`attribute FOLDER --model MODEL` is now `ganfp attribute predict {model} {words[0]}`")
        return super().resolve_command(context, words)


@click.group(cls=_Attribute)
def attribute() -> None:
    """Say where images come from: `train` on sources, `predict` images, `verify` a service."""


@attribute.command()
@click.argument("sources", type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=PATH, help="A folder for the model.")
@option("--method", "cnn", type=click.Choice(CHOICES), help="all: each of them; the best on validation images is kept.")
@click.option("--prepare", type=click.Choice(("exact", "tiles", "centre", "box")), help="How images get one size.")
@number("--size", least=8, help="Side of the squares that the model sees, in pixels.")
@number("--tiles", least=1, help="At most so many of an image; 4 by default.")
@number("--images", least=1, help="So many squares are shown to a network, repetitions counted.")
@number("--seed", 0, help="Of a network's weights and order.")
@DEVICE
@STRICT
@FORCE
def train(
    sources: Path, out: Path, method: str, prepare: str | None, size: int | None, tiles: int | None,
    images: int | None, seed: int, device: str, strict: bool, force: bool,
) -> None:  # fmt: skip
    """Learn to tell sources apart: SOURCES has a folder for each, or is a CSV with columns path and source."""
    from ganfp.wild import collect, model, train

    keep([out / name for name in ("model.json", model.CARD)], force)
    if out.resolve().is_relative_to(sources.resolve()):
        raise ValueError(f"--out: {out} is inside {sources}, where the images are; name another folder")
    methods = CHOICES[:-1] if method == "all" else (method,)
    left = collect.LeftOut(strict)
    labelled = train.looked_at(collect.sources(sources, left), left)
    preparation = train.choose(labelled.headers, methods, prepare, size, tiles)
    labelled = train.fitting(labelled, preparation, left)
    for source, count in sorted(Counter(labelled.sources).items()):
        click.echo(f"{line(source):<28} {count:>7} images")
    click.echo(f"squares of {preparation}")
    out.mkdir(parents=True, exist_ok=True)
    with bars() as progress:
        found = train.train(labelled, methods, preparation, out, left, images, device, seed, progress)
    found.facts["date"] = strftime("%Y-%m-%d", gmtime())
    found.save(out)
    report(found)
    click.echo(f"model in {out}")
    end(left)


def report(model) -> None:
    """The test: confusion, accuracies with their intervals, and what the controls of format say."""
    classes, facts = [line(name) for name in model.attributor.classes_], model.facts
    width = max(7, *(len(name[:18]) + 1 for name in classes))
    click.echo("\ntest images, by source (rows) and answer (columns)")
    click.echo(" " * 28 + "".join(f"{name[:18]:>{width}}" for name in classes) + "   right")
    for k, (name, row) in enumerate(zip(classes, facts["confusion"], strict=True)):
        shares = "".join(f"{count:>{width}}" for count in row)
        click.echo(f"{name:<28.28}{shares}{100 * row[k] / max(1, sum(row)):>6.1f} %")
    for method, one in facts["accuracies"].items():
        kept = ", and it is kept" if len(facts["accuracies"]) > 1 and method == model.attributor.method else ""
        click.echo(f"{method}: {percent(**one)} of {one['n']} test images are named rightly{kept}")
    ghosts = ", ".join(f"{line(source)} {share['value']:.0f} %" for source, share in facts["ghosts"].items())
    click.echo(f"control: the files' headers alone: {percent(**facts['headers'])}; JPEG ghosts: {ghosts}")
    for text in facts["warnings"]:
        click.secho(f"warning: {line(text)}", err=True, fg="yellow")


def percent(value: float, low: float, high: float, **_) -> str:
    """A share with its interval."""
    return f"{value:.1f} % (95 % interval {low:.1f}-{high:.1f})"


def p_value(p: float) -> str:
    """A p-value; of one below what numbers can say, a bound."""
    return f"p = {p:.3g}" if p > 1e-300 else "p < 1e-300"


@attribute.command()
@MODEL_FIRST
@INPUTS
@click.option("--csv", "table", type=PATH, help="Write one line per file into this one.")
@DEVICE
@STRICT
@FORCE
def predict(
    model: Path, images: tuple[str, ...], table: Path | None, device: str, strict: bool, force: bool
) -> None:  # fmt: skip
    """Name the source of every image, as MODEL (a folder, or a name of `ganfp models`) sees it."""
    from ganfp.wild.collect import LeftOut
    from ganfp.wild.model import Model

    keep([table], force)
    asked, left = Model.load(model, device), LeftOut(strict)
    sources, unknown = answered(asked, images, left, table)
    for name, count in Counter(sources).most_common():
        click.echo(f"{line(name):<28} {count:>7} images  {100 * count / len(sources):5.1f} %")
    if len(asked.certainty) and sources:
        few, of = asked.known_unknown
        usual = f"{100 * few / of:.1f} % of {of} images of known sources do"
        click.echo(f"none of these: {sum(unknown)} images ({100 * sum(unknown) / len(unknown):.1f} %) look so; {usual}")
    if table is not None:
        click.echo(f"{len(sources) + len(left)} lines in {table}")
    end(left)


@attribute.command()
@MODEL_FIRST
@INPUTS
@click.option("--service", required=True, help="The source that the images are said to be from.")
@DEVICE
@STRICT
def verify(model: Path, images: tuple[str, ...], service: str, device: str, strict: bool) -> None:
    """Test whether most of the images are from one source, and whether they look like none that MODEL knows."""
    from scipy.stats import fisher_exact

    from ganfp import metrics
    from ganfp.wild.collect import LeftOut
    from ganfp.wild.model import Model

    asked, left = Model.load(model, device), LeftOut(strict)
    if service not in asked.attributor.classes_:
        known = ", ".join(asked.attributor.classes_)
        raise ValueError(f"--service: {model} does not know {service!r}; it knows {known}")
    sources, unknown = answered(asked, images, left)
    if sources:
        test = metrics.service_authenticity(sources, service)
        verdict = "most of them are attributed to it" if test.p < 0.05 else "not shown that most of them are from it"
        share = f"{percent(test.share, test.low, test.high)} of {test.n} images"
        click.echo(f"{line(service)}: {share}, {p_value(test.p)}: {verdict}")
    if sources and len(asked.certainty):
        few, of = asked.known_unknown
        odd = sum(unknown)
        p = float(fisher_exact([[odd, len(unknown) - odd], [few, of - few]], "greater").pvalue)
        verdict = "more than known sources leave" if p < 0.05 else "not shown to be more than known sources leave"
        share = percent(**vars(metrics.share(unknown)))
        click.echo(f"none of these: {share}, of known ones {100 * few / of:.1f} % of {of}, {p_value(p)}: {verdict}")
        if p < 0.05:
            click.echo("some may be from a source that the model was never shown, whose images it takes for others'")
    end(left)


@click.command()
@click.argument("around", type=FOLDER, default=".")
def models(around: Path) -> None:
    """List the models that a build has left, by name, and those in folders below AROUND."""
    from ganfp.runs import models as known
    from ganfp.runs.store import here

    for one in known.listed(here(), around):
        right = "" if one.accuracy is None else f"{one.accuracy:5.1f} %"
        size = f"{one.resolution} px"
        click.echo(line(f"{one.name:<44} {len(one.classes):>3} sources {size:>7} {one.date:>11} {right:>8}"))


def answered(asked, images: Sequence[str], left, table: Path | None = None) -> tuple[list[str], list[bool]]:
    """The source of each image that a model is asked about, and whether it looks like none; all that in a table."""
    from ganfp.wild import collect

    paths = collect.inputs(images, left)
    if table is not None and table.resolve() in {path.resolve() for path in paths}:
        raise ValueError(f"--csv: {table} is one of the images")
    sources: list[str] = []
    unknown: list[bool] = []
    with written(table, asked.attributor.classes_, left) as write, bars() as progress:
        for items, answers in asked.ask(paths, progress("attributing")):
            write(items, answers)
            left.kept(items)
            if answers:
                sources += answers.sources.tolist()
                unknown += answers.unknown.tolist()
    return sources, unknown


@contextmanager
def written(table: Path | None, classes: Sequence[str], left: Sequence[tuple[Path, str]]):
    """A CSV, if one is named, that is whole at the end: yields what writes items and answers into it."""
    from ganfp.files import replacing

    if table is None:
        yield lambda items, answers: None
        return
    # a name that is no UTF-8 keeps its bytes
    text = dict(newline="", encoding="utf-8", errors="surrogateescape")
    with replacing(table) as temporary, open(temporary, "w", **text) as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *(f"p({name})" for name in classes)])
        writer.writerows([named(path), *[""] * 6, f"left out: {reason}"] for path, reason in left)
        yield lambda items, answers: writer.writerows(rows(items, answers))


def rows(items, answers) -> Iterator[list[str]]:
    """A line of the CSV for each file, in the files' order."""
    from ganfp.worlds.reader import NOTES

    said = answers and (answers.sources, answers.none, answers.squares, answers.votes, answers.intervals)
    each = answers and zip(*said, answers.probabilities, strict=True)
    for item in items:
        if item.reason:
            yield [named(item.path), *[""] * 6, f"left out: {item.reason}"]
            continue
        source, none, squares, votes, (low, high), probabilities = next(each)
        known = "" if none != none else f"{none:.3f}"
        notes = "; ".join(NOTES[note] for note in item.notes)
        shares = known, squares, votes, f"{low:.3f}", f"{high:.3f}"
        yield [named(item.path), cell(source), *shares, notes, *(f"{p:.4f}" for p in probabilities)]


def named(path: Path) -> str:
    """A path that no spreadsheet takes for a formula."""
    text = path.as_posix()
    return f"./{text}" if cell(text) != text else text


@contextmanager
def bars():
    """Yields what begins a bar of progress, from its title to what moves it, on a terminal; it ends the one before.

    The time left is at the mean rate since its first step: a network is built before it, and checks even out.
    """
    from tqdm import tqdm

    look = "{desc:<20}{percentage:3.0f}%|{bar}| {remaining} left"
    with ExitStack() as stack:

        def begin(title: str) -> Callable[[float], object]:
            stack.close()
            more = dict(disable=None, bar_format=look, smoothing=0, leave=False)
            bar = stack.enter_context(tqdm(total=1.0, desc=title, **more))

            def move(share: float) -> None:
                if not bar.n:
                    bar.initial, bar.start_t = share, time()
                bar.update(share - bar.n)

            return move

        yield begin


def end(left: Sequence[tuple[Path, str]]) -> None:
    """Name files that were left out, some for each kind of reason, and end with status 1 if there are any."""
    kinds: Counter[str] = Counter()
    for path, reason in left:
        kind = " ".join(re.sub(r"\d+", "N", reason).split()[:6])
        kinds[kind] += 1
        if kinds[kind] <= SHOWN:
            click.echo(f"left out: {line(path)} {line(reason)}", err=True)
    if left:
        more = sum(max(0, count - SHOWN) for count in kinds.values())
        said = f", {more} of them not named here, for reasons such as these" if more else ""
        click.echo(f"{len(left)} file{'s were' if len(left) > 1 else ' was'} left out{said}", err=True)
        sys.exit(1)


COMMANDS = (attribute, models)
