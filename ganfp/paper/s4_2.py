"""Section 4.2, existence and uniqueness: Tables 1, 2 and 3, equal beginnings, and the same-seed control."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from ganfp import metrics
from ganfp.gans import training
from ganfp.gans.progan import ProGANConfig
from ganfp.paper import attribution, judge, published, s3_1, save_path
from ganfp.paper.attribution import METHODS, SETUPS, clusters, predictions, training_set_setup, twin_setup
from ganfp.paper.judge import HOLDS, REFUTED, Evidence, NotMeasured, at_least, at_most, claim, every, shown
from ganfp.paper.record import Record, Result, accuracy_record, joined, one, pick, record
from ganfp.paper.sections import Study
from ganfp.paper.table import Table, by_dataset, listed, p_value, plain, readable, row_label, small, with_interval
from ganfp.runs.recipes.base import CURVE, Recipe
from ganfp.runs.recipes.gans import SEEN, Beginnings
from ganfp.runs.run import Run

DIFFERENCE = {"1": "architecture", "2": "training set", "3": "seed"}
FAINT = 3.2  # times chance: a little more than Eigenface's 3.1 in Table 2 and 2.5 in Table 3
ENTANGLED = 2.0  # FD ratio: at 1 two classes differ as little as two halves of one
FAR = 10.0  # times: the fingerprint's FD ratio over Inception's; in Tables 1, 2, 3 the least is 24
EQUAL = 1.0  # points: "equally high" across setups; the paper's differences are at most 0.92 downwards
BEYOND = 512  # images for which a training is followed after it has met its first exchanged image


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page loads: Tables 1 to 3 of every data set, and, of the first alone, what stands beside them."""
    run, found = runs[0], [recipe for each in runs for table in SETUPS for recipe in table_needs(each, table)]
    found += [each.evaluation(method, twin_setup(each)) for each in runs for method in METHODS]
    return [*found, beginnings_recipe(run), *save_path.needs(run), *s3_1.needs([run])]


def table_needs(run: Run, table: str) -> list[Recipe]:
    """Every artifact that a table loads."""
    setup = SETUPS[table](run)
    return attribution.needs(run, setup) + ([run.evaluation("visnet", setup)] if table == "3" else [])


def measure(run: Run, table: str) -> Result:
    """Table 1 (architectures), 2 (training sets) or 3 (seeds) of a data set: see :func:`attribution.evaluate`.

    Table 3 has a row more, of the network with visible fingerprints of Section 3.3.
    """
    setup = SETUPS[table](run)
    result = attribution.evaluate(run, setup, table)
    if table == "3":
        visible = attribution.accuracy(run, "visnet", setup, table, result.arrays)
        ours = one(result.records, row="Ours", metric="accuracy")
        answers = (predictions(run, method, setup) for method in ("visnet", "cnn"))
        result.records += [visible, attribution.difference(run, setup, visible, ours, *answers)]
    return result


def tables(runs: Sequence[Run], table: str) -> Result:
    """The same for every data set, joined; what is missing is made first, on all cores."""
    runs[0].build(recipe for run in runs for recipe in table_needs(run, table))
    return joined({run.dataset: measure(run, table) for run in runs})


def beginnings_recipe(run: Run) -> Beginnings:
    """The first steps of every rung's training, beside the base training's: this profile's own, on its own images."""
    gans = tuple(run.gan("progan", swapped=i) for i in run.scaled(run.profile.ladder))
    return Beginnings(gans, BEYOND)


