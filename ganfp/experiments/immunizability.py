"""Immunizability (Section 4.4): Tables 7 and 8, strength curves, defence against attack, Figures 6, 15-21, 29-35."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ganfp import metrics, relighting
from ganfp.attacks import ATTACKS
from ganfp.experiments import attribution
from ganfp.experiments.existence import seed_setup
from ganfp.images import quantise, to_float
from ganfp.paper import published as paper
from ganfp.paper.record import Result, accuracy_record, joined, record
from ganfp.runs.recipes.attacked import Answers, Attack
from ganfp.runs.recipes.base import PREDICTIONS, Recipe, settings
from ganfp.runs.run import Run

METHODS = {"prnu": "PRNU", "cnn": "Ours"}  # the rows of Tables 7 and 8
SECOND_READING = "standard deviation"  # of the noise: a variant beside the tables
STRENGTHS = {  # one strength for every image: its name on an axis -> the attack's options
    "noise": {f"{s:g}": {"low": s, "high": s, "reading": "deviation"} for s in (1, 2, 4.5, 10, 20)},
    "blur": {f"{k}": {"sides": (k,)} for k in (3, 5, 7, 9)},
    "cropping": {f"{100 * f:g}": {"low": f, "high": f} for f in (0.05, 0.1, 0.2, 0.3)},
    "compression": {f"{q}": {"low": q, "high": q} for q in (95, 75, 50, 25, 10)},
}
LONGER = "longer"  # as a defence: trained on for as long, but without an attack
STUDIED = 200  # test images of each source in the studies beside the tables
FACES_SEED = 3_000_017  # of the faces that are drawn under two lights
AXES = {
    "noise": "standard deviation, grey levels",
    "blur": "side of the kernel, pixels",
    "cropping": "share of the side cut off, %",
    "compression": "JPEG quality",
}


def attack(run: Run, name: str, **options) -> Attack:
    """An attack of the paper, as it is written or with other options; rooms are relit with a room's shape."""
    if name in ("relighting", "combination") and paper.stands_for(run.dataset) == "bedrooms":
        options.setdefault("shape", "dome")
    return Attack(name, settings(options), run.seed)


def variants(run: Run) -> dict[tuple[str, str], Attack]:
    """The attacks of the tables by (name, variant): the six of the paper, and noise as others read it."""
    found = {(name, ""): attack(run, name) for name in ATTACKS}
    return found | {("noise", SECOND_READING): attack(run, "noise", reading="deviation")}


def answers(run: Run, method: str, defence: Attack | None, against: Attack | None, count: int = 0) -> Answers:
    """What a method, immunised to ``defence`` or as it was, says of the test images after the attack ``against``.

    ``count``: of each source, at most; 0 for all.
    """
    setup = seed_setup(run)
    fit = run.fit(method, setup) if defence is None else run.immunised(method, setup, defence)
    return Answers(fit, replace(setup, test=min(count or setup.test, setup.test)), against)


def needs(run: Run) -> list[Recipe]:
    """What :func:`table` loads, of each data set."""
    setup = seed_setup(run)
    found: list[Recipe] = [run.evaluation(method, setup) for method in METHODS]
    for method in METHODS:
        for one in variants(run).values():
            found += [answers(run, method, *pair) for pair in ((None, one), (one, one), (one, None))]
    return found


def extra_needs(run: Run) -> list[Recipe]:
    """What :func:`strengths` and :func:`matrix` load beside that, of one data set."""
    found = [
        answers(run, "cnn", defence, attack(run, name, **options), STUDIED)
        for name, levels in STRENGTHS.items()
        for options in levels.values()
        for defence in (None, attack(run, name))
    ]
    return found + [answers(run, "cnn", *pair, STUDIED) for _, _, pair in pairs(run)]


# ---------------------------------------------------------------------------- Tables 7 and 8


def number(run: Run) -> str:
    """The table of a data set: 8 for bedrooms, 7 for faces and any other."""
    return "8" if paper.stands_for(run.dataset) == "bedrooms" else "7"


