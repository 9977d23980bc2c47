"""Who can tell the sources apart, and how far that is the paper’s finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganfp.experiments.attribution import METHODS
from ganfp.paper import published as paper
from ganfp.paper.record import pick, readable, reference_records
from ganfp.runs.run import Run
from ganfp.tables.table import p_value
from ganfp.worlds import DRAWN

CONTRAST = 1.3  # times chance: up to here a simple method "stays near chance", as the paper's kNN does
APART = 1.5  # times kNN's accuracy: from here on the learned fingerprint does what content cannot, if only in part
DIFFERENCE = {"architectures": "architecture", "training_sets": "training set", "seeds": "seed"}


def contrast(run: Run, records: Sequence[dict]) -> str:
    """What Table 1, 2 or 3 of this run says about the paper's contrast, without flattery, data set by data set."""
    worlds = dict.fromkeys(r["dataset"] for r in records)
    texts = {world: _contrast(run, pick(records, dataset=world)) for world in worlds}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n\n".join(f"**{world.capitalize()}.** {text}" for world, text in texts.items())


def _contrast(run: Run, records: Sequence[dict]) -> str:
    rows = {r["row"]: r for r in records if r["metric"] == "accuracy"}
    ours, knn = rows["Ours"], rows["kNN"]
    chance = 100 / ours["classes"]
    text = f"Chance is {chance:.0f} % with {ours['classes']} sources; {_times_chance(rows)}. "
    if ours["ci_low"] <= chance:
        return text + "Not even ours is above chance: **this run shows no fingerprint.**"
    rivals = {row: rows[row] for row in ("kNN", "Eigenface", "PRNU")}
    better = [row for row, r in rivals.items() if r["ci_low"] > ours["ci_high"]]
    equal = [row for row, r in rivals.items() if r["ci_low"] <= ours["ci_high"] and r["ci_high"] >= ours["ci_low"]]
    if knn["value"] <= max(CONTRAST, paper_times(ours["setup"])) * chance:
        text += "**The paper's contrast appears:** raw pixels stay near chance, and the learned fingerprint does not."
    elif ours["ci_low"] >= APART * knn["ci_high"]:
        text += (
            "**The paper's contrast appears in part:** the learned fingerprint names the source of "
            f"{ours['value'] / knn['value']:.1f} times as many images as raw pixels do, but these are still above "
            f"chance. Each ProGAN has seen {run.trained_as.profile.gans['progan'].total_images:,} images in training, "
            f"in the paper {paper_images():,}, and what a GAN does not draw well yet can be seen in pixels, too."
        )
    else:
        text += (
            "**The paper's contrast does not appear in this run:** raw pixels tell these sources apart far more often "
            f"than in the paper. Each ProGAN has seen {run.trained_as.profile.gans['progan'].total_images:,} images in "
            f"training, in the paper {paper_images():,}. The GANs differ in plain sight, and any method can use that. "
            f"What does carry over is the uniqueness: every {DIFFERENCE[ours['setup']]} leaves a source of its own."
        )
    if better:
        text += f" {_listed(better)} {'is' if len(better) == 1 else 'are'} even better than ours here."
        if better == ["PRNU"] and ours["dataset"] in DRAWN:
            text += " Drawings have no noise of their own that a denoiser would leave beside the fingerprint; "
            text += "{doc}`x3_photographs` has the same experiment on photographs."
    if equal:
        text += f" The intervals do not separate ours from {_listed(equal)}."
    return text + "".join(_paired(r) for r in records if r["metric"] == "paired_p" and r["row"] in equal)


def _paired(r: dict) -> str:
    """McNemar's test of ours against a rival whose interval meets ours."""
    ours, rival = r["params"]["only_ours"], r["params"]["only_rival"]
    if r["value"] >= 0.05:
        verdict = "which the choice of test images can explain"
    else:
        verdict = f"so {'ours' if ours > rival else r['row']} is the better one on the same images"
    return (
        f" Image by image, {ours} are right with ours alone and {rival} with {r['row']} alone ({p_words(r['value'])}), "
        f"{verdict}."
    )


