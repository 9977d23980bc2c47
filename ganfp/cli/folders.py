"""Images of any origin: attacked, explained."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from ganfp.cli.attribution import STRICT, end
from ganfp.cli.options import DEVICE, FOLDER, FORCE, MODEL, PATH, keep, number
from ganfp.cli.words import line, plain


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--attack", "name", required=True, help="Such as noise, blur, cropping or compression.")
@click.option("--out", required=True, type=PATH, help="A folder for PNG files of the same names.")
@number("--seed", 0, help="Of the attack's draws.")
@DEVICE
@click.option("-o", "options", nargs=2, multiple=True, metavar="NAME VALUE", help="Of the attack, as `-o low 50`.")
@STRICT
@FORCE
def attack(
    folder: Path, name: str, out: Path, seed: int, device: str, options: tuple[tuple[str, str], ...], strict: bool,
    force: bool,
) -> None:  # fmt: skip
    """Attack every image in a folder, all square and of one size, as Section 4.4 of the paper does.

    Images of another size than most are left out.
    """
    import numpy as np
    from PIL import Image

    from ganfp import attacks
    from ganfp.files import replacing
    from ganfp.wild import stream
    from ganfp.wild.collect import LeftOut
    from ganfp.wild.prepare import Preparation

    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"--out: {out} is {folder} or inside it, where the originals are; name another folder")
    left = LeftOut(strict)
    found = left.images(folder)
    preparation = Preparation("exact", usual_square(found, folder))
    names = as_png([path.relative_to(folder) for path in found])
    targets = {path: out / name for path, name in zip(found, names, strict=True)}
    keep(targets.values(), force)
    given, done = {key: plain(value) for key, value in options}, 0
    for items in stream.each(found, preparation, list):
        if not (good := left.kept(items)):
            continue
        try:
            pixels = np.concatenate([item.squares for item in good])
            attacked = attacks.attack(name, pixels, seed, done, device, **given)
        except TypeError as error:
            raise ValueError(f"an option does not fit {name}: {error}") from error
        for item, image in zip(good, attacked, strict=True):
            with replacing(targets[item.path]) as temporary:
                Image.fromarray(image.transpose(1, 2, 0)).save(temporary, "PNG")
        done += len(good)
    click.echo(f"{done} images after {name} in {out}")
    end(left)


def usual_square(paths: Sequence[Path], folder: Path) -> int:
    """The side of most of the square images; others are left out."""
    from ganfp.worlds.reader import opened

    sides: Counter[int] = Counter()
    for path in paths:
        with suppress(ValueError), opened(path, path) as image:
            sides.update([image.width] * (image.width == image.height))
    if not sides:
        raise ValueError(f"{folder} holds no square image that can be read; attacks take squares of one size")
    return sides.most_common(1)[0][0]


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
@MODEL
@DEVICE
@click.option("--out", type=PATH, help="Draw the attribution card into this file, such as a PNG.")
@FORCE
def explain(image: Path, model: Path, device: str, out: Path | None, force: bool) -> None:
    """Show why an image is attributed to its source: fingerprint, response and probability of every source.

    Of an image in tiles that is the tile of which the model, one with visible fingerprints (visnet), is most certain.
    """
    import numpy as np

    from ganfp.attributors.visnet import VisNet
    from ganfp.wild.model import Model
    from ganfp.wild.stream import read

    keep([out], force)
    asked = Model.load(model, device)
    attributor = asked.attributor
    if not isinstance(attributor, VisNet):
        raise ValueError(f"{model} holds a {type(attributor).__name__}, not a VisNet, whose fingerprints are visible")
    item = read([image], asked.preparation)[0]
    if item.squares is None:
        raise ValueError(f"{image} {item.reason}")
    each = attributor.predict_proba(item.squares)
    tile = int(each.max(axis=1).argmax())
    pixels, probabilities = item.squares[tile : tile + 1], each[tile]
    responses = attributor.responses(pixels)[0]
    for k in np.argsort(-probabilities, kind="stable"):
        name, share = line(attributor.classes_[k]), 100 * probabilities[k]
        click.echo(f"{name:<28} {share:5.1f} %   correlation {responses[k]:+.3f}")
    if len(item.squares) > 1:
        click.echo(f"of tile {tile + 1} of {len(item.squares)}")
    if out is not None:
        from ganfp.files import replacing
        from ganfp.paper import plots

        plots.use_style()
        figure = plots.card(**attributor.explain(pixels[0]), title=line(image.name))
        with replacing(out) as temporary:
            figure.savefig(temporary, format=out.suffix[1:] or "png")
        click.echo(f"card in {out}")


COMMANDS = (attack, explain)
