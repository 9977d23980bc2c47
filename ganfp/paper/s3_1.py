"""Section 3.1: the attribution network, the GANs' own critics in its place, and the authenticity of a service."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from ganfp import metrics
from ganfp.gans import training
from ganfp.images import to_float
from ganfp.paper import remedies
from ganfp.paper.attribution import attributor, clusters, difference, predictions, seed_setup, training_set_setup
from ganfp.paper.judge import Evidence, NotMeasured, at_least, claim, every, shown
from ganfp.paper.record import Record, Result, accuracy_record, pick, record
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, p_value, plain, with_interval
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup, load_part
from ganfp.runs.run import Run


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page always loads, of the first data set."""
    return [runs[0].evaluation("cnn", seed_setup(runs[0])), *folder_samples(runs[0])]


ways = remedies.compare  # a study of this section


def judges(run: Run) -> list[Recipe]:
    """The critics of GANs that the run trains itself, the images that they judge, and our network on these."""
    own, setup = run.by_itself, seed_setup(run.by_itself)
    samples = [*setup.part("validation"), *setup.part("test")]
    return [own.evaluation("cnn", setup), *samples, *map(own.critic, range(1, own.profile.seeds + 1))]


@beyond("critics", judges, arrays=True)
def critics(run: Run) -> Result:
    """Attribution by the critics that the GANs were trained against, instead of a classifier of its own.

    Each critic scores every test image of the generated sources, and the highest (or the lowest) score names the
    source: with the scores as they are, and after scaling each critic to mean 0 and deviation 1 on the validation
    images.  The record "Ours" is the attribution network's, on the same images, where "real" is a wrong answer, too.
    Critics are not shipped.  Arrays: ``classes``; ``mean_scaled`` (K, K), mean scaled score by source (row) and critic
    (column).
    """
    run = run.by_itself
    generated = generated_setup(run)
    held, _ = load_part(generated, "validation", run.path)
    images, truth = load_part(generated, "test", run.path)
    reference, raw = (critic_scores(run, generated, part) for part in (held, images))
    scaled = (raw - reference.mean(axis=0)) / reference.std(axis=0)
    classes, whole = np.array(generated.classes), seed_setup(run)
    answers = {"Ours": predictions(run, "cnn", whole)[whole.labels("test") != "real"]}
    for kind, scores in {"raw": raw, "scaled": scaled}.items():
        for reading, sign in {"highest": 1, "lowest": -1}.items():
            answers[f"Critics, {reading} {kind} score"] = classes[(sign * scores).argmax(axis=1)]
    measured = {row: metrics.accuracy(truth, named, clusters(generated)) for row, named in answers.items()}
    known = {"setup": "critics", "classes": len(classes)}
    ours, *records = [accuracy_record(run, row, found, **known) for row, found in measured.items()]
    apart = [difference(run, generated, ours, r, answers["Ours"], answers[r.row]) for r in records]
    means = np.stack([scaled[truth == name].mean(axis=0) for name in classes])
    return Result([ours, *records, *apart], {"classes": classes, "mean_scaled": means})


def generated_setup(run: Run) -> Setup:
    """The seed setup without the real images."""
    return run.setup("critics", [(s.name, s.origin) for s in seed_setup(run).sources[1:]])


