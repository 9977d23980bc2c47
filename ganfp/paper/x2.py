"""Beyond the paper, x2: a classifier that learns JPEG against PNG instead of the GAN, and what catches it."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import permutations

import numpy as np

from ganfp import metrics
from ganfp.features import ghosts
from ganfp.paper.attribution import seed_setup, twin_setup
from ganfp.paper.judge import RESTORED, Evidence, NotMeasured, claim, every, shown
from ganfp.paper.record import Record, Result, accuracy_record, estimate, one, pick, record
from ganfp.paper.table import Table, crossed, plain, with_interval
from ganfp.runs.recipes.attacked import Answers, MixedFormats
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import IMAGES, PREDICTIONS, Recipe, settings
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

QUALITY = 75  # of the files that some sources came from: LSUN's
GAN = "ProGAN_seed_1"  # whose ghosts are drawn beside the real images'
TESTS = ("as trained", "exchanged")


def resaved(setup: Setup, *names: str) -> MixedFormats:
    """The task with the images of these sources sent through JPEG files."""
    known = {f.name: getattr(setup, f.name) for f in fields(Setup)}
    return MixedFormats(**known, jpegs=names, quality=QUALITY)


def setups(run: Run) -> dict[tuple[str, str], Setup]:
    """Two tasks, each with one format for all and with a leak: (task, formats) -> setup.

    Twins are two trainings with one seed, which nothing but the format can tell apart; a detector has to tell real
    images from one GAN's.
    """
    real, gan = seed_setup(run).sources[:2]
    twins, detector = twin_setup(run), run.setup("real_or_fake", [(s.name, s.origin) for s in (real, gan)])
    return {
        ("twins", "all PNG"): twins,
        ("twins", "one PNG, one JPEG"): resaved(twins, twins.classes[1]),
        ("real or fake", "all PNG"): detector,
        ("real or fake", "fake PNG, real JPEG"): resaved(detector, real.name),
    }


def other_formats(setup: Setup) -> MixedFormats:
    """The same task with every format exchanged: what was a JPEG is none, and what was none is one."""
    once = getattr(setup, "jpegs", ())
    return resaved(setup, *(name for name in setup.classes if name not in once))


def network(run: Run, setup: Setup) -> Fit:
    """Our network on two sources, trained for half as long as on all; on plain twins, that of the same-seed control."""
    fit = run.fit("cnn", setup)
    if setup == twin_setup(run):
        return fit
    return replace(fit, settings=settings(dict(fit.settings) | {"images": run.profile.methods["cnn"].images // 2}))


def answers(run: Run, setup: Setup) -> dict[str, Answers]:
    """What the network says of images in the formats that it was trained on, and with the formats exchanged."""
    fit = network(run, setup)
    return {test: Answers(fit, s, None) for test, s in zip(TESTS, (setup, other_formats(setup)), strict=True)}


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """What the page loads, of the first data set."""
    run = runs[0]
    found: list[Recipe] = [answer for setup in setups(run).values() for answer in answers(run, setup).values()]
    return [*found, *seed_setup(run).part("test"), *resaved(seed_setup(run), "real").part("test")]


def networks(run: Run) -> Result:
    """Accuracy of our network on each task: row task, column formats of training, ``params.test`` those of the test.

    And how many points the exchange costs, as a difference.
    """
    run.build(needs([run]))
    result = Result()
    for (task, formats), setup in setups(run).items():
        truth, place, named = setup.labels("test"), {"setup": "format_leak", "column": formats}, []
        for test, answer in answers(run, setup).items():
            named.append(np.array(sorted(setup.classes))[run.array(answer, PREDICTIONS)])
            params = {"test": test, "leak": isinstance(setup, MixedFormats)}
            known = {"variant": test, "classes": 2, "params": params, **place}
            result.records.append(accuracy_record(run, task, metrics.accuracy(truth, named[-1]), **known))
        gap = metrics.paired_difference(truth, *named)
        known = {"interval": (gap.low, gap.high), "n": len(truth), "params": {"p": gap.p}, **place}
        result.records.append(record(run, task, "lost_by_exchange", gap.value, **known))
    return result


def ghost_control(run: Run) -> Result:
    """The share of each source's test images that show a JPEG ghost: on the seed setup, and with real files as JPEGs.

    Where all images came the same way the shares are equal, here none.  Arrays:
    ``qualities`` (Q,); ``real PNG``, ``real JPEG`` and ``GAN`` (Q,), the mean difference that one more JPEG makes to
    real images and to a GAN's.
    """
    result = Result(arrays={"qualities": np.array(ghosts.QUALITIES)})
    for formats, setup in {"all PNG": seed_setup(run), "real JPEG": resaved(seed_setup(run), "real")}.items():
        place = {"setup": "format_leak", "column": formats, "classes": len(setup.sources)}
        for source, sample in zip(setup.classes, setup.part("test"), strict=True):
            differences = ghosts.differences(run.array(sample, IMAGES))
            found = metrics.share(ghosts.dips(differences).max(axis=1) > ghosts.THRESHOLD)
            result.records.append(estimate(run, source, "share", found, params={"quality": QUALITY}, **place))
            if source in ("real", GAN):
                name = GAN if source == GAN else "real, never JPEG" if formats == "all PNG" else "real, once JPEG"
                result.arrays[name] = differences.mean(axis=0)
    return result


def _leaky(e: Evidence, metric: str, **wanted) -> list[Record]:
    found = [r for r in pick(e.records, setup="format_leak", metric=metric, **wanted) if r.column != "all PNG"]
    if not found:
        raise NotMeasured("networks on mixed formats not measured")
    return found


@claim("format-learned", "x2", "3", "Where sources differ in format, a network learns the format, at least in part.")
def _format_learned(e: Evidence) -> tuple[str, str]:
    lost = _leaky(e, "lost_by_exchange")
    signs = ((r.low > 0) - (r.high < 0) for r in lost)
    return every(signs), f"points lost by exchange: {shown({r.row: r for r in lost})}"


@claim("format-only", "x2", "3", "Where sources differ in format, a network learns nothing but the format.")
def _format_only(e: Evidence) -> tuple[str, str]:
    found = _leaky(e, "accuracy", variant="exchanged")
    signs = [(r.high < 50) - (r.low > 50) for r in found]  # it gives the opposite of the truth
    return every(signs), f"right after the exchange: {shown({r.row: r for r in found})} %"


def _ghosts(e: Evidence, formats: str) -> dict[str, Record]:
    shares = {r.row: r for r in pick(e.records, setup="format_leak", metric="share", column=formats)}
    if "real" not in shares:
        raise NotMeasured(f"ghosts ({formats}) not measured")
    return shares


@claim("ghost-control", "x2", "3", "The sources of this book show no leak of format: ghosts are as frequent in all.")
def _ghost_control(e: Evidence) -> tuple[str, str]:
    shares = _ghosts(e, "all PNG")
    signs = [e.above(a, b, RESTORED) for a, b in permutations(shares.values(), 2)]
    return every(signs), f"{shown(shares)} %; {RESTORED:g} points between any two allowed"


@claim("ghost-finds", "x2", "3", "Ghosts give a leak away: real images that were JPEGs show more than other sources.")
def _ghost_finds(e: Evidence) -> tuple[str, str]:
    shares = _ghosts(e, "real JPEG")
    real = shares.pop("real")
    most = max(shares.values(), key=lambda r: r.value)
    return every(e.above(real, r) for r in shares.values()), f"{real.value:.1f} % against {most.value:.1f} % or less"


def formats_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Accuracy of a network by the formats that it was trained on, on such images and with the formats exchanged."""
    found = pick(found, metric="accuracy")
    rows = []
    for row, column in dict.fromkeys((r.row, r.column) for r in found):
        cells = (with_interval(one(found, row=row, column=column, variant=test)) for test in TESTS)
        rows.append([row, column, *cells])
    header = ["task", "trained on", "tested on the same, %", "formats exchanged, %"]
    return plain(header, rows, name, caption, of=found)


def ghosts_table(found: Iterable[Record], name: str, caption: str) -> Table:
    """Percent of the images of each source that show a JPEG ghost, by formats."""
    return crossed(pick(found, metric="share"), name, caption, corner="source")
