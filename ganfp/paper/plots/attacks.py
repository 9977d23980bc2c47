"""Attacked images and what became of the answers."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ganfp.paper.plots.images import montage
from ganfp.paper.plots.style import DIAMOND, INK, MUTED, PALETTE, PAPER, WIDTH, bare, shown_once
from ganfp.paper.record import Record
from ganfp.paper.table import readable

AMPLIFIED = 4  # a difference is shown so many times as large


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What changed between uint8 images, as uint8: mid-grey for nothing, ``AMPLIFIED`` times as large."""
    changed = AMPLIFIED * (after.astype(np.float32) - before)
    return np.clip(np.rint(128 + changed), 0, 255).astype(np.uint8)


@shown_once
def attack_columns(names: Sequence[str], images: np.ndarray) -> Figure:
    """Figure 6: images (rows, K, 3, R, R) in columns under the names of the attacks; below, what the last one changed.

    The first column is the image as it was.
    """
    rows, columns = images.shape[:2]
    changed = np.stack([difference(images[-1, 0], image) for image in images[-1]])
    size = (WIDTH, WIDTH / columns * (rows + 1) + 0.35)
    figure, axes = plt.subplots(1, columns, figsize=size)
    for i, (axis, name) in enumerate(zip(axes, names, strict=True)):
        axis.imshow(montage(np.concatenate([images[:, i], changed[i : i + 1]]), rows + 1))
        axis.set_title("no attack" if name == "none" else name, fontsize=8, fontweight="normal")
        bare(axis)
    return figure


