"""Beyond the paper, x5: sources that nobody trained on.  Who recognises them, and what does a threshold cost?"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from ganfp import metrics
from ganfp.attributors import Attributor
from ganfp.attributors.calibration import softmax
from ganfp.metrics import openset
from ganfp.paper.attribution import SETUPS, clusters, seed_setup
from ganfp.paper.judge import HOLDS, Evidence, NotMeasured, at_least, claim, every, shown, stay_under
from ganfp.paper.record import Record, Result, estimate, one, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, crossed, plain, rows_by_dataset, with_interval
from ganfp.paper.x4 import part_fit
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup, Source, load_part
from ganfp.runs.run import Run

SHARE = 0.2  # of the images that a profile shows its network: here it is trained once for each source left out
KINDS = {"1": "new architecture", "2": "new training set", "3": "new seed"}
PROBABILITY, ENERGY, DISTANCE = "maximum probability", "energy", "distance of fingerprints"
RESIDUALS = "PRNU's maximum probability"
SCORES = (PROBABILITY, ENERGY, DISTANCE, RESIDUALS)
VISNET, PRNU = "visNet's correlation", "PRNU's correlation"
ALLOWED = 1.0  # percent of the images of unknown sources that may be attributed
KEPT = 2.0  # percent that counts as kept
USEFUL = 90.0  # percent, of an AUROC
GRID = np.linspace(0, 100, 101)  # percent of unknown images, where curves are kept

# ---------------------------------------------------------------------------- who is known


def folds(run: Run, table: str) -> dict[str, Setup]:
    """The setup of a table without each GAN in turn, by the name of the one left out."""
    setup = SETUPS[table](run)
    return {out.name: without(setup, out.name) for out in setup.sources[1:]}


def without(setup: Setup, name: str) -> Setup:
    return replace(setup, sources=tuple(s for s in setup.sources if s.name != name))


def few(setup: Setup) -> Setup:
    """As many training images as there are for validation, which say where the fingerprints of a source lie."""
    return replace(setup, train=setup.validation)


def fold_fits(run: Run, setup: Setup) -> tuple[Fit, Fit]:
    """Our network and PRNU without one of the sources."""
    return run.fit("cnn", setup, images=round(SHARE * run.profile.methods["cnn"].images)), run.fit("prnu", setup)


def known_setup(run: Run) -> Setup:
    """Real images and all seeds but the last two, at least one: what the networks of this page and of x7 know."""
    setup = seed_setup(run)
    return replace(setup, sources=setup.sources[: 1 + max(1, len(setup.sources) - 3)])


def strangers(run: Run) -> dict[str, tuple[Source, ...]]:
    """Sources that are not in :func:`known_setup`, by kind."""
    architectures, sets, seeds = (setup(run).sources for setup in SETUPS.values())
    new = architectures[2:], sets[1:], seeds[len(known_setup(run).sources) :]  # its ProGAN is the first seed
    return dict(zip(KINDS.values(), new, strict=True))


def fits(run: Run) -> dict[str, Fit]:
    """The methods that know :func:`known_setup`, by name."""
    return {method: part_fit(run, method, known_setup(run)) for method in ("prnu", "visnet")} | {
        "cnn": run.fit("cnn", known_setup(run))
    }


def needed(run: Run) -> list[Recipe]:
    """The images of known and of new sources, and every network that is asked about them."""
    setups = [setup(run) for setup in SETUPS.values()]
    new = [replace(known_setup(run), sources=sources) for sources in strangers(run).values()]
    parts = [sample for setup in (*setups, *new) for name in ("validation", "test") for sample in setup.part(name)]
    left_out = [fit for table in SETUPS for fold in folds(run, table).values() for fit in fold_fits(run, fold)]
    parts += [sample for setup in setups for sample in few(setup).part("train")]
    return [*parts, *left_out, *fits(run).values(), *(part_fit(run, "cnn", setup) for setup in setups)]


# ---------------------------------------------------------------------------- how known an image looks


def normed(points: np.ndarray) -> np.ndarray:
    return points / np.maximum(np.linalg.norm(points, axis=-1, keepdims=True), 1e-12)


class Known:
    """Our network and PRNU, both fitted, and in which directions the fingerprints of the sources lie that they know."""

    def __init__(self, run: Run, fit: Fit, residuals: Fit) -> None:
        from sklearn.covariance import LedoitWolf

        self.run, self.network, self.residuals = run, *(Attributor.load(run.path(one)) for one in (fit, residuals))
        images, labels = load_part(few(fit.setup), "train", run.path)
        features = self.network.attribute(images).features
        self.centre = features.mean(axis=0)
        points = self.directions(features)
        self.means = np.stack([points[labels == name].mean(axis=0) for name in self.network.classes_])
        self.within = LedoitWolf().fit(points - self.means[self.network.columns(labels)])

    def directions(self, features: np.ndarray) -> np.ndarray:
        """Features (N, D) less what is common to all, of length 1: how loud a fingerprint is says little of whose."""
        return normed(features - self.centre)

    def scores(self, setup: Setup, split: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """How known each image of a split looks, by each score, higher for known, and what its method names it.

        ``maximum probability`` (Hendrycks and Gimpel 2017); ``energy``, the log of the sum of exponentials (Liu et al.
        2020), less its sign; minus the Mahalanobis distance to the nearest source's mean (Lee et al. 2018), of
        directions (Müller and Hein 2025); and PRNU's maximum probability.
        """
        images, _ = load_part(setup, split, self.run.path)
        answer, other = self.network.attribute(images), self.residuals.attribute(images)
        points = self.directions(answer.features)
        away = [self.within.mahalanobis(points - mean) for mean in self.means]
        found = answer.probabilities.max(axis=1), logsumexp(answer.scores, axis=1), -np.min(away, axis=0)
        ours = [(values, answer.labels) for values in found]
        return dict(zip(SCORES, [*ours, (other.probabilities.max(axis=1), other.labels)], strict=True))


@beyond("open_world", needed, every_dataset=True, arrays=True)
def study(run: Run) -> Result:
    """Areas, thresholds and calibration, see the functions below."""
    results = [left_out(run, table) for table in KINDS] + [strange(run), calibrated(run)]
    arrays = {name: x for result in results for name, x in result.arrays.items()}
    return Result([r for result in results for r in result.records], arrays)


def left_out(run: Run, table: str) -> Result:
    """Each GAN of a table left out in turn: AUROC and OSCR of every score, over all and for each (a variant).

    ``false_attribution`` and ``refused``: percent of the unknown and of the known test images above and below a
    threshold that lets ``ALLOWED`` % of the other left-out sources' validation images pass.  Arrays:
    ``KIND/SCORE`` (2, 101), percent of known images accepted, and rightly named, against ``GRID``.
    """
    found: dict[str, dict] = {}
    for out, setup in folds(run, table).items():
        known, new = Known(run, *fold_fits(run, setup)), replace(setup, sources=_only(SETUPS[table](run), out))
        outside, held_out = (known.scores(new, split) for split in ("test", "validation"))
        for score, (inside, named) in known.scores(setup, "test").items():
            pair = openset.Scores(inside, outside[score][0], (clusters(setup), clusters(new)))
            found.setdefault(score, {})[out] = pair, named == setup.labels("test"), held_out[score][0]
    result = Result()
    place = {"setup": "open world", "column": KINDS[table], "classes": len(SETUPS[table](run).sources) - 1}
    for score, by_source in found.items():
        pairs, rights, _ = zip(*by_source.values(), strict=True)
        areas = {"auroc": openset.auroc(pairs), "oscr": openset.oscr(pairs, rights)}
        result.records += [estimate(run, score, metric, area, **place) for metric, area in areas.items()]
        for out, (pair, *_) in by_source.items():
            result.records.append(estimate(run, score, "auroc", openset.auroc(pair), variant=out, **place))
        result.records += _threshold(run, score, by_source, place)
        result.arrays[f"{KINDS[table]}/{score}"] = _curves(pairs, rights)
    return result


def _only(setup: Setup, name: str) -> tuple[Source, ...]:
    return tuple(s for s in setup.sources if s.name == name)


def _threshold(run: Run, score: str, by_source: dict, place: dict) -> list[Record]:
    passed, refused, ids = [], [], []
    for out, (pair, _, _) in by_source.items():
        others = np.concatenate([held_out for name, (*_, held_out) in by_source.items() if name != out])
        at = openset.threshold(others, ALLOWED)
        passed.append(pair.unknown > at)
        refused.append(pair.known <= at)
        ids.append(pair.clusters)
    inside, outside = (np.concatenate(side) for side in zip(*ids, strict=True))
    found = {
        "false_attribution": metrics.share(np.concatenate(passed), outside),
        "refused": metrics.share(np.concatenate(refused), inside),
    }
    return [estimate(run, score, metric, share, **place) for metric, share in found.items()]


def _curves(pairs: Sequence[openset.Scores], rights: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the sources left out of the ROC and of the OSCR curve."""
    curves = []
    for pair, right in zip(pairs, rights, strict=True):
        at = np.quantile(pair.unknown, 1 - GRID / 100, method="higher")
        at[-1] = -np.inf
        accepted = pair.known[:, None] > at
        curves.append(100 * np.stack([accepted.mean(axis=0), (accepted & right[:, None]).mean(axis=0)]))
    return np.mean(curves, axis=0)


