"""The page of slides is also made into one file.

``slides.html`` beside ``index.html`` holds everything that it shows: it can be copied and printed.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes

PAGE, FILE = "book/slides", "slides.html"
TEMPLATE = Path(__file__).with_name("slides_template.html")


def write_deck(app, exception):
    if exception or app.builder.format != "html" or PAGE not in app.env.all_docs:
        return
    page = app.env.get_and_resolve_doctree(PAGE, app.builder)
    app.builder.current_docname = PAGE
    sections = [node for node in page.findall(nodes.section) if not isinstance(node.parent, nodes.document)]
    slides = [unlinked(app.builder.render_partial(section)["fragment"]) for section in sections]
    body = "\n".join(f'<section aria-label="{i} of {len(slides)}">{s}</section>' for i, s in enumerate(slides, 1))
    title = escape(next(page.findall(nodes.title)).astext())
    deck = TEMPLATE.read_text("utf-8").replace("{title}", title).replace("{slides}", body)
    Path(app.outdir, FILE).write_text(deck, "utf-8")


def unlinked(html):
    """A part of a page with its links, which lead nowhere from a single file, as plain text."""
    return re.sub(r"<a [^>]*headerlink.*?</a>|</?a\b[^>]*>", "", html, flags=re.S)


def setup(app):
    app.connect("build-finished", write_deck, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
