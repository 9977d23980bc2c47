"""Section 4.3, persistence: which parts of an image carry the fingerprint?  Tables 4 to 6, Figures 5, 14 and 28.

Three suspects in turn: certain frequencies, certain sizes of patches, and artifacts that anyone could see.  Of each, in
this order: what is measured, what is claimed, how it is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from ganfp import attributors, metrics
from ganfp.attributors.network import SMALLEST
from ganfp.paper import attribution, selection, table
from ganfp.paper.attribution import METHODS, clusters, difference, feature_name, features_of, predictions, seed_setup
from ganfp.paper.judge import RESTORED, Evidence, NotMeasured, at_least, claim, every, falling, shown, weakest
from ganfp.paper.published import block, load, stands_for, value
from ganfp.paper.record import Record, Result, accuracy_record, one, pick, record
from ganfp.paper.s3_2 import factors, patch, poolings
from ganfp.paper.s4_2 import attributable, best, separated
from ganfp.paper.sections import Study
from ganfp.paper.selection import REST, closest
from ganfp.paper.table import BESIDE, DASH, Table, beside, minus, number, p_value, plain, readable, row_label, seconds
from ganfp.runs.recipes.base import DISTANCES, Recipe
from ganfp.runs.recipes.features import Ratios
from ganfp.runs.run import Run

Cell = tuple[str, str]  # row and column of a table
Part = Mapping[str, Any]  # what a component network sees, as the settings of Section 3.2
HEADER = (*BESIDE, "training, s")  # what Tables 4 and 5 say of a network


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Tables 4 to 6 and their figures of the first data set, the selected images of every other, for its supplement."""
    run, others = runs[0], runs[1:]
    cells = {**bands_of(run), **patches_of(run)}
    return [*network_needs(run, cells), *selected_needs(run), *(one for run in others for one in selection.needs(run))]


# ---------------------------------------------------------------------------- networks that see a part


def network_needs(run: Run, cells: Mapping[Cell, Part]) -> list[Recipe]:
    """What the networks of these cells say of the test images."""
    return [run.evaluation("cnn", seed_setup(run), **part) for part in cells.values()]


def networks(run: Run, name: str, cells: Mapping[Cell, Part], compared: Iterable[tuple[Cell, Cell]]) -> Result:
    """Accuracy of a network per cell of a named table, and how far apart the compared ones are on the same images."""
    run.build(network_needs(run, cells))
    setup, found, said = seed_setup(run), {}, {}
    for (row, column), part in cells.items():
        named, fit = predictions(run, "cnn", setup, **part), run.fit("cnn", setup, **part)
        found[row, column] = accuracy_record(
            run, row, metrics.accuracy(setup.labels("test"), named, clusters(setup)), table=name, column=column,
            setup=setup.name, classes=len(setup.sources), seconds=run.seconds(fit),
            params={**part, "chosen": attributors.chosen(run.path(fit))},
        )  # fmt: skip
        said[row, column] = named
    apart = [difference(run, setup, found[a], found[b], said[a], said[b], table=name) for a, b in compared]
    return Result([*found.values(), *apart])


