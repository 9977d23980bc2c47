"""``{again} LABEL``: a figure of another page once more, for both widths and themes, and a link to where it stands."""

import json
from pathlib import Path

from docutils import nodes
from drawings import drawing, drawn
from paper_numbers import numbered
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)


class again(nodes.General, nodes.Element):
    """Where a figure will be, once all pages are read."""


class Again(SphinxDirective):
    required_arguments = 1

    def run(self):
        node = again(label=self.arguments[0])
        self.set_source_info(node)
        return [node]


class Copy(SphinxPostTransform):
    default_priority = 20

    def run(self, **kwargs):
        for node in list(self.document.findall(again)):
            node.replace_self(nodes.container("", *self.copy(node), classes=["again"]))

    def copy(self, node):
        places = {label: (kind, n, page) for kind, n, page, label in numbered(self.env)}
        kind, n, page = places.get(label := node["label"], ("", "", ""))
        notebook = Path(self.env.srcdir, "executed", f"{Path(page).name}.ipynb")
        cells = json.loads(notebook.read_text("utf-8"))["cells"] if notebook.exists() else []
        data = dict(found for cell in cells for found in drawn(cell)).get(label)
        if data is None:
            logger.warning("again: no drawing is called %r", label, location=node)
            return
        figure = next(x for x in self.env.get_doctree(page).findall(nodes.figure) if label in x["ids"])
        text = next(figure.findall(nodes.image)).get("alt", "")
        yield drawing(label=f"again-{label}", data=data, alt=text, width="")
        link = make_refnode(self.app.builder, self.env.docname, page, label, nodes.Text(f"{kind} {n}"))
        yield nodes.paragraph("", "", link, classes=["again-of"])


def setup(app):
    app.add_node(again)
    app.add_directive("again", Again)
    app.add_post_transform(Copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