def beginnings(run: Run) -> Result:
    """Are the trainings of all rungs equal until one is shown an image that the others are not?

    Arrays: ``seen`` (T,), images shown; ``swapped`` (R,), images exchanged on each rung; ``difference`` (T, R), the
    largest difference of a weight from the base training's, NaN where a rung is no longer followed; ``first`` (R,),
    images shown when a rung's first exchanged image comes.  A record per rung, metric ``equal_until``: the images
    shown at the last moment at which not a bit differed.
    """
    recipe = beginnings_recipe(run)
    seen, curve = run.array(recipe, SEEN), run.array(recipe, CURVE)
    swapped = np.array([gan.subset.swapped for gan in recipe.gans])
    first = np.array([gan.subset.first_seen(run.base_images, gan.seeds.order) for gan in recipe.gans])
    result = Result(arrays={"seen": seen, "difference": curve, "swapped": swapped, "first": first})
    for i, column, exchanged in zip(swapped, curve.T, first, strict=True):
        followed = np.isfinite(column)
        last, apart = int(seen[followed][-1]), np.flatnonzero(followed & (column > 0))[:1]
        equal = int(seen[apart[0] - 1]) if len(apart) else last
        batch = int(seen[apart[0]]) - equal if len(apart) else 0  # of the step in which they part
        params = {"swapped": int(i), "base": run.base_images, "first_swapped": int(exchanged), "batch": batch}
        known = {"setup": "training_sets", "n": last, "gan_images": last, "params": params}
        result.records.append(record(run, f"ProGAN_subset_diff_{i}", "equal_until", equal, **known))
    return result


def by_rung(run: Run) -> Result:
    """Accuracy of every method on the images of each rung of Table 2, and whether it follows the rung.

    Records, metric ``accuracy``: one per method and rung, ``params.swapped`` the rung.  Metric ``trend``: one per
    method, the p-value of :func:`metrics.trend_of_images` against log i; ``params.slope`` its sign, ``params.tau`` and
    ``params.p_rungs`` Kendall's correlation over the rungs, each taken as one observation.
    """
    setup, result = training_set_setup(run), Result()
    truth, latents = setup.labels("test"), clusters(setup)
    generated, known = truth != "real", {"setup": setup.name}
    steps = dict(zip(setup.classes[1:], np.log10(run.rungs), strict=True))
    scores = np.array([steps[name] for name in truth[generated]])
    for method, row in METHODS.items():
        right, hits = predictions(run, method, setup) == truth, []
        for i, name in zip(run.rungs, steps, strict=True):
            measured = metrics.share(right[truth == name])
            hits.append(measured.correct)
            params = {"swapped": i, "base": run.trained_as.base_images, "shared": 0}
            more = {"variant": f"{i} images exchanged", "classes": len(setup.sources), "params": params}
            result.records.append(accuracy_record(run, row, measured, **known, **more))
        test = metrics.trend_of_images(right[generated], scores, latents[generated])
        params = {"slope": test.slope, "tau": test.tau, "p_rungs": test.p_groups, "deff": test.deff, "hits": hits}
        params |= {"counts": [setup.test] * len(hits), "scores": list(steps.values()), "rungs": len(hits)}
        result.records.append(record(run, row, "trend", test.p, n=len(scores), params=params, **known))
    return result


def _study(table: str, **known) -> Study:
    return Study(partial(measure, table=table), partial(table_needs, table=table), seeds=True, **known)


STUDIES = {
    "table1": _study("1"),
    "table2": _study("2", photographs=False),
    "table3": _study("3"),
    "training_sets": Study(by_rung, partial(table_needs, table="2"), seeds=True, photographs=False),
}


def same_seed(run: Run) -> Result:
    """Are two trainings with one seed equal, and can any method tell their images apart?

    The GANs are this run's own, trained here, even where the sources of Tables 1 to 3 are shipped ones.  The bytes of
    the two generators are compared before any attribution; their samples come from different latents.  ``params.p`` is
    the exact p-value of each method's accuracy against chance, 50 %.
    """
    setup = twin_setup(run)
    run.build(run.evaluation(method, setup) for method in METHODS)
    once, again = (run.path(source.origin) / training.GENERATOR for source in setup.sources)
    apart = training.largest_difference(*(training.load_generator(file.parent)[0] for file in (once, again)))
    twins = {"equal_bytes": once.read_bytes() == again.read_bytes(), "largest_weight_difference": apart}
    result, length = Result(arrays={"classes": np.array(setup.classes)}), setup.sources[0].origin.config.total_images
    for method in METHODS:
        r = attribution.accuracy(run, method, setup, "", result.arrays, gan_images=length)
        p = metrics.chance_p(round(r.value / 100 * r.n), r.n, r.classes)
        result.records.append(replace(r, params={**r.params, **twins, "p": p}))
    return result


