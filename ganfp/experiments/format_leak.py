"""Format leak (page x2): a classifier that learns JPEG against PNG instead of the GAN, and what catches it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ganfp import metrics
from ganfp.experiments.existence import seed_setup, twin_setup
from ganfp.features import ghosts
from ganfp.paper.attacked import measured
from ganfp.paper.record import Result, record
from ganfp.runs.recipes.attacked import Answers, MixedFormats
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import IMAGES, Recipe, settings
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

QUALITY = 75  # of the files that some sources came from: LSUN's
SHOWN = "ProGAN_seed_1"


def resaved(setup: Setup, *names: str) -> MixedFormats:
    """The task with the images of these sources sent through JPEG files."""
    return MixedFormats(**vars_of(setup), jpegs=names, quality=QUALITY)


def vars_of(setup: Setup) -> dict:
    """The fields that every setup has."""
    return {name: getattr(setup, name) for name in Setup.__dataclass_fields__}


def setups(run: Run) -> dict[tuple[str, str], Setup]:
    """Two tasks, each with one format for all and with a leak: (task, formats) -> setup.

    Twins are two trainings with one seed, which nothing but the format can tell apart; a detector has to tell real
    images from one GAN's.
    """
    real, gan = seed_setup(run).sources[:2]
    twins, detector = twin_setup(run), run.setup("real_or_fake", [(s.name, s.origin) for s in (real, gan)])
    return {
        ("twins", "all PNG"): twins,
        ("twins", "one PNG, one JPEG"): resaved(twins, twins.classes[1]),
        ("real or fake", "all PNG"): detector,
        ("real or fake", "fake PNG, real JPEG"): resaved(detector, real.name),
    }


def other_formats(setup: Setup) -> MixedFormats:
    """The same task with every format exchanged: what was a JPEG is none, and what was none is one."""
    once = getattr(setup, "jpegs", ())
    return resaved(setup, *(name for name in setup.classes if name not in once))


def network(run: Run, setup: Setup) -> Fit:
    """Our network on two sources, trained for half as long as on all; on plain twins, that of the same-seed control."""
    fit = run.fit("cnn", setup)
    if setup == twin_setup(run):
        return fit
    shorter = dict(fit.settings) | {"images": run.profile.methods["cnn"].images // 2}
    return replace(fit, settings=settings(shorter))


def answers(run: Run, setup: Setup) -> dict[str, Answers]:
    """What the network says of images in the formats that it was trained on, and with the formats exchanged."""
    fit = network(run, setup)
    return {"as trained": Answers(fit, setup, None), "exchanged": Answers(fit, other_formats(setup), None)}


def needs(run: Run) -> list[Recipe]:
    """What the functions below load."""
    found: list[Recipe] = [one for setup in setups(run).values() for one in answers(run, setup).values()]
    return [*found, *seed_setup(run).part("test"), *resaved(seed_setup(run), "real").part("test")]


def networks(run: Run) -> Result:
    """Accuracy of our network on each task: row task, column formats of training, ``params.test`` those of the test."""
    run.build(needs(run))
    result = Result()
    for (task, formats), setup in setups(run).items():
        for test, one in answers(run, setup).items():
            found = measured(run, one, task, "", formats, f"{formats}, {test}")
            found["params"] |= {"test": test, "leak": isinstance(setup, MixedFormats)}
            result.records.append(found)
    return result


def ghost_control(run: Run) -> Result:
    """The share of each source's test images that show a JPEG ghost: on the seed setup, and with real files as JPEGs.

    Where all images came the same way the shares are equal, here none.  Arrays: ``qualities`` (Q,); ``real PNG``,
    ``real JPEG`` and ``GAN`` (Q,), the mean difference that one more JPEG makes to real images and to a GAN's.
    """
    result = Result(arrays={"qualities": np.array(ghosts.QUALITIES)})
    for formats, setup in {"all PNG": seed_setup(run), "real JPEG": resaved(seed_setup(run), "real")}.items():
        for source, sample in zip(setup.classes, setup.part("test"), strict=True):
            differences = ghosts.differences(run.array(sample, IMAGES))
            found = ghosts.dips(differences).max(axis=1) > ghosts.THRESHOLD
            low, high = metrics.wilson(found.mean(), len(found))
            result.records.append(
                record(
                    run, source, "share", 100 * found.mean(), setup="format_leak", column=formats,
                    interval=(100 * low, 100 * high), n=len(found), params={"quality": QUALITY},
                )
            )  # fmt: skip
            if source in ("real", SHOWN):
                name = SHOWN if source == SHOWN else "real, never JPEG" if formats == "all PNG" else "real, once JPEG"
                result.arrays[name] = differences.mean(axis=0)
    return result
