"""One GAN: trained, sampled from, timed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ganfp.cli.options import DATASET, DEVICE, FOLDER, FORCE, PATH, PROFILE, keep

SETTINGS = "settings.json"  # what a training in a folder was begun with


@click.command()
@click.argument("name", default="progan")
@PROFILE
@DATASET
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Of weights, latents and data order."
)
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
    import fcntl

    from ganfp.files import write_json
    from ganfp.gans import training

    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(f"--out: another process is training in {out}") from None
        there = [out / name for name in (SETTINGS, training.CHECKPOINT, training.GENERATOR) if (out / name).exists()]
        if there and not resume:
            raise click.ClickException(f"--out: {out} holds a training already; --resume it, or name another folder")
        if there == [out / training.GENERATOR]:
            raise click.ClickException(f"--out: {there[0]} has no checkpoint to go on from; name another folder")
        before = json.loads((out / SETTINGS).read_text("utf-8")) if (out / SETTINGS).exists() else settings
        if differs := [key for key in settings if before.get(key) != settings[key]]:
            raise click.ClickException(f"--resume: {out} was begun with another {' and another '.join(differs)}")
        write_json(out / SETTINGS, settings)
        try:
            yield
        finally:
            if not (out / training.CHECKPOINT).exists():  # nothing to go on from
                (out / SETTINGS).unlink()


@click.command()
@PROFILE
@DEVICE
@click.option(
    "--seconds", default=2.0, show_default=True, type=click.FloatRange(0, min_open=True), help="For each measurement."
)
def bench(profile: str, device: str, seconds: float) -> None:
    """Measure each training step of a profile, and how much of the machine it uses."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "benchmarks" / "steps.py").is_file():
        raise click.ClickException(f"{root} has no benchmarks/steps.py: measuring needs a checkout of the repository")
    sys.path.insert(0, str(root))
    from benchmarks import steps
    from ganfp.runs import profiles as sizes

    for line in steps.report(sizes.load(profile), device, seconds):
        click.echo(line)


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the latents.")
@DEVICE
@click.option("--out", required=True, type=PATH, help="An .npz file; its images go under the key `images`.")
@FORCE
def sample(folder: Path, count: int, seed: int, device: str, out: Path, force: bool) -> None:
    """Sample images from a trained GAN into a file that `--dataset npz:PATH` reads."""
    import numpy as np

    from ganfp.files import replacing
    from ganfp.gans.training import sample as generate

    keep([out], force)
    images = generate(folder, count, seed, device)
    with replacing(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, images=images)
    click.echo(f"{count} images in {out}")


COMMANDS = (train, sample, bench)
