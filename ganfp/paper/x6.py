"""Beyond the paper, x6: what exactly is attributed?  Train on one thing, test on one that differs in one respect."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch.nn.functional as F
from torch import from_numpy

from ganfp import attributors, metrics
from ganfp.attacks import attack
from ganfp.attributors import Attributor
from ganfp.images import quantise, to_float
from ganfp.paper import x1, x4, x5
from ganfp.paper.attribution import architecture_setup
from ganfp.paper.judge import Evidence, at_least, at_most, claim, every, reach, shown, stay_under
from ganfp.paper.record import Record, Result, estimate, one, pick
from ganfp.paper.sections import beyond
from ganfp.paper.table import Table, number, plain, readable, rows_by_dataset, with_interval
from ganfp.runs import shipping
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.finetuned import FineTuned
from ganfp.runs.recipes.samples import Setup, Source, load_part
from ganfp.runs.run import Run

METHODS = ("prnu", "dct", "cnn")
KNOWN, OTHER_LOSS = "ProGAN", ("CramerGAN", "MMDGAN")  # the latter share one generator network
SIDES = (3 / 4, 1 / 2)  # of the side, to which images are reduced before they are enlarged again
QUALITIES = (90, 75, 50)
SHARES = (1 / 1000, 1 / 200)  # of the images of a GAN's training, in a fine-tuning
FORKED = 1001  # seed of a fine-tuning
SAME, SEED, SET, LENGTH = "the same run", "seed", "training set", "length"
TUNED, LOSS, RESIZED, JPEG = "fine-tuned", "loss", "resized", "recompressed"

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cell:
    """Who was trained, what it is shown, and the source it is expected to name if the difference does not matter."""

    kind: str  # in what respect the images differ from those of the training
    name: str
    setup: Setup  # of the training
    shown: Source
    expected: str
    change: Change | None = None
    share: float = 0.0  # of a profile's images that our network is shown; 0: as page x4 says

    def fit(self, run: Run, method: str) -> Fit:
        if method == "cnn" and self.share:
            return run.fit(method, self.setup, images=round(self.share * run.profile.methods[method].images))
        return x4.part_fit(run, method, self.setup)

    @property
    def images(self) -> Setup:
        return replace(self.setup, sources=(self.shown,))


def resized(images: np.ndarray, share: float) -> np.ndarray:
    """Images reduced to a share of their side and enlarged again, both bilinear, without aliasing; uint8 as given."""
    side = images.shape[-1]
    x = to_float(from_numpy(np.array(images)))
    for size in (round(share * side), side):
        x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return quantise(x).numpy()


def recompressed(images: np.ndarray, quality: int) -> np.ndarray:
    """Images after a JPEG file of a quality."""
    return attack("compression", images, 0, low=quality, high=quality)


def cells(run: Run) -> list[Cell]:
    """Every cell, of GANs that the run trains itself: only these can be followed, and have critics."""
    run, known = run.by_itself, architecture_setup(run.by_itself)
    origin = {s.name: s for s in known.sources}
    ours = origin[KNOWN]

    def others(kind: str, origins: Iterable[tuple[str, Recipe]]) -> list[Cell]:
        return [Cell(kind, name, known, Source(name, recipe), KNOWN) for name, recipe in origins]

    def changed(kind: str, changes: Iterable[tuple[str, Change]]) -> list[Cell]:
        return [Cell(kind, name, known, ours, KNOWN, change) for name, change in changes]

    found = [Cell(SAME, "other latents", known, ours, KNOWN)]
    found += others(SEED, [(f"seed {i}", run.generator("progan", i)) for i in range(2, run.profile.seeds + 1)])
    found += others(SET, [(f"{i:,} exchanged", run.generator("progan", swapped=i)) for i in run.rungs])
    if followed(run):
        gan, total = run.gan("progan", 1), run.profile.gans["progan"].total_images
        pair = run.generator("progan", 1), run.critic(1)
        tuned = [FineTuned(*pair, gan, round(share * total), FORKED) for share in SHARES]
        found += others(LENGTH, [(f"after {n:,} images", run.snapshot(1, n)) for n in run.profile.snapshots])
        found += others(TUNED, [(f"{one.seen:,} images more", one) for one in tuned])
    for left, right in (OTHER_LOSS, OTHER_LOSS[::-1]):
        without = x5.without(known, left)
        found.append(Cell(LOSS, f"{left} for {right}", without, origin[left], right, share=x5.SHARE))
    found += changed(RESIZED, [(f"to {s:.0%} and back", lambda x, s=s: resized(x, s)) for s in SIDES])
    found += changed(JPEG, [(f"quality {q}", lambda x, q=q: recompressed(x, q)) for q in QUALITIES])
    return found


def followed(run: Run) -> bool:
    """Whether ProGANs are at hand as they were on their way: those that are shipped without it are not trained anew."""
    return not run.shipped or isinstance(run.critic(1), shipping.Shipped)


def lengths(run: Run) -> list[tuple[int, int, Setup, Setup]]:
    """Two moments of the GANs' training, at which methods were fitted and are asked, and the setups of both."""
    run = run.by_itself
    if not followed(run):
        return []
    moments = (*run.profile.snapshots, run.profile.gans["progan"].total_images)
    found = {n: setup for n, setup in x1.setups(run).items() if n in moments}
    return [(a, b, found[a], found[b]) for a in found for b in found if a != b]


