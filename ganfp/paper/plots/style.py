"""The look of every figure: colours, width, fonts."""

from collections.abc import Callable, Sequence
from functools import wraps

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

from ganfp.paper.record import Record

INK, MUTED, PAPER = "#222222", "#8a8a8a", "#ffffff"
REAL = "#3b3b3b"
PALETTE = ("#1f6f8b", "#c8553d", "#e0a030", "#588157", "#7b4b94", "#b56576", "#3a86c8", "#8d6b48", "#2a9d8f", "#9aa02c")
WIDTH = 7.2  # inches: the text column
DIAMOND = {"marker": "D", "markerfacecolor": "none", "markeredgecolor": MUTED, "linestyle": "none"}  # the paper's


def use_style() -> None:
    """Set the book's style; every notebook calls it once."""
    set_matplotlib_formats("retina")  # two pixels per point, so that figures stay sharp on any screen
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 170,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "figure.facecolor": PAPER,
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(color=PALETTE),
            "xtick.color": INK,
            "ytick.color": INK,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "svg.fonttype": "path",
        }
    )


def shown_once(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Close the figure that a function draws: a notebook then shows it as the cell's value, and not once more."""

    @wraps(draw)
    def drawn(*args, **options) -> Figure:
        figure = draw(*args, **options)
        plt.close(figure)
        return figure

    return drawn


def colours(classes: Sequence[str]) -> dict[str, str]:
    """One colour per source, the same on every page: real is grey, the GANs follow in their order."""
    generated = [name for name in classes if name != "real"]
    return {"real": REAL, **{name: PALETTE[i % len(PALETTE)] for i, name in enumerate(generated)}}


def bare(axis: Axes) -> None:
    """Leave nothing of an axis but what is drawn on it."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def level(axis: Axes, value: float, upright: bool = False, **options) -> None:
    """A dashed line at a value to compare with, such as chance."""
    draw = axis.axvline if upright else axis.axhline
    draw(value, **{"color": MUTED, "linestyle": (0, (4, 3)), "linewidth": 1} | options)


def whiskers(records: Sequence[Record]) -> np.ndarray | None:
    """The distances of the interval's ends from each value, (2, n), as error bars want them; None without intervals."""
    if records[0].ci_low is None:
        return None
    return np.abs(np.array([[r.low - r.value, r.high - r.value] for r in records]).T)
