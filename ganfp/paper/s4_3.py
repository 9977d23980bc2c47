"""Section 4.3, persistence: which parts of an image carry the fingerprint?  Tables 4 to 6, Figures 5, 14 and 28.

Three suspects, in the paper's order: certain frequencies (Table 4), certain sizes of patches (Table 5), and plain
mistakes that anyone could see (Table 6).  Each network of Tables 4 and 5 sees a part of the same images; the methods of
Table 6 are those of Table 3, asked about the tenth of the test images that is nearest to real ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise, product

import numpy as np

from ganfp import metrics
from ganfp.attributors.network import SMALLEST
from ganfp.paper import attribution, published, table
from ganfp.paper.attribution import METHODS, clusters, fd_ratio, features_of, predictions, seed_setup
from ganfp.paper.judge import RESTORED, Evidence, NotMeasured, claim, every, falling, shown, weakest
from ganfp.paper.record import Record, Result, accuracy_record, one, pick, record
from ganfp.paper.s3_2 import factors, patch, poolings
from ganfp.paper.s4_2 import attributable, best, separated
from ganfp.paper.sections import Study
from ganfp.paper.table import BESIDE, DASH, Table, beside, minus, number, p_value, plain, readable, row_label, seconds
from ganfp.runs.recipes.base import DISTANCES, Recipe
from ganfp.runs.run import Run

BANDS = {"L-f": "low", "H-f": "high"}
TOP_BAND = {"band": "high", "factor": 1}
SHARE = 0.1  # of each source's test images, the perceptually closest to real ones
FEWEST = 4  # images of a source that an FD ratio needs
DRAWS = 99  # random tenths: the smallest two-sided p-value is 2/100
HALVINGS = 5
WHICH = ("all", "random", "selected")  # images of which FD ratios are compared
SMALLEST_BAND = 8  # pixels: "even at the resolution of 8 x 8"
SUFFICIENT = {"faces": "24", "bedrooms": "52"}  # patch sides in pixels that the paper finds enough


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Tables 4 and 5 of the first data set; Table 6 there, and the selected images of every other."""
    setup = seed_setup(runs[0])
    variants = [runs[0].evaluation("cnn", setup, **part) for part in parts(runs[0])]
    return [*variants, *attribution.needs(runs[0], setup), *(run.nearest(seed_setup(run)) for run in runs)]


def parts(run: Run) -> list[dict]:
    """What the networks of Tables 4 and 5 see, as settings of the attribution network."""
    seen = [band(column, factor) for column, factor in product(BANDS, factors(run))]
    return [*seen, TOP_BAND, *({"pool_at": side} for side in poolings(run))]


def band(column: str, factor: int) -> dict:
    """The settings of a cell of Table 4; none at factor 1, where both columns hold the plain network."""
    if factor == 1:
        return {}
    return {"factor": factor} if column == "L-f" else {"band": "high", "factor": factor}


# ---------------------------------------------------------------------------- frequencies: Table 4


Cells = dict[tuple[str, str, str], tuple[Record, np.ndarray]]  # by row, column and variant, accuracy and answers


def _measured(run: Run, table: str, cells: Iterable[tuple[str, str, str, dict]]) -> Cells:
    """Accuracy and answers of the network of each cell (row, column, variant, what it sees) of a table."""
    setup, found = seed_setup(run), {}
    for row, column, variant, part in cells:
        named = predictions(run, "cnn", setup, **part)
        measured = metrics.accuracy(setup.labels("test"), named, clusters(setup))
        known = {"table": table, "setup": setup.name, "column": column, "variant": variant, "params": part}
        known |= {"classes": len(setup.sources), "seconds": run.seconds(run.fit("cnn", setup, **part))}
        found[row, column, variant] = accuracy_record(run, row, measured, **known), named
    return found


def _compared(run: Run, found: Cells, pairs: Iterable[tuple[tuple, tuple]]) -> Result:
    """The records, and how far the first of each pair is above the second on the same images."""
    records = [r for r, _ in found.values()]
    for a, b in dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]):
        (first, named), (second, others) = found[a], found[b]
        records.append(attribution.difference(run, seed_setup(run), first, second, named, others))
    return Result(records)


def _along(chain: Sequence[tuple]) -> list[tuple[tuple, tuple]]:  # what judge.falling compares
    return [*((b, a) for a, b in pairwise(chain)), (chain[0], chain[-1])]


