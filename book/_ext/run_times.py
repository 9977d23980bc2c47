"""``{run-times}``: a table of the executed notebooks, what each was run with and how long it took."""

import json
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from ganfp import worlds

HEADER = ("Page", "Profile", "Images", "Seed", "Device", "Executed", "Seconds")


def rows(ledger):
    for name, run in ledger.items():
        p = run["parameters"]
        day = run["date"].partition("T")[0]
        page = f"{{doc}}`/notebooks/{name}`"
        images = ", ".join(worlds.label(name) for name in worlds.names(p["dataset"]))
        yield page, *map(plain, (p["profile"], images, p["seed"], p["device"], day, run["seconds"]))


def plain(value):
    """A text as Markdown shows it, whatever it means to Markdown."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(str(value).split()))


def list_table(lines):
    yield "```{list-table}"
    yield ":header-rows: 1"
    yield ":class: results run-times"
    yield ""
    for line in lines:
        for i, entry in enumerate(line):
            yield f"{'  -' if i else '* -'} {entry}"
    yield "```"


class RunTimes(SphinxDirective):
    def run(self):
        path = Path(self.env.srcdir, self.config.executed_notebooks_dir, "run.json")
        self.env.note_dependency(str(path))
        if not path.exists():
            return [nodes.paragraph(text="No notebook has been executed yet.")]
        ledger = json.loads(path.read_text("utf-8"))
        total = sum(run["seconds"] for run in ledger.values())
        text = [*list_table([HEADER, *rows(ledger), ("All", *[""] * 5, round(total, 1))])]
        table = nodes.container()
        self.state.nested_parse(StringList(text, source=str(path)), self.content_offset, table)
        return table.children


def setup(app):
    app.add_directive("run-times", RunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
