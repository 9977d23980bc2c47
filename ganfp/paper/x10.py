"""Beyond the paper, x10: a source that is no GAN.  Has a diffusion model a fingerprint, and who takes it for real?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch

from ganfp import metrics
from ganfp.gans import ddpm, training
from ganfp.images import quantise
from ganfp.metrics import openset
from ganfp.paper import attribution
from ganfp.paper.attribution import METHODS, architecture_setup
from ganfp.paper.judge import HIGH, Evidence, at_least, claim, every, reach
from ganfp.paper.record import Record, Result, estimate, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed, plain, seconds, with_interval
from ganfp.runs import shipping
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.diffusion import Diffusion
from ganfp.runs.recipes.samples import Sample, Setup, load_part
from ganfp.runs.run import Run
from ganfp.seeding import mix

NAME = "DDPM"
FINGERPRINTS = ("prnu", "cnn")
KNOWN = "a source among others"  # column: trained on it, too
REFUSED = 0.01  # of the images of known sources that may be refused
SIZES = {"train": 500, "validation": 100, "test": 300}  # images of a source at most: twenty passes each are dear
SHARE = 0.4  # of the images that a profile shows its network
SAMPLERS = (0.5, 2.0)  # times the steps of the sampler
OTHERS = 100  # images of each other sampler
MOST, HALF = 80.0, 50.0  # percent


def source(run: Run) -> shipping.Shipped | Diffusion:
    """The diffusion model as a source of images: the one that travels with the repository, if there is one."""
    other = run.trained_as
    recipe = Diffusion(other.images, ddpm.NAME, other.profile.diffusion, training.Seeds.all(1))
    return (run.profile.generators == other.profile.name and shipping.find(recipe)) or recipe


def setup(run: Run, known: bool = True) -> Setup:
    """{real, ProGAN, SNGAN, CramerGAN, MMDGAN, DDPM}: Table 1's sources and, if it is ``known``, one more."""
    sources = [(s.name, s.origin) for s in architecture_setup(run).sources] + [(NAME, source(run))] * known
    whole = run.setup("diffusion" if known else "diffusion, never seen", sources)
    return replace(whole, **{part: min(count, getattr(whole, part)) for part, count in SIZES.items()})


def part(run: Run, method: str) -> dict[str, int]:
    """The settings in which a method differs from the tables'."""
    return {"images": round(SHARE * run.profile.methods["cnn"].images)} if method == "cnn" else {}