def strange(run: Run) -> Result:
    """Methods that know one set of sources, and new ones of each kind: AUROC, variant ``one network``."""
    by_method, setup, records = fits(run), known_setup(run), []
    known = Known(run, by_method["cnn"], by_method["prnu"])

    def correlations(method: str, one: Setup) -> np.ndarray:
        network, images = Attributor.load(run.path(by_method[method])), load_part(one, "test", run.path)[0]
        return (network.responses(images) if method == "visnet" else network.scores(images)).max(axis=1)

    def every_score(one: Setup) -> dict[str, np.ndarray]:
        first = {score: values for score, (values, _) in known.scores(one, "test").items()}
        return first | {VISNET: correlations("visnet", one), PRNU: correlations("prnu", one)}

    inside = every_score(setup)
    for kind, sources in strangers(run).items():
        new = replace(setup, sources=sources)
        for score, values in every_score(new).items():
            area = openset.auroc(openset.Scores(inside[score], values, (clusters(setup), clusters(new))))
            place = {"setup": "open world", "column": kind, "classes": len(setup.sources), "variant": "one network"}
            records.append(estimate(run, score, "auroc", area, **place))
    return Result(records)


def calibrated(run: Run) -> Result:
    """Expected calibration error on the test images of Tables 1 to 3, as trained and after temperature scaling.

    Arrays: ``reliability/KIND/ROW`` (3, bins): confidence, accuracy, counts.
    """
    result = Result()
    for table, kind in KINDS.items():
        setup = SETUPS[table](run)
        answer = Attributor.load(run.path(part_fit(run, "cnn", setup))).attribute(load_part(setup, "test", run.path)[0])
        right = answer.labels == setup.labels("test")
        for row, p in {"as trained": softmax(answer.scores), "calibrated": answer.probabilities}.items():
            found = openset.calibration(p.max(axis=1), right, clusters(setup))
            place = {"setup": f"calibration: {setup.name}", "classes": len(setup.sources)}
            result.records.append(estimate(run, row, "ece", found.error, **place))
            diagram = np.stack([found.confidence, found.accuracy, found.counts])
            result.arrays[f"reliability/{kind}/{row}"] = diagram
    return result


