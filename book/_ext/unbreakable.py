"""Keep a number and its unit on one line, and the two sides of an image: 95 %, 32 px, 8 × 8."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

UNIT = re.compile(r"(?<=\d) (?=(%|px|s|GB|MB)(?!\w))|(?<=\d) (?=× ?\d)|(?<=×) (?=\d)")


class Unbreakable(SphinxPostTransform):
    default_priority = 900  # last, when glued numbers stand in their places

    def run(self, **kwargs):
        for text in list(self.document.findall(nodes.Text)):
            if UNIT.search(text) and not isinstance(text.parent, (nodes.literal_block, nodes.math, nodes.raw)):
                text.parent.replace(text, nodes.Text(UNIT.sub("\N{NO-BREAK SPACE}", text)))


def setup(app):
    app.add_post_transform(Unbreakable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
