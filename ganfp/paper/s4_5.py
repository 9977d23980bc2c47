"""Section 4.5: fingerprints made visible: Figures 7 and 36, the visNet row of Table 3, and where it looks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from ganfp import metrics, worlds
from ganfp.features.regions import REGIONS, aligned_masks, bootstrap_interval, core_pixels, densities
from ganfp.features.spectra import grid_power
from ganfp.paper import attribution
from ganfp.paper.attribution import VISNET, attributor, seed_setup
from ganfp.paper.judge import HIGH, RESTORED, Evidence, NotMeasured, at_least, claim, every
from ganfp.paper.record import Record, Result, accuracy_record, pick, record
from ganfp.paper.sections import Study
from ganfp.paper.table import Table, minus, p_words, readable, small
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import Run

ROWS = {"visnet": VISNET, "prnu": "PRNU"}
FIGURE = {"faces": "7", "bedrooms": "36"}
VALUES = 2**28  # of response images at a time, 1 GB: at 128 px that is 135 images of each of eleven sources
DRAWS = 20  # random sets of pixels that a region is compared with
EVERYTHING, RANDOM = "all pixels", "random pixels"
UNKNOWN = "not known for these images"


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """Both networks, PRNU's fingerprints and the test images, of every data set."""
    found: list[Recipe] = []
    for run in runs:
        setup = seed_setup(run)
        found += [run.evaluation("cnn", setup), run.evaluation("visnet", setup), run.fit("prnu", setup)]
        found += setup.part("test")
    return found


def row(run: Run) -> Result:
    """Accuracy of the network with visible fingerprints and of the plain one, and their difference on each image."""
    setup = seed_setup(run)
    ours, visible = (attribution.accuracy(run, method, setup, "3") for method in ("cnn", "visnet"))
    first, second = (attribution.predictions(run, method, setup) for method in ("visnet", "cnn"))
    return Result([ours, visible, attribution.difference(run, setup, visible, ours, first, second)])


def fingerprints(run: Run) -> Result:
    """Model fingerprints, image fingerprints and how they respond to each other, for visNet and for PRNU.

    Arrays, with K sources in the order of ``classes``: ``images`` (K, 3, R, R), the first test image of each;
    ``image_fingerprints`` of these; ``response_images`` (K, K, R, R), source of the image by source of the model, each
    of which sums to the correlation in ``shown`` (K, K).  For each method ``models_METHOD`` (K, 3, R, R) and
    ``responses_METHOD`` (K, K), the mean correlation over all test images.  Records, by method (row) and source
    (column), with intervals:

    ``margin``  how much more the source's images respond to their own model than to any other
    ``grid``    power of its model fingerprint at period 2, see :func:`ganfp.features.spectra.grid_power`
    """
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    first = np.array([np.argmax(truth == name) for name in setup.classes])
    network, prnu = attributor(run, "visnet", setup), attributor(run, "prnu", setup)
    shown = network.response_images(images[first])[:, network.columns(setup.classes)]
    arrays = {"classes": np.array(setup.classes), "images": images[first], "response_images": shown}
    arrays |= {"image_fingerprints": network.image_fingerprints(images[first]), "shown": shown.sum(axis=(2, 3))}
    result = Result(arrays=arrays)
    known = {"figure": FIGURE.get(worlds.parse(run.source or run.dataset)[0], ""), "setup": setup.name}
    for method, fitted, scores in (("visnet", network, network.responses(images)), ("prnu", prnu, prnu.scores(images))):
        own = fitted.columns(setup.classes)
        models, responses = fitted.fingerprints_[own], scores[:, own]
        result.arrays[f"models_{method}"] = models
        result.arrays[f"responses_{method}"] = np.stack([responses[truth == c].mean(axis=0) for c in setup.classes])
        result.records += margins(run, ROWS[method], responses, truth, setup.classes, **known)
        for name, (value, *interval) in zip(setup.classes, grid_power(models, seed=run.seed), strict=True):
            result.records.append(record(run, ROWS[method], "grid", value, interval=interval, column=name, **known))
    return result


