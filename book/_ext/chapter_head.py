"""``{chapter}``: what a page teaches and asks for, what its claims came to, and the minutes that it takes, counted."""

import json
import math
from pathlib import Path

from claims_ledger import Claims
from docutils import nodes

WORDS_A_MINUTE = 200
SKIPPED = (nodes.literal_block, nodes.raw, nodes.table)


class Chapter(Claims):
    has_content = True

    def run(self):
        box = nodes.container(classes=["chapter-head"])
        self.state.nested_parse(self.content, self.content_offset, box)
        box += self.came_out()
        box += nodes.paragraph("", "", nodes.strong(text="Time:"), nodes.Text(" "), nodes.inline(classes=["minutes"]))
        return [box]


def minutes(doctree):
    """Minutes to read the prose of a page; solutions, code and tables are looked at by choice."""
    words = sum(len(text.split()) for text in doctree.findall(nodes.Text) if not skipped(text.parent))
    return max(1, math.ceil(words / WORDS_A_MINUTE))


def skipped(node):
    if node is None:
        return False
    return isinstance(node, SKIPPED) or "solution" in node.get("classes", ()) or skipped(node.parent)


def fill_in(app, doctree):
    found = [node for node in doctree.findall(nodes.inline) if node["classes"] == ["minutes"]]
    if not found:
        return
    path = Path(app.srcdir, app.config.executed_notebooks_dir, "run.json")
    page = json.loads(path.read_text("utf-8")).get(Path(app.env.docname).name) if path.exists() else None
    app.env.note_dependency(str(path))
    read = minutes(doctree)
    text = f"{read} minute{'s' if read > 1 else ''} to read"
    if page:
        profile = page["parameters"]["profile"]
        text += f"; {page['seconds']:.0f} s to run here (profile {profile}), once what it loads is made"
    for node in found:
        node += nodes.Text(f"{text}.")


def setup(app):
    app.add_directive("chapter", Chapter)
    app.connect("doctree-read", fill_in)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
