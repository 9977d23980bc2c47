"""What the experiments are made of (Section 4.1): the drawn world, the splits, settings, the methods' choices."""

from __future__ import annotations

import numpy as np
import torch

from ganfp import worlds
from ganfp.attributors import Attributor
from ganfp.gans import GANS, gan_class
from ganfp.gans.progan import ProGANConfig
from ganfp.layers import count_parameters
from ganfp.runs.recipes.base import IMAGES
from ganfp.runs.recipes.extractors import ContentNetwork
from ganfp.runs.run import Run
from ganfp.worlds import SPLITS, split

SWEPT = {  # shown by `sweeps`
    "faces": ("yaw", "face_width", "skin", "hair_colour", "smile", "light_azimuth"),
    "bedrooms": ("camera_x", "focal", "bed_place", "curtains", "daylight", "palette"),
}
SITTER = {"faces": 19, "bedrooms": 4}  # the picture of seed 0 whose factors are moved
HELD_OUT_SEED = 2_000_003  # faces that neither the GANs' world nor the content network has seen


def sweeps(count: int, resolution: int, world: str = "faces") -> dict[str, np.ndarray]:
    """Drawn pictures in which one factor runs through its range; name -> uint8 (count, 3, R, R)."""
    drawn, sitter = worlds.drawn(world), SITTER[world]
    base = {name: np.repeat(values[sitter], count) for name, values in drawn.factors(sitter + 1).items()}
    path = np.linspace(0, 1, count, dtype=np.float32)
    return {
        name.replace("_", " "): drawn.render({**base, name: path}, resolution, maps=False).image
        for name in SWEPT[world]
    }


def splits(run: Run) -> list[list]:
    """Rows (part, images, what for) of how the real images are divided."""
    real = run.profile.real
    total = len(run.array(run.images, IMAGES))
    parts = split(total, {"train": real.train, "validation": real.validation, "test": real.test})
    purposes = {
        "gan": "training every GAN",
        "train": "training the attributors: the source “real”",
        "validation": "choosing settings and when to stop",
        "test": "every number and picture of a result",
    }
    return [[name, len(parts[name]), purposes[name]] for name in SPLITS]


def progan_settings(run: Run) -> list[list[str]]:
    """Rows (setting, paper, this run) of what a reader would ask about a ProGAN's training."""
    paper, here = ProGANConfig(), run.trained_as.profile.gans["progan"]
    shown = {
        "resolution": "resolution, px",
        "latent": "latent dimensions",
        "fmap_max": "feature maps, at most",
        "phase_images": "images per phase",
        "total_images": "images in all",
        "batch": "batch at the last resolution",
        "learning_rate": "learning rate",
        "ema": "moving average, decay per step",
    }
    rows = [[label, f"{getattr(paper, name):,}", f"{getattr(here, name):,}"] for name, label in shown.items()]
    return [*rows, ["GANs that differ in the seed", "10", str(run.profile.seeds)]]


def gan_settings(run: Run) -> list[list[str]]:
    """Rows (GAN, loss, last layer, parameters at the paper's size, parameters here, seconds of training here)."""
    rows = []
    for name, entry in GANS.items():
        gan = gan_class(name)
        theirs, ours = (_parameters(gan, config) for config in (gan.Config(), run.trained_as.profile.gans[name]))
        seconds = f"{run.seconds(run.generator(name)):,.0f}"
        rows.append([entry.label, entry.loss, entry.output, theirs, ours, seconds])
    return rows


def _parameters(gan, config) -> str:
    """Parameters of generator and critic, in millions."""
    with torch.device("meta"):
        counts = [count_parameters(network(config)) for network in (gan.Generator, gan.Critic)]
    return " + ".join(f"{count / 1e6:.2f}" for count in counts)


def choices(attributor: Attributor) -> str:
    """What a method chose on the validation images, in words."""
    shown = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in attributor.chosen_.items()}
    words = [f"{name.replace('_', ' ')} {value}" for name, value in shown.items()]
    return ", ".join(words) or "nothing"


def content_report(run: Run, count: int = 1000) -> list[list]:
    """Rows (world, factor, percent, percent of knowing nothing, measure): the content network on new drawn images.

    Empty where other features are used.
    """
    if not isinstance(run.extractor, ContentNetwork):
        return []
    from ganfp.features import content

    network, drawn = content.ContentNetwork.load(run.path(run.extractor)), worlds.drawn(run.extractor.world)
    truth = drawn.content(drawn.factors(count, HELD_OUT_SEED))
    report = network.report(drawn.draw(count, run.profile.resolution, HELD_OUT_SEED), truth)
    measure = {"accuracy": "right answers, %", "r2": "variance explained, %"}
    world = run.extractor.world
    return [
        [world, name.replace("_", " "), 100 * found["value"], 100 * found["chance"], measure[found["metric"]]]
        for name, found in report.items()
    ]
