"""The explorer as HTML: a fragment for a page of the book, or a page of its own that can be mailed."""

import base64
import html
import json
from importlib import resources
from string import Template

from ganfp.explorer.export import Exhibit

WORKER = ("tensors.js", "layers.js", "methods.js", "worker.js")
SCRIPTS = ("tensors.js", "layers.js", "attacks.js", "intake.js", "draw.js", "show.js", "controls.js", "guess.js", "app.js")
LIMIT = 8_000_000  # bytes: what can be mailed, and opened on a telephone


def fragment(exhibit: Exhibit) -> str:
    """Styles, controls, scripts and data of an exhibit: HTML that asks for nothing else, once on a page.

    Its object is ``window.explorer``, a promise of it.  ``ValueError`` beyond :data:`LIMIT` bytes.
    """
    data = base64.b64encode(exhibit.packed()).decode()
    worker = json.dumps(_text(*WORKER)).replace("</", "<\\/")
    found = (
        f"<style>\n{_text('explorer.css')}</style>\n{_text('explorer.html')}"
        f'<script type="text/plain" id="explorer-data">{data}</script>\n'
        f'<script>\nwindow.explorer = (() => {{ "use strict";\nconst WORKER_SOURCE = {worker};\n{_text(*SCRIPTS)}'
        'return start(document.querySelector(".explorer"), document.getElementById("explorer-data").textContent);\n'
        "})();\n</script>\n"
    )
    if len(found) > LIMIT:
        size = f"{len(found) / 1e6:.1f} MB, {LIMIT / 1e6:.0f} at most"
        raise ValueError(f"the explorer would have {size}: give it fewer images, or smaller networks")
    return found


def page(exhibit: Exhibit, title: str) -> str:
    """A whole page of an exhibit, in one file."""
    return Template(_text("page.html")).substitute(title=html.escape(title), fragment=fragment(exhibit))


def _text(*names: str) -> str:
    return "".join(resources.files(__package__).joinpath(name).read_text("utf-8") for name in names)