def needed(run: Run) -> list[Recipe]:
    """Every method that is asked, and the images that it is asked about."""
    own = run.by_itself
    found: list[Recipe] = [cell.fit(own, method) for cell in cells(run) for method in METHODS]
    found += [sample for cell in cells(run) for sample in cell.images.part("test")]
    for _, _, then, now in lengths(run):
        found += [own.fit(method, then) for method in ("prnu", "cnn")] + list(now.part("test"))
    return found


@beyond("critics_matrix", needed, every_dataset=True)
def study(run: Run) -> Result:
    """How often each method names the expected source, cell by cell: metric ``share``, percent, with n and interval.

    ``column``: what is shown; ``variant``: in what respect it differs; ``params.most``: the source that is named most
    often, and how often.
    """
    found, run = [], run.by_itself
    networks: dict[Recipe, Attributor] = {}
    for cell in cells(run):
        images, _ = load_part(cell.images, "test", run.path)
        images = cell.change(images) if cell.change else images
        for method in METHODS:
            fit = cell.fit(run, method)
            network = networks.setdefault(fit, networks.get(fit) or Attributor.load(run.path(fit)))
            found.append(_share(run, method, cell.kind, cell.name, network.predict(images), cell.expected, fit.setup))
    for then, now, trained, tested in lengths(run):
        images, labels = load_part(tested, "test", run.path)
        generated = labels != "real"
        for method in ("prnu", "cnn"):
            named = Attributor.load(run.path(run.fit(method, trained))).predict(images[generated])
            name = f"trained after {then:,}, asked after {now:,}"
            found.append(_share(run, method, LENGTH, name, named, labels[generated], trained))
    return Result(found)


def _share(run: Run, method: str, kind: str, name: str, named: np.ndarray, expected, setup: Setup) -> Record:
    sources, counts = np.unique(named, return_counts=True)
    top = counts.argmax()
    most = {"most": [str(sources[top]), 100 * float(counts[top] / len(named))]}
    seeds = None if isinstance(expected, str) else np.arange(len(named)) % setup.test
    right = metrics.share(named == expected, seeds)
    known = {"setup": "critics' matrix", "column": name, "variant": kind, "classes": len(setup.sources), "params": most}
    return estimate(run, attributors.entry(method).row, "share", right, **known)


# ---------------------------------------------------------------------------- what is said


def _named(e: Evidence, kind: str, row: str = x4.OURS) -> dict[str, Record]:
    found = e.found(f"the matrix ({kind})", setup="critics' matrix", row=row, variant=kind)
    return {r.column: r for r in found}


def _to_the_run(e: Evidence, row: str) -> tuple[str, str]:
    """A method names the run that it knows, and of no other seed of it most images."""
    same, seeds = _named(e, SAME, row), _named(e, SEED, row)
    signs = [at_least(r, 97) for r in same.values()] + [at_most(r, 50) for r in seeds.values()]
    return every(signs), f"named {KNOWN}: {shown(same | seeds)} %; at least 97 and at most 50 wanted"


@claim("to-the-run", "x6", "1 3", "Attribution is to the training run, not to the architecture.")
def _ours_to_the_run(e: Evidence) -> tuple[str, str]:
    return _to_the_run(e, x4.OURS)


@claim("to-the-run-residuals", "x6", "1 3", "Attribution by residuals is to the training run, not to the architecture.")
def _residuals_to_the_run(e: Evidence) -> tuple[str, str]:
    return _to_the_run(e, attributors.METHODS["prnu"].row)


@claim("to-the-training-set", "x6", "1 2", "Nor are other training sets of the same seed named by the architecture.")
def _to_the_set(e: Evidence) -> tuple[str, str]:
    return stay_under(_named(e, SET), 50)


@claim("survives-fine-tuning", "x6", "1", "A generator that is trained on a little is still attributed to its origin.")
def _tuned(e: Evidence) -> tuple[str, str]:
    return reach(_named(e, TUNED), 90)


def table(found: Sequence[Record], name: str, caption: str) -> Table:
    """A row for each cell, a column for each method; and what ours names most often."""
    header = ["differs in", "", *_rows(), "images", "ours names most"]
    return plain(header, rows_by_dataset(found, _cells, paper=False), name, caption, of=found)


def _cells(found: list[Record]) -> list[list[str]]:
    rows = []
    for kind, column in dict.fromkeys((r.variant, r.column) for r in found):
        mine = pick(found, variant=kind, column=column)
        cells = [with_interval(pick(mine, row=row)[0]) if pick(mine, row=row) else "" for row in _rows()]
        ours = one(mine, row=x4.OURS)
        source, share = ours.params["most"]
        rows.append([kind, column, *cells, number(ours.n), f"{readable(source)} {share:.0f} %"])
    return rows


def _rows() -> list[str]:
    return [attributors.entry(method).row for method in METHODS]
