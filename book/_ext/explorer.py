"""``{explorer}``: the run's own networks and test images, at work in the page; ``{explorer-tasks}``: what to try on it.

Both are about the run that the pages show, and about drawn worlds only: no photograph enters a page.
"""

import json
from pathlib import Path

import numpy as np
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ganfp import attacks, attributors, worlds
from ganfp.explorer import Exhibit, Reader, fragment
from ganfp.paper import s4_3
from ganfp.paper.attacked import PAPERS, attack
from ganfp.paper.attribution import seed_setup
from ganfp.paper.table import readable
from ganfp.runs.run import begin

logger = logging.getLogger(__name__)

PAGE = "s4_5_visualization"  # whose run, data set and seed are explored
EACH, STRANGERS = 24, 12  # images in the drawer, of each source and of the other drawn world
STRANGER = "stranger"
WHOLE, IMMUNISED, PATCHES = "Whole image", "Whole image, immunised to", "Only patches of"
BANDS = {"low": "Only low frequencies, at", "high": "Only high frequencies, at"}
ATTACKS = {"compression": "JPEG", "relighting": "another light", "combination": "all of them"}  # as the sliders say


def run_shown(root):
    """The run whose pages these are; None before a notebook was executed, or for photographs."""
    ledger = Path(root, "executed", "run.json")
    page = json.loads(ledger.read_text("utf-8")).get(PAGE) if ledger.exists() else None
    if page is None:
        return None
    p = page["parameters"]
    run = begin(p["profile"], worlds.names(p["dataset"])[0], p["seed"])
    return run if run.images.drawn else None


def readers(run):
    """Group, label and recipe of every network that the page can ask, and of visNet and PRNU."""
    setup, resolution = seed_setup(run), run.profile.resolution
    yield WHOLE, "as trained", run.fit("cnn", setup)
    for name in PAPERS:
        yield IMMUNISED, ATTACKS.get(name, name), run.immunised("cnn", setup, attack(run, name))
    yield "visNet", "visNet", run.fit("visnet", setup)
    yield "PRNU", "PRNU", run.fit("prnu", setup)
    bands = sorted((p for p in s4_3.bands_of(run).values() if p), key=lambda p: (p.get("band", "low") == "high", p["factor"]))
    for part in bands:
        group = BANDS[part.get("band", "low")]
        yield group, f"{resolution // part['factor']} px", run.fit("cnn", setup, **part)
    for (side, _), part in s4_3.patches_of(run).items():
        yield PATCHES, f"{side} px", run.fit("cnn", setup, **part)


def exhibit(run, parts=True):
    """What the page shows; without ``parts``, no networks that see a part of the image."""
    setup, other = seed_setup(run), next(name for name in worlds.DRAWN if name != run.images.dataset)
    found = [r for r in readers(run) if parts or r[0] not in {*BANDS.values(), PATCHES}]
    samples = [np.array(run.sample(sample)[:EACH]) for sample in setup.part("test")]
    drawn = worlds.drawn(other).draw(STRANGERS, run.profile.resolution, run.seed)
    owners = [*np.repeat(setup.classes, [len(s) for s in samples]).tolist(), *[STRANGER] * STRANGERS]
    names = [f"{readable(c)}, image {i + 1}" for c, s in zip(setup.classes, samples, strict=True) for i in range(len(s))]
    names += [f"stranger {i + 1}, of the drawn {other}" for i in range(STRANGERS)]
    asked = [Reader(attributors.load(run.path(recipe)), group, label) for group, label, recipe in found]
    called = {name: readable(name) for name in setup.classes} | {STRANGER: f"a stranger ({other})"}
    shape = "dome" if run.images.dataset == "bedrooms" else "head"
    return Exhibit(asked, np.concatenate([*samples, drawn]), owners, names, shape, called)


class Explorer(SphinxDirective):
    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir, "executed", "run.json")))
        run = run_shown(self.env.srcdir)
        if run is None:
            return [nodes.paragraph(text="Nothing to explore: the pages show no run, or one on photographs, which enter no page.")]
        for parts in (True, False):
            try:
                return [nodes.raw("", fragment(exhibit(run, parts)), format="html")]
            except ValueError as error:
                problem = error
        return [nodes.paragraph(text=f"Nothing to explore at profile {run.profile.name}: {problem}.")]


class ExplorerTasks(SphinxDirective):
    """Three tasks, and, folded, what this run answers."""

    def run(self):
        run = run_shown(self.env.srcdir)
        return [] if run is None else self.parse_text_to_nodes(tasks(exhibit(run)))


