"""Put MathJax into the book, so that formulas are set without a network.

The wheel ``sphinx-mathjax-offline`` carries all of MathJax 3; the one file with every TeX package, and the
fonts, are what a page needs.
"""

import importlib.util
from pathlib import Path

from sphinx.util.fileutil import copy_asset

SCRIPT = "tex-chtml-full.js"
FONTS = "output/chtml/fonts/woff-v2"


def copy_mathjax(app, exception):
    if exception or app.builder.format != "html":
        return
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    source, target = package / "static" / "mathjax", Path(app.outdir, "_static", "mathjax")
    copy_asset(source / SCRIPT, target)
    copy_asset(source / FONTS, target / FONTS)


def setup(app):
    app.config.mathjax_path = f"mathjax/{SCRIPT}"
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
