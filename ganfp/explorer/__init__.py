"""The explorer: fitted attributors, images and attacks in one HTML page that computes in the reader's own browser.

The page needs no server and asks the network for nothing: scripts, images and weights are in it.  What its scripts
(``*.js``) compute is what the library computes; ``tests/test_explorer.py`` compares them in a browser.
"""

import base64
import html
import json
from importlib import resources
from string import Template

from ganfp.explorer.export import Exhibit, Reader

__all__ = ["LIMIT", "Exhibit", "Reader", "fragment", "page"]

WORKER = ("tensors.js", "layers.js", "methods.js", "worker.js")
COMPUTES = ("tensors.js", "layers.js", "attacks.js", "intake.js")
SCRIPTS = (*COMPUTES, "draw.js", "show.js", "controls.js", "grow.js", "guess.js", "app.js")
LIMIT = 8_000_000  # bytes: what can be mailed, and opened on a telephone


def fragment(exhibit: Exhibit) -> str:
    """Styles, controls, scripts and data of an exhibit: HTML that asks for nothing else, once on a page.

    ``window.explorer`` is a promise of its object.  ``ValueError`` beyond :data:`LIMIT` bytes.
    """
    worker = json.dumps(_text(*WORKER)).replace("</", "<\\/")
    found = Template(_text("fragment.html")).substitute(
        style=_text("explorer.css"), controls=_text("controls.html"), worker=worker, scripts=_text(*SCRIPTS),
        data=base64.b64encode(exhibit.packed()).decode(),
    )  # fmt: skip
    if len(found) > LIMIT:
        size = f"{len(found) / 1e6:.1f} MB, {LIMIT / 1e6:.0f} at most"
        raise ValueError(f"the explorer would have {size}: give it fewer images, or smaller networks")
    return found


def page(exhibit: Exhibit, title: str) -> str:
    """A whole page of an exhibit, in one file."""
    return Template(_text("page.html")).substitute(title=html.escape(title), fragment=fragment(exhibit))


def _text(*names: str) -> str:
    return "".join(resources.files(__package__).joinpath(name).read_text("utf-8") for name in names)