def attributable(e: Evidence, table: str) -> tuple[str, str]:
    """Ours reaches :data:`judge.HIGH`."""
    ours = e.number(table, "Ours")
    said = f"{ours.value:.2f} %, at least {judge.HIGH:g} % wanted, chance {ours.chance:.2f} %"
    return every([at_least(ours, judge.HIGH)]), said


def best(e: Evidence, table: str) -> tuple[str, str]:
    """Ours is above every baseline."""
    ours, others = e.number(table, "Ours"), baselines(e, table)
    return every(e.above(ours, r) for r in others.values()), shown({"ours": ours, **others})


def baselines(e: Evidence, table: str) -> dict[str, Record]:
    """PRNU, Eigenface and kNN; Eigenface may be missing, as it is for LSUN in the paper."""
    found = {row: (e.maybe if row == "Eigenface" else e.number)(table, row) for row in ("PRNU", "Eigenface", "kNN")}
    return {row: r for row, r in found.items() if r}


def separated(e: Evidence, table: str, factor: float = FAR) -> tuple[str, str]:
    """The fingerprint's FD ratio is more than so many times Inception's."""
    ours, inception = (e.number(table, row, metric="fd_ratio") for row in ("Our fingerprint", "Inception"))
    times = ours.value / inception.value
    numbers = f"{ours.value:.2f} against {inception.value:.2f}, {times:.1f} times, more than {factor:g} wanted"
    return HOLDS if times > factor else REFUTED, numbers


def _order(e: Evidence, table: str) -> tuple[str, str]:
    found = baselines(e, table)
    return every(e.above(a, b) for a, b in pairwise(found.values())), shown(found)


def _near_chance(e: Evidence, table: str) -> tuple[str, str]:
    knn = e.number(table, "kNN")
    said = f"{knn.value:.2f} %, {knn.value / knn.chance:.2f} times chance, at most {judge.NEAR_CHANCE:g} wanted"
    return every([at_most(knn, judge.NEAR_CHANCE * knn.chance)]), said


def _contrast(e: Evidence, table: str) -> tuple[str, str]:
    ours, pixels = e.number(table, "Ours"), baselines(e, table)
    bounds = {"kNN": judge.NEAR_CHANCE * ours.chance, "Eigenface": FAINT * ours.chance}
    signs = [at_least(ours, judge.HIGH), *(at_most(pixels[row], bounds[row]) for row in bounds if row in pixels)]
    wanted = ", ".join(f"{row} at most {bound:.2f}" for row, bound in bounds.items())
    return every(signs), f"{shown({'ours': ours, **pixels})}; ours at least {judge.HIGH:g} and {wanted} wanted"


def _entangled(e: Evidence, table: str) -> tuple[str, str]:
    ratio = e.number(table, "Inception", metric="fd_ratio")
    return every([at_most(ratio, ENTANGLED)]), f"{ratio.value:.2f}, at most {ENTANGLED:g} wanted"


_OF_TABLES = {  # claims that are made of several tables
    "attributable": (attributable, "123", "A difference in the {} alone is enough to attribute nearly every image."),
    "best": (best, "123", "The learned fingerprint is better than every baseline when sources differ in the {}."),
    "order": (_order, "123", "Of the baselines PRNU is the strongest and kNN the weakest ({})."),
    "separated": (separated, "123", "Our features separate sources far better than Inception features (FD ratio, {})."),
    "near-chance": (_near_chance, "23", "Raw pixels do not tell GANs apart that differ in the {}: kNN is near chance."),
    "contrast": (_contrast, "23", "Content hardly tells GANs of another {} apart, our fingerprint nearly always does."),
    "entangled": (_entangled, "23", "Inception features do not tell GANs apart that differ in the {} (FD ratio)."),
}


for _id, (_judged, _tables, _text) in _OF_TABLES.items():
    for _table in _tables:
        claim(f"{_id}-{_table}", "4.2", _table, _text.format(DIFFERENCE[_table]))(partial(_judged, table=_table))


@claim("overlap", "4.2", "1 2", "GANs that share training data are as attributable as different architectures.")
def _overlap(e: Evidence) -> tuple[str, str]:
    shared, others = e.number("2", "Ours"), e.number("1", "Ours")
    said = f"{shared.value:.2f} against {others.value:.2f} across architectures, {EQUAL:g} point less allowed"
    return every([e.above(shared, others, margin=EQUAL)]), said