def in_a_row(cells: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    """What a claim about falling numbers compares: the first with each, and each with the next."""
    return list(dict.fromkeys([*((cells[0], cell) for cell in cells[1:]), *pairwise(cells)]))


# ---------------------------------------------------------------------------- frequencies: Table 4

BANDS = ("L-f", "H-f")  # low and high frequencies, as the paper calls them
TOP: Cell = ("1", "top band")  # between the full resolution and half of it, which the paper leaves out
SMALLEST_BAND = 8  # pixels: "even at the resolution of 8 x 8"


def bands_of(run: Run) -> dict[Cell, Part]:
    """What the network of each cell of Table 4 sees; at factor 1 both columns hold the plain network."""
    cells: dict[Cell, Part] = {TOP: {"band": "high", "factor": 1}}
    for factor in factors(run):
        cells[str(factor), "L-f"] = {"factor": factor} if factor > 1 else {}
        cells[str(factor), "H-f"] = {"band": "high", "factor": factor} if factor > 1 else {}
    return cells


def bands(run: Run) -> Result:
    """Table 4: accuracy of networks that see one frequency band, and of one for the top band, in a column of its own.

    Compared are the bands of each column, both columns at each factor, and the top band with the whole image.
    """
    cells = bands_of(run)
    low, high = ([cell for cell in cells if cell[1] == column] for column in BANDS)
    compared = [*in_a_row(low), *in_a_row(high), *zip(high[1:], low[1:], strict=True), (TOP, low[0])]
    return networks(run, "4", cells, compared)


@claim("wider-bands", "4.3", "4", "The wider the frequency band, the more of the fingerprint it carries.")
def _wider_bands(e: Evidence) -> tuple[str, str]:
    found = {column: e.rows("4", column) for column in BANDS}
    listed = shown({f"{column} 1/{factor}": r for column, row in found.items() for factor, r in row.items()})
    return weakest(falling(e, list(numbers.values())) for numbers in found.values()), listed


@claim("every-band", "4.3", "4", "Every band down to 8 × 8 pixels, low or high, beats chance by itself.")
def _every_band(e: Evidence) -> tuple[str, str]:
    found = {f"{column} 1/{factor}": r for column in BANDS for factor, r in e.rows("4", column).items()}
    wide = {name: r for name, r in found.items() if r.params["resolution"] // int(r.row) >= SMALLEST_BAND}
    if not wide:
        raise NotMeasured(f"Table 4: no band of {SMALLEST_BAND} px or more")
    name, lowest = min(wide.items(), key=lambda item: item[1].low)
    beats = every(at_least(r, r.chance) for r in wide.values())
    return beats, f"lowest {name}: {lowest.value:.2f} %, chance {lowest.chance:.2f} %"


@claim("high-over-low", "4.3", "4", "At the same resolution the high band carries more than the low band.")
def _high_over_low(e: Evidence) -> tuple[str, str]:
    low, high = e.rows("4", "L-f"), e.rows("4", "H-f")
    both = [factor for factor in low if factor in high and factor != "1"]  # at 1 both are the plain network
    if not both:
        raise NotMeasured("Table 4: no factor in both columns")
    listed = [f"factor {f}: H-f {high[f].value:.2f}, L-f {low[f].value:.2f}" for f in both]
    return every(e.above(high[f], low[f]) for f in both), ", ".join(listed)


@claim("top-band", "4.3", "4", "The top band, which the paper leaves out, serves a network no better than all.")
def _top_band(e: Evidence) -> tuple[str, str]:
    top, whole = e.number("4", *TOP), e.number("4", "1", "L-f")
    return every([-e.above(top, whole) or e.above(whole, top, margin=RESTORED)]), shown({"top": top, "whole": whole})


def bands_table(records: Iterable[Record], name: str, caption: str) -> Table:
    """Table 4: a row per band and downsampling factor of the paper, low bands first, the top band before the high."""

    def rows(found: list[Record]) -> list[list[str]]:
        at, resolution = {(r.row, r.column): r for r in found}, found[0].params["resolution"]
        low, high = (product(block("4")["accuracy"], [column]) for column in BANDS)
        printed = []
        for factor, column in (*low, TOP, *high):
            r, side = at.get((factor, column)), resolution // int(factor)
            note = "" if r else f" below the network’s {SMALLEST} × {SMALLEST}"
            note = f" less {side // 2} × {side // 2}" if (factor, column) == TOP else note
            pixels = f"{side} × {side}{table.small(note)}"
            printed.append([column, factor, pixels, *_cells(r, "4", factor, column, found)])
        return printed

    found = pick(records, metric="accuracy")
    return Table(name, caption, ["band", "factor", "pixels", *HEADER], table.rows_by_dataset(found, rows), of=found)


def _cells(r: Record | None, name: str, row: str, column: str, found: Sequence[Record]) -> list[str]:
    return [*beside(r, value(name, row, column, found[0].dataset)), seconds(r and r.seconds)]


# ---------------------------------------------------------------------------- patches: Table 5

SUFFICIENT = {"faces": "24", "bedrooms": "52"}  # patch sides in pixels that the paper finds enough


def patches_of(run: Run) -> dict[Cell, Part]:
    """What the network of each cell of Table 5 sees; rows are sides of patches in pixels, the largest first.

    Its input is not boosted, whatever the profile says: the filter would make every patch two pixels larger.
    """
    return {(str(patch(run, at)), "Ours"): {"pool_at": at, "boost": 1.0} for at in poolings(run)}


def patches(run: Run) -> Result:
    """Table 5: accuracy of networks that average what they see in patches."""
    cells = patches_of(run)
    return networks(run, "5", cells, in_a_row(list(cells)))


def _by_side(e: Evidence) -> dict[str, Record]:
    """Accuracy by the patch's side, the largest first; in a small run that is the whole image, a row of its own."""
    found = pick(e.records, table="5", column="Ours", metric="accuracy", variant="")
    if len(found) < 2:
        raise NotMeasured("Table 5 not measured")
    return {r.row: r for r in sorted(found, key=lambda r: -int(r.row))}


@claim("smaller-patches", "4.3", "5", "The smaller the patch that the network sees, the lower its accuracy.")
def _smaller_patches(e: Evidence) -> tuple[str, str]:
    found = _by_side(e)
    return falling(e, list(found.values())), shown({f"{side} px": r for side, r in found.items()})


@claim("patch-suffices", "4.3", "5", "A patch of 24 px for faces, of 52 px for bedrooms, is enough.")
def _patch_suffices(e: Evidence) -> tuple[str, str]:
    found, side = _by_side(e), SUFFICIENT[e.stands_for]
    largest = next(iter(found))
    if side not in found or side == largest:
        raise NotMeasured(f"Table 5: {side} px and a larger patch not measured")
    listed = shown({f"{side} px": found[side], f"{largest} px": found[largest]})
    return every([e.above(found[side], found[largest], margin=RESTORED)]), f"{listed}; {RESTORED:g} points allowed"


@claim("smallest-patch", "4.3", "5", "Patches of 3 × 3 pixels, colours and their neighbours, beat chance.")
def _smallest_patch(e: Evidence) -> tuple[str, str]:
    r = e.number("5", "3", "Ours")
    return every([at_least(r, r.chance)]), f"{r.value:.2f} %, chance {r.chance:.2f} %"


def enough(records: Sequence[Record]) -> str:
    """How much of an image's side the patch is that the paper finds enough, here and there."""
    here, there = records[0].params["resolution"], load()["resolution"]
    side = int(SUFFICIENT[stands_for(records[0].dataset) or "faces"])
    share = "no smaller than an image here" if side >= here else f"{100 * side / here:.0f} % here"
    text = f"A patch of {side} px, which the paper finds enough, is {100 * side / there:.0f} % of its images’ side"
    return f"{text}, and {share}."


def patches_table(records: Iterable[Record], name: str, caption: str) -> Table:
    """Table 5: a row per patch size, those of the paper that are larger than this run's images included."""

    def rows(found: list[Record]) -> list[list[str]]:
        mine, printed = {r.row: r for r in found}, []
        for side in sorted({*block("5")["accuracy"], *mine}, key=int, reverse=True):
            r = mine.get(side)
            note = " larger than an image" if r is None else " the whole image" * (r.params["resolution"] == int(side))
            pooling = f"{r.params['pool_at']} × {r.params['pool_at']}" if r else DASH
            printed.append([f"{side} × {side}{table.small(note)}", pooling, *_cells(r, "5", side, "Ours", found)])
        return printed

    found = pick(records, metric="accuracy")
    return Table(name, caption, ["patch, px", "pooling from", *HEADER], table.rows_by_dataset(found, rows), of=found)


# ---------------------------------------------------------------------------- without artifacts: Table 6


def selected_needs(run: Run) -> list[Recipe]:
    """What Table 6 and its figures are made of."""
    return [*attribution.needs(run, seed_setup(run)), run.features(seed_setup(run)), *selection.needs(run), run.images]


def selected(run: Run) -> Result:
    """Table 6: the methods of Table 3, as they were trained, on the tenth of the test images nearest to real ones.

    Variants, each a setup of its own: "not selected", the other nine tenths; "generated", the selected generated images
    alone.  Compared are ours with the baselines on the selected images, and selected with not selected ones, which are
    different images.  Beside them :func:`selection.brightness`.  Arrays: ``classes``; ``distance`` (K, n), by source.
    """
    setup, kept = seed_setup(run), selection.kept(run)
    truth = setup.labels("test")
    parts = {"": kept, REST: ~kept, "generated": kept & (truth != "real")}
    said = {row: predictions(run, method, setup) for method, row in METHODS.items()}
    distance = selection.distance_name(run)
    found = {
        (row, part): _accuracy(run, row, said[row], part, images, distance)
        for row, (part, images) in product(said, parts.items())
    }
    apart = [_against_rest(run, found[row, ""], found[row, REST]) for row in said]
    for row in [row for row in said if row != "Ours"]:
        pair = found["Ours", ""], found[row, ""], said["Ours"], said[row]
        apart.append(difference(run, setup, *pair, rows=kept, table="6"))
    known = {"table": "6", "setup": "selected", "n": int(kept.sum()), "classes": len(setup.sources)}
    for (row, features), convention in product(features_of(run, setup).items(), ("matched", "paper")):
        ratio = metrics.fd_ratio(features[kept], truth[kept], convention, run.seed, Ratios.halvings)
        apart.append(attribution.fd_ratio(run, row, ratio, **known))
    by_source = run.array(run.nearest(setup), DISTANCES).reshape(len(setup.sources), -1)
    arrays = {"classes": np.array(setup.classes), "distance": by_source}
    return Result([*found.values(), *apart, *selection.brightness(run, kept)], arrays)


def _accuracy(run: Run, row: str, named: np.ndarray, part: str, images: np.ndarray, distance: str) -> Record:
    """Accuracy of a method, which names all test images, on a part of them."""
    setup = seed_setup(run)
    truth = setup.labels("test")[images]
    by_class = metrics.per_class_accuracy(truth, named[images])
    params = {"distance": distance, "by_class": {name: [a.value, a.low, a.high] for name, a in by_class.items()}}
    return accuracy_record(
        run, row, metrics.accuracy(truth, named[images], clusters(setup)[images]), table="6",
        setup=part or "selected", variant=part, classes=len(setup.sources), params=params,
    )  # fmt: skip


def _against_rest(run: Run, tenth: Record, rest: Record) -> Record:
    """How many points the selected images are above the others: two independent groups, so no image is paired."""
    d = metrics.difference_of(tenth, rest)
    return record(
        run, tenth.row, "difference", d.value, interval=(d.low, d.high), table="6", setup=tenth.setup,
        variant=f"against {REST}", params={"against": [rest.row, rest.column, rest.setup]},
    )  # fmt: skip


for _id, _judged, _text in (
    ("attributable-6", lambda e: attributable(e, "6"), "our network still attributes nearly every image."),
    ("best-6", lambda e: best(e, "6"), "our network still beats every baseline."),
    ("separated-6", lambda e: separated(e, "6", 1), "our features still separate the sources better than Inception's."),
):
    claim(_id, "4.3", "6", f"On the artifact-free tenth {_text}")(_judged)


@claim("no-artifacts", "4.3", "3 6", "Attribution does not need artifacts: the best tenth is attributed as well.")
def _no_artifacts(e: Evidence) -> tuple[str, str]:
    tenth, rest = e.number("6", "Ours"), e.maybe("", "Ours", variant=REST, setup=REST)
    name, other = (REST, rest) if rest else ("all", e.number("3", "Ours"))  # the paper prints no other
    sign = e.above(tenth, other, margin=RESTORED)
    return every([sign]), f"{shown({'selected': tenth, name: other})}; {RESTORED:g} points allowed"


@claim("selected-are-darker", "4.3", "6", "In every source the selected images are darker in the middle than the rest.")
def _selected_are_darker(e: Evidence) -> tuple[str, str]:
    sources = dict.fromkeys(r.row for r in pick(e.records, metric="brightness"))
    pairs = [[e.number("", s, "middle", "brightness", setup=part) for part in ("selected", REST)] for s in sources]
    if not pairs:
        raise NotMeasured("brightness not measured")
    listed = ", ".join(f"{readable(a.row)} {a.value:.0f} against {b.value:.0f}" for a, b in pairs)
    return every(e.above(b, a) for a, b in pairs), f"mean grey level: {listed}"


def selection_table(records: Sequence[Record], name: str, caption: str) -> Table:
    """Accuracy on the selected tenth, on the rest, how far these are apart, and on selected generated images alone."""
    found, rows = pick(records, table="6", metric="accuracy"), []
    for row in dict.fromkeys(r.row for r in found):
        parts = [table.with_interval(one(found, row=row, variant=part)) for part in ("", REST, "generated")]
        d = one(records, row=row, metric="difference", variant=f"against {REST}")
        parts.insert(2, f"{number(d.value)} {table.small(f'{d.low:.1f} to {d.high:.1f}')}")
        rows.append([row, *parts])
    header = ["accuracy, %", "selected", REST, "difference", "selected, generated alone"]
    return Table(name, caption, header, [[minus(cell) for cell in row] for row in rows], of=found)


# ---------------------------------------------------------------------------- the same number of images

DRAWS = 99  # random tenths: no two-sided p-value is below 2/100
WHICH = {"all": "all", "random": "random tenths", "selected": "selected"}


def equal_n(run: Run) -> Result:
    """What is left of the fall of the FD ratio from Table 3 to Table 6 at equal numbers of images.

    Per feature three records of Table 6: ``fd_ratio_all`` on all test images, ``fd_ratio_random`` as the mean and
    95 % range over random tenths, ``fd_ratio_selected``, whose ``params.p`` is the share of random tenths, two-sided,
    that lie as far out.  ``inter`` and ``intra`` are the distances that the ratio is made of.
    """
    setup, kept, result = seed_setup(run), selection.kept(run), Result()
    truth, rng = setup.labels("test"), np.random.default_rng(run.seed)
    draws = [closest(rng.random(len(truth)), truth) for _ in range(DRAWS)]
    for row, features in features_of(run, setup).items():
        everything = attribution.ratios_of(run, setup)[row].load(run.path)["matched"]
        chosen, *random = (
            metrics.fd_ratio(features[rows], truth[rows], "matched", run.seed, Ratios.halvings)
            for rows in (kept, *draws)
        )
        ratios = np.array([found.ratio for found in random])
        tail = min((ratios <= chosen.ratio).sum(), (ratios >= chosen.ratio).sum())
        p = float(min(1.0, 2 * (1 + tail) / (1 + DRAWS)))
        for which, found, interval, more in (
            ("all", [everything], None, {}),
            ("random", random, tuple(np.quantile(ratios, (0.025, 0.975))), {"draws": DRAWS}),
            ("selected", [chosen], None, {"p": p}),
        ):
            ratio, inter, intra = (float(np.mean([getattr(x, k) for x in found])) for k in ("ratio", "inter", "intra"))
            params = {"features": feature_name(run, row), "inter": inter, "intra": intra, **more}
            n = len(truth) if which == "all" else int(kept.sum())
            known = {"table": "6", "setup": "selected", "n": n, "classes": len(setup.sources), "params": params}
            result.records.append(record(run, row, f"fd_ratio_{which}", ratio, interval=interval, **known))
    return result


def _ratios(e: Evidence) -> list[list[Record]]:
    """FD ratios on all, random and selected images, feature by feature."""
    rows = ("Inception", "Our fingerprint")
    return [[e.number("6", row, metric=f"fd_ratio_{which}") for which in WHICH] for row in rows]


@claim("fewer-images", "4.3", "6", "FD ratios fall on a tenth as an artefact of fewer images: at random, too.")
def _fewer_images(e: Evidence) -> tuple[str, str]:
    listed = [f"{a.row} {a.value:.2f} on all, {random.value:.2f} at random" for a, random, _ in _ratios(e)]
    return every(e.above(a, random) for a, random, _ in _ratios(e)), ", ".join(listed)


@claim("selection-is-harder", "4.3", "6", "At equal n, too, selection lowers every FD ratio: no mere artefact.")
def _selection_is_harder(e: Evidence) -> tuple[str, str]:
    listed = [f"{c.row} {c.value:.2f}, at random {r.low:.2f} to {r.high:.2f}" for _, r, c in _ratios(e)]
    return every(e.above(random, chosen) for _, random, chosen in _ratios(e)), ", ".join(listed)


def equal_n_table(found: Sequence[Record], name: str, caption: str) -> Table:
    """FD ratios of all, random and selected images, the p-value of the last, and how its distances differ."""
    rows = []
    for row in dict.fromkeys(r.row for r in found):
        everything, random, chosen = (one(found, row=row, metric=f"fd_ratio_{which}") for which in WHICH)
        p, least = chosen.params["p"], 2 / (1 + random.params["draws"])
        spread = table.small(f"{random.low:.2f}–{random.high:.2f}")
        cells = [number(everything.value), f"{number(random.value)} {spread}", number(chosen.value)]
        times = [chosen.params[key] / random.params[key] for key in ("inter", "intra")]
        rows.append([row_label(chosen), *cells, "≤ " * (p <= least) + p_value(p), *times])
    n = [f"{said}, n = {one(found, row=row, metric=f'fd_ratio_{which}').n:,}" for which, said in WHICH.items()]
    return plain(["", *n, "p", "between sources", "within one"], rows, name, caption, of=found)


STUDIES = {
    "table4": Study(bands, lambda run: network_needs(run, bands_of(run))),
    "table5": Study(patches, lambda run: network_needs(run, patches_of(run))),
    "table6": Study(selected, selected_needs),
    "table6_equal_n": Study(equal_n, selected_needs),
}
