"""``{again} LABEL`` shows a figure of another page once more; the page of slides is also made into one file.

``slides.html`` beside ``index.html`` holds everything that it shows: it can be copied and printed.
"""

import base64
import mimetypes
import re
from copy import deepcopy
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

PAGE, FILE = "book/slides", "slides.html"
TEMPLATE = Path(__file__).with_name("slides_template.html")


class again(nodes.General, nodes.Element):
    """A figure of another page, by its ``label``, until the pages are resolved."""


class Again(SphinxDirective):
    required_arguments = 1

    def run(self):
        node = again(label=self.arguments[0])
        self.set_source_info(node)
        return [node]


class Copy(SphinxPostTransform):
    default_priority = 14  # before figures get lines of their own

    def run(self, **kwargs):
        for node in list(self.document.findall(again)):
            docname, id, _ = self.env.domaindata["std"]["labels"].get(node["label"], ("", "", ""))
            found = self.env.get_doctree(docname) if docname else nodes.section()
            figures = [figure for figure in found.findall(nodes.figure) if id in figure["ids"]]
            if not figures:
                logger.warning("again: no figure is called %r", node["label"], location=node)
            shown = [deepcopy(image) for figure in figures for image in figure.findall(nodes.image)]
            for image in shown:
                image["width"] = "100%"
            node.replace_self(nodes.container("", *shown, classes=["again"]))


def write_deck(app, exception):
    if exception or app.builder.format != "html" or PAGE not in app.env.all_docs:
        return
    page = app.env.get_and_resolve_doctree(PAGE, app.builder)
    app.builder.current_docname = PAGE
    app.builder.imgpath = "_images"
    app.builder.post_process_images(page)
    sections = [node for node in page.findall(nodes.section) if not isinstance(node.parent, nodes.document)]
    slides = [embedded(app.builder.render_partial(section)["fragment"], Path(app.outdir)) for section in sections]
    body = "\n".join(f'<section aria-label="{i} of {len(slides)}">{s}</section>' for i, s in enumerate(slides, 1))
    title = escape(next(page.findall(nodes.title)).astext())
    deck = TEMPLATE.read_text("utf-8").replace("{title}", title).replace("{slides}", body)
    Path(app.outdir, FILE).write_text(deck, "utf-8")


def embedded(html, root):
    """A part of a page with its images inside and its links, which lead nowhere from a single file, as plain text."""

    def data(match):
        path = root / "_images" / Path(match[1]).name
        kind = mimetypes.guess_type(path)[0]
        return f'src="data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"'

    return re.sub(r'src="([^"]+)"', data, re.sub(r"<a [^>]*headerlink.*?</a>|</?a\b[^>]*>", "", html, flags=re.S))


def setup(app):
    app.add_directive("again", Again)
    app.add_node(again)
    app.add_post_transform(Copy)
    app.connect("build-finished", write_deck, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
