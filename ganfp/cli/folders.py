"""Images of any origin: attributed, attacked, explained."""

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from ganfp.cli.options import DEVICE, FOLDER, FORCE, PATH, keep, number
from ganfp.cli.words import plain, printable

MODEL = click.option("--model", required=True, type=FOLDER, help="A fitted attributor.")


@click.command()
@click.argument("folder", type=FOLDER)
@MODEL
@DEVICE
@click.option("--service", help="A source: test whether most of the folder is from it.")
@click.option("--csv", "table", type=PATH, help="Write one line per image into this file.")
@FORCE
def attribute(folder: Path, model: Path, device: str, service: str | None, table: Path | None, force: bool) -> None:
    """Name the source of every image in a folder, by an attributor that `fit` and `save` made."""
    from ganfp import metrics
    from ganfp.attributors import load
    from ganfp.worlds import files

    keep([table], force)
    attributor = load(model, device)
    if service is not None and service not in attributor.classes_:
        raise ValueError(f"--service: {model} does not know {service!r}; it knows {', '.join(attributor.classes_)}")
    paths, images, wrong = files.load_exact(folder, attributor.resolution_)
    found = attributor.attribute(images)
    for name, count in Counter(found.labels.tolist()).most_common():
        click.echo(f"{printable(name):<28} {count:>6} images  {100 * count / len(images):5.1f} %")
    if table is not None:
        write_csv(table, [path.relative_to(folder).as_posix() for path in paths], found)
        click.echo(f"{len(images)} lines in {table}")
    if service is not None:
        test = metrics.service_authenticity(found.labels, service)
        verdict = "most of the folder is from it" if test.p < 0.05 else "not shown that most of the folder is from it"
        share = f"{test.share:.1f} % of {test.n} images (95 % interval {test.low:.1f}-{test.high:.1f})"
        click.echo(f"{service}: {share}, p = {test.p:.3g}: {verdict}")
    end(wrong)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--attack", "name", required=True, help="Such as noise, blur, cropping or compression.")
@click.option("--out", required=True, type=PATH, help="A folder for PNG files of the same names.")
@number("--seed", 0, help="Of the attack's draws.")
@DEVICE
@click.option("-o", "options", nargs=2, multiple=True, metavar="NAME VALUE", help="Of the attack, as `-o low 50`.")
@FORCE
def attack(
    folder: Path, name: str, out: Path, seed: int, device: str, options: tuple[tuple[str, str], ...], force: bool
) -> None:
    """Attack every image in a folder, all square and of one size, as Section 4.4 of the paper does."""
    from PIL import Image

    from ganfp import attacks
    from ganfp.files import replacing
    from ganfp.worlds import files

    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"--out: {out} is {folder} or inside it, where the originals are; name another folder")
    paths, images, wrong = files.load_exact(folder)
    targets = [out / target for target in as_png([path.relative_to(folder) for path in paths])]
    keep(targets, force)
    try:
        attacked = attacks.attack(name, images, seed, device=device, **{key: plain(value) for key, value in options})
    except TypeError as error:
        raise ValueError(f"an option does not fit {name}: {error}") from error
    for target, image in zip(targets, attacked, strict=True):
        with replacing(target) as temporary:
            Image.fromarray(image.transpose(1, 2, 0)).save(temporary, "PNG")
    click.echo(f"{len(targets)} images after {name} in {out}")
    end(wrong)


def as_png(names: Sequence[Path]) -> list[Path]:
    """The names with the ending ``.png`` in place of their own, or behind it where two names would become one."""
    short = [name.with_suffix(".png") for name in names]
    often = Counter(str(name).lower() for name in short)  # some disks take capitals for the same letters
    found = [
        new if often[str(new).lower()] == 1 or new == name else name.with_name(f"{name.name}.png")
        for name, new in zip(names, short, strict=True)
    ]
    for path, count in Counter(str(path).lower() for path in found).items():
        if count > 1:
            raise ValueError(f"{count} images would be written as {path}; rename all but one of them")
    return found


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, type=FOLDER, help="A fitted attributor with visible fingerprints (visnet).")
@DEVICE
@click.option("--out", type=PATH, help="Draw the attribution card into this file, such as a PNG.")
@FORCE
def explain(image: Path, model: Path, device: str, out: Path | None, force: bool) -> None:
    """Show why an image is attributed to its source: fingerprint, response and probability of every source."""
    import numpy as np

    from ganfp.attributors.visnet import VisNet
    from ganfp.worlds import files

    keep([out], force)
    if not image.is_file():
        raise ValueError(f"{image} is not a regular file")
    attributor = VisNet.load(model, device)
    planes, _ = files.decode(image, image)
    pixels = np.broadcast_to(planes, (1, 3, *planes.shape[1:]))  # grey becomes three equal colours
    probabilities, responses = attributor.predict_proba(pixels)[0], attributor.responses(pixels)[0]
    for k in np.argsort(-probabilities, kind="stable"):
        name, share = printable(attributor.classes_[k]), 100 * probabilities[k]
        click.echo(f"{name:<28} {share:5.1f} %   correlation {responses[k]:+.3f}")
    if out is not None:
        from ganfp.files import replacing
        from ganfp.paper import plots

        plots.use_style()
        figure = plots.card(**attributor.explain(pixels[0]), title=printable(image.name))
        with replacing(out) as temporary:
            figure.savefig(temporary, format=out.suffix[1:] or "png")
        click.echo(f"card in {out}")


def write_csv(path: Path, names: Sequence[str], found) -> None:
    """One line per image: its name, its source, and the probability of every source."""
    from ganfp.files import replacing

    # a name that is no UTF-8 keeps its bytes; one that a spreadsheet would take for a formula says that it is a path
    text = dict(newline="", encoding="utf-8", errors="surrogateescape")
    with replacing(path) as temporary, open(temporary, "w", **text) as file:
        writer = csv.writer(file)
        writer.writerow(["file", "source", *found.classes])
        for name, source, row in zip(names, found.labels, found.probabilities, strict=True):
            writer.writerow([f"./{name}" if name[0] in "=+-@" else name, source, *(f"{p:.4f}" for p in row)])


def end(wrong: Sequence[str]) -> None:
    """Name the images that could not be used, and end with status 1 if there are any."""
    for text in wrong:
        click.echo(printable(f"left out: {text}"), err=True)
    if wrong:
        click.echo(f"{len(wrong)} images were left out", err=True)
        sys.exit(1)


COMMANDS = (attribute, attack, explain)
