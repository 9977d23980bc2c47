"""The look of every figure: colours, width, fonts."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib_inline.backend_inline import set_matplotlib_formats

INK, MUTED, PAPER = "#222222", "#8a8a8a", "#ffffff"
REAL = "#3b3b3b"
PALETTE = ("#1f6f8b", "#c8553d", "#e0a030", "#588157", "#7b4b94", "#b56576", "#3a86c8", "#8d6b48", "#2a9d8f", "#9aa02c")
WIDTH = 7.2  # inches: the text column
DIAMOND = {"marker": "D", "markerfacecolor": "none", "markeredgecolor": MUTED, "linestyle": "none"}  # the paper's
BELOW = "outside lower center"  # where legends are
PLAIN = {"fontsize": 9, "fontweight": "normal"}  # titles of pictures
SIGNED = "RdBu_r"
PERCENT = {"vmin": 0, "vmax": 100, "cmap": sns.light_palette(PALETTE[0], as_cmap=True), "annot": True, "cbar": False}


def use_style() -> None:
    """Set the book's style; every notebook calls it once."""
    set_matplotlib_formats("retina")  # two pixels per point, so that figures stay sharp on any screen
    plt.rcParams.update(
        {
            "figure.dpi": 110, "figure.facecolor": PAPER, "figure.constrained_layout.use": True,
            "savefig.dpi": 170, "savefig.bbox": "tight", "svg.fonttype": "path",
            "font.family": "sans-serif", "font.size": 9, "legend.frameon": False,
            "axes.titlesize": 10, "axes.titleweight": "bold", "axes.edgecolor": MUTED, "axes.labelcolor": INK,
            "axes.spines.top": False, "axes.spines.right": False, "axes.prop_cycle": plt.cycler(color=PALETTE),
            "xtick.color": INK, "ytick.color": INK, "image.interpolation": "nearest",
        }
    )  # fmt: skip


def colours(classes: Sequence[str]) -> dict[str, str]:
    """One colour per source, the same on every page: real is grey, the GANs follow in their order."""
    generated = [name for name in classes if name != "real"]
    return {"real": REAL, **{name: PALETTE[i % len(PALETTE)] for i, name in enumerate(generated)}}