def tasks(shown):
    """The tasks as Markdown, about an image that withstands JPEG for long, with answers computed here."""
    first = shown.readers[0].attributor
    owners = np.array(shown.owners)
    gans = [name for name in first.classes_ if name != "real"]
    of_one = np.flatnonzero(owners == gans[1 % len(gans)])
    turns = [turn(first, shown.images[i : i + 1], owners[i]) for i in of_one]
    chosen = of_one[int(np.argmin(turns))]
    image, owner, name = shown.images[chosen : chosen + 1], owners[chosen], f"**{shown.names[chosen]}**"

    strangers = shown.images[owners == STRANGER]
    given, sure = first.predict(strangers), 100 * first.predict_proba(strangers).max(axis=1)
    counts = [f"{(given == c).sum()} to {readable(c)}" for c in first.classes_ if (given == c).any()]
    return "\n\n".join([
        f"1. **Wash it off.** Choose {name}. Pull *JPEG* slowly to the right. At which quality does the network first name"
        " another source, and which? Leave the slider there and press *immunised to JPEG*, then *all of them*.",
        f"2. **Where is it?** Choose {name} again, without an attack. Which of the networks that see a part of the image"
        " still know its maker? Then take the brush: wipe the face in the middle, *Undo*, and wipe everything but the face.",
        "3. **A stranger.** Choose *a stranger*, an image that none of the sources made. Who is said to have made it, and"
        " how sure is the network? What could it have answered instead?",
        "```{admonition} What this run answers\n:class: dropdown\n\n"
        f"1. {washed(shown, image, owner, min(turns))}\n2. {known_by(shown, image, owner)} {regions(first, image, owner)}\n"
        f"3. Of the {len(strangers)} strangers it gives {', '.join(counts)}, with {sure.min():.0f} to {sure.max():.0f} %."
        " It has no other answer: it was trained to name one of the sources, and a probability says how these compare"
        " with each other, not whether it is any of them.\n```",
    ])  # fmt: skip


def compressed(image, quality):
    return attacks.attack("compression", image, 0, low=quality, high=quality)


def turn(attributor, image, owner):
    """The first quality from 100 down to 5 at which an image, (1, 3, R, R), is given to another; 4 for none."""
    if attributor.predict(image)[0] != owner:
        return 101
    said = attributor.predict(np.concatenate([compressed(image, quality) for quality in range(100, 4, -1)]))
    return 100 - int(np.argmax(said != owner)) if (said != owner).any() else 4


def washed(shown, image, owner, quality):
    """What the plain network says where it first errs, and the immunised ones there."""
    if not 5 <= quality <= 100:
        return "At no quality on the slider."
    after, asked = compressed(image, quality), (ATTACKS["compression"], ATTACKS["combination"])
    others = [
        f"immunised to {r.label}, it says {readable(r.attributor.predict(after)[0])}"
        for r in shown.readers if r.group == IMMUNISED and r.label in asked
    ]  # fmt: skip
    plain = readable(shown.readers[0].attributor.predict(after)[0])
    return (
        f"At quality {quality} it says {plain}, with the encoder that Python uses; a browser's may differ by some steps."
        f" At that quality, {'; '.join(others)}."
    )


def regions(attributor, image, owner):
    """The owner's probability with the middle wiped, as the page's brush wipes, and with all the rest."""
    size = image.shape[-1]
    smooth, middle = attacks.attack("blur", image, 0, sides=(9,)), np.zeros((size, size), bool)
    middle[size // 4 : -(size // 4), size // 4 : -(size // 4)] = True
    both = np.concatenate([np.where(middle, smooth, image), np.where(middle, image, smooth)])
    face, rest = 100 * attributor.predict_proba(both)[:, attributor.columns([owner])[0]]
    return (
        f"With the middle {size // 2} × {size // 2} px wiped, the whole-image network gives the maker {face:.0f} %; with"
        f" everything but these, {rest:.0f} %."
    )


def known_by(shown, image, owner):
    """Which networks that see a part of the image name the owner, and with which probability."""
    lines = []
    for r in shown.readers:
        if r.group in {*BANDS.values(), PATCHES}:
            share = r.attributor.predict_proba(image)[0, r.attributor.columns([owner])[0]]
            knows = "knows it" if r.attributor.predict(image)[0] == owner else "does not"
            lines.append(f"{r.group.lower()} {r.label}: {knows} ({100 * share:.0f} %)")
    return f"The network that sees {'; '.join(lines)}."


def setup(app):
    app.add_directive("explorer", Explorer)
    app.add_directive("explorer-tasks", ExplorerTasks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