# ---------------------------------------------------------------------------- what is said


def _areas(e: Evidence, kind: str, metric: str = "auroc") -> list[Record]:
    return e.found(f"{metric} for a {kind}", setup="open world", column=kind, metric=metric, variant="")


def _recognised(e: Evidence, kind: str) -> tuple[str, str]:
    found = _areas(e, kind)
    signs = [at_least(r, USEFUL) for r in found]
    if 1 not in signs and len(found) < len(SCORES):
        raise NotMeasured(f"a {kind} by every score not measured")
    outcome = HOLDS if 1 in signs else every([max(signs)])
    return outcome, f"AUROC {shown({r.row: r for r in found})} %; {USEFUL:g} wanted"


@claim("open-architecture", "x5", "1", "A GAN of a new architecture is recognised as unknown, by one score at least.")
def _open_architecture(e: Evidence) -> tuple[str, str]:
    return _recognised(e, KINDS["1"])


@claim("open-training-set", "x5", "2", "A GAN of a new training set is recognised as unknown, by one score at least.")
def _open_training_set(e: Evidence) -> tuple[str, str]:
    return _recognised(e, KINDS["2"])


@claim("open-seed", "x5", "3", "A GAN of a new seed is recognised as unknown, by one score at least.")
def _open_seed(e: Evidence) -> tuple[str, str]:
    return _recognised(e, KINDS["3"])