def table(run: Run) -> Result:
    """Table 7 or 8: accuracy under each attack, before (atk) and after (dfs) immunisation.

    Beside it, as variants: noise of the other reading; and, column ``ATTACK dfs``, variant ``clean``, the accuracy of
    the immunised methods on images that nobody attacked, which the paper leaves out.
    """
    result = Result()
    for method, row in METHODS.items():
        for (name, variant), one in variants(run).items():
            for column, defence, against, kind in (
                (f"{name} atk", None, one, variant),
                (f"{name} dfs", one, one, variant),
                (f"{name} dfs", one, None, f"clean, {variant}" if variant else "clean"),
            ):
                found = measured(run, answers(run, method, defence, against), row, number(run), column, kind)
                result.records.append(found | {"seconds": run.seconds(answers(run, method, defence, against).fit)})
    return result


def unattacked(run: Run) -> list[dict]:
    """The records of Table 3 that an attack is compared with: accuracy without attack and defence."""
    return [attribution.accuracy(run, method, row, seed_setup(run), "3", {}) for method, row in METHODS.items()]


def tables(runs: Sequence[Run]) -> Result:
    """:func:`unattacked` and :func:`table` of every data set, joined; what is missing is made first, on all cores."""
    runs[0].build(recipe for run in runs for recipe in needs(run))
    return joined({run.dataset: Result([*unattacked(run), *table(run).records]) for run in runs})


def measured(run: Run, answer: Answers, row: str, table: str, column: str, variant: str = "") -> dict:
    """The accuracy of a method's answers, as a record."""
    setup = answer.setup
    predicted = np.array(sorted(setup.classes))[run.array(answer, PREDICTIONS)]
    found = metrics.accuracy(setup.labels(answer.split), predicted)
    params = {"options": dict(answer.attack.options) if answer.attack else {}}
    if variant:
        params["variant"] = variant
    classes = len(setup.sources)
    return accuracy_record(
        run, row, found, table=table, setup=setup.name, column=column, classes=classes, params=params
    )


# ---------------------------------------------------------------------------- beside the tables


def strengths(run: Run) -> Result:
    """Our network against the strength of four attacks, before and after it was immunised to the paper's mixture.

    ``params.attack``, ``params.strength`` (a number; 0 is no attack, and 100 for JPEG), ``params.when``: atk or dfs.
    """
    run.build(extra_needs(run))
    result = Result()
    for name, levels in STRENGTHS.items():
        none = 100.0 if name == "compression" else 1.0 if name == "blur" else 0.0
        for when, defence in (("atk", None), ("dfs", attack(run, name))):
            points = {none: None} | {float(at): attack(run, name, **options) for at, options in levels.items()}
            for strength, against in points.items():
                answer = answers(run, "cnn", defence, against, STUDIED)
                r = measured(run, answer, "Ours", "", f"{name} {when}", f"{name} {strength:g}, {when}")
                r["params"] |= {"attack": name, "strength": strength, "when": when}
                result.records.append(r)
    return result


def pairs(run: Run) -> list[tuple[str, str, tuple[Attack | None, Attack | None]]]:
    """Every defence with every attack, by their names; the defence ``longer`` is a control without an attack."""
    by_name = {name: attack(run, name) for name in ATTACKS}
    defences = {"none": None, LONGER: attack(run, "combination", probability=0.0), **by_name}
    return [(d, a, (one, other)) for d, one in defences.items() for a, other in {"none": None, **by_name}.items()]


