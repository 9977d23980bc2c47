"""``{explorer}``: the networks and test images of the run that the pages show, at work in the reader's browser.

Of drawn worlds only: no photograph enters a page.
"""

import json
from pathlib import Path

import numpy as np
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from ganfp import attributors, worlds
from ganfp.explorer import Exhibit, Reader, fragment
from ganfp.paper import s4_3
from ganfp.paper.attacked import PAPERS, attack
from ganfp.paper.attribution import seed_setup
from ganfp.paper.table import readable
from ganfp.runs.run import begin

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
    parts = [part for part in s4_3.bands_of(run).values() if part]
    for band, group in BANDS.items():
        for part in sorted((p for p in parts if p.get("band", "low") == band), key=lambda p: p["factor"]):
            yield group, f"{resolution // part['factor']} px", run.fit("cnn", setup, **part)
    for (side, _), part in s4_3.patches_of(run).items():
        yield PATCHES, f"{side} px", run.fit("cnn", setup, **part)


def exhibit(run, parts=True):
    """What the page shows; without ``parts``, no networks that see a part of the image."""
    setup, other = seed_setup(run), next(name for name in worlds.DRAWN if name != run.images.dataset)
    found = [r for r in readers(run) if parts or r[0] not in {*BANDS.values(), PATCHES}]
    pairs = sorted(zip(setup.classes, setup.part("test"), strict=True), key=lambda pair: pair[0])
    classes, samples = zip(*((name, np.array(run.sample(sample)[:EACH])) for name, sample in pairs), strict=True)
    drawn = worlds.drawn(other).draw(STRANGERS, run.profile.resolution, run.seed)
    owners = [*np.repeat(classes, [len(s) for s in samples]).tolist(), *[STRANGER] * STRANGERS]
    names = [f"{readable(c)}, image {i + 1}" for c, s in zip(classes, samples, strict=True) for i in range(len(s))]
    names += [f"stranger {i + 1}, of the drawn {other}" for i in range(STRANGERS)]
    asked = [Reader(attributors.load(run.path(recipe)), group, label) for group, label, recipe in found]
    called = {name: readable(name) for name in classes} | {STRANGER: f"a stranger ({other})"}
    shape = "dome" if run.images.dataset == "bedrooms" else "head"
    return Exhibit(asked, np.concatenate([*samples, drawn]), owners, names, shape, called)


class Explorer(SphinxDirective):
    def run(self):
        self.env.note_dependency(str(Path(self.env.srcdir, "executed", "run.json")))
        run = run_shown(self.env.srcdir)
        if run is None:
            return [nodes.paragraph(text="Nothing to explore: no run, or one on photographs, which enter no page.")]
        for parts in (True, False):
            try:
                return [nodes.raw("", fragment(exhibit(run, parts)), format="html")]
            except ValueError as error:
                problem = error
        return [nodes.paragraph(text=f"Nothing to explore at profile {run.profile.name}: {problem}.")]


def setup(app):
    app.add_directive("explorer", Explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
