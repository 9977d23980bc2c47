"""How often attributors are deceived, against how much an image may change."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from ganfp.paper.plots.curves import MARKERS
from ganfp.paper.plots.parts import legend, panels, points, rungs_below
from ganfp.paper.plots.style import METHODS, PALETTE, drawn
from ganfp.paper.record import Record


@drawn
def deceived(records: Sequence[Record], norm: str = "linf") -> Figure:
    """Removal and forgery with the attributor at hand, percent with intervals, against the strength in grey levels."""
    goals = ("removal", "forgery")
    figure, axes = panels(3.0, len(goals), sharey=True, stack=True)
    found = [r for r in records if r.params.get("norm") == norm and r.variant == r.row]
    rows = list(dict.fromkeys(r.row for r in found))
    for axis, goal in zip(axes, goals, strict=True):
        for k, (row, marker, colour) in enumerate(zip(rows, MARKERS, PALETTE, strict=False)):
            mine = sorted((r for r in found if r.row == row and r.metric == goal), key=lambda r: r.params["strength"])
            beside = 1.03 ** (k - (len(rows) - 1) / 2)  # marks of one place stand side by side
            look = {"marker": marker, "color": METHODS.get(row, colour)}
            points(axis, [r.params["strength"] * beside for r in mine], mine, row, **look)
        steps = sorted({r.params["strength"] for r in found})
        rungs_below(axis, steps, steps, xlabel="grey levels", ylim=(-3, 103))
        axis.set_title(goal)
    axes[0].set_ylabel("images, %")
    legend(figure, len(rows))
    return figure
