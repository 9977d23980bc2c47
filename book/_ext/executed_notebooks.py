"""Show a notebook's executed copy in its place.

The table of contents names ``notebooks/x.ipynb``, which carries no outputs; so do labels, links and
downloads.  ``ganfp book`` leaves executed copies in another folder, and Sphinx reads those instead.  A copy
that is missing, or whose cells are no longer the notebook's, is a warning: no page shows results that its own
code did not make.  The page has one block of parameters, folded: what they mean, and their values in this run.
A notebook whose last execution failed keeps the page of the one before, which says so.
"""

import json
import re
from pathlib import Path

from sphinx.util import logging

from ganfp.paper.plots.style import NARROW_MIME

logger = logging.getLogger(__name__)


def copy_of(app, docname):
    """Path of the executed copy; None for a page that is no notebook."""
    if not docname.startswith("notebooks/"):
        return None
    return Path(app.srcdir, app.config.executed_notebooks_dir, Path(docname).name + ".ipynb")


def cells(text):
    """Sources of the cells; papermill's own cell, the parameters of this run, left out."""
    return [
        "".join(cell["source"])
        for cell in json.loads(text)["cells"]
        if "injected-parameters" not in cell["metadata"].get("tags", [])
    ]


def show_copy(app, docname, source):
    copy = copy_of(app, docname)
    if copy is None:
        return
    if not copy.exists():
        logger.warning("not executed yet; run `ganfp book`", location=docname)
        return
    executed = copy.read_text("utf-8")
    if date := failures(copy.parent).get(copy.stem):
        executed = with_note(executed, date)
    elif cells(executed) != cells(source[0]):
        logger.warning("changed since it was executed; run `ganfp book`", location=docname)
    source[0] = json.dumps(with_one_block(json.loads(executed)))


def with_one_block(notebook):
    """The notebook with papermill's values in the cell that explains the parameters, and not in a cell of their own."""
    tagged = {tag: cell for cell in notebook["cells"] for tag in cell["metadata"].get("tags", ())}
    block, injected = (tagged.get(tag) for tag in ("parameters", "injected-parameters"))
    if block:
        given = dict(re.findall(r"^(\w+) = (.*)$", "".join(injected["source"]) if injected else "", re.M))
        block["source"] = [
            re.sub(r"^(\w+)(: \w+ = )(.*?)(  # )", lambda m: f"{m[1]}{m[2]}{given.get(m[1], m[3])}{m[4]}", line)
            for line in block["source"]
        ]
        block["metadata"] |= {"tags": ["parameters", "hide-input"]}
        block["metadata"]["mystnb"] = {"code_prompt_show": "Parameters of this run", "code_prompt_hide": "Parameters"}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell is not injected]
    for output in (output for cell in notebook["cells"] for output in cell.get("outputs", ())):
        output.get("data", {}).pop(NARROW_MIME, None)  # drawings.py takes it from the file
    return notebook


def failures(folder):
    """When each notebook failed whose last execution did."""
    path = folder / "failed.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def with_note(text, date):
    """The notebook, and below its title that it is not the newest."""
    page = json.loads(text)
    day = date.partition("T")[0]
    note = f":::{{warning}}\nThe last execution of this page, on {day}, failed. It shows the one before.\n:::"
    page["cells"].insert(1, {"id": "failed", "cell_type": "markdown", "metadata": {}, "source": note})
    return json.dumps(page)


def reread(app, env, added, changed, removed):
    """Pages whose copy is newer than the page as last read (Sphinx keeps that time in microseconds)."""
    copies = {docname: copy_of(app, docname) for docname in env.all_docs}
    return [
        docname
        for docname, copy in copies.items()
        if copy and copy.exists() and copy.stat().st_mtime_ns // 1000 > env.all_docs[docname]
    ]


def setup(app):
    app.add_config_value("executed_notebooks_dir", "executed", "env")
    app.connect("source-read", show_copy)
    app.connect("env-get-outdated", reread)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
