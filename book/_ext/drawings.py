"""Figures as drawings in the page: vectors in its font, for both themes, wide and narrow, and with numbers.

A notebook holds each figure twice as SVG, for a wide page and for a narrow one (``ganfp/paper/plots/style.py``).  Both
go into the page itself, where its style sheet reaches them: the reader's width chooses one, the theme their colours.
"""

import json
import re
from inspect import signature
from pathlib import Path

from docutils import nodes
from provenance import resolve, sources
from sphinx.transforms.post_transforms import SphinxPostTransform

from ganfp.paper.plots.style import DARK, NARROW, NARROW_MIME, WIDE, palette
from ganfp.paper.record import original, read

TOLD = 16  # numbers of a figure at most that its alternative text says
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
KNOWN = {colour for colours in palette().values() for colour in colours}


class drawing(nodes.General, nodes.Element):
    """The two SVG texts of a figure; no text for the search."""


class Inline(SphinxPostTransform):
    """Put drawings in the places of images, after other pages have copied those."""

    default_priority = 860

    def run(self, **kwargs):
        copy = Path(self.env.srcdir, "executed", f"{Path(self.env.docname).name}.ipynb")
        if not self.env.docname.startswith("notebooks/") or not copy.exists():
            return
        cells = json.loads(copy.read_text("utf-8"))["cells"]
        shown = {label: data for cell in cells for label, data in drawn(cell)}
        known = sources(cells)
        for figure in self.document.findall(nodes.figure):
            for label in (name for name in figure["ids"] if name in shown):
                for image in list(figure.findall(nodes.image)):
                    text = alternative(image.get("alt", ""), self.records(known[label]))
                    image.replace_self(drawing(label=label, data=shown[label], alt=text, width=image.get("width", "")))

    def records(self, source):
        """The records that a figure draws; none for one that draws arrays."""
        if not any(".plots." in name and "records" in signature(resolve(name)).parameters for name in source.functions):
            return []
        ledger = json.loads(Path(self.env.srcdir, "executed", "run.json").read_text("utf-8"))
        page = ledger[Path(self.env.docname).name]
        files = (Path(self.env.srcdir, page["parameters"]["out"], f"{name}.json") for name in sorted(source.files))
        return [r for file in files if file.exists() for r in read(file)]


def drawn(cell):
    """The figure of a cell, by its label: its SVG texts, the wide one first."""
    label = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
    for output in cell.get("outputs", ()) if label else ():
        data = output.get("data", {})
        if "image/svg+xml" in data:
            yield label, ["".join(data[kind]) for kind in ("image/svg+xml", NARROW_MIME) if kind in data]


def alternative(text, records):
    """What a figure shows, and the numbers behind it, if these are few."""
    numbers = [r for r in records if not r.variant and r.metric in ("accuracy", "fd_ratio", "margin", "share")]
    if not numbers or len(numbers) > TOLD:
        return text
    worlds = len({r.dataset for r in numbers}) > 1
    parts = ((worlds and r.dataset, r.row, r.column != original(r.dataset) and r.column, r) for r in numbers)
    said = (" ".join([*filter(None, words), f"{r.value:.2f}"]) for *words, r in parts)
    return f"{text.rstrip('.')}. {', '.join(said)}."


def clean(svg, prefix, kind):
    """An SVG text as part of a page: identifiers of its own, colours by name, one size of text in all of them."""
    svg = svg[svg.index("<svg") :]
    share = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1]) / (72 * (WIDE if kind == "wide" else NARROW))
    scale = f' style="max-width: {100 * share:.1f}%"' if share < 0.98 else ""
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", svg)
    svg = COLOUR.sub(lambda m: f"var(--c{m[0][1:]}, {m[0]})" if m[0] in KNOWN else m[0], svg)
    return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1"{scale} aria-hidden="true">', svg, count=1)


def visit(writer, node):
    text, label = writer.attval(node["alt"]), node["label"]
    width = f' style="max-width: {node["width"]}"' if node["width"] else ""
    writer.body.append(f'<div class="drawing" role="img" aria-label="{text}"{width}>')
    for kind, svg in zip(("wide", "narrow"), node["data"], strict=False):
        classes = kind if len(node["data"]) > 1 else ""
        writer.body.append(f'<div class="{classes}">{clean(svg, f"{label}-{kind}-", kind)}</div>')
    writer.body.append("</div>")
    raise nodes.SkipNode


def skip(writer, node):
    raise nodes.SkipNode


def dark(*inks):
    """The dark theme's colours: those of a meaning have partners there, others are mixed with white."""
    ink, *others = palette().values()
    mixed = {colour: f"color-mix(in oklab, {colour} 52%, white)" for colours in others for colour in colours}
    return dict(zip(ink, (*inks, "transparent"), strict=True)) | mixed | DARK


def darkened(svg):
    """An SVG text for the dark theme outside a page, where no style sheet reaches it."""
    named = dark("#dfe4e5", "#9aa6ab")
    return COLOUR.sub(lambda m: named.get(m[0], m[0]), svg)


def write_palette(app, exception):
    if exception or app.builder.format != "html":
        return
    named = dark("var(--pst-color-text-base)", "var(--pst-color-text-muted)")
    lines = "\n".join(f"  --c{colour[1:]}: {to};" for colour, to in named.items())
    Path(app.outdir, "_static", "palette.css").write_text(f'html[data-theme="dark"] {{\n{lines}\n}}\n', "utf-8")


def setup(app):
    app.add_node(drawing, html=(visit, None), latex=(skip, None), text=(skip, None))
    app.add_post_transform(Inline)
    app.add_css_file("palette.css")
    app.connect("build-finished", write_palette)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
