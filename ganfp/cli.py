"""``ganfp``: build artifacts, execute notebooks, render the book, train one GAN, measure speed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

PROFILE = click.option(
    "--profile", default="quick", show_default=True, is_eager=True, help="How big: a name in ganfp/runs/presets."
)
KNOWN = "faces, bedrooms, npz:PATH, folder:PATH, celeba:PATH or lsun:PATH."
PROFILE_OF_REFERENCE = click.option("--profile", default="reference", show_default=True, help="How big.")
DATASET = click.option("--dataset", default="faces", show_default=True, help=KNOWN)
DATASETS = click.option(
    "--dataset", default="faces,bedrooms", show_default=True, help=f"One or several, with commas between: {KNOWN}"
)
SEED = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything after GAN training."
)
DEVICE = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
JOBS = click.option("--jobs", type=click.IntRange(1), help="Processes at a time; all cores by default.")


def from_scratch(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Let ``--from-scratch`` be a part of the profile's name, under which notebooks and records know it."""
    from ganfp.runs.profiles import FROM_SCRATCH

    if wanted and not context.params["profile"].endswith(FROM_SCRATCH):
        context.params["profile"] += FROM_SCRATCH


SCRATCH = click.option(
    "--from-scratch", is_flag=True, expose_value=False, callback=from_scratch,
    help="Train every GAN here, although trained ones travel with the repository.",
)  # fmt: skip


def run_options(command):
    """The options that ``build`` and ``book`` share."""
    for option in (SCRATCH, JOBS, DEVICE, SEED, DATASETS, PROFILE):
        command = option(command)
    return command


