"""What figures are made of: panels, pictures, intervals, matrices."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import LogLocator

from ganfp.paper.plots.style import MUCH, MUTED, PAPER, narrow, width
from ganfp.paper.record import Record


def blank(width: float, height: float) -> Figure:
    """A figure that pyplot does not know: a notebook shows it as the cell's value, and not once more."""
    return FigureCanvasAgg(Figure(figsize=(width, height))).figure


def panels(
    height: float, count: int = 1, columns: int = 0, *, across: float = 0, stack: bool = False, **options
) -> tuple[Figure, Sequence]:
    """A :func:`blank` figure and its axes in reading order, so many in a row (0: all).

    ``across``: another width than the page's, as far as that goes.  ``stack``: on a narrow page one below the other.
    """
    columns = columns or count
    rows = -(-count // columns)
    if stack and narrow():
        height, columns, rows = height * count / rows, 1, count
    figure = blank(min(across, width()) if across else width(), height)
    axes = figure.subplots(rows, columns, squeeze=False, **options).flatten()
    for axis in axes[count:]:
        axis.remove()
    return figure, axes[:count]


def bare(axis: Axes) -> None:
    """Leave nothing of an axis but what is drawn on it."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def picture(axis: Axes, image: np.ndarray, title: str = "", font: Mapping | None = None, **options) -> AxesImage:
    """An image (H, W, 3 or 4), or (H, W) with a colour map among ``options``, without axes."""
    drawn = axis.imshow(image, **options)
    axis.set_title(title, **(font or {}))
    bare(axis)
    return drawn


def level(axis: Axes, value: float, upright: bool = False, **options) -> None:
    """A dashed line at a value to compare with, such as chance."""
    draw = axis.axvline if upright else axis.axhline
    draw(value, **{"color": MUTED, "linestyle": (0, (4, 3)), "linewidth": 1} | options)


def flag(axis: Axes, x: float, text: str, offset: tuple[float, float] = (3, 1), **options) -> None:
    """A name at the upper end of an upright line."""
    at = {"xycoords": ("data", "axes fraction"), "xytext": offset, "textcoords": "offset points"}
    axis.annotate(text, (x, 1), color=MUTED, **at, **options)


def rungs_below(axis: Axes, places: Sequence[float], labels: Sequence, **options) -> None:
    """A logarithmic axis below, with ticks at these places and nowhere else."""
    axis.set(xscale="log", xticks=places, xticklabels=labels, **options)
    axis.xaxis.minorticks_off()


def decimal(axis: Axis, *steps: float) -> None:
    """Plain numbers along a logarithmic axis, at these steps of each power of ten: exponents are too small to read."""
    axis.set_major_locator(LogLocator(10, subs=steps or (1,)))
    axis.set_major_formatter(lambda x, _: f"{x:,.0f}" if x >= 1000 else np.format_float_positional(x, 6, trim="-"))
    axis.set_minor_formatter("")


def legend(figure: Figure, columns: int, marks: Sequence[Artist] = (), **options) -> None:
    """A legend below, of marks or of all that has a name, each once; in as many columns as there is room for."""
    named = {name: mark for axis in figure.axes for mark, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    look = {"handles": marks or [*named.values()], "loc": "outside lower center"} | options
    for count in range(min(columns, 2) if narrow() else columns, 0, -1):
        box = figure.legend(ncols=count, **look)
        if count == 1 or box.get_window_extent().width <= figure.bbox.width:
            return
        box.remove()


def points(axis: Axes, x: Sequence[float], records: Sequence[Record], label: str, **options) -> None:
    """Values with their intervals, joined by a line."""
    bars = None
    if records[0].ci_low is not None:
        bars = np.abs(np.array([[r.low - r.value, r.high - r.value] for r in records]).T)
    style = {"marker": "o", "markersize": 5, "linewidth": 1.3, "capsize": 2, "label": label} | options
    axis.errorbar(x, [r.value for r in records], bars, **style)


def accuracy_rows(axis: Axes, names: Sequence[str], title: str, limits: tuple[float, float] = (0, 100)) -> None:
    """Make an axis of accuracies, a row for each name from above, and nothing on the left but the names."""
    axis.set(xlabel="accuracy, %", xlim=limits, yticks=range(len(names)), yticklabels=names[::-1])
    axis.set_title(title, loc="right")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)


def interval(axis: Axes, r: Record, y: float, width: float, **marker) -> None:
    """An accuracy as a point on its interval, at a height; ``marker``: the point's ``color`` and the like."""
    axis.plot([r.ci_low, r.ci_high], [y, y], color=marker["color"], linewidth=width, clip_on=False)
    axis.plot(r.value, y, "o", clip_on=False, **marker)


def matrix(
    axis: Axes, values: np.ndarray, rows: Sequence[str], columns: Sequence[str], slant: float = 35, **options
) -> None:
    """Numbers on their colours; the names of the columns are aslant."""
    import seaborn as sns  # takes as long as torch, and few pages have a matrix

    look = {"cmap": sns.light_palette(MUCH, as_cmap=True), "linewidths": 1, "linecolor": PAPER} | options
    sns.heatmap(values, ax=axis, yticklabels=rows, xticklabels=columns, **look)
    faces = axis.collections[0].get_facecolors().reshape(len(rows), len(columns), 4)
    for text in axis.texts:  # seaborn's own are white from half the way to the dark end on
        x, y = map(int, text.get_position())
        text.set_color("white" if sns.utils.relative_luminance(faces[y, x]) < 0.22 else ".15")
    axis.tick_params(axis="x", rotation=slant, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
