"""One GAN: trained, sampled from, timed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ganfp.cli.options import DATASET, DEVICE, FORCE, PATH, PROFILE, keep, number, option

SETTINGS = "settings.json"  # what a training in a folder was begun with


@click.command()
@click.argument("name", default="progan")
@PROFILE
@DATASET
@number("--seed", 1, help="Of weights, latents and data order.")
@DEVICE
@click.option("--out", required=True, type=PATH, help="Folder for generator, critic and curves.")
@click.option("--budget", type=float, metavar="SECONDS", help="Stop after so long; --resume goes on.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
def train(
    name: str, profile: str, dataset: str, seed: int, device: str, out: Path, budget: float | None, resume: bool
) -> None:
    """Train one GAN outside the store, for as long as you like."""
    import torch
    from tqdm import tqdm

    from ganfp.gans import entry, training
    from ganfp.runs.recipes.base import IMAGES
    from ganfp.runs.run import begin

    if budget is not None and not budget > 0:
        raise ValueError(f"--budget must be a positive number of seconds, not {budget}")
    run = begin(profile, dataset, 0, device)
    entry(name)  # raises for an unknown one
    torch.set_num_threads(1 if device == "cpu" else torch.get_num_threads())
    config = run.profile.gans[name]
    with _claimed(out, {"gan": name, "profile": profile, "seed": seed, "images": run.images.key}, resume):
        images = run.images.part(run.array(run.images, IMAGES), "gan")
        with tqdm(total=config.total_images, unit="image", desc=f"{name} seed {seed}") as bar:
            complete = training.train(
                name, config, training.Seeds.all(seed), images, out, device=device, budget=budget, resume=resume,
                progress=lambda share: bar.update(round(share * config.total_images) - bar.n),
            )  # fmt: skip
    click.echo(f"{'complete' if complete else 'stopped, go on with --resume'}: {out / training.GENERATOR}")


@contextmanager
def _claimed(out: Path, settings: dict, resume: bool) -> Iterator[None]:
    """Keep a folder for one training: of these settings, and one process at a time."""
    from ganfp.files import read_json, sweep, write_json
    from ganfp.gans import training
    from ganfp.locks import held

    def refuse() -> None:
        raise ValueError(f"--out: another process is training in {out}")

    out.mkdir(parents=True, exist_ok=True)
    with held(out / ".lock", refuse):
        sweep(out)
        begun, checkpoint, generator = out / SETTINGS, out / training.CHECKPOINT, out / training.GENERATOR
        there = [path for path in (begun, checkpoint, generator) if path.exists()]
        if there and not resume:
            raise ValueError(f"--out: {out} holds a training already; --resume it, or name another folder")
        if there == [generator]:
            raise ValueError(f"--out: {generator} has no checkpoint to go on from; name another folder")
        before = read_json(begun, "name another folder") if begun in there else settings
        if differs := [key for key in settings if before.get(key) != settings[key]]:
            raise ValueError(f"--resume: {out} was begun with another {' and another '.join(differs)}")
        write_json(begun, settings)
        try:
            yield
        finally:
            if not checkpoint.exists():  # nothing to go on from
                begun.unlink()


@click.command()
@PROFILE
@DEVICE
@option("--seconds", 2.0, type=click.FloatRange(0, min_open=True), help="For each measurement.")
def bench(profile: str, device: str, seconds: float) -> None:
    """Measure each training step of a profile, and how much of the machine it uses."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "benchmarks" / "steps.py").is_file():
        raise FileNotFoundError(f"{root} has no benchmarks/steps.py: measuring needs a checkout of the repository")
    sys.path.insert(0, str(root))
    from benchmarks import steps
    from ganfp.attributors.base import check_device
    from ganfp.runs import profiles as sizes

    check_device(device)
    for line in steps.report(sizes.load(profile), device, seconds):
        click.echo(line)


@click.command()
@click.argument("generator", type=click.Path(exists=True, path_type=Path), metavar="FOLDER|FILE")
@number("--count", 1000, 1)
@number("--seed", 0, help="Of the latents.")
@DEVICE
@click.option("--out", required=True, type=PATH, help="An .npz file with the key `images`, or a folder for PNG files.")
@FORCE
def sample(generator: Path, count: int, seed: int, device: str, out: Path, force: bool) -> None:
    """Sample images from a trained GAN: the folder of its training, or a generator's own file.

    An .npz file is what `--dataset npz:PATH` reads, a folder what `attribute` does.
    """
    import numpy as np
    from PIL import Image

    from ganfp.files import replacing
    from ganfp.gans.training import sample as generate

    packed = out.suffix == ".npz" or out.is_file()
    paths = [out] if packed else [out / f"{i:06}.png" for i in range(count)]
    keep(paths, force)
    images = generate(generator, count, seed, device)
    for path, image in zip(paths, [images] if packed else images.transpose(0, 2, 3, 1), strict=True):
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, images=image) if packed else Image.fromarray(image).save(file, "PNG")
    click.echo(f"{count} images in {out}")


COMMANDS = (train, sample, bench)
