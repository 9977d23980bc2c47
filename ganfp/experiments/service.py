"""Service authenticity (Section 3.1): is most of a folder from the service that it claims to come from?"""

from __future__ import annotations

import numpy as np

from ganfp import metrics
from ganfp.experiments.attribution import attributor
from ganfp.experiments.existence import seed_setup, training_set_setup
from ganfp.paper.record import Result, record
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.run import Run

FOLDER = 100  # images
MIXTURES = (0.6, 0.4)  # shares of the service's own images in two mixed folders


def needs(run: Run) -> list[Recipe]:
    """The attributor of Table 3, and test images of its sources and of one GAN that it does not know."""
    setup = seed_setup(run)
    return [run.fit("cnn", setup), *setup.part("test"), training_set_setup(run).part("test")[-1]]


def folders(run: Run) -> dict[str, tuple[np.ndarray, float]]:
    """Folders of held-out images that all claim to be from ProGAN, seed 1.

    Name -> images, uint8 (n, 3, R, R), and the percentage of them that really are.
    """
    setup = seed_setup(run)
    images = dict(zip(setup.classes, (run.sample(sample) for sample in setup.part("test")), strict=True))
    stranger = run.sample(training_set_setup(run).part("test")[-1])
    own, n = images["ProGAN_seed_1"], min(FOLDER, setup.test)
    others = np.concatenate([images[name][: n // 2] for name in ("real", "ProGAN_seed_2")])
    found = {
        "its own images": (own[:n], 100.0),
        "images of seed 2": (images["ProGAN_seed_2"][:n], 0.0),
        "real images": (images["real"][:n], 0.0),
    }
    for share in MIXTURES:
        kept = round(share * n)
        rest = others[np.linspace(0, len(others) - 1, n - kept).astype(int)]
        name = f"{100 * share:.0f} % of its own, {100 - 100 * share:.0f} % of seed 2 and real"
        found[name] = np.concatenate([own[:kept], rest]), 100 * kept / n
    return found | {"images of a GAN that the attributor was never shown": (stranger[:n], 0.0)}


def authenticity(run: Run, service: str = "ProGAN_seed_1") -> Result:
    """What the attribution network of Table 3 says of each folder: a record per folder, metric ``share``, with the
    p-value in its params."""
    network = attributor(run, "cnn", seed_setup(run))
    result = Result()
    for name, (images, truth) in folders(run).items():
        found = metrics.service_authenticity(network.predict(images), service)
        result.records.append(
            record(
                run,
                name,
                "share",
                found.share,
                setup="service",
                interval=(found.low, found.high),
                n=found.n,
                classes=len(network.classes_),
                params={"service": service, "p": found.p, "truth": truth},
            )
        )
    return result
