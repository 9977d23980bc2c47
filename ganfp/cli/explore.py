"""Models and images in one page that computes by itself."""

from pathlib import Path

import click

from ganfp.cli.attribution import INPUTS, STRICT, end
from ganfp.cli.options import FORCE, MODEL_FIRST, PATH, a_model, keep, option
from ganfp.cli.words import printable, size

OWN = "images"  # where the drawer files what lies in no folder of a source's name


@click.command()
@MODEL_FIRST
@INPUTS
@click.option("--also", multiple=True, callback=a_model, help="Another of the same sources, as a visnet beside a cnn.")
@option("--title", "Fingerprint explorer", help="Of the page.")
@click.option("--out", required=True, type=PATH, help="An HTML file, which needs nothing else.")
@STRICT
@FORCE
def explore(
    model: Path, images: tuple[str, ...], also: tuple[Path, ...], title: str, out: Path, strict: bool, force: bool
) -> None:  # fmt: skip
    """Put a model (cnn, visnet or prnu) and images, files or folders, into one page to explore fingerprints with.

    Images are prepared as `attribute train` was told to, of tiles the first is shown; for a model of a build they are
    cut and reduced as `folder:` does.  A folder with the name of a source says that its images are from there.
    """
    import numpy as np

    from ganfp.explorer import Exhibit, Reader, page
    from ganfp.files import write_text
    from ganfp.wild import collect
    from ganfp.wild.model import CARD, Model
    from ganfp.worlds import files, reader

    keep([out], force)
    asked, left = Model.load(model), collect.LeftOut(strict)
    others = [Model.load(folder).attributor for folder in also]
    pairs = zip((asked.attributor, *others), (model, *also), strict=True)
    readers = [Reader(one, one.method, printable(folder.name)) for one, folder in pairs]
    known, resolution = set(asked.attributor.classes_), asked.attributor.resolution_
    good, squares, of_a_build = [], [], not (model / CARD).exists()
    for path in collect.inputs(images, left):
        try:
            if of_a_build:
                square = files.square_mean(reader.decode(path, path)[0], resolution, path)
                squares.append(np.broadcast_to(square, (3, resolution, resolution)))
            else:
                squares.append(asked.preparation.squares(reader.read(path, path, asked.preparation.check)[0])[0])
            good.append(path)
        except ValueError as error:
            left.add(path, str(error).removeprefix(f"{path} "))
    if not good:
        raise ValueError(f"none of {len(left)} files can be shown, such as {left[-1][0]}: {left[-1][1]}")
    owners = [folder if (folder := path.absolute().parent.name) in known else OWN for path in good]
    write_text(out, page(Exhibit(readers, np.stack(squares), owners, [printable(path.name) for path in good]), title))
    models = f"{len(readers)} model{'s' * (len(readers) > 1)}"
    click.echo(f"{len(good)} images and {models} in {out}, {size(out.stat().st_size)}")
    end(left)


COMMANDS = (explore,)