def margins(
    run: Run, row: str, responses: np.ndarray, truth: np.ndarray, classes: Sequence[str], **known
) -> list[Record]:
    """For each source the mean of (own response - response to the other model from which it is told apart least).

    responses: (N, K).  Student's interval and two-sided p over the source's images, which share no latent.  To lead
    every other model is to lead that one, so nothing is corrected for the choice.
    """
    from scipy.stats import ttest_1samp

    found = []
    for k, name in enumerate(classes):
        r = responses[truth == name].astype(np.float64)
        others = [j for j in range(len(classes)) if j != k]
        test = ttest_1samp(r[:, [k]] - r[:, others], 0, axis=0)
        low, high = test.confidence_interval(0.95)
        least = int(np.argmin(low))
        params = {"own": float(r[:, k].mean()), "rival": classes[others[least]], "p": float(test.pvalue[least])}
        value = (r[:, k] - r[:, others[least]]).mean()
        more = {"interval": (low[least], high[least]), "n": len(r), "classes": len(classes), "params": params}
        found.append(record(run, row, "margin", value, column=name, **more, **known))
    return found


def has_masks(run: Run) -> bool:
    """Whether it is known where on this data set's images a face is."""
    return worlds.parse(run.source)[0] in ("faces", "celeba")


def masks(run: Run) -> np.ndarray:
    """The share of each pixel that shows eyes, face and background, float32 (N, 3, R, R), for the real test images.

    Drawn faces know it: what was held out is drawn once more, now with its masks.  CelebA's are aligned, and all have
    the same, N = 1.  ``ValueError`` for other data sets.
    """
    if not has_masks(run):
        raise ValueError(f"dataset {run.dataset!r} has no masks: it is not known where its images show a face")
    images = run.images
    if images.dataset != "faces":
        return aligned_masks(images.resolution)[None]
    scene = images.scene("test", run.seed, maps=True)
    return np.stack([getattr(scene, name) for name in REGIONS], axis=1)