def bands(run: Run) -> Result:
    """Table 4: accuracy of networks that see one frequency band, and how they differ image by image.

    Variant "top band": the band between the full and half the resolution, which the paper leaves out.
    """
    run.build(needs([run]))
    cells = [(str(f), column, "", band(column, f)) for column in BANDS for f in factors(run)]
    found = _measured(run, "4", [*cells, ("1", "H-f", "top band", TOP_BAND)])
    low, high = ([cell for cell in found if cell[1] == column and not cell[2]] for column in BANDS)
    top = (("1", "H-f", "top band"), low[0])
    return _compared(run, found, [*_along(low), *_along(high), *zip(high[1:], low[1:], strict=True), top])


def _chains(e: Evidence) -> dict[str, dict[str, Record]]:
    return {column: e.rows("4", column) for column in BANDS}


@claim("wider-bands", "4.3", "4", "The wider the frequency band, the more of the fingerprint it carries.")
def _wider_bands(e: Evidence) -> tuple[str, str]:
    chains = _chains(e)
    text = "; ".join(f"{column} at factors {shown(chain)}" for column, chain in chains.items())
    return weakest(falling(e, list(chain.values())) for chain in chains.values()), text


@claim("every-band", "4.3", "4", "Every band down to 8 x 8 pixels, low or high, beats chance by itself.")
def _every_band(e: Evidence) -> tuple[str, str]:
    found = {
        f"{column} 1/{factor}": r
        for column, chain in _chains(e).items()
        for factor, r in chain.items()
        if r.params["resolution"] // int(factor) >= SMALLEST_BAND
    }
    if not found:
        raise NotMeasured(f"Table 4: no band of {SMALLEST_BAND} px or more")
    name, lowest = min(found.items(), key=lambda item: item[1].low)
    signs = [(r.low > r.chance) - (r.high < r.chance) for r in found.values()]
    return every(signs), f"lowest {name}: {lowest.value:.2f} %, chance {lowest.chance:.2f} %"


@claim("high-over-low", "4.3", "4", "At the same resolution the high band carries no less than the low band.")
def _high_over_low(e: Evidence) -> tuple[str, str]:
    low, high = _chains(e).values()
    both = [factor for factor in low if factor in high and factor != "1"]  # at 1 both are the plain network
    if not both:
        raise NotMeasured("Table 4: no factor in both columns")
    signs = {f: e.above(high[f], low[f]) for f in both}
    text = ", ".join(f"factor {f}: H-f {high[f].value:.2f}, L-f {low[f].value:.2f}" for f in both)
    return every([-1 if sign == -1 else int(high[f].value >= low[f].value) for f, sign in signs.items()]), text


@claim("top-band", "4.3", "4", "The finest band, which the paper leaves out, carries less than the whole image.")
def _top_band(e: Evidence) -> tuple[str, str]:
    top, whole = e.number("4", "1", "H-f", variant="top band"), e.number("4", "1", "L-f")
    return every([e.above(whole, top)]), f"top band {top.value:.2f}, whole image {whole.value:.2f}"


# ---------------------------------------------------------------------------- patches: Table 5


def patches(run: Run) -> Result:
    """Table 5: accuracy of networks that average what they see in patches; rows are patch sides in pixels."""
    run.build(needs([run]))
    found = _measured(run, "5", ((str(patch(run, at)), "Ours", "", {"pool_at": at}) for at in poolings(run)))
    chain = list(found)
    return _compared(run, found, [*_along(chain), *((smaller, chain[0]) for smaller in chain[1:])])


def _patches(e: Evidence) -> dict[str, Record]:
    """Accuracy by the patch's side, the largest first; in a small run that is the whole image, a row of its own."""
    wanted = {"table": "5", "column": "Ours", "metric": "accuracy", "setup": published.block("5")["setup"]}
    found = {r.row: r for r in pick(e.records, **wanted)}
    if len(found) < 2:
        raise NotMeasured("Table 5 not measured")
    return dict(sorted(found.items(), key=lambda item: -int(item[0])))


@claim("smaller-patches", "4.3", "5", "The smaller the patch that the network sees, the lower its accuracy.")
def _smaller_patches(e: Evidence) -> tuple[str, str]:
    chain = _patches(e)
    return falling(e, list(chain.values())), shown({f"{side} px": r for side, r in chain.items()})