def samples(run: Run) -> dict[str, Sample]:
    """A few images of real faces, of ProGAN and of the diffusion model."""
    named = zip(setup(run).classes, setup(run).part("test"), strict=True)
    return {name: replace(sample, count=10) for name, sample in named if name in ("real", "ProGAN", NAME)}


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the pictures of the page show, of the first data set."""
    return list(samples(runs[0]).values())


def needed(run: Run) -> list[Recipe]:
    """Table 1 with the diffusion model and without it."""
    task = setup(run)
    evaluations = [run.evaluation(method, task, **part(run, method)) for method in METHODS]
    strangers = [run.fit(method, setup(run, known=False), **part(run, method)) for method in FINGERPRINTS]
    return [*evaluations, *strangers, *task.part("validation"), source(run)]


@beyond("diffusion", needed)
def study(run: Run) -> Result:
    """Recall of the diffusion model among Table 1's sources, and what attributors say that have never seen it.

    Metrics in percent: ``accuracy`` of all and ``recall`` of its images; ``called`` with the class as column, by those
    that know Table 1's sources alone; ``refused`` with the largest probability below what 1 % of known images have,
    and its ``auroc``; ``recall`` with another number of steps of the sampler as ``variant``.
    """
    task, found = setup(run), []
    mine, known = task.labels("test") == NAME, {"column": KNOWN, "setup": task.name, "classes": len(task.sources)}
    for method, row in METHODS.items():
        found.append(attribution.accuracy(run, method, task, part=part(run, method), column=KNOWN))
        right = attribution.predictions(run, method, task, **part(run, method))[mine] == NAME
        found.append(_share(run, row, "recall", right, **known))
    for steps, images in other_samplers(run).items():
        for method in FINGERPRINTS:
            said = attribution.attributor(run, method, task, **part(run, method)).predict(images)
            found.append(_share(run, METHODS[method], "recall", said == NAME, variant=f"{steps} steps", **known))
    return Result([*found, *(r for method in FINGERPRINTS for r in _strange(run, method))])


def _share(run: Run, row: str, metric: str, right: np.ndarray, **known) -> Record:
    return estimate(run, row, metric, metrics.share(right), **known)


def _strange(run: Run, method: str) -> list[Record]:
    """What an attributor of Table 1's sources says of the diffusion model's images."""
    task, row = setup(run, known=False), METHODS[method]
    attributor = attribution.attributor(run, method, task, **part(run, method))
    known = {"setup": task.name, "classes": len(attributor.classes_)}
    stranger = attributor.attribute(run.sample(setup(run).part("test")[-1]))
    sure = {s: attributor.predict_proba(load_part(task, s, run.path)[0]).max(axis=1) for s in ("validation", "test")}
    unsure, least = stranger.probabilities.max(axis=1), np.quantile(sure["validation"], REFUSED)
    ids = attribution.clusters(task), np.arange(len(unsure))
    return [
        *(_share(run, row, "called", stranger.labels == c, column=c, **known) for c in attributor.classes_),
        _share(run, row, "refused", unsure < least, column=NAME, **known),
        _share(run, row, "refused", sure["test"] < least, column="known sources", **known),
        estimate(run, row, "auroc", openset.auroc(openset.Scores(sure["test"], unsure, ids)), column=NAME, **known),
    ]


def other_samplers(run: Run) -> dict[int, np.ndarray]:
    """Images of the same weights with fewer and with more steps of the sampler: steps -> uint8 (N, 3, R, R)."""
    network, _ = training.load_generator(run.path(source(run)), run.device)
    config, found = network.config, {}
    random = torch.Generator().manual_seed(mix(run.seed, 10))
    z = ddpm.DDPM(config).latents(min(OTHERS, run.profile.real.test), random).to(run.device)
    for times in SAMPLERS:
        network.config = replace(config, steps=round(times * config.steps))
        with torch.inference_mode():
            found[network.config.steps] = quantise(network(z)).cpu().numpy()
    return found


def among_others(found: Iterable[Record], name: str, caption: str) -> Table:
    """Each method on Table 1's sources and the diffusion model: accuracy, and recall of the latter."""
    rows = []
    for r in (found := pick(found, column=KNOWN, variant="")):
        if r.metric == "accuracy":
            (recall,) = pick(found, metric="recall", row=r.row)
            rows.append([r.row, with_interval(r), with_interval(recall), seconds(r.seconds)])
    return plain(["", "all six, %", f"{NAME} alone, %", "training, s"], rows, name, caption, of=found)


def never_seen(found: Iterable[Record], name: str, caption: str) -> Table:
    """What the attributors of Table 1 call the diffusion model's images, and how many they refuse to name."""
    headers = {("refused", NAME): "refused, %", ("auroc", NAME): "AUROC, %"}
    found = [r for r in pick(found, setup="diffusion, never seen") if r.metric == "called" or r.column == NAME]
    named = [headers.get((r.metric, r.column), f"called {r.column}, %") for r in found]
    return crossed([replace(r, column=c) for r, c in zip(found, named, strict=True)], name, caption, unit="")


def _one(e: Evidence, row: str, metric: str, column: str, variant: str = "") -> Record:
    place = {"row": row, "metric": metric, "column": column, "variant": variant}
    return e.found(f"{metric} of {NAME} by {row}", **place)[0]


@claim("diffusion-fingerprint", "x10", "1", "Ours and PRNU know nearly every image of a diffusion model among GANs.")
def _has_fingerprint(e: Evidence) -> tuple[str, str]:
    return reach({row: _one(e, row, "recall", KNOWN) for row in ("Ours", "PRNU")}, HIGH)


@claim("diffusion-called-real", "x10", "1", "A network that has seen GANs alone calls most of its images real.")
def _called_real(e: Evidence) -> tuple[str, str]:
    return reach({"called real": _one(e, "Ours", "called", "real")}, HALF)


@claim("diffusion-refused", "x10", "1", "Such a network notices that it does not know the source.")
def _refused(e: Evidence) -> tuple[str, str]:
    r = _one(e, "Ours", "refused", NAME)
    said = f"{r.value:.1f} % refused where {100 * REFUSED:g} % of known ones are; {MOST:g} % wanted"
    return every([at_least(r, MOST)]), said


@claim("diffusion-sampler", "x10", "1", "The fingerprint is the weights': with other numbers of steps it stays.")
def _sampler(e: Evidence) -> tuple[str, str]:
    found = {r.variant: r for r in e.found("other samplers", row="Ours", metric="recall", column=KNOWN) if r.variant}
    return reach(found, MOST)