def where(run: Run) -> Result:
    """What each region of the face contributes to the response of images to their own model fingerprint.

    Arrays: ``classes``; ``masks`` (3, R, R), the mean of :func:`masks`, since generated images have none of their own;
    ``maps`` (K, R, R), the mean response image of each source's test images to their own model; ``only`` (3, R, R), the
    pixels of :func:`core_pixels`.  Records, by source (row) and region (column), with bootstrap intervals:

    ``response``    response per pixel, 1 being the average pixel's; adds up to the correlation, may be negative
    ``energy``      the same of squared responses
    ``accuracy``    see :func:`alone`
    ``difference``  of what the claims below compare

    With ``variant`` "true masks": the real images once more, each with its own masks.
    Nothing at all for a data set of which it is not known where a face is.
    """
    if not has_masks(run):
        return Result()
    setup = seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    each = min(setup.test, VALUES // (len(setup.classes) * run.profile.resolution) ** 2)
    looked = np.tile(np.arange(setup.test) < each, len(setup.classes))
    images, truth = images[looked], truth[looked]
    network, true = attributor(run, "visnet", setup), masks(run)
    responses = network.response_images(images)[:, network.columns(setup.classes)]
    own = {name: responses[truth == name, k] for k, name in enumerate(setup.classes)}
    usual = true.mean(axis=0)
    found = Result(arrays={"classes": np.array(setup.classes), "masks": usual, "only": core_pixels(usual)})
    found.arrays["maps"] = np.stack([maps.mean(axis=0) for maps in own.values()])
    parts = {(name, ""): usual[None] for name in own} | ({("real", "true masks"): true[:each]} if len(true) > 1 else {})
    samples = {}
    for (name, variant), part in parts.items():
        for metric, values in (("energy", own[name] ** 2), ("response", own[name])):  # its samples are kept
            samples[name, variant] = densities(values, part, run.seed)
            for region, x in zip(REGIONS, samples[name, variant].T, strict=True):
                known = {"figure": "7", "setup": "seeds", "n": len(values), "variant": variant}
                interval = bootstrap_interval(x, len(values))
                found.records.append(record(run, name, metric, x[0], interval=interval, column=region, **known))
    pairs = [(("real", "eyes"), ("real", region)) for region in REGIONS[1:]]
    for gan in setup.classes[1:]:
        pairs += [(("real", "eyes"), (gan, "eyes")), ((gan, "background"), ("real", "background"))]
    for a, b in pairs:
        gap = np.subtract(*(samples[name, ""][:, REGIONS.index(region)] for name, region in (a, b)))
        found.records.append(_gap(run, (*a, "seeds"), (*b, "seeds"), gap[0], *bootstrap_interval(gap, each)))
    found.records += alone(run, responses, truth, setup.classes, found.arrays["only"])
    return found


def _gap(run: Run, a: Sequence[str], b: Sequence[str], value: float, low: float, high: float) -> Record:
    """A difference of two places, each (row, column, setup)."""
    known = {"column": a[1], "setup": a[2], "variant": f"against {', '.join(b)}", "params": {"against": list(b)}}
    return record(run, a[0], "difference", value, interval=(low, high), figure="7", **known)


def alone(
    run: Run, responses: np.ndarray, truth: np.ndarray, classes: Sequence[str], chosen: np.ndarray
) -> list[Record]:
    """Percent of each source's images that are attributed rightly when only some pixels add up to the response.

    responses: (N, K, R, R); chosen: bool (3, R, R), the pixels of each region.  ``params.elsewhere``: by as many random
    pixels.  Also by all pixels, and for the real images' eyes how far these are above either.
    """
    flat, rng, found = responses.reshape(*responses.shape[:2], -1), np.random.default_rng(run.seed), []
    known, real = {"figure": "7", "setup": "regions", "classes": len(classes)}, truth == "real"

    def named(pixels: np.ndarray) -> np.ndarray:
        return np.array(classes)[(flat @ pixels.astype(np.float32)).argmax(axis=1)]

    whole = named(np.ones(flat.shape[-1]))
    for region, pixels in zip(REGIONS, chosen.reshape(len(chosen), -1), strict=True):
        only, random = named(pixels), np.stack([named(rng.permutation(pixels)) for _ in range(DRAWS)]) == truth
        by_class = metrics.per_class_accuracy(truth, only)
        for name in classes:
            params = {"pixels": int(pixels.sum()), "elsewhere": 100 * float(random[:, truth == name].mean())}
            found.append(accuracy_record(run, name, by_class[name], column=region, params=params, **known))
        if region == "eyes":
            lead = _lead((only == truth)[real], random[:, real])
            found.append(_gap(run, ("real", region, "regions"), ("real", region, RANDOM), *lead))
            less = metrics.paired_difference(truth[real], only[real], whole[real])
            place = "real", EVERYTHING, "regions"
            found.append(_gap(run, ("real", region, "regions"), place, less.value, less.low, less.high))
    known |= {"column": EVERYTHING, "params": {"pixels": flat.shape[-1]}}
    by_class = metrics.per_class_accuracy(truth, whole)
    return [*found, *(accuracy_record(run, name, by_class[name], **known) for name in classes)]


def _lead(right: np.ndarray, random: np.ndarray) -> tuple[float, float, float]:
    """Points by which pixels (n,) are right more often than random ones (draws, n), and the interval's ends.

    It covers the choice of images and the draws.
    """
    from scipy.stats import t

    gain, by_draw = right - random.mean(axis=0), random.mean(axis=1)
    error = (gain.var(ddof=1) / len(gain) + by_draw.var(ddof=1) / len(by_draw)) ** 0.5
    half = t.ppf(0.975, len(by_draw) - 1) * error
    return 100 * gain.mean(), 100 * (gain.mean() - half), 100 * (gain.mean() + half)


STUDIES = {
    "fingerprints": Study(fingerprints, lambda run: needs([run])),
    "regions": Study(where, lambda run: needs([run])),
}


def _pair(e: Evidence) -> tuple[Record, Record, str]:
    visible, ours = e.number("3", VISNET), e.number("3", "Ours")
    low, high = e.difference(visible, ours)
    return visible, ours, f"{visible.value:.2f} against {ours.value:.2f}, difference {low:+.2f} to {high:+.2f}"


@claim("visnet", "4.5", "3", "The network with visible fingerprints attributes as well as the plain one.")
def _visnet(e: Evidence) -> tuple[str, str]:
    visible, ours, numbers = _pair(e)
    return every([e.above(visible, ours, margin=RESTORED)]), f"{numbers}, {RESTORED:g} points allowed"


@claim("visible-costs", "4.5", "3", "To make fingerprints visible costs some accuracy.")
def _visible_costs(e: Evidence) -> tuple[str, str]:
    visible, ours, numbers = _pair(e)
    return every([e.above(ours, visible)]), numbers


@claim("own-model", "4.5", "3", "The images of every source respond most to the model fingerprint of that source.")
def _own_model(e: Evidence) -> tuple[str, str]:
    leads = e.by_column("margin", VISNET)
    p = [r.params["p"] for r in leads.values() if "p" in r.params]
    said = f"; largest {p_words(max(p))}, Student's t over images" if p else ""
    signs = [(r.low > 0) - (r.high < 0) for r in leads.values()]
    return every(signs), f"lead over the next model: {_digits(leads)}{said}"


def _grid(e: Evidence, method: str) -> tuple[str, str]:
    found = e.by_column("grid", ROWS[method])
    signs = [at_least(r, 1) if name != "real" else -at_least(r, 1) or 1 for name, r in found.items()]
    listed = "; ".join(f"{readable(n)} {r.value:.1f} ({r.low:.1f} to {r.high:.1f})" for n, r in found.items())
    return every(signs), f"power at period 2, times that of the frequencies around: {listed}"


for _method, _by in (("prnu", "by PRNU"), ("visnet", "by visNet")):
    _text = f"Every GAN's fingerprint {_by} shows peaks of its up-sampling, and the real images' shows none."
    claim(f"grid-{_method}", "4.5", "3", _text)(partial(_grid, method=_method))


def _dense(e: Evidence, region: str) -> tuple[Record, dict[str, Record], str]:
    """Response per pixel in a region, of the real images and of each GAN, and in words."""
    sources = dict.fromkeys(r.row for r in pick(e.records, metric="response"))
    found = {name: e.number("", name, region, "response", setup="seeds") for name in sources}
    if "real" not in found or len(found) < 2:
        raise NotMeasured("response by region not measured")
    numbers = f"{region}, times the average pixel: {_digits({'real': found['real'], **found})}"
    return found.pop("real"), found, numbers


@claim("densest-at-the-eyes", "4.5", "3", "In real images, no region responds to their model as densely as the eyes.")
def _densest_at_the_eyes(e: Evidence) -> tuple[str, str]:
    regions = {region: e.number("", "real", region, "response", setup="seeds") for region in REGIONS}
    signs = [e.above(regions["eyes"], regions[region]) for region in REGIONS[1:]]
    return every(signs), f"times the average pixel: {_digits(regions)}"


@claim("real-at-the-eyes", "4.5", "3", "Eyes respond more densely in real images than in those of any GAN.")
def _real_at_the_eyes(e: Evidence) -> tuple[str, str]:
    real, gans, numbers = _dense(e, "eyes")
    return every([e.above(real, gan) for gan in gans.values()]), numbers


@claim("eyes-beat-random", "4.5", "3", "The eyes alone tell real images better than as many random pixels do.")
def _eyes_beat_random(e: Evidence) -> tuple[str, str]:
    eyes = e.number("", "real", "eyes", setup="regions")
    random = replace(eyes, setup=RANDOM, value=eyes.params["elsewhere"], ci_low=None, ci_high=None)
    return every([e.above(eyes, random)]), f"{eyes.value:.1f} % by the eyes, {random.value:.1f} % by random pixels"


@claim("eyes-suffice", "4.5", "3", "The eyes alone suffice to know a real image.")
def _eyes_suffice(e: Evidence) -> tuple[str, str]:
    eyes = e.number("", "real", "eyes", setup="regions")
    whole = e.maybe("", "real", EVERYTHING, setup="regions")
    numbers = f"{eyes.value:.1f} % by the eyes; {HIGH:g} % would suffice"
    if whole is None:
        return every([at_least(eyes, HIGH)]), numbers
    signs = at_least(eyes, HIGH), e.above(eyes, whole, margin=RESTORED)
    return every([max(signs)]), f"{numbers}, or {RESTORED:g} points less than all pixels' {whole.value:.1f} %"


@claim("gans-at-the-background", "4.5", "3", "GANs are recognised by the background more than real images are.")
def _gans_at_the_background(e: Evidence) -> tuple[str, str]:
    real, gans, numbers = _dense(e, "background")
    return every([e.above(gan, real) for gan in gans.values()]), numbers


def _digits(numbers: Mapping[str, Record]) -> str:
    return "; ".join(f"{readable(name)} {r.value:#.3g}".rstrip(".") for name, r in numbers.items())


REGION_CLAIMS = (
    "densest-at-the-eyes", "real-at-the-eyes", "eyes-beat-random", "eyes-suffice", "gans-at-the-background",
)  # fmt: skip


def strongest(arrays: Mapping[str, np.ndarray]) -> str:
    """How many of the images in Figure 7 respond most to their own source's model, and what the others respond to."""
    classes = arrays["classes"]
    pairs = zip(classes, classes[arrays["shown"].argmax(axis=1)], strict=True)
    astray = [f"; that of {readable(a)} to {readable(b)}" for a, b in pairs if a != b]
    own = len(classes) - len(astray)
    return f"Of these {len(classes)} images {own} respond most to the model of their own source{''.join(astray)}."


def regions_table(records: Iterable[Record], name: str, caption: str) -> Table:
    """Response per pixel by source and region, with its energy; real images once more where true masks are known."""
    found = [r for r in records if r.metric in ("response", "energy")]
    at = {(r.row, r.variant, r.column, r.metric): r for r in found}
    rows = []
    for source, variant in dict.fromkeys((r.row, r.variant) for r in found):
        cells = [readable(source) + (f" {small(variant)}" if variant else "")]
        for region in REGIONS:
            r, energy = at[source, variant, region, "response"], at[source, variant, region, "energy"]
            beside = small(f"{r.low:.2f} to {r.high:.2f}; energy {energy.value:.1f}")
            cells.append(minus(f"{r.value:.2f} {beside}"))
        rows.append(cells)
    return Table(name, caption, ["source", *REGIONS], rows or [[UNKNOWN, "", "", ""]], of=found)


def alone_table(records: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy by source when only the pixels of a region count, and of as many random ones."""
    found = pick(records, metric="accuracy", setup="regions")
    pixels = {r.column: f"{r.column}, {r.params['pixels']} pixels" for r in found}
    lines: dict[str, list[str]] = {}
    for r in found:
        beside = f" {small('random: ' + format(r.params['elsewhere'], '.0f'))}" if "elsewhere" in r.params else ""
        lines.setdefault(r.row, [readable(r.row)]).append(f"{r.value:.0f}{beside}")
    return Table(name, caption, ["source", *pixels.values()], list(lines.values()) or [[UNKNOWN]], of=found)