def matrix(run: Run) -> Result:
    """Our network immunised to one attack (row) under another (column): does a defence help against others?

    Arrays: ``accuracy`` (8, 7), rows ``defences``: none, longer training alone, six; columns ``attacks``: none, six.
    """
    run.build(extra_needs(run))
    result = Result()
    for defence, against, pair in pairs(run):
        r = measured(run, answers(run, "cnn", *pair, STUDIED), "Ours", "", "")
        variant = f"immunised to {defence}, under {against}"
        r["params"] |= {"defence": defence, "attack": against, "variant": variant}
        result.records.append(r)
    for axis in ("defence", "attack"):
        result.arrays[f"{axis}s"] = np.array(list(dict.fromkeys(r["params"][axis] for r in result.records)))
    values = np.array([r["value"] for r in result.records])
    result.arrays["accuracy"] = values.reshape(len(result.arrays["defences"]), -1)
    return result


# ---------------------------------------------------------------------------- pictures


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


def lit_from_both_sides(run: Run, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Drawn faces with the light from the left and from the right, uint8 (count, 3, R, R), and their normals."""
    from ganfp.worlds import faces

    factors = faces.factors(count, FACES_SEED)
    left, right = (
        faces.render({**factors, "light_azimuth": np.full(count, a, np.float32)}, run.profile.resolution)
        for a in (0.1, 0.9)
    )
    return left.image, right.image, left.normals


def relit_faces(run: Run, count: int) -> dict[str, np.ndarray]:
    """Faces lit from the left, from the right, and the former relit to the light of the latter: uint8 each.

    Once with the shape prior of the attack, once with the renderer's own normals.
    """
    left, right, normals = lit_from_both_sides(run, count)
    x, y = to_float(left).add(1).div(2), to_float(right).add(1).div(2)
    shapes = {"relit, prior": relighting.prior(x.shape[-1]), "relit, true normals": torch.from_numpy(normals)}
    relit = {
        name: quantise(2 * relighting.relit(x, relighting.fit(y, shape), shape) - 1).numpy()
        for name, shape in shapes.items()
    }
    return {"from the left": left, "from the right": right} | relit


def relighting_study(run: Run, count: int = 200) -> Result:
    """How far faces are from the same faces under the other light: as they were and relit, metric ``rms``."""
    found = relit_faces(run, count)
    wanted = found.pop("from the right").astype(float)
    records = []
    for name, images in found.items():
        rms = np.sqrt(((images - wanted) ** 2).mean(axis=(1, 2, 3))).mean()
        records.append(record(run, name, "rms", rms, setup="relighting", column="", n=count))
    return Result(records)


def figure6(run: Run, rows: int = 3) -> tuple[list[str], np.ndarray]:
    """Figure 6: images of the last GAN without an attack and under each, (rows, 7, 3, R, R), and the columns' names."""
    names = ["none", *ATTACKS]
    columns = [list(attacked(run, name, rows).values())[-1][1] for name in names]
    return names, np.stack(columns, axis=1)


def spectra(run: Run, count: int = 100) -> Result:
    """What each attack changes, by frequency: the power of the change over the power of the images.

    ``count`` test images of every source.  Arrays: ``frequency`` (B,), cycles per picture; ``names`` (7,); ``share``
    (7, B), the first for noise of the other reading: 1 means that the change is as strong as the image itself.
    """
    names, shares = [], []
    for (name, variant), one in variants(run).items():
        pairs = attacked(run, name, count, **dict(one.options)).values()
        before, after = (np.concatenate(images).astype(np.float32) for images in zip(*pairs, strict=True))
        frequency, power = radial_power(before)
        _, change = radial_power(after - before)
        names.append(f"{name}, {variant}" if variant else name)
        shares.append(change / power)
    return Result(arrays={"names": np.array(names), "frequency": frequency, "share": np.array(shares)})


def radial_power(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of images (N, C, R, R) in rings of frequency 1, 2, ... R / 2 cycles per picture: both (R / 2,)."""
    size = images.shape[-1]
    power = (np.abs(np.fft.fft2(images, norm="ortho")) ** 2).mean(axis=(0, 1))
    frequency = np.fft.fftfreq(size, 1 / size)
    ring = np.rint(np.hypot(frequency[:, None], frequency[None])).astype(int)
    rings = np.arange(1, size // 2 + 1)
    return rings, np.array([power[ring == r].mean() for r in rings])