@claim("open-residuals", "x5", "1 2 3", "PRNU's probability recognises every kind of stranger better than ours.")
def _residuals(e: Evidence) -> tuple[str, str]:
    signs, texts = [], []
    for kind in KINDS.values():
        for name, variant in (("left out", ""), ("one network", "one network")):
            place = {"setup": "open world", "column": kind, "metric": "auroc", "variant": variant}
            (a,), (b,) = (e.found(f"{row} among strangers", row=row, **place) for row in (RESIDUALS, PROBABILITY))
            signs.append(e.above(a, b))
            texts.append(f"{kind}, {name}, {a.value:.2f} against {b.value:.2f} %")
    return every(signs), "; ".join(texts)


@claim("open-threshold", "x5", "1 2 3", "A threshold chosen on other unknown sources keeps false attribution near 1 %.")
def _open_threshold(e: Evidence) -> tuple[str, str]:
    found = {kind: one(_areas(e, kind, "false_attribution"), row=PROBABILITY) for kind in KINDS.values()}
    outcome, said = stay_under(found, KEPT)
    return outcome, f"by {PROBABILITY}: {said}"


@claim("calibrated", "x5", "1 2 3", "After temperature scaling, probabilities are right to within 2 points.")
def _calibrated(e: Evidence) -> tuple[str, str]:
    return stay_under(_errors(e, "calibrated"), 2.0)


@claim("calibrated-better", "x5", "1 2 3", "Temperature scaling brings our probabilities nearer to the truth.")
def _calibrated_better(e: Evidence) -> tuple[str, str]:
    before, after = _errors(e, "as trained"), _errors(e, "calibrated")
    said = "; ".join(f"{name} {r.value:.2f} to {after[name].value:.2f} %" for name, r in before.items())
    return every(e.above(r, after[name]) for name, r in before.items()), said


def _errors(e: Evidence, row: str) -> dict[str, Record]:
    found = e.found("calibration", metric="ece", row=row)
    return {r.setup.partition(": ")[2].replace("_", " "): r for r in found}


def areas_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """A row for each kind and score: AUROC, OSCR, false attributions and refusals at the threshold."""
    found, kinds = pick(found, setup="open world", variant=""), ("auroc", "oscr", "false_attribution", "refused")

    def rows_of(mine: list[Record]) -> list[list[str]]:
        places = dict.fromkeys((r.column, r.row) for r in mine)
        return [
            [kind, score, *(with_interval(one(mine, metric=m, column=kind, row=score)) for m in kinds)]
            for kind, score in places
        ]

    header = ["", "", "AUROC, %", "OSCR, %", "unknown, attributed, %", "known, refused, %"]
    return plain(header, rows_by_dataset(found, rows_of, paper=False), name, caption, of=found)


def strangers_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """AUROC of every score of networks that know one set of sources, by kind of the new one."""
    return crossed(pick(found, metric="auroc", variant="one network"), name, caption)
