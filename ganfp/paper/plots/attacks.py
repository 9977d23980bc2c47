"""Attacked images and what became of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ganfp.paper.plots.images import montage
from ganfp.paper.plots.parts import accuracy_rows, interval, level, panels, picture, points
from ganfp.paper.plots.style import BELOW, DIAMOND, INK, MUTED, PALETTE, PAPER, PLAIN, WIDTH
from ganfp.paper.record import Record
from ganfp.paper.table import readable

AMPLIFIED = 4  # a difference is shown so many times as large


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What changed between uint8 images, as uint8: mid-grey for nothing, ``AMPLIFIED`` times as large."""
    changed = AMPLIFIED * (after.astype(np.float32) - before)
    return np.clip(np.rint(128 + changed), 0, 255).astype(np.uint8)


def attack_columns(names: Sequence[str], images: np.ndarray) -> Figure:
    """Figure 6: images (rows, K, 3, R, R) in columns under the names of the attacks; below, what the last one changed.

    The first column is the image as it was.
    """
    rows, columns = images.shape[:2]
    changed = np.stack([difference(images[-1, 0], image) for image in images[-1]])
    figure, axes = panels(WIDTH / columns * (rows + 1) + 0.35, columns)
    for i, (axis, name) in enumerate(zip(axes, names, strict=True)):
        column = montage(np.concatenate([images[:, i], changed[i : i + 1]]), rows + 1)
        picture(axis, column, "no attack" if name == "none" else name, PLAIN | {"fontsize": 8})
    return figure


def attacked_rows(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Attacked images of every source, a row each, and beside them what the attack changed (Figures 15-21, 29-35).

    Where nothing changed, the images alone.
    """
    changed = any((before != after).any() for before, after in pairs.values())
    left = np.concatenate([after for _, after in pairs.values()])
    right = np.concatenate([difference(*pair) for pair in pairs.values()])
    shown = {"attacked": left, f"change, {AMPLIFIED} times": right} if changed else {"": left}
    rows = len(pairs)
    figure, axes = panels(WIDTH / len(shown) * rows / (len(left) // rows) + 0.3, len(shown))
    for axis, (title, images) in zip(axes, shown.items(), strict=True):
        picture(axis, montage(images, rows), title, PLAIN)
    side = left.shape[-1] + 1
    axes[0].set_yticks([side * (i + 0.5) for i in range(rows)], [readable(name) for name in pairs])
    axes[0].tick_params(axis="y", length=0)
    return figure


def attack_spectra(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Power of the change over power of the image, by frequency, for every attack; both axes logarithmic."""
    figure, (axis,) = panels(3.1)
    names = [str(name) for name in arrays["names"]]
    for name, share in zip(names, arrays["share"], strict=True):
        plain, _, variant = name.partition(",")  # another reading of an attack has its colour
        colour, style = PALETTE[names.index(plain) % len(PALETTE)], (0, (3, 2)) if variant else "-"
        axis.plot(arrays["frequency"], share, color=colour, linestyle=style, label=name)
    axis.axhline(1, color=MUTED, linewidth=1)
    axis.annotate("as strong as the image", (1, 1), xytext=(2, 3), textcoords="offset points", color=MUTED)
    axis.set(xscale="log", yscale="log", xlabel="cycles per picture", ylabel="power of the change / of the image")
    ticks = [t for t in (1, 2, 4, 8, 16, 32, 64) if t <= arrays["frequency"][-1]]
    axis.set_xticks(ticks, [f"{t}" for t in ticks])
    axis.xaxis.minorticks_off()
    figure.legend(loc=BELOW, ncols=4)
    return figure


def immunisation(records: Sequence[Record]) -> Figure:
    """Accuracy under each attack: open before immunisation, filled after it; diamonds, small: the paper's after it."""
    records = [r for r in records if r.table in ("7", "8") and not r.variant]
    datasets = list(dict.fromkeys(r.dataset for r in records))
    names = list(dict.fromkeys(r.column.split()[0] for r in records))
    figure, axes = panels(0.52 * len(names) + 1.0, len(datasets), sharey=True)
    style = {"PRNU": (PALETTE[0], 0.16), "Ours": (PALETTE[1], -0.16)}
    for axis, dataset in zip(axes, datasets, strict=True):
        found = {(r.row, r.column): r for r in records if r.dataset == dataset}
        level(axis, next(iter(found.values())).chance, upright=True)
        for (row, column), r in found.items():
            name, when = column.split()
            colour, shift = style[row]
            y = len(names) - 1 - names.index(name) + shift
            if when == "atk":
                ends = r.value, found[row, f"{name} dfs"].value
                axis.plot(ends, [y, y], color=colour, linewidth=1.2, alpha=0.6)
            elif r.paper is not None:
                axis.plot(r.paper, y, markersize=4.5, clip_on=False, **DIAMOND)
            face = colour if when == "dfs" else PAPER
            interval(axis, r, y, 2.2, color=colour, markerfacecolor=face, markersize=5.5)
        accuracy_rows(axis, names, dataset if len(datasets) > 1 else "")
    marks = [Line2D([], [], color=c, marker="o", linewidth=0, label=row) for row, (c, _) in style.items()]
    marks += [Line2D([], [], color=INK, marker="o", markerfacecolor=PAPER, linewidth=0, label="before")]
    marks += [Line2D([], [], color=INK, marker="o", linewidth=0, label="after immunisation")]
    if any(r.paper is not None for r in records):
        marks.append(Line2D([], [], label="the paper, after", **DIAMOND))
    figure.legend(handles=marks, loc=BELOW, ncols=5, handletextpad=0.1, columnspacing=1.2)
    return figure


def strengths(records: Sequence[Record], axes_labels: Mapping[str, str]) -> Figure:
    """Accuracy against the strength of each attack, before and after immunisation, a panel each."""
    names = list(dict.fromkeys(r.params["attack"] for r in records))
    figure, axes = panels(2.2 * -(-len(names) // 2), len(names), columns=2, sharey=True)
    for i, (axis, name) in enumerate(zip(axes, names, strict=True)):
        for when, colour, label in (("atk", MUTED, "before"), ("dfs", PALETTE[1], "after immunisation")):
            found = [r for r in records if r.params["attack"] == name and r.params["when"] == when]
            points(axis, range(len(found)), found, label, color=colour, markersize=4.5, linewidth=1.5)
        ticks = ["none", *(f"{r.params['strength']:g}" for r in found[1:])]
        axis.set(xticks=range(len(found)), xticklabels=ticks, xlabel=axes_labels[name], ylim=(0, 103))
        axis.set_ylabel("accuracy, %" if i % 2 == 0 else "")
        level(axis, found[0].chance)
        axis.set_title(name, loc="right")
    figure.legend(*axes[0].get_legend_handles_labels(), loc=BELOW, ncols=2)
    return figure


def ghost_curves(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Mean squared difference after one more JPEG, against its quality: a ghost is a dip."""
    figure, (axis,) = panels(2.9)
    curves = {name: values for name, values in arrays.items() if name != "qualities"}
    for (name, values), colour in zip(curves.items(), (MUTED, PALETTE[0], PALETTE[1]), strict=True):
        axis.plot(arrays["qualities"], values, "o-", color=colour, markersize=3.5, linewidth=1.3, label=readable(name))
    axis.set(yscale="log", xlabel="quality of one more JPEG", ylabel="mean squared difference, grey levels")
    axis.legend()
    return figure