@claim("patch-suffices", "4.3", "5", "A patch of 24 px for faces, of 52 px for bedrooms, is enough.")
def _patch_suffices(e: Evidence) -> tuple[str, str]:
    chain, side = _patches(e), SUFFICIENT[e.stands_for]
    largest = next(iter(chain))
    if side not in chain or side == largest:
        raise NotMeasured(f"Table 5: {side} px and a larger patch not measured")
    text = f"{side} px {chain[side].value:.2f}, {largest} px {chain[largest].value:.2f}, {RESTORED:g} points allowed"
    return every([e.above(chain[side], chain[largest], RESTORED)]), text


# ---------------------------------------------------------------------------- without artifacts: Table 6


def closest(distance: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which images are selected: of each class the closest tenth, at least four, (N,) bool."""
    kept = np.zeros(len(labels), bool)
    for name in dict.fromkeys(labels):
        mine = np.flatnonzero(labels == name)
        count = min(len(mine), max(FEWEST, round(SHARE * len(mine))))
        kept[mine[np.argsort(distance[mine], kind="stable")[:count]]] = True
    return kept


def distance_name(run: Run) -> str:
    """What the perceptual distance of this run is: LPIPS, a deep-feature distance, or the content-feature distance."""
    return run.nearest(seed_setup(run)).distance(run.path).name


def selected(run: Run) -> Result:
    """Table 6: the methods of Table 3, as they were trained, on the tenth of the test images nearest to real ones.

    The real class is selected by the same rule.  Variants: "not selected", the other nine tenths; "generated", the
    selected generated images alone.  Metric "brightness", by source: the mean grey level of the central half of the
    selected images, less that of all.  Arrays: ``classes``; ``distance`` (K, n) of all test images by source.
    """
    setup, result = seed_setup(run), Result()
    truth, distance = setup.labels("test"), run.array(run.nearest(setup), DISTANCES)
    kept = closest(distance, truth)
    chosen = {"": kept, "not selected": ~kept, "generated": kept & (truth != "real")}
    place = {"table": "6", "setup": "selected", "classes": len(setup.sources)}
    answers = {method: predictions(run, method, setup) for method in METHODS}
    for method, row in METHODS.items():
        for variant, rows in chosen.items():
            by_class = metrics.per_class_accuracy(truth[rows], answers[method][rows])
            measured = metrics.accuracy(truth[rows], answers[method][rows], clusters(setup)[rows])
            params = {"by_class": {name: [a.value, a.low, a.high] for name, a in by_class.items()}}
            params["distance"] = distance_name(run)
            result.records.append(accuracy_record(run, row, measured, variant=variant, params=params, **place))
    ours = one(result.records, row="Ours", variant="")
    for method, row in METHODS.items():
        if row != "Ours":
            named = (answers[name][kept] for name in ("cnn", method))
            gap = metrics.paired_difference(truth[kept], *named, clusters(setup)[kept])
            against = {"against": [row, ours.column, "selected"], "p": gap.p}
            known = {"setup": "selected", "interval": (gap.low, gap.high), "n": ours.n, "params": against}
            result.records.append(record(run, "Ours", "difference", gap.value, variant=f"against {row}", **known))
    for row, features in features_of(run, setup).items():
        for convention in ("matched", "paper"):
            ratio = metrics.fd_ratio(features[kept], truth[kept], convention, run.seed, HALVINGS)
            result.records.append(fd_ratio(run, row, ratio, n=int(kept.sum()), **place))
    quarter = run.profile.resolution // 4
    for source, sample, mine in zip(setup.classes, setup.part("test"), np.split(kept, len(setup.sources)), strict=True):
        middles = np.asarray(run.sample(sample))[:, :, quarter:-quarter, quarter:-quarter].mean(axis=(1, 2, 3))
        change = middles[mine].mean() - middles.mean()
        result.records.append(record(run, source, "brightness", change, setup="selected", n=int(mine.sum())))
    result.arrays = {"classes": np.array(setup.classes), "distance": distance.reshape(len(setup.sources), -1)}
    return result


_ON_SELECTED = {
    "attributable-6": ("our network still attributes nearly every image.", lambda e: attributable(e, "6")),
    "best-6": ("our network still beats every baseline.", lambda e: best(e, "6")),
    "separated-6": ("our features separate the sources better than Inception's.", lambda e: separated(e, "6", 1.0)),
}
for _id, (_text, _check) in _ON_SELECTED.items():
    claim(_id, "4.3", "6", f"On the artifact-free tenth {_text}")(_check)


@claim("no-artifacts", "4.3", "3 6", "Attribution does not need artifacts: the best tenth is attributed as well.")
def _no_artifacts(e: Evidence) -> tuple[str, str]:
    tenth, clean = e.number("6", "Ours"), e.number("3", "Ours")
    rest = e.maybe("6", "Ours", variant="not selected") or clean  # other images, so two independent numbers
    gap = metrics.difference_of(tenth, rest)
    sign = 1 if gap.low >= -RESTORED else -1 if gap.high < -RESTORED else 0
    said = f"{tenth.value:.2f} on the selected tenth, {rest.value:.2f} on {'all' if rest is clean else 'the rest'}"
    return every([sign]), f"{said}, {RESTORED:g} points allowed"


# ---------------------------------------------------------------------------- the same number of images


def equal_n(run: Run) -> Result:
    """What is left of the fall of the FD ratio from Table 3 to Table 6 at equal numbers of images.

    Per feature three records of Table 6: ``fd_ratio_all`` of all test images, ``fd_ratio_random``, mean and 95 % range
    of random tenths, ``fd_ratio_selected``, with the share of random tenths that lie as far out as ``params.p``.
    """
    setup, result = seed_setup(run), Result()
    truth = setup.labels("test")
    kept = closest(run.array(run.nearest(setup), DISTANCES), truth)
    rng = np.random.default_rng(run.seed)
    draws = [closest(rng.random(len(truth)), truth) for _ in range(DRAWS)]
    place = {"table": "6", "setup": "selected", "classes": len(setup.sources)}
    for row, features in features_of(run, setup).items():
        features = np.asarray(features)
        whole, chosen, *random = (
            metrics.fd_ratio(features[rows], truth[rows], "matched", run.seed, HALVINGS)
            for rows in (truth != "", kept, *draws)
        )
        ratios = np.array([found.ratio for found in random])
        tail = min((ratios <= chosen.ratio).sum(), (ratios >= chosen.ratio).sum())
        p = float(min(1.0, 2 * (1 + tail) / (1 + DRAWS)))
        spread = tuple(np.quantile(ratios, (0.025, 0.975)))
        each = {"all": ([whole], None, {}), "random": (random, spread, {"draws": DRAWS})}
        each["selected"] = [chosen], None, {"p": p}
        for which, (found, interval, extra) in each.items():
            ratio, inter, intra = (float(np.mean([getattr(x, k) for x in found])) for k in ("ratio", "inter", "intra"))
            params = {"features": attribution.feature_name(run, row), "inter": inter, "intra": intra} | extra
            known = {"interval": interval, "n": len(truth) if which == "all" else int(kept.sum()), "params": params}
            result.records.append(record(run, row, f"fd_ratio_{which}", ratio, **known, **place))
    return result


@claim("selection-lowers", "4.3", "3 6", "Selection lowers every FD ratio: but so do fewer images, whatever they show.")
def _selection_lowers(e: Evidence) -> tuple[str, str]:
    pairs = {row: [e.number(t, row, metric="fd_ratio") for t in ("6", "3")] for row in ("Inception", "Our fingerprint")}
    text = ", ".join(f"{row} {tenth.value:.2f} after {whole.value:.2f}" for row, (tenth, whole) in pairs.items())
    return every((tenth.value < whole.value) * 2 - 1 for tenth, whole in pairs.values()), text


@claim("harder-at-equal-n", "4.3", "6", "Selection lowers FD ratios beyond what fewer images do.", unprinted=True)
def _harder_at_equal_n(e: Evidence) -> tuple[str, str]:
    signs, texts = [], []
    for row in ("Inception", "Our fingerprint"):
        tenth, random = (e.number("6", row, metric=f"fd_ratio_{which}") for which in ("selected", "random"))
        signs.append((tenth.value < random.low) - (tenth.value > random.high))
        texts.append(f"{row} {tenth.value:.2f}, random tenths {random.low:.2f} to {random.high:.2f}")
    return every(signs), "; ".join(texts)


STUDIES = {
    "table4": Study(bands, lambda run: needs([run])),
    "table5": Study(patches, lambda run: needs([run])),
    "table6": Study(selected, lambda run: needs([run])),
    "table6_equal_n": Study(equal_n, lambda run: needs([run])),
}

# ---------------------------------------------------------------------------- shown


def bands_table(found: Iterable[Record], resolution: int, name: str, caption: str) -> Table:
    """Table 4: a row per band and downsampling factor of the paper, low bands first; the top band is a row more."""
    found, rows = pick(found, metric="accuracy"), []
    for column, factor in product(BANDS, published.block("4")["accuracy"]):
        side = resolution // int(factor)
        for r in pick(found, row=factor, column=column) or [None]:
            note = f" {r.variant}: less {side // 2} × {side // 2}" if r and r.variant else ""
            note = note or ("" if r else f" below the network’s {SMALLEST} × {SMALLEST}")
            paper = None if r and r.variant else published.value("4", factor, column, found[0].dataset)
            label = f"{side} × {side}" + (table.small(note) if note else "")
            rows.append([column, factor, label, *beside(r, paper), seconds(r and r.seconds)])
    return plain(["band", "factor", "pixels", *BESIDE, "training, s"], rows, name, caption, of=found)


def patches_table(found: Iterable[Record], resolution: int, name: str, caption: str) -> Table:
    """Table 5: a row per patch size, those of the paper that are larger than this run's images included."""
    found, rows = pick(found, metric="accuracy"), []
    mine = {int(r.row): r for r in found}
    for side in sorted({*map(int, published.block("5")["accuracy"]), *mine}, reverse=True):
        r, note = mine.get(side), " the whole image" if side == resolution else ""
        pooling = f"{r.params['pool_at']} × {r.params['pool_at']}" if r else DASH
        cells = beside(r, published.value("5", str(side), "Ours", found[0].dataset))
        rows.append([f"{side} × {side}{table.small(note if r else ' larger than an image')}", pooling, *cells])
        rows[-1].append(seconds(r and r.seconds))
    header = ["patch, px", "pooling from", *(f"{x}, %" for x in BESIDE), "training, s"]
    return plain(header, rows, name, caption, of=found)


def selection_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy on the selected tenth, on the rest, and on the selected generated images alone."""
    found, variants = pick(found, metric="accuracy"), {"": "selected", "not selected": "not selected"}
    variants["generated"] = "selected, generated alone"
    rows = [[row, *(table.with_interval(one(found, row=row, variant=v)) for v in variants)] for row in METHODS.values()]
    return plain(["accuracy, %", *variants.values()], rows, name, caption, of=found)


def equal_n_table(found: Sequence[Record], name: str, caption: str) -> Table:
    """FD ratios of all test images, of random tenths, and of the selected one."""
    rows, n = [], [pick(found, metric=f"fd_ratio_{which}")[0].n for which in WHICH]
    for row in dict.fromkeys(r.row for r in found):
        whole, random, tenth = (one(found, row=row, metric=f"fd_ratio_{w}") for w in WHICH)
        least = 2 / (1 + random.params["draws"])
        p = f"{'≤ ' if tenth.params['p'] <= least else ''}{p_value(tenth.params['p'])}"
        spread = f"{number(random.value)} {table.small(f'{random.low:.2f}–{random.high:.2f}')}"
        rows.append([row_label(tenth), number(whole.value), spread, number(tenth.value), p])
    header = ["", f"all, n = {n[0]:,}", f"random tenths, n = {n[1]:,}", f"selected, n = {n[2]:,}", "p"]
    return plain(header, rows, name, caption, of=found)


def of_the_fall(records: Sequence[Record]) -> str:
    """How much of the fall of each FD ratio fewer images explain by themselves."""
    texts = []
    for row in dict.fromkeys(r.row for r in records):
        whole, random, tenth = (one(records, row=row, metric=f"fd_ratio_{w}") for w in WHICH)
        name = "the fingerprint" if row == "Our fingerprint" else f"the {tenth.params['features']}"
        between, within = (tenth.params[key] / random.params[key] for key in ("inter", "intra"))
        texts.append(
            f"For {name} the ratio is {whole.value:.2f} on all test images, {random.value:.2f} on a random tenth and "
            f"{tenth.value:.2f} on the selected one. Against random tenths the distance between sources is "
            f"{between:.2f} times as large, the distance within a source {within:.2f} times."
        )
    return "\n\n".join(texts)


def darker(records: Sequence[Record]) -> str:
    """How the selection moves the brightness of the middle of the images."""
    found = {readable(r.row): r.value for r in pick(records, metric="brightness")}
    low, high = min(found, key=found.get), max(found, key=found.get)
    text = f"by {found[low]:+.1f} ({low}) to {found[high]:+.1f} grey levels ({high})."
    return minus(f"The middle of the selected images differs in brightness from that of all {text}")
