"""The look of every figure: what each colour stands for, widths, fonts, and the pictures that a notebook shows."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import ParamSpec

import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure

INK, MUTED, PAPER = "#222222", "#6f6f6f", "#fffffe"  # not pure white: in the dark the page's own ground
# A colour means one thing in the whole book.  Those of one kind differ for the colour-blind, too; those of sources,
# which colour names, have a contrast of 4.5 to white, all others of 3.
REAL = "#3b3b3b"
SOURCES = ("#0066cc", "#bb5511", "#550066", "#8800ff", "#aa5599", "#662200", "#3300aa", "#667744", "#662299", "#772266")
METHODS = {"kNN": "#737373", "Eigenface": "#3f9142", "PRNU": "#1f4d2b", "Ours": "#d6249f", "Our visNet": "#b678cc"}
METHODS |= {"Inception": METHODS["kNN"], "Our fingerprint": METHODS["Ours"]}
ATTACKS = {
    "noise": "#2288ff", "blur": "#880044", "cropping": "#ee4488",
    "compression": "#330077", "relighting": "#884499", "combination": "#3344cc",
}  # fmt: skip
PALETTE = ("#14808c", "#8a6d00", "#b3412e", "#4f5d75", "#5a7d2a", "#8d5b4c", "#7a4f9a", "#2c6e49")  # the rest
DARK = {  # the same in the dark theme: as far from each other there, and as well seen
    "#3b3b3b": "#939393", "#0066cc": "#82b8fd", "#bb5511": "#e49d78", "#550066": "#ab82b5", "#8800ff": "#9c79f4",
    "#aa5599": "#ecb2dc", "#662200": "#be8975", "#3300aa": "#9089ce", "#667744": "#c1ceaa", "#662299": "#8f72d3",
    "#772266": "#b999b6", "#737373": "#c2c2c2", "#3f9142": "#87d185", "#1f4d2b": "#7aa683", "#d6249f": "#f44eb6",
    "#b678cc": "#e3b2f9", "#2288ff": "#74abfe", "#880044": "#d86387", "#ee4488": "#fab2bb", "#330077": "#8981bc",
    "#884499": "#ccacd4", "#3344cc": "#5f82f9",
}  # fmt: skip
FIRM = ("#7a5f00", "#9c3626")  # under white letters, the same in both themes
WIDE, NARROW = 7.2, 3.9  # inches: the text column of a wide page and of a telephone
SMALL = 9.0  # points: at least 11 pixels on every page
DIAMOND = {"marker": "D", "markerfacecolor": "none", "markeredgecolor": MUTED, "linestyle": "none"}  # the paper's
PLAIN = {"fontsize": 9, "fontweight": "normal"}  # titles of pictures
SIGNED = "RdBu_r"
MUCH = "#14808d"  # the dark end of a scale: of no colour's name, which the dark theme would make pale
PERCENT = {"vmin": 0, "vmax": 100, "annot": True, "cbar": False}
NARROW_MIME = "application/vnd.ganfp.narrow+svg"  # beside a figure in a notebook: the same for a telephone

_WIDTH = WIDE


def width() -> float:
    """Inches of the text column that figures are drawn for."""
    return _WIDTH


def narrow() -> bool:
    """Whether that is a telephone's."""
    return _WIDTH == NARROW


@contextmanager
def telephone() -> Iterator[None]:
    """Draw figures for a narrow page."""
    global _WIDTH
    _WIDTH = NARROW
    try:
        yield
    finally:
        _WIDTH = WIDE


P = ParamSpec("P")


def drawn(function: Callable[P, Figure]) -> Callable[P, Figure]:
    """A figure that can be drawn once more at another width: ``figure.again()``."""

    @wraps(function)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> Figure:
        figure = function(*args, **kwargs)
        figure.again = partial(function, *args, **kwargs)  # type: ignore[attr-defined]
        return figure

    return drawing


def svg(figure: Figure) -> str:
    """A figure as SVG, its text as text and its pixels as they are."""
    text = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "ganfp"}):
        figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.02)
    return text.getvalue()


def bundle(figure: Figure) -> dict[str, str]:
    """What a notebook shows of a figure: itself, and beside it the same for a narrow page."""
    shown = {"image/svg+xml": svg(figure), "text/plain": repr(figure)}
    if hasattr(figure, "again"):
        with telephone():
            shown[NARROW_MIME] = svg(figure.again())
    return shown


def use_style() -> None:
    """Set the book's style; every notebook calls it once."""
    if shell := get_ipython():
        shell.display_formatter.mimebundle_formatter.for_type(Figure, lambda figure, *_, **__: bundle(figure))
    plt.rcParams.update(
        {
            "figure.facecolor": PAPER, "axes.facecolor": PAPER, "figure.constrained_layout.use": True,
            "font.family": "sans-serif", "font.size": 9, "legend.frameon": False, "text.color": INK,
            "axes.titlesize": 10, "axes.titleweight": "bold", "axes.edgecolor": MUTED, "axes.labelcolor": INK,
            "axes.spines.top": False, "axes.spines.right": False, "axes.prop_cycle": plt.cycler(color=PALETTE),
            "xtick.color": INK, "ytick.color": INK, "image.interpolation": "none",  # whole pixels, never smoothed
        }
    )  # fmt: skip


def colours(classes: Sequence[str]) -> dict[str, str]:
    """One colour per source, the same on every page: real is grey, the GANs follow in their order."""
    generated = [name for name in classes if name != "real"]
    return {"real": REAL, **{name: SOURCES[i % len(SOURCES)] for i, name in enumerate(generated)}}


def palette() -> Mapping[str, Sequence[str]]:
    """Every colour that has a meaning, by kind."""
    return {
        "ink": (INK, MUTED, PAPER), "sources": (REAL, *SOURCES), "methods": tuple(dict.fromkeys(METHODS.values())),
        "attacks": tuple(ATTACKS.values()), "others": PALETTE,
    }  # fmt: skip
