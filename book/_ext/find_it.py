"""``{find-it}``: each table, figure and equation of the paper: a picture, its title, where it is, who measured it."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

from claims_ledger import CLASSES, records_shown
from docutils import nodes
from drawings import darkened
from paper_numbers import KINDS, numbered, order
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from ganfp.paper import judge, published
from ganfp.paper.record import reference_records
from ganfp.worlds import DRAWN

HEADINGS = ("Picture", "Where", "What it shows", "Reference run", "This run")
WIDTHS = (18, 14, 36, 16, 16)


class everything(nodes.Element):
    """Where the list will be, once all pages are read."""


class dark(nodes.General, nodes.Element):
    """The image before it once more, in the colours of the dark theme."""


def visit(writer, node):
    light = node.parent[node.parent.index(node) - 1]
    shown = Path(light["uri"])  # as it was just written
    source = next(path for path, name in writer.builder.images.items() if name == shown.name)
    there = Path(writer.builder.outdir, writer.builder.imagedir, f"{shown.stem}-dark.svg")
    there.parent.mkdir(exist_ok=True)  # Sphinx makes it after the pages
    there.write_text(darkened(Path(writer.builder.srcdir, source).read_text("utf-8")), "utf-8")
    place, alt = f"{writer.builder.imgpath}/{there.name}", writer.attval(light.get("alt", ""))
    writer.body.append(f'<img class="thumbnail only-dark" src="{place}" alt="{alt}" loading="lazy">')
    raise nodes.SkipNode


class FindIt(SphinxDirective):
    def run(self):
        return [everything("", nodes.math(text="x"))]  # a page is given MathJax for what it holds when it is read


class Fill(SphinxPostTransform):
    default_priority = 20

    def run(self, **kwargs):
        for node in list(self.document.findall(everything)):
            node.replace_self(self.table())

    def table(self):
        self.reference, self.measured = map(known, (reference_records(), records_shown(self.env.srcdir)))
        self.doctree = cache(self.env.get_doctree)  # read from its file once, not once an item
        table = nodes.table(classes=["filterable", "find-it", "colwidths-given"])
        group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in WIDTHS), cols=len(WIDTHS))
        head, body = nodes.thead(), nodes.tbody()
        head += line([nodes.paragraph(text=heading)] for heading in HEADINGS)
        found = [place for place in numbered(self.env) if not place[1].startswith("x")]
        kinds = [name for name, _ in KINDS.values()]
        for place in sorted(found, key=lambda x: (kinds.index(x[0]), order(x[1]))):
            body += line(self.cells(*place))
        table += group
        group += [head, body]
        return table

    def cells(self, kind, n, page, label):
        link = make_refnode(self.app.builder, self.env.docname, page, label, nodes.strong(text=f"{kind} {n}"))
        where = nodes.inline(text=self.env.titles[page].astext(), classes=["where"])
        picture = self.picture(kind, page, label)
        yield [picture, *([dark()] if kind == "Figure" else [])]
        yield [nodes.paragraph("", "", link), nodes.paragraph("", "", where)]
        yield [nodes.paragraph(text=self.title(kind, n, page, label))]
        yield status(kind, n, self.reference, here=False)
        yield status(kind, n, self.measured, here=True)

    def node(self, page, label):
        return next(node for node in self.doctree(page).findall(nodes.Element) if label in node.get("ids", ()))

    def title(self, kind, n, page, label):
        """The first sentence of the caption; equations have theirs in ``published.yml``."""
        if kind == "Equation":
            return published.load()["equations"][n]
        caption = next(self.node(page, label).findall(lambda x: isinstance(x, (nodes.caption, nodes.title))))
        return re.split(r"(?<=\w)\. ", caption.astext(), maxsplit=1)[0].rstrip(".")

    def picture(self, kind, page, label):
        node = self.node(page, label)
        if kind == "Equation":
            formula = node if isinstance(node, nodes.math_block) else next(node.findall(nodes.math_block))
            return nodes.paragraph("", "", nodes.math(text=formula.astext()), classes=["thumbnail"])
        if kind == "Table":
            return nodes.raw("", miniature(node), format="html")
        image = next(node.findall(nodes.image)).deepcopy()
        image["classes"] = ["thumbnail", "only-light"]
        for side in ("width", "height", "ids", "names"):
            image.attributes.pop(side, None)
        image["loading"] = "lazy"
        return image


def miniature(table):
    """A table so small that only its form is left: a stroke for each cell, as long as its text."""
    rows = [[len(entry.astext()) for entry in row.children] for row in table.findall(nodes.row)]
    columns = [max(column) for column in zip(*rows, strict=True)]
    shown, scale, strokes = rows[:12], 150 / max(1, sum(columns) + 2 * len(columns)), []
    for y, row in enumerate(shown):
        x = 0
        for length, column in zip(row, columns, strict=True):
            box = f'x="{x * scale:.1f}" y="{6 * y}" width="{length * scale:.1f}" height="{3 if y else 2}"'
            strokes.append(f"<rect {box}/>")
            x += column + 2
    body = "".join(strokes)
    return f'<svg class="thumbnail miniature" viewBox="0 0 150 {6 * len(shown)}" aria-hidden="true">{body}</svg>'


def known(records):
    """The records of a run, and what those of the drawn worlds are as evidence."""
    return records, judge.evidence(r for r in records if r.dataset in DRAWN)


def status(kind, n, run, here):
    """What a run has of an item: of a table the worlds that it was measured on, and the verdicts that rest on it."""
    if kind == "Equation":
        return [nodes.paragraph(text="in the code" if here else "")]
    records, drawn = run
    found = [r for r in records if (r.table if kind == "Table" else r.figure) == n]
    worlds = ", ".join(sorted({r.dataset for r in found}))
    shown = [nodes.paragraph(text=worlds or ("shown" if here and kind == "Figure" else "–"))]
    claims = [one for one in judge.claims().values() if one.tables[-1] == n] if kind == "Table" and found else []
    count = Counter(judge.judge(one, drawn).outcome for one in claims)
    for outcome in CLASSES:
        if count[outcome]:
            said = nodes.inline(text=f"{outcome}: {count[outcome]}", classes=[CLASSES[outcome]])
            shown.append(nodes.paragraph("", "", said))
    return shown


def line(cells):
    return nodes.row("", *(nodes.entry("", *cell) for cell in cells))


def setup(app):
    app.add_node(everything)
    app.add_node(dark, html=(visit, None))
    app.add_directive("find-it", FindIt)
    app.add_post_transform(Fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