class _Commands(click.Group):
    """Expected errors end with one line that says what to do, not with a traceback."""

    def invoke(self, context: click.Context):
        try:
            return super().invoke(context)
        except (click.exceptions.Exit, click.Abort):  # click's own way to end, which are RuntimeErrors
            raise
        except (ValueError, OSError, LookupError, RuntimeError, ImportError) as error:
            if context.params.get("debug"):
                raise
            notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
            raise click.ClickException(f"{error}{notes}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="ganfp")
def main(debug: bool) -> None:
    """Reproduce "Attributing Fake Images to GANs" (Yu, Davis, Fritz, ICCV 2019) as a book."""


@main.command()
def profiles() -> None:
    """List the profiles and what they cost."""
    from ganfp.runs import profiles as known

    for name in known.names():
        profile = known.load(name)
        click.echo(f"{name:<16} {duration(profile.cost):<16} {size(profile.cost.bytes):>7}  {profile.summary}")


@main.command()
@run_options
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
def build(profile: str, dataset: str, seed: int, device: str, jobs: int | None, dry_run: bool) -> None:
    """Make every artifact that the notebooks of a profile load: GANs, samples, fitted attributors."""
    from ganfp import experiments
    from ganfp.runs import building
    from ganfp.runs.run import begin_each

    runs = begin_each(profile, dataset, seed=seed, device=device)
    run, wanted = runs[0], experiments.needs(runs)
    todo = building.missing(wanted, run.store)
    if dry_run:
        for recipe in todo:
            click.echo(f"{building.title(recipe):<28} {run.store.folder(recipe)}")
        click.echo(f"{len(todo)} artifacts to make, {len(building.closure(wanted)) - len(todo)} at hand or not needed")
        return
    if todo:
        click.echo(
            f"profile {profile}: {len(todo)} artifacts to make; "
            f"all of it takes {duration(run.profile.cost)} on {run.profile.cost.machine}"
        )
    seconds = run.build(wanted, jobs=jobs)
    click.echo(f"built {len(todo)} artifacts in {seconds:.0f} s" if todo else "nothing to build")


@main.command()
@run_options
@click.option("--force", is_flag=True, help="Execute notebooks of which nothing changed, too.")
@click.pass_context
def book(
    context: click.Context, profile: str, dataset: str, seed: int, device: str, jobs: int | None, force: bool
) -> None:
    """Build, execute every notebook, render _build/html/index.html."""
    from ganfp import book as pages

    context.invoke(build, profile=profile, dataset=dataset, seed=seed, device=device, jobs=jobs, dry_run=False)
    pages.execute_book(profile, dataset, seed, device, force=force, jobs=jobs)
    sys.exit(pages.render())


@main.command()
def render() -> None:
    """Render the book from the notebooks as they were last executed."""
    from ganfp import book as pages

    sys.exit(pages.render())


@main.command()
@click.argument("name")
@click.option("-p", "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="A parameter; may be repeated.")
@click.option("--output", type=click.Path(path_type=Path), help="The executed copy; below runs/ by default.")
def notebook(name: str, parameters: tuple[tuple[str, str], ...], output: Path | None) -> None:
    """Execute one notebook, such as s4_2, with other parameters; the book's own results stay as they are."""
    from ganfp import notebooks as pages
    from ganfp.runs import profiles as sizes

    path = pages.find(name)
    if "profile" in dict(parameters):
        sizes.load(dict(parameters)["profile"])  # before a kernel starts
    values = {key: value if key in ("dataset", "out") else plain(value) for key, value in parameters}
    pages.check_parameters(path, values)
    if output is None:
        tag = ",".join(f"{key}={Path(str(value)).name}" for key, value in sorted(values.items()) if key != "out")
        output = Path("runs") / f"{path.stem}{'-' if tag else ''}{tag}" / path.name
    values.setdefault("out", str(output.parent))
    seconds, _ = pages.execute(path, output, values, Path.cwd())
    click.echo(f"{output} in {seconds:.0f} s; records in {values['out']}")


@main.command()
@click.argument("name", default="progan")
@PROFILE
@DATASET
@click.option(
    "--seed", default=1, show_default=True, type=click.IntRange(0), help="Of weights, latents and data order."
)
@DEVICE
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for generator, critic and curves.")
@click.option("--budget", type=float, metavar="SECONDS", help="Stop after so long; --resume goes on.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out.")
def train(
    name: str, profile: str, dataset: str, seed: int, device: str, out: Path, budget: float | None, resume: bool
) -> None:
    """Train one GAN outside the store, for as long as you like."""
    import torch
    from tqdm import tqdm

    from ganfp.gans import GANS, training
    from ganfp.runs.recipes.base import IMAGES
    from ganfp.runs.run import begin

    run = begin(profile, dataset, 0, device)
    if name not in GANS:
        raise click.ClickException(f"unknown GAN {name!r}; known are {', '.join(GANS)}")
    torch.set_num_threads(1 if device == "cpu" else torch.get_num_threads())
    config = getattr(run.profile, name)
    images = run.images.part(run.array(run.images, IMAGES), "gan")
    with tqdm(total=config.total_images, unit="image", desc=f"{name} seed {seed}") as bar:
        complete = training.train(
            name, config, training.Seeds.all(seed), images, out, device=device, budget=budget, resume=resume,
            progress=lambda share: bar.update(round(share * config.total_images) - bar.n),
        )  # fmt: skip
    click.echo(f"{'complete' if complete else 'stopped, go on with --resume'}: {out / training.GENERATOR}")


@main.command()
@PROFILE
@DEVICE
@click.option(
    "--seconds", default=2.0, show_default=True, type=click.FloatRange(0, min_open=True), help="For each measurement."
)
def bench(profile: str, device: str, seconds: float) -> None:
    """Measure each training step of a profile, and how much of the machine it uses."""
    import torch

    from benchmarks import steps as benchmark
    from ganfp.gans import GANS
    from ganfp.runs import profiles as sizes

    size = sizes.load(profile)
    if device == "cpu":
        torch.set_num_threads(1)  # as in `train` and `build`
    products = [f"{benchmark.peak(device, precision) / 1e9:.0f} in {precision}" for precision in benchmark.PRECISIONS]
    click.echo(f"{device}: matrix products at {' and '.join(products)} GFLOP/s{' per core' * (device == 'cpu')}")
    click.echo(benchmark.HEADER)
    for name in GANS:
        for speed in benchmark.gan_speeds(name, size.gans[name], device, seconds):
            click.echo(speed)
    classes = size.seeds + 1  # of Table 3: as many GANs and the real images
    for speed in benchmark.attribution_speeds(size.resolution, classes, size.methods["cnn"], device, seconds):
        click.echo(speed)


@main.command()
@PROFILE_OF_REFERENCE
@DATASETS
@DEVICE
@JOBS
@click.option("--measure", is_flag=True, help="Measure the tables on the shipped generators instead.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Of Tables 1 to 3, measured.")
def reference(profile: str, dataset: str, device: str, jobs: int | None, measure: bool, seeds: int) -> None:
    """Train the generators of the reference run that are still missing, and ship each into results/reference.

    May be stopped at any time: finished generators are kept, and the others go on where they were.  Photographs are
    measured with --profile reference-photos --dataset celeba:PATH --measure; their GANs are not shipped.
    """
    from ganfp.paper import reference as run_of_reference
    from ganfp.runs.run import begin_each

    runs = begin_each(profile, dataset, device=device)
    if measure:
        run_of_reference.measure(runs, click.echo, jobs, seeds)
    else:
        run_of_reference.train(runs, click.echo, jobs, device)


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--count", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the latents.")
@DEVICE
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="An .npz file; its images go under the key `images`."
)
def sample(folder: Path, count: int, seed: int, device: str, out: Path) -> None:
    """Sample images from a trained GAN into a file that `--dataset npz:PATH` reads."""
    import numpy as np

    from ganfp.files import replacing
    from ganfp.gans.training import sample as generate

    images = generate(folder, count, seed, device)
    with replacing(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, images=images)
    click.echo(f"{count} images in {out}")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--model", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="A fitted attributor."
)
@click.option("--service", help="A source: test whether most of the folder is from it.")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write one line per image into this file.")
def attribute(folder: Path, model: Path, service: str | None, table: Path | None) -> None:
    """Name the source of every image in a folder, by an attributor that `fit` and `save` made."""
    import numpy as np

    from ganfp import metrics
    from ganfp.attributors import load
    from ganfp.worlds import files

    attributor = load(model)
    if service is not None and service not in attributor.classes_:
        known = ", ".join(attributor.classes_)
        raise click.ClickException(f"--service: {model} does not know {service!r}; it knows {known}")
    paths, images = files.load_exact(folder, attributor.resolution_)
    attributed = attributor.attribute(images)
    predicted = attributed.labels
    names, counts = np.unique(predicted, return_counts=True)
    for name, count in sorted(zip(names, counts, strict=True), key=lambda pair: -pair[1]):
        click.echo(f"{name:<28} {count:>6} images  {100 * count / len(images):5.1f} %")
    if table is not None:
        files_ = [str(path.relative_to(folder)) for path in paths]
        write_csv(table, files_, predicted, attributed.probabilities, attributor.classes_)
        click.echo(f"{len(images)} lines in {table}")
    if service is not None:
        found = metrics.service_authenticity(predicted, service)
        verdict = "most of the folder is from it" if found.p < 0.05 else "not shown that most of the folder is from it"
        click.echo(
            f"{service}: {found.share:.1f} % of {found.n} images (95 % interval {found.low:.1f}-{found.high:.1f}), "
            f"p = {found.p:.3g}: {verdict}"
        )


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--attack", "name", required=True, help="noise, blur, cropping, compression, relighting or combination.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for PNG files of the same names.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the attack's draws.")
@click.option("-o", "options", nargs=2, multiple=True, metavar="NAME VALUE", help="Of the attack, as `-o low 50`.")
def attack(folder: Path, name: str, out: Path, seed: int, options: tuple[tuple[str, str], ...]) -> None:
    """Attack every image in a folder, all square and of one size, as Section 4.4 of the paper does."""
    from PIL import Image

    from ganfp import attacks
    from ganfp.worlds import files

    some = files.images_in(folder)[0][0]
    paths, images = files.load_exact(folder, files.decode(some, some)[0].shape[-1])
    try:
        attacked = attacks.attack(name, images, seed, **{key: plain(value) for key, value in options})
    except TypeError as error:
        raise click.ClickException(f"an option does not fit {name}: {error}") from error
    for path, image in zip(paths, attacked, strict=True):
        target = (out / path.relative_to(folder)).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(target)
    click.echo(f"{len(images)} images after {name} in {out}")


