"""The first use of each term of the glossary on a page leads to it, and shows its meaning to pointer and keyboard.

Pages need no markup for it, and the search index does not see the meanings.
"""

import re
from functools import cache
from html import escape

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

GLOSSARY = "book/glossary"
LEFT_OUT = (GLOSSARY, "book/api/", "book/slides", "book/references")
UNTOUCHED = (
    nodes.reference, nodes.title, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw,
    nodes.caption, nodes.table, nodes.rubric, nodes.term, addnodes.desc, addnodes.pending_xref,
)  # fmt: skip


class glossed(nodes.Inline, nodes.TextElement):
    """A term in running text: attributes ``refuri``, ``meaning`` and ``number``, its place among those of the page."""


def visit(self, node):
    link = f'<a href="{escape(node["refuri"])}" aria-describedby="gloss-{node["number"]}">'
    self.body.append(f'<span class="glossed">{link}')


def depart(self, node):
    self.body.append(f'</a><span role="tooltip" id="gloss-{node["number"]}">{escape(node["meaning"])}</span></span>')


@cache
def terms(env):
    """``{term: (id of its entry, meaning)}``, read from the glossary; empty in a book without one."""
    if GLOSSARY not in env.all_docs:
        return {}
    found = {}
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        meaning = " ".join(item[-1].astext().split())
        for term in item.findall(nodes.term):
            found[term.astext()] = term["ids"][0], meaning
    return found


def pattern(term):
    """Whole words, in plural, too; small letters stand for capitals at the head of a sentence, but not in names."""
    first, rest = term[0], re.escape(term[1:])
    head = f"[{first}{first.upper()}]" if term.islower() else re.escape(first)
    return rf"(?<![\w-]){head}{rest}s?(?![\w-])"


class Tooltips(SphinxPostTransform):
    default_priority = 890  # when glued numbers stand in their places
    formats = ("html",)

    def run(self, **kwargs):
        docname = self.env.docname
        if docname.startswith(LEFT_OUT):
            return
        left = dict(terms(self.env))
        if not left:
            return
        there = self.app.builder.get_relative_uri(docname, GLOSSARY)
        number = 0
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, nodes.TextElement) or untouched(text.parent):
                continue
            found, rest = [], text.astext()
            while match := earliest(left, rest):
                term, hit = match
                id, meaning = left.pop(term)
                node = glossed("", hit[0], refuri=f"{there}#{id}", meaning=meaning, number=(number := number + 1))
                found += [nodes.Text(rest[: hit.start()]), node]
                rest = rest[hit.end() :]
            if found:
                text.parent.replace(text, [*found, nodes.Text(rest)])


def earliest(left, text):
    """The first term in a text, of two at one place the longer one."""
    hits = [(term, hit) for term in left if (hit := re.search(pattern(term), text))]
    return min(hits, key=lambda found: (found[1].start(), -found[1].end()), default=None)


def untouched(node):
    return node is not None and (isinstance(node, UNTOUCHED) or untouched(node.parent))


def setup(app):
    app.add_node(glossed, html=(visit, depart))
    app.add_post_transform(Tooltips)
    app.add_css_file("teaching.css")
    app.add_js_file("teaching.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
