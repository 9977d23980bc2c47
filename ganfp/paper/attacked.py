"""Images after an attack: what has changed in them, and what a method says of them (Section 4.4)."""

from collections.abc import Mapping
from inspect import signature
from itertools import pairwise

import numpy as np
import torch

from ganfp import metrics, relighting
from ganfp.attacks import ATTACKS
from ganfp.features.spectra import radial_power
from ganfp.images import quantise, to_float
from ganfp.paper.attribution import clusters, seed_setup, smaller
from ganfp.paper.published import stands_for
from ganfp.paper.record import Record, Result, accuracy_record, record
from ganfp.runs.recipes.attacked import Answers, Attack
from ganfp.runs.recipes.base import PREDICTIONS, settings
from ganfp.runs.run import Run

PAPERS = tuple(name for name, entry in ATTACKS.items() if entry.papers)
DEVIATION = "standard deviation"  # the noise in another reading: a variant beside the tables
FACES_SEED = 3_000_017  # of the faces that are drawn under two lights

Named = tuple[Record, np.ndarray]  # an accuracy, and the source that each image was attributed to


def attack(run: Run, name: str, **options) -> Attack:
    """An attack as it is written, or with other options; what takes a shape is given a room's for rooms."""
    if stands_for(run.dataset) == "bedrooms" and "shape" in signature(ATTACKS[name].change).parameters:
        options.setdefault("shape", "dome")
    return Attack(name, settings(options), run.seed)


def variants(run: Run) -> dict[tuple[str, str], Attack]:
    """The attacks of the tables by (name, variant): the paper's, and noise as others read it."""
    found = {(name, ""): attack(run, name) for name in PAPERS}
    return found | {("noise", DEVIATION): attack(run, "noise", reading="deviation")}


def attacked(run: Run, name: str, count: int = 6, **options) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The first test images of every source, as they are and after an attack: name -> two uint8 (count, 3, R, R).

    They are the images that the tables count; ``name`` may be ``none``.
    """
    setup, found = seed_setup(run), {}
    for source, sample in zip(setup.classes, setup.part("test"), strict=True):
        images = np.array(run.sample(sample)[:count])
        after = images if name == "none" else attack(run, name, **options).on(images, "test", np.arange(len(images)))
        found[source] = images, after
    return found


def answers(run: Run, method: str, defence: Attack | None, against: Attack | None, count: int = 0) -> Answers:
    """What a method, immunised to ``defence`` or as it was, says of the test images after the attack ``against``.

    ``count``: of each source, at most; 0 for all.
    """
    setup = seed_setup(run)
    fit = run.fit(method, setup) if defence is None else run.immunised(method, setup, defence)
    return Answers(fit, smaller(setup, count or setup.test), against)


def measured(run: Run, answer: Answers, row: str, **known) -> Named:
    """The accuracy of a method's answers, and what they are."""
    setup = answer.setup
    named = np.array(sorted(setup.classes))[run.array(answer, PREDICTIONS)]
    found = metrics.accuracy(setup.labels(answer.split), named, clusters(setup, answer.split))
    known["params"] = {"options": dict(answer.attack.options) if answer.attack else {}, **known.get("params", {})}
    return accuracy_record(run, row, found, setup=setup.name, classes=len(setup.sources), **known), named


def joined(*names: str) -> str:
    return ", ".join(filter(None, names))


def spectra(run: Run, count: int = 100) -> Result:
    """What each attack changes, by frequency: the power of the change over the power of the images.

    ``count`` test images of every source.  Arrays: ``frequency`` (B,), cycles per picture; ``names`` (7,); ``share``
    (7, B), the last for noise of the other reading: 1 means that the change is as strong as the image itself.
    """
    shares = {}
    for (name, variant), by in variants(run).items():
        found = attacked(run, name, count, **dict(by.options)).values()
        before, after = (np.concatenate(images).astype(np.float32) for images in zip(*found, strict=True))
        frequency, power = radial_power(before)
        shares[joined(name, variant)] = radial_power(after - before)[1] / power
    arrays = {"names": np.array(list(shares)), "frequency": frequency, "share": np.array(list(shares.values()))}
    return Result(arrays=arrays)


def by_frequency(arrays: Mapping[str, np.ndarray]) -> str:
    """How strong each attack's change is at the coarsest and at the finest frequency, in percent of the images."""
    (first, last), ends = arrays["frequency"][[0, -1]], []
    for name, share in zip(arrays["names"], arrays["share"], strict=True):
        ends.append(f"{name} {' and '.join('under 0.1' if x < 0.001 else f'{100 * x:.1f}' for x in share[[0, -1]])} %")
    where = f"at {first} and at {last} cycles per picture"
    return f"Power of the change over power of the images {where}: {'; '.join(ends)}."


def relit_faces(run: Run, count: int) -> dict[str, np.ndarray]:
    """Drawn faces lit from the left, from the right, and the former relit to the light of the latter: uint8 each.

    Once with the shape prior of the attack, once with the renderer's own normals.
    """
    from ganfp.worlds import faces

    factors = faces.factors(count, FACES_SEED)
    lights = ({"light_azimuth": np.full(count, at, np.float32)} for at in (0.1, 0.9))
    left, right = (faces.render(factors | light, run.profile.resolution) for light in lights)
    x, y = (to_float(lit.image).add(1).div(2) for lit in (left, right))
    shapes = {"relit, prior": relighting.prior(x.shape[-1]), "relit, true normals": torch.from_numpy(left.normals)}
    relit = {name: relighting.relit(x, relighting.fit(y, shape), shape) for name, shape in shapes.items()}
    found = {"from the left": left.image, "from the right": right.image}
    return found | {name: quantise(2 * lit - 1).numpy() for name, lit in relit.items()}


def relighting_study(run: Run, count: int = 200) -> Result:
    """How far faces are from the same faces under the other light: as they were and relit, metric ``rms``."""
    found = relit_faces(run, count)
    wanted, known = found.pop("from the right").astype(float), {"setup": "relighting", "column": "", "n": count}
    rms = {name: np.sqrt(((x - wanted) ** 2).mean(axis=(1, 2, 3))) for name, x in found.items()}

    def made(row: str, metric: str, values: np.ndarray, **more) -> Record:
        mean = metrics.mean(values)
        return record(run, row, metric, mean.value, interval=(mean.low, mean.high), **known, **more)

    found = [made(name, "rms", values) for name, values in rms.items()]
    for a, b in pairwise(rms):
        more = {"params": {"against": [b, "", "relighting"]}, "variant": f"against {b}"}
        found.append(made(a, "difference", rms[a] - rms[b], **more))
    return Result(found)
