"""Section 4.1: the real images and their splits, the GANs, what the methods chose, what the content network knows."""

import json
from collections.abc import Sequence

import numpy as np
import torch

from ganfp import worlds
from ganfp.gans import GANS, gan_class, training
from ganfp.gans.progan import ProGANConfig
from ganfp.layers import count_parameters
from ganfp.paper.attribution import METHODS, architecture_setup, chosen, seed_setup
from ganfp.runs.recipes.base import IMAGES, Recipe
from ganfp.runs.recipes.extractors import ContentNetwork
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

SWEPT = {  # shown by `sweeps`
    "faces": ("yaw", "face_width", "skin", "hair_colour", "smile", "light_azimuth"),
    "bedrooms": ("camera_x", "focal", "bed_place", "curtains", "daylight", "palette"),
}
SITTER = {"faces": 19, "bedrooms": 4}  # the picture of seed 0 whose factors are moved
HELD_OUT_SEED = 2_000_003  # pictures that neither the GANs nor the content network have seen


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Samples and curves of every data set, what the methods chose on the first one, the content networks."""
    shown = [setup(run).part("test") for run in runs for setup in (architecture_setup, seed_setup)]
    fits = [runs[0].fit(method, seed_setup(runs[0])) for method in METHODS]
    return [*(sample for samples in shown for sample in samples), *fits, *(run.extractor for run in runs)]


def sweeps(count: int, resolution: int, world: str = "faces") -> dict[str, np.ndarray]:
    """Drawn pictures in which one factor runs through its range; name -> uint8 (count, 3, R, R)."""
    drawn, sitter = worlds.drawn(world), SITTER[world]
    base = {name: np.repeat(values[sitter], count) for name, values in drawn.factors(sitter + 1).items()}
    paths = [base | {name: np.linspace(0, 1, count, dtype=np.float32)} for name in SWEPT[world]]
    shown = (drawn.render(path, resolution, maps=False).image for path in paths)
    return dict(zip((name.replace("_", " ") for name in SWEPT[world]), shown, strict=True))


def splits(run: Run) -> list[list]:
    """Rows (part, images, what for) of how the real images are divided."""
    parts = worlds.split(len(run.array(run.images, IMAGES)), run.images.held)
    shipped = run.trained_as is not run
    purposes = {
        "gan": "training the GANs of the controls, which are trained here" if shipped else "training every GAN",
        "train": "training the attributors: the source “real”",
        "validation": "choosing settings and when to stop",
        "test": "every number and picture of a result",
    }
    rows = [[name, len(parts[name]), what] for name, what in purposes.items()]
    if shipped:
        more = f"training the shipped GANs, by profile {run.trained_as.profile.name}; none of them is in a part below"
        rows.insert(0, ["gan, shipped", 2 * run.trained_as.base_images, more])
    return rows


def progan_settings(run: Run) -> list[list[str]]:
    """Rows (setting, paper, this run) of what a reader would ask about a ProGAN's training."""
    here, paper = run.trained_as.profile.gans["progan"], ProGANConfig()
    shown = {
        "resolution": "resolution, px", "latent": "latent dimensions", "fmap_max": "feature maps, at most",
        "phase_images": "images per phase", "total_images": "images in all", "batch": "batch at the last resolution",
        "learning_rate": "learning rate", "ema": "moving average, decay per step",
    }  # fmt: skip
    rows = [[text, f"{getattr(paper, k):,}", f"{getattr(here, k):,}"] for k, text in shown.items()]
    return [*rows, ["GANs that differ in the seed", "10", str(run.profile.seeds)]]


def gan_settings(run: Run) -> list[list[str]]:
    """Rows (GAN, loss, last layer, parameters at the paper's size, parameters here, seconds of training here)."""
    rows = []
    for name, gan in GANS.items():
        kind, here = gan_class(name), run.trained_as.profile.gans[name]
        parameters = [_parameters(kind, config) for config in (kind.Config(), here)]
        rows.append([gan.label, gan.loss, gan.output, *parameters, f"{run.seconds(run.generator(name)):,.0f}"])
    return rows


def _parameters(gan, config) -> str:
    """Parameters of generator and critic, in millions."""
    with torch.device("meta"):
        counts = [count_parameters(network(config)) for network in (gan.Generator, gan.Critic)]
    return " + ".join(f"{count / 1e6:.2f}" for count in counts)


def training_curves(run: Run, setup: Setup) -> dict[str, list[dict]]:
    """The rows that each GAN of a setup wrote while it was trained: images, resolution, blend and losses."""
    gans = [source for source in setup.sources if source.origin != run.images]
    return {s.name: json.loads((run.path(s.origin) / training.HISTORY).read_text())["rows"] for s in gans}


def choices(run: Run) -> list[list[str]]:
    """Rows (method, what it chose on the validation images of the seed setup, in words)."""
    rows = []
    for method, row in METHODS.items():
        found = chosen(run, method, seed_setup(run)).items()
        words = [f"{k.replace('_', ' ')} {f'{v:.4g}' if isinstance(v, float) else v}" for k, v in found]
        rows.append([row, ", ".join(words) or "nothing"])
    return rows


def content_report(run: Run, count: int = 1000) -> list[list]:
    """Rows (world, factor, percent, percent of knowing nothing, measure): the content network on new drawn images.

    Empty where another extractor stands in its place.
    """
    if not isinstance(run.extractor, ContentNetwork):
        return []
    from ganfp.features import content

    world = run.extractor.world
    network, drawn = content.ContentNetwork.load(run.path(run.extractor)), worlds.drawn(world)
    truth = drawn.content(drawn.factors(count, HELD_OUT_SEED))
    report = network.report(drawn.draw(count, run.profile.resolution, HELD_OUT_SEED), truth)
    measure = {"accuracy": "right answers, %", "r2": "variance explained, %"}
    rows = ([k.replace("_", " "), 100 * x["value"], 100 * x["chance"], measure[x["metric"]]] for k, x in report.items())
    return [[world, *row] for row in rows]


def content(report: Sequence[Sequence]) -> str:
    """How well the content networks know their worlds; rows as :func:`content_report`."""
    texts = []
    for name in dict.fromkeys(row[0] for row in report):
        degrees = sorted((row[2], row[1]) for row in report if row[0] == name and row[4].startswith("variance"))
        middle, (least, worst) = degrees[len(degrees) // 2][0], degrees[0]
        texts.append(
            f"{name.capitalize()} have {len(degrees)} factors of degree. For half of them the network explains "
            f"{middle:.0f} % of the variance or more on new drawings; the least known is {worst} ({least:.0f} %)."
        )
    return " ".join(texts).replace("(-", "(−")