@main.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--model", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A fitted attributor with visible fingerprints (visnet).",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="Draw the attribution card into this file, such as a PNG.")
def explain(image: Path, model: Path, out: Path | None) -> None:
    """Show why an image is attributed to its source: fingerprint, response and probability of every source."""
    import numpy as np

    from ganfp.attributors.visnet import VisNet
    from ganfp.worlds import files

    attributor = VisNet.load(model)
    planes, _ = files.decode(image, image)
    pixels = np.broadcast_to(planes, (1, 3, *planes.shape[1:]))  # grey becomes three equal colours
    probabilities, responses = attributor.predict_proba(pixels)[0], attributor.responses(pixels)[0]
    for k in np.argsort(-probabilities, kind="stable"):
        name, share = attributor.classes_[k], 100 * probabilities[k]
        click.echo(f"{name:<28} {share:5.1f} %   correlation {responses[k]:+.3f}")
    if out is not None:
        from ganfp.files import replacing
        from ganfp.paper import plots

        plots.use_style()
        figure = plots.card(**attributor.explain(pixels[0]), title=image.name)
        with replacing(out) as temporary:
            figure.savefig(temporary, format=out.suffix[1:] or "png")
        click.echo(f"card in {out}")


def write_csv(path: Path, files: list[str], predicted, probabilities, classes: list[str]) -> None:
    """One line per image: file, source, and the probability of every source."""
    import csv

    from ganfp.files import replacing

    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "source", *classes])
        for name, source, row in zip(files, predicted, probabilities, strict=True):
            writer.writerow([name, source, *(f"{p:.4f}" for p in row)])


def plain(text: str):
    """A number, true or false if the text is one; the text itself otherwise."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def duration(cost) -> str:
    """Seconds as people say them; "about" where they were not measured."""
    seconds = cost.seconds
    units = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    unit = next((unit for unit, length in units.items() if seconds >= 1.5 * length), "second")
    count = round(seconds / units[unit])
    return f"{'' if cost.measured else 'about '}{count} {unit}{'s' if count != 1 else ''}"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.0f} {unit}"
    return f"{count / 1e3:.0f} kB"
