"""One count: what the paper numbers keeps its number, and what is this book's own is counted x1, x2, ...

A label says which it is: ``tab-3``, ``fig-2a`` and ``eq-5`` are the paper's Table 3, Figure 2a and Equation 5; any
other label is the book's own.  ``numref`` and ``eq`` say these numbers, and so do captions.  Where prose says "Table 3"
or "Figures 22 to 35", each number becomes a link.  All of them are in the index, and so in the search.
"""

import re
from collections import Counter
from unicodedata import normalize

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

KINDS = {"table": ("Table", "tab"), "figure": ("Figure", "fig"), "displaymath": ("Equation", "eq")}
LABEL = re.compile(r"(?:equation-)?(?:tab|fig|eq)-(\d+[a-d]?)")
MENTION = re.compile(  # but not of another paper's: "Miyato et al. 2018, Equation 3"
    r"(?<!\d{4}, )\b(Table|Figure|Equation)s?\s\d+[a-d]?(?:(?:,? and |, | to |[-–])\d+[a-d]?)*"
)
NUMBER = re.compile(r"(?:(?:Table|Figure|Equation)s?\s)?\d+[a-d]?")
SILENT = (nodes.literal, nodes.literal_block, nodes.reference, nodes.math, nodes.math_block, nodes.raw)
SILENT += (addnodes.desc_signature,)


def number(app, env):
    """Give every table, figure and equation its number, in the order of the table of contents."""
    own = Counter()
    for kinds in env.toc_fignumbers.values():
        for kind, numbers in kinds.items():
            for label in numbers if kind in KINDS else ():
                theirs = LABEL.fullmatch(label)
                own[kind] += not theirs
                numbers[label] = (theirs[1],) if theirs else (f"x{own[kind]}",)
    return []


def numbered(env):
    """All of them: (kind, number, page, identifier in the page), kind as "Table"."""
    for docname, kinds in env.toc_fignumbers.items():
        for kind, numbers in kinds.items():
            for label, (n,) in numbers.items() if kind in KINDS else ():
                yield KINDS[kind][0], n, docname, label


def order(n):
    """Key that sorts 2a, 2b, 10, x1, x10."""
    own, digits, letter = re.fullmatch(r"(x?)(\d+)(\w?)", n).groups()
    return own, int(digits), letter


def note_index(app, env):
    """Enter all of them into the index."""
    entries = env.domaindata["index"]["entries"]
    for kind, n, docname, label in numbered(env):
        entries.setdefault(docname, []).append(("single", f"{kind} {n}", label, "main", None))


def sort_index(app, pagename, templatename, context, doctree):
    """Sort the page of the index as one counts: Figure 2 before Figure 10."""
    for _, entries in context.get("genindexentries", ()):
        entries.sort(key=lambda entry: counted(entry[0]))


def counted(text):
    """Key that sorts words by their letters, and numbers in them by their size."""
    parts = re.split(r"(\d+)", normalize("NFD", text.lower()))
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


class Searchable(SphinxPostTransform):
    """The search reads a page's own index entries: whoever types "Figure 5" is led to it."""

    default_priority = 10

    def run(self, **kwargs):
        for kind, n, docname, label in numbered(self.env):
            if docname == self.env.docname:
                self.document.insert(0, addnodes.index(entries=[("single", f"{kind} {n}", label, "main", None)]))


class Mentions(SphinxPostTransform):
    """Make links of the paper's numbers in prose."""

    default_priority = 850  # glued texts stand in their places

    def run(self, **kwargs):
        self.places = {(kind, n): (page, label) for kind, n, page, label in numbered(self.env)}
        for text in list(self.document.findall(nodes.Text)):
            if MENTION.search(text) and not self.is_silent(text):
                text.parent.replace(text, list(self.linked(text)))

    def is_silent(self, text):
        node = text.parent
        while node is not None:
            heading = isinstance(node, nodes.title) and isinstance(node.parent, nodes.section)
            if isinstance(node, SILENT) or heading:
                return True
            node = node.parent
        return False

    def linked(self, text):
        at = 0
        for mention in MENTION.finditer(text):
            for found in NUMBER.finditer(text, mention.start(), mention.end()):
                place = self.place(mention[1], found[0].split()[-1])
                if place:
                    yield nodes.Text(text[at : found.start()])
                    builder, (page, label) = self.app.builder, place
                    yield make_refnode(builder, self.env.docname, page, label, nodes.Text(found[0]))
                    at = found.end()
        yield nodes.Text(text[at:])

    def place(self, kind, n):
        return self.places.get((kind, n)) or self.places.get((kind, f"{n}a"))  # Figure 2 begins with Figure 2a


def setup(app):
    app.connect("env-get-updated", number, priority=900)  # after Sphinx has counted in its own way
    app.connect("env-check-consistency", note_index)
    app.connect("html-page-context", sort_index)
    app.add_post_transform(Searchable)
    app.add_post_transform(Mentions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