def p_words(p: float) -> str:
    """ "p = 0.03", "p < 0.001"."""
    shown = p_value(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _listed(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def paper_times(setup: str) -> float:
    """How many times chance the paper's kNN reaches on a setup, the larger of its two data sets."""
    published = [r for r in paper.records() if r["setup"] == setup and r["row"] == "kNN" and r["table"] in "123"]
    return max(r["value"] * r["classes"] / 100 for r in published)


def _times_chance(rows: Mapping[str, dict]) -> str:
    """Each accuracy as a multiple of chance, beside the paper's, whose chance level is another."""
    parts = []
    for row, r in rows.items():
        published = "" if r["paper"] is None else f" (the paper: {r['paper'] / paper.chance(r['setup']):.1f})"
        parts.append(f"{row} reaches {r['value'] * r['classes'] / 100:.1f} times chance{published}")
    return ", ".join(parts)


def paper_images() -> int:
    """Images that the paper's ProGAN is shown in training."""
    from ganfp.gans.progan import ProGANConfig

    return ProGANConfig().total_images


def caption(table: str, records: Sequence[dict]) -> str:
    """The caption of Table 1, 2 or 3."""
    published = paper.block(table)
    classes, theirs = records[0]["classes"], paper.load()["setups"][published["setup"]]["classes"]
    text = f"The paper's Table {table}. {published['caption']} This run has {classes} sources"
    text += f" (chance {100 / classes:.1f} %)"
    if theirs != classes:
        text += f", the paper {theirs} ({100 / theirs:.1f} %)"
    if not any(paper.stands_for(r["dataset"]) for r in records):
        text += "; the paper has no numbers for these images"
    return text + ". Small: 95 % interval. Bold: best accuracy."


def columns(*runs: Run, tables: Sequence[str] = ("1", "2", "3")) -> str:
    """The line under some of the paper's tables: what stands in its columns."""
    run = runs[0]
    text = "*paper*: CelebA beside faces and LSUN beside bedrooms, 128 px. "
    names = {one.dataset for one in runs}
    found = {r["dataset"]: r for r in reference_records() if r["table"] in tables and r["dataset"] in names}
    if found:
        r = next(iter(found.values()))
        text += (
            f"*reference*: the same experiment by profile `{r['profile']}`, {_seeds(found)} "
            f"of everything after the GANs ({r['params']['hardware']}; commit {r['commit']}). "
        )
    else:
        text += "*reference*: not measured on these images. "
    source = "shipped generators" if run.shipped else "generators that were trained here"
    return text + (
        f"*this run*: profile `{run.profile.name}`, {source}, methods trained here. {{doc}}`../book/reading` says more."
    )


def _seeds(found: Mapping[str, dict]) -> str:
    """How many seeds the records of each data set are means over."""
    said = {world: len(r["params"]["seeds"]) for world, r in found.items()}
    texts = {world: "one seed" if count == 1 else f"mean over {count} seeds" for world, count in said.items()}
    if len(set(said.values())) == 1:
        return next(iter(texts.values()))
    return " and ".join(f"{text} ({world})" for world, text in texts.items())


def diagonal(cosines: np.ndarray, classes: Sequence[str]) -> str:
    """Whether each source's images agree most with their own model fingerprint."""
    own = cosines.argmax(axis=1) == np.arange(len(cosines))
    off = cosines[~np.eye(len(cosines), dtype=bool)]
    text = f"On the diagonal the mean cosine is {np.diag(cosines).mean():.2f}, off it {off.mean():.2f}. "
    if own.all():
        return (
            text + "Every row has its largest value on the diagonal: on average, images agree best with the model that "
            "made them."
        )
    wrong = ", ".join(readable(name) for name, right in zip(classes, own, strict=True) if not right)
    return text + f"The diagonal is not the largest value of every row: it fails for {wrong}."


def twins(records: Sequence[dict]) -> str:
    """The outcome of the same-seed control."""
    equal = records[0]["params"]["equal_bytes"]
    text = (
        "**The two generators are equal, byte for byte.** "
        if equal
        else "**The two generators differ**: the largest difference of a weight is "
        f"{records[0]['params']['largest_weight_difference']:.2g}, so this machine does not repeat its own arithmetic, "
        "and what follows tests a pair of nearly equal models. "
    )
    least = min(records, key=lambda r: r["params"]["p"])
    outside = [r["row"] for r in records if not r["ci_low"] <= 50 <= r["ci_high"]]
    if not at_chance(records):
        return text + (
            f"{least['row']} differs from chance (p = {least['params']['p']:.2g}, too small also for the smallest of "
            f"{len(records)}): **the control does not pass.** Look for the leak before believing any other number."
        )
    text += (
        f"No method tells their images apart: the smallest of the {len(records)} p-values is "
        f"{least['params']['p']:.2f}, which is no surprise among {len(records)}. "
    )
    if outside:
        text += (
            f"(The interval of {_listed(outside)} just misses 50 %; with four intervals one of them does so in about "
            "one run of five.) "
        )
    return text + ("The control passes." if equal else "")


def at_chance(records: Sequence[dict], level: float = 0.05) -> bool:
    """Whether no method differs from chance, all of them tested together (Bonferroni)."""
    return len(records) * min(r["params"]["p"] for r in records) >= level


def how_long(records: Sequence[dict]) -> str:
    """Whether the simple methods fall towards chance, and the fingerprint stays, as GANs are trained longer."""
    first, last = (f(r["params"]["images"] for r in records) for f in (min, max))
    ends = {(r["row"], r["params"]["images"]): r for r in records if r["params"]["images"] in (first, last)}
    parts = []
    for row in METHODS.values():
        before, after = ends[row, first], ends[row, last]
        parts.append(f"{row} {before['value']:.1f} % and then {after['value']:.1f} %")
    content = [ends["Inception", n]["value"] for n in (first, last)]
    text = (
        f"After {first:,} and after {last:,} images: {', '.join(parts)}; chance is "
        f"{100 / ends['Ours', last]['classes']:.0f} %. By content the sources are {content[0]:.1f} and then "
        f"{content[1]:.1f} times as far apart as two halves of one. "
    )
    fell = [r for r in ("kNN", "Eigenface", "PRNU") if ends[r, last]["ci_high"] < ends[r, first]["ci_low"]]
    if fell:
        text += f"{_listed(fell)} {'falls' if len(fell) == 1 else 'fall'} as the GANs get better. "
    else:
        text += "No simple method falls by more than its interval: these trainings are too short to show it. "
    ours = ends["Ours", first], ends["Ours", last]
    if ours[1]["ci_high"] < ours[0]["ci_low"]:
        return text + f"Ours falls, too, by {ours[0]['value'] - ours[1]['value']:.1f} points."
    return text + "Ours does not fall."
