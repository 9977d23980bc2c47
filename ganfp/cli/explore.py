"""Models and images in one page that computes by itself."""

from pathlib import Path

import click

from ganfp.cli.options import FOLDER, FORCE, MODEL_FIRST, PATH, keep, option
from ganfp.cli.words import printable, size

OWN = "images"  # where the drawer files what lies in no folder of a source's name


@click.command()
@MODEL_FIRST
@click.argument("images", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--also", multiple=True, type=FOLDER, help="Another model of the same sources, as a visnet beside a cnn.")
@option("--title", "Fingerprint explorer", help="Of the page.")
@click.option("--out", required=True, type=PATH, help="An HTML file, which needs nothing else.")
@FORCE
def explore(model: Path, images: tuple[Path, ...], also: tuple[Path, ...], title: str, out: Path, force: bool) -> None:
    """Put a model (cnn, visnet or prnu) and images, files or folders, into one page to explore fingerprints with.

    Images of another size are cut and reduced as `folder:` does.  A folder with the name of a source says that its
    images are from there.
    """
    import numpy as np

    from ganfp.attributors import load
    from ganfp.explorer import Exhibit, Reader, page
    from ganfp.files import write_text
    from ganfp.worlds import files

    keep([out], force)
    readers = [Reader(one := load(folder), one.method, printable(folder.name)) for folder in (model, *also)]
    known, resolution = set(readers[0].attributor.classes_), readers[0].attributor.resolution_
    paths = [file for path in images for file in (files.images_in(path)[0] if path.is_dir() else [path])]
    pixels = np.empty((len(paths), 3, resolution, resolution), np.uint8)
    for i, path in enumerate(paths):
        pixels[i] = files.square_mean(files.decode(path, path)[0], resolution, path)  # grey becomes three equal colours
    owners = [folder if (folder := path.absolute().parent.name) in known else OWN for path in paths]
    write_text(out, page(Exhibit(readers, pixels, owners, [printable(path.name) for path in paths]), title))
    click.echo(f"{len(paths)} images and {len(readers)} models in {out}, {size(out.stat().st_size)}")


COMMANDS = (explore,)