@claim("no-trend", "4.2", "2", "However many images GANs share, they are equally attributable.", unprinted=True)
def _no_trend(e: Evidence) -> tuple[str, str]:
    trend = e.number("", "Ours", metric="trend", setup="training_sets")
    said = f"p = {trend.value:.2g} for a trend over the rungs, at least {judge.SIGNIFICANT:g} wanted"
    return HOLDS if trend.value >= judge.SIGNIFICANT else REFUTED, said


@claim("equal-beginnings", "4.2", "2", "Trainings are equal to the bit up to the first image that is not the same.")
def _equal_beginnings(e: Evidence) -> tuple[str, str]:
    found = _measured(e, "training_sets", "equal_until")
    signs = [1 if r.value <= r.params["first_swapped"] < r.value + r.params["batch"] else -1 for r in found]
    rungs = [f"{r.params['swapped']:,} exchanged, {r.params['first_swapped']:,} and {r.value:,.0f}" for r in found]
    return every(signs), f"images shown before the first, and while not a bit differed: {'; '.join(rungs)}"


@claim("same-seed-bytes", "4.2", "3", "Two trainings with one seed give one generator, byte by byte.")
def _same_bytes(e: Evidence) -> tuple[str, str]:
    r = _measured(e, "same_seed", "accuracy")[0]
    apart = r.params["largest_weight_difference"]
    said = f"ProGANs of {r.gan_images:,} images, largest difference of a weight {apart:.2g}"
    return HOLDS if r.params["equal_bytes"] else REFUTED, said


@claim("same-seed", "4.2", "3", "No method tells the images of two trainings with one seed apart.", unprinted=True)
def _same_seed(e: Evidence) -> tuple[str, str]:
    """Each method against chance, corrected for their number (Bonferroni)."""
    found = _measured(e, "same_seed", "accuracy")
    least = min(found, key=lambda r: r.params["p"])
    said = f"ProGANs of {least.gan_images:,} images; smallest of {len(found)} p-values {p_value(least.params['p'])}"
    passes = len(found) * least.params["p"] >= judge.SIGNIFICANT
    return HOLDS if passes else REFUTED, f"{said} ({least.row}), at least {judge.SIGNIFICANT / len(found):.3g} wanted"


def _measured(e: Evidence, setup: str, metric: str) -> list[Record]:
    found = pick(e.records, setup=setup, metric=metric, table="", variant="")
    if not found:
        raise NotMeasured(f"{setup.replace('_', ' ')} not measured")
    return found


def times_chance(run: Run, records: Sequence[Record]) -> str:
    """Accuracies as multiples of chance, beside the paper's, and how long the GANs were trained."""

    def reached(r: Record) -> str:
        beside = "" if r.paper is None else f" (the paper: {r.paper / published.chance(r.setup):.1f})"
        return f"{r.row} reaches {r.value / r.chance:.1f} times chance{beside}"

    accuracies = by_dataset(pick(records, metric="accuracy"), lambda found: f"{', '.join(map(reached, found))}.")
    seen, theirs = run.trained_as.profile.gans["progan"].total_images, ProGANConfig().total_images
    classes, printed = records[0].classes, 100 / published.chance(records[0].setup)
    most = f"With every image right it would be {classes} times here and {printed:.0f} times in the paper."
    lengths = f"Each ProGAN has seen {seen:,} images in training, in the paper {theirs:,}."
    return f"{accuracies}\n\n{most} {lengths}"


def beaten(records: Iterable[Record], table: str) -> str:
    """In plain words, which baselines are shown to be better than ours, by the rule of the claim ``best``."""
    records, found = list(records), []
    for dataset in dict.fromkeys(r.dataset for r in pick(records, table=table)):
        e = Evidence(records, dataset)
        ours = e.number(table, "Ours")
        better = [f"{row} ({r.value:.1f} %)" for row, r in baselines(e, table).items() if e.above(r, ours) == 1]
        if better:
            verb = "is" if len(better) == 1 else "are"
            found.append(f"on {dataset} {listed(better)} {verb} better than ours ({ours.value:.1f} %)")
    text = "; ".join(found) or "no baseline is shown to be better than ours"
    return f"{text[0].upper()}{text[1:]}."