@shown_once
def attacked_rows(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Attacked images of every source, a row each, and beside them what the attack changed (Figures 15-21, 29-35).

    Where nothing changed, the images alone.
    """
    changed = any((before != after).any() for before, after in pairs.values())
    left = np.concatenate([after for _, after in pairs.values()])
    right = np.concatenate([difference(*pair) for pair in pairs.values()])
    panels = {"attacked": left, f"change, {AMPLIFIED} times": right} if changed else {"": left}
    columns = len(left) // len(pairs)
    height = WIDTH / len(panels) * len(pairs) / columns + 0.3
    figure, axes = plt.subplots(1, len(panels), figsize=(WIDTH, height), squeeze=False)
    for axis, (title, images) in zip(axes[0], panels.items(), strict=True):
        axis.imshow(montage(images, len(pairs)))
        axis.set_title(title, fontsize=9, fontweight="normal")
        bare(axis)
    side = images.shape[-1] + 1
    places = [side * (i + 0.5) for i in range(len(pairs))]
    axes[0, 0].set_yticks(places, [readable(name) for name in pairs])
    axes[0, 0].tick_params(axis="y", length=0)
    return figure


@shown_once
def attack_spectra(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Power of the change over power of the image, by frequency, for every attack; both axes logarithmic."""
    figure, axis = plt.subplots(figsize=(WIDTH, 3.1))
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
    figure.legend(loc="outside lower center", ncols=4)
    return figure


@shown_once
def immunisation(records: Sequence[Record]) -> Figure:
    """Accuracy under each attack: open before immunisation, filled after it; diamonds, small: the paper's after it."""
    records = [r for r in records if r.table in ("7", "8") and not r.variant]
    datasets = list(dict.fromkeys(r.dataset for r in records))
    names = list(dict.fromkeys(r.column.split()[0] for r in records))
    figure, axes = plt.subplots(1, len(datasets), figsize=(WIDTH, 0.52 * len(names) + 1.0), sharey=True, squeeze=False)
    style = {"PRNU": (PALETTE[0], 0.16), "Ours": (PALETTE[1], -0.16)}
    for axis, dataset in zip(axes[0], datasets, strict=True):
        found = {(r.row, r.column): r for r in records if r.dataset == dataset}
        axis.axvline(next(iter(found.values())).chance, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
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
            axis.plot([r.ci_low, r.ci_high], [y, y], color=colour, linewidth=2.2, clip_on=False)
            axis.plot(r.value, y, "o", color=colour, markerfacecolor=face, markersize=5.5, clip_on=False)
        axis.set(xlabel="accuracy, %", xlim=(0, 100), yticks=range(len(names)), yticklabels=names[::-1])
        axis.set_title(dataset if len(datasets) > 1 else "", loc="right")
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    marks = [Line2D([], [], color=c, marker="o", linewidth=0, label=row) for row, (c, _) in style.items()]
    marks += [Line2D([], [], color=INK, marker="o", markerfacecolor=PAPER, linewidth=0, label="before")]
    marks += [Line2D([], [], color=INK, marker="o", linewidth=0, label="after immunisation")]
    if any(r.paper is not None for r in records):
        marks.append(Line2D([], [], label="the paper, after", **DIAMOND))
    figure.legend(handles=marks, loc="outside lower center", ncols=5, handletextpad=0.1, columnspacing=1.2)
    return figure


@shown_once
def strengths(records: Sequence[Record], axes_labels: Mapping[str, str]) -> Figure:
    """Accuracy against the strength of each attack, before and after immunisation, a panel each."""
    names = list(dict.fromkeys(r.params["attack"] for r in records))
    rows = -(-len(names) // 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 2.2 * rows), sharey=True, squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, names, strict=False):
        for when, colour, label in (("atk", MUTED, "before"), ("dfs", PALETTE[1], "after immunisation")):
            found = [r for r in records if r.params["attack"] == name and r.params["when"] == when]
            at, values = range(len(found)), np.array([r.value for r in found])
            bars = np.abs(np.array([[r.ci_low, r.ci_high] for r in found]).T - values)
            axis.errorbar(at, values, bars, color=colour, marker="o", markersize=4.5, capsize=2, label=label)
        ticks = ["none", *(f"{r.params['strength']:g}" for r in found[1:])]
        axis.set(xticks=at, xticklabels=ticks, xlabel=axes_labels[name], ylim=(0, 103))
        axis.axhline(found[0].chance, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axis.set_title(name, loc="right")
    for axis in axes[:, 0]:
        axis.set_ylabel("accuracy, %")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@shown_once
def transfer(records: Sequence[Record]) -> Figure:
    """Accuracy in percent of a network immunised to one attack (row) under another (column)."""
    found = {(r.params["defence"], r.params["attack"]): r.value for r in records if r.metric == "accuracy"}
    defences, attacks = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    accuracy = np.array(list(found.values())).reshape(len(defences), -1)
    figure, axis = plt.subplots(figsize=(WIDTH, 0.43 * len(defences) + 1.1))
    named = {"none": "no attack", "longer": "longer training"}
    rows = ["not immunised" if d == "none" else named.get(d, d) for d in defences]
    sns.heatmap(
        accuracy, ax=axis, vmin=0, vmax=100, cmap=sns.light_palette(PALETTE[0], as_cmap=True), annot=True, fmt=".1f",
        cbar=False, linewidths=1, linecolor=PAPER, xticklabels=[named.get(a, a) for a in attacks], yticklabels=rows,
    )  # fmt: skip
    axis.set(xlabel="under attack by", ylabel="immunised to")
    axis.tick_params(axis="x", rotation=25, length=0)
    axis.tick_params(axis="y", rotation=0, length=0)
    plt.setp(axis.get_xticklabels(), ha="right", rotation_mode="anchor")
    return figure


@shown_once
def ghost_curves(arrays: Mapping[str, np.ndarray]) -> Figure:
    """Mean squared difference after one more JPEG, against its quality: a ghost is a dip."""
    figure, axis = plt.subplots(figsize=(WIDTH, 2.9))
    for (name, values), colour in zip(
        ((k, v) for k, v in arrays.items() if k != "qualities"), (MUTED, PALETTE[0], PALETTE[1]), strict=True
    ):
        axis.plot(arrays["qualities"], values, "o-", color=colour, markersize=3.5, linewidth=1.3, label=readable(name))
    axis.set(yscale="log", xlabel="quality of one more JPEG", ylabel="mean squared difference, grey levels")
    axis.legend()
    return figure