def critic_scores(run: Run, setup: Setup, images: np.ndarray) -> np.ndarray:
    """Each GAN's critic on each image, (N, K).

    A critic compares the images of a batch with each other (minibatch standard deviation), so the images are
    shuffled first: a batch of one source would give itself away.
    """
    order = np.random.default_rng(run.seed).permutation(len(images))
    order = np.resize(order, -(-len(order) // 4) * 4)  # the comparison is made in groups of four
    scores = np.empty((len(images), len(setup.sources)), np.float32)
    with torch.inference_mode():
        for column in range(len(setup.sources)):
            critic, meta = training.load_critic(run.path(run.critic(column + 1)))
            for batch in (order[start : start + 64] for start in range(0, len(order), 64)):
                scores[batch, column] = critic(to_float(images[batch]), meta["blend"]).numpy()
    return scores


@claim("critics", "3.1", "3", "The GANs' critics do not name an image's GAN as well as a network taught to do so.")
def _critics(e: Evidence) -> tuple[str, str]:
    ours = e.number("", "Ours", setup="critics")
    others = {r.row: r for r in pick(e.records, setup="critics", metric="accuracy") if r.row != "Ours"}
    outcome = every(e.above(ours, r) for r in others.values())
    return outcome, f"ours {ours.value:.2f}, {shown(others)}, chance {ours.chance:.2f}"


def critics_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of each way to read the critics' scores, and of the attribution network on the same images."""
    found = pick(found, metric="accuracy")
    rows = [[r.row, with_interval(r), f"{r.chance:.1f}", r.n] for r in found]
    return plain(["", "accuracy, %", "chance, %", "images"], rows, name, caption, of=found)


FOLDER = 100  # images
MIXTURES = (0.6, 0.4)  # shares of the service's own images in two mixed folders
SERVICE = "ProGAN_seed_1"
STRANGER = "images of a GAN that the attributor was never shown"


def folder_samples(run: Run) -> list[Recipe]:
    """Test images of Table 3's sources, and of one GAN that its attributor does not know."""
    return [*seed_setup(run).part("test"), training_set_setup(run).part("test")[-1]]


def folders(run: Run) -> dict[str, tuple[np.ndarray, float]]:
    """Folders of held-out images that all claim to be from ProGAN, seed 1.

    Name -> images, uint8 (n, 3, R, R), and the percentage of them that really are.
    """
    setup = seed_setup(run)
    *known, stranger = (run.sample(sample) for sample in folder_samples(run))
    images = dict(zip(setup.classes, known, strict=True))
    own, n = images[SERVICE], min(FOLDER, setup.test)
    others = np.concatenate([images[name][: n // 2] for name in ("real", "ProGAN_seed_2")])
    found = {"its own images": (own[:n], 100.0)}
    found |= {"images of seed 2": (images["ProGAN_seed_2"][:n], 0.0), "real images": (images["real"][:n], 0.0)}
    for share in MIXTURES:
        kept = round(share * n)
        rest = others[np.linspace(0, len(others) - 1, n - kept).astype(int)]
        name = f"{100 * share:.0f} % of its own, {100 - 100 * share:.0f} % of seed 2 and real"
        found[name] = np.concatenate([own[:kept], rest]), 100 * kept / n
    return found | {STRANGER: (stranger[:n], 0.0)}


def authenticity(run: Run) -> Result:
    """Is most of a folder from the service that it claims to come from?  What Table 3's network says of each folder.

    A record per folder, metric ``share``, with its exact interval; ``params.truth`` is the share that really is.
    """
    network, result = attributor(run, "cnn", seed_setup(run)), Result()
    for name, (images, truth) in folders(run).items():
        found = metrics.service_authenticity(network.predict(images), SERVICE)
        params = {"service": SERVICE, "p": found.p, "truth": truth}
        known = {"setup": "service", "interval": (found.low, found.high), "n": found.n, "params": params}
        result.records.append(record(run, name, "share", found.share, classes=len(network.classes_), **known))
    return result


@claim("service", "3.1", "3", "A folder of a service's own images is recognised as the service's.")
def _service(e: Evidence) -> tuple[str, str]:
    own = [r for r in _folders(e) if r.params["truth"] == 100]
    if not own:
        raise NotMeasured("a folder of the service's own not measured")
    return every([at_least(own[0], 50)]), f"{own[0].value:.0f} % of its images are attributed to it"


@claim("service-not-fooled", "3.1", "3", "A folder that is another known source's is not taken for the service's.")
def _not_fooled(e: Evidence) -> tuple[str, str]:
    return _never_taken([r for r in _folders(e) if r.params["truth"] <= 50 and r.row != STRANGER])


@claim("service-stranger", "3.1", "3", "A folder of a GAN that the network never saw is not taken for the service's.")
def _stranger(e: Evidence) -> tuple[str, str]:
    return _never_taken([r for r in _folders(e) if r.row == STRANGER])


def _folders(e: Evidence) -> list[Record]:
    return pick(e.records, setup="service", metric="share")


def _never_taken(found: Sequence[Record]) -> tuple[str, str]:
    """Refuted by a folder that passes the test of the service, shown where all of them fail it."""
    if not found:
        raise NotMeasured("folders not measured")
    return every(-at_least(r, 50) for r in found), shown({r.row: r for r in found})


def folders_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Share of each folder attributed to the service, and whether that shows that most of it is."""
    found, rows = list(found), []
    for r in found:
        taken = "**yes**" if r.low > 50 else "not shown"
        rows.append([r.row, with_interval(r), str(r.n), p_value(r.params["p"]), taken])
    header = ["the folder holds", "attributed to the service, %", "images", "p", "most of it from the service?"]
    return plain(header, rows, name, caption, of=found)