def best_rungs(records: Sequence[Record]) -> str:
    """Our accuracy on the images of the worst and the best rung of Table 2."""

    def text(found: list[Record]) -> str:
        low, high = (f(found, key=lambda r: r.value) for f in (min, max))
        return (
            f"Ours names {low.value:.1f} % of the images of the worst rung ({low.params['swapped']:,} exchanged) and "
            f"{high.value:.1f} % of those of the best ({high.params['swapped']:,})."
        )

    return by_dataset(pick(records, row="Ours", metric="accuracy"), text)


def whose(run: Run, records: Sequence[Record]) -> str:
    """Whose GANs a study beside the tables is about: this run's own, whatever the tables show."""
    worlds = list(dict.fromkeys(r.dataset for r in records))
    where = f"{listed(worlds)} alone" if len(worlds) == 1 else listed(worlds)
    own = f"These are trainings by profile `{run.profile.name}` itself, on {where}"
    if run.trained_as is run:
        return f"{own}, with the settings of the GANs in the tables."
    other, seen = run.trained_as.profile.name, run.trained_as.profile.gans["progan"].total_images
    return f"{own}. The tables show GANs that travel with the repository: profile `{other}`, {seen:,} images each."


def rungs_of_both(run: Run) -> str:
    """The rungs that are trained here beside those of Table 2."""
    here = "Rungs here", run.scaled(run.profile.ladder), run.base_images
    table = "in Table 2", run.rungs, run.trained_as.base_images
    texts = [f"{name}: {listed([f'{i:,}' for i in rungs])} of {base:,}" for name, rungs, base in (here, table)]
    return "; ".join(f"{text} images exchanged" for text in texts)


def agreement(cosines: np.ndarray, classes: Sequence[str]) -> str:
    """The mean cosine of images and model of one source, of different ones, and the rows that another model leads."""
    diagonal = np.eye(len(cosines), dtype=bool)
    on, off = (f"{cosines[part].mean():.2f}".replace("-", "−") for part in (diagonal, ~diagonal))
    astray = [readable(name) for k, name in enumerate(classes) if cosines[k].argmax() != k]
    return (
        f"On the diagonal the mean cosine is {on}, off it {off}. The largest value of {len(classes) - len(astray)} of "
        f"{len(classes)} rows is on it{f'; it is not for {listed(astray)}' if astray else ''}."
    )


def by_class_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of each method among the test images of each source, with its interval."""
    found, rows = pick(found, metric="accuracy"), []
    for source in found[0].params["by_class"]:
        cells = [r.params["by_class"][source] for r in found]
        rows.append([readable(source), *(f"{v:.1f} {small(f'{low:.1f}–{high:.1f}')}" for v, low, high in cells)])
    return plain(["source", *(r.row for r in found)], rows, name, caption, of=found)


def trends_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Slope of accuracy over the rungs of the ladder and its p-values, by method and data set."""
    found = pick(found, metric="trend")
    rows = [[r.dataset, r.row, r.params["slope"], p_value(r.value), r.params["p_rungs"]] for r in found]
    header = ["", "", "points per tenfold i", "p, images", f"p, {found[0].params['rungs']} rungs"]
    return plain(header, rows, name, caption, of=found)


def twins_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of each method between the twins with its interval, against chance."""
    found = list(found)
    rows = [[r.dataset, r.row, with_interval(r), r.chance, p_value(r.params["p"]), r.n] for r in found]
    return plain(["", "", "accuracy, %", "chance, %", "p", "images"], rows, name, caption, of=found)


def conventions_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """FD ratios with equal n on both sides beside the paper's convention, and the distances they are made of."""
    found, rows = sorted(pick(found, metric="fd_ratio"), key=lambda r: r.row != "Inception"), []
    for r in found:
        p, kind = r.params, "paper’s" if r.variant else "equal n"
        rows.append([row_label(r), kind, r.value, p["inter"], p["n_inter"], p["intra"], p["n_intra"]])
    header = ["", "convention", "FD ratio", "between classes", "n", "within a class", "n"]
    return plain(header, rows, name, caption, of=found)
