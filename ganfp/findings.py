"""Sentences about a run, made from its records: the prose says what was measured, whatever that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ganfp import claims as ledger
from ganfp import paper
from ganfp.experiments.attribution import METHODS, extractor_name
from ganfp.metrics import Accuracy
from ganfp.records import pick, readable
from ganfp.records import world as column_of
from ganfp.run import Run

CONTRAST = 1.3  # times chance: up to here a simple method "stays near chance", as the paper's kNN does


def banner(*runs: Run) -> str:
    """One line at the top of a page: what this run is, on one data set or several."""
    run, real = runs[0], runs[0].profile.real
    worlds = " and ".join(f"`{r.dataset}`" for r in runs)
    text = (
        f"**This run:** profile `{run.profile.name}`, {run.profile.resolution} × {run.profile.resolution} pixels, "
        "real images "
        f"{worlds}, {run.profile.seeds} GAN seeds, {real.train:,} training and {real.test:,} test images per "
        "source, "
        f"seed {run.seed}, on `{run.device}`."
    )
    if run.profile.name == "smoke":
        text += " **Its numbers mean nothing:** every step runs in miniature, to test the machinery."
    return text


def shown_as(run: Run, row: str) -> str:
    """The name of a feature as a panel's title."""
    return {"Inception": f"by content: {extractor_name(run)}", "Our fingerprint": "by learned fingerprint"}[row]


def purity(records: Sequence[dict]) -> str:
    """Same-source neighbours by both features, against what chance would give."""
    content, ours = (pick(records, row=row)[0] for row in ("Inception", "Our fingerprint"))
    chance = 100 / content["classes"]
    text = (
        f"Of the ten nearest neighbours, {content['value']:.0f} % come from the same source by content, and "
        f"{ours['value']:.0f} % by fingerprint; a feature that knows nothing would reach {chance:.0f} %. "
    )
    if content["value"] <= CONTRAST * chance:
        return text + "That is the paper's picture: content does not tell the sources apart, the fingerprint does."
    return text + (
        "Content is not blind here, as it should be for the paper's contrast: these GANs differ in what they show, "
        "too. "
        "They have been trained briefly, and each makes mistakes of its own."
    )


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
    else:
        text += (
            "**The paper's contrast does not appear in this run:** raw pixels tell these sources apart far more often "
            f"than in the paper. The GANs have seen {run.profile.progan.total_images:,} images in training instead of "
            f"{paper_images():,}. They differ in plain sight, and any method can use that. What does carry over is the "
            f"uniqueness: every {DIFFERENCE[ours['setup']]} leaves a source of its own."
        )
    if better:
        text += f" {_listed(better)} {'is' if len(better) == 1 else 'are'} even better than ours here."
    if equal:
        text += f" The intervals do not separate ours from {_listed(equal)}."
    return text


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


def save_path(records: Sequence[dict]) -> str:
    """What the official save paths give away, and what is left."""
    bits, six = (
        {path: next(r for r in records if r["row"] == row and r["column"] == path) for path in ("official", "ours")}
        for row in dict.fromkeys(r["row"] for r in records)
    )
    chance = 100 / bits["ours"]["classes"]
    text = (
        f"Two bits per image name the source of {bits['official']['value']:.0f} % of the images saved in the official "
        f"way, and four more numbers of {six['official']['value']:.0f} %; chance is {chance:.0f} %. After one and the "
        f"same quantiser it is {bits['ours']['value']:.0f} % and {six['ours']['value']:.0f} %. "
    )
    if bits["ours"]["ci_high"] < bits["official"]["ci_low"]:
        text += "The quantiser closes a part of the leak"
    elif six["ours"]["ci_high"] < six["official"]["ci_low"]:
        text += "The quantiser closes what the stretch had put into the lowest bits"
    else:
        text += "In this run that is no clear difference"
    if bits["ours"]["ci_low"] > chance:
        return text + (
            ", and something remains: a property of the networks, not of the files. ProGAN's last layer is linear and "
            "overshoots, so that its values are cut off at 0 and 255; the others end in a tanh or a sigmoid, which "
            "come near the ends and rarely reach them."
        )
    return text + ", and nothing remains that two bits can tell."


def beginnings(records: Sequence[dict]) -> str:
    """Whether every rung's training is equal to the base's until its first exchanged image."""
    early = [r for r in records if r["value"] < r["params"]["first_swapped"] - _step(r)]
    late = [r for r in records if r["value"] > r["params"]["first_swapped"]]
    parts = ", ".join(
        f"with {r['params']['swapped']:,} exchanged it comes after {r['params']['first_swapped']:,} images, and not a "
        f"bit differs up to {r['value']:,.0f}"
        for r in records
    )
    text = f"The first exchanged image: {parts}. "
    if early or late:
        return text + "**That is not what was expected:** the trainings part at another moment than at that image."
    return text + "Each training parts from the others in the very step that shows it the first exchanged image."


def _step(r: dict) -> int:
    """The most images that one step shows."""
    return r["params"]["batch"]


def trend(records: Sequence[dict]) -> str:
    """Whether accuracy follows the number of exchanged images, for our network."""
    texts = []
    for r in pick(records, row="Ours", metric="trend"):
        rungs = pick(records, row="Ours", metric="accuracy", dataset=r["dataset"])
        low, high = (f(rungs, key=lambda x: x["value"]) for f in (min, max))
        text = (
            f"On {r['dataset']}, ours is right on {low['value']:.1f} % of the images of the worst rung "
            f"({low['params']['swapped']:,} exchanged) and {high['value']:.1f} % of the best "
            f"({high['params']['swapped']:,}). "
        )
        if r["value"] < 0.05:
            direction = "rises" if r["params"]["slope"] > 0 else "falls"
            text += (
                f"Accuracy {direction} with the number of exchanged images by more than the choice of test images "
                f"explains ({_p(r['value'])}). But each rung is one GAN, easy or hard for reasons of its own, and "
                f"{r['params']['rungs']} GANs cannot show that the number is the reason."
            )
        else:
            text += f"No trend can be seen ({_p(r['value'])}), as the paper claims."
        texts.append(text)
    return "\n\n".join(texts)


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def service(records: Sequence[dict]) -> str:
    """What the folders say about the test of a service."""
    own, stranger = records[0], records[-1]
    text = (
        "The folder that is wholly the service's "
        + ("is recognised" if own["params"]["p"] < 0.05 else "is not recognised")
        + f" ({own['value']:.0f} %). "
    )
    wrong = [r["row"] for r in records[1:-1] if r["params"]["p"] < 0.05 and r["params"]["truth"] <= 50]
    if wrong:
        text += f"**Wrongly recognised: {' and '.join(wrong)}.** "
    text += (
        f"Of the images of a GAN that the attributor was never shown, {stranger['value']:.0f} % are given to the "
        "service. They have to be given to somebody: a closed set of sources has no place for a stranger, "
    )
    return text + (
        "and here the test is fooled by it."
        if stranger["params"]["p"] < 0.05
        else "and only luck decides whom it is taken for."
    )


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
        return text + "Ours falls, too."
    return text + "Ours does not fall."


def critics(records: Sequence[dict], ours: Accuracy) -> str:
    """How far the GANs' own critics come, beside the attribution network on the same images."""
    best = max(records, key=lambda r: r["value"])
    chance = 100 / best["classes"]
    listed = ", ".join(f"{r['row'].removeprefix('Critics, ')} {r['value']:.1f} %" for r in records)
    text = (
        f"Attributed by critics, the generated test images go to the right generator this often: {listed}; chance is "
        f"{chance:.0f} %. The attribution network reaches {ours.value:.1f} % on the same images, although it may "
        "also answer "
        "“real”. "
    )
    if best["ci_low"] > chance:
        text += (
            f"So the best reading, the {best['row'].removeprefix('Critics, ')}, is better than guessing, but it was "
            "picked "
            "after the fact and "
            + (
                "falls far short of a classifier that knows all sources."
                if best["value"] < ours.low
                else "no classifier was needed here."
            )
        )
    else:
        text += "No reading beats guessing."
    return text


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
    bad = [r["row"] for r in records if not r["ci_low"] <= 50 <= r["ci_high"]]
    text = (
        "**The two generators are equal, byte for byte.** "
        if equal
        else "**The two generators differ**: the largest difference of a weight is "
        f"{records[0]['params']['largest_weight_difference']:.2g}, so this machine does not repeat its own "
        "arithmetic, and "
        "what follows tests a pair of nearly equal models. "
    )
    if not bad:
        return text + "Every method ends at chance: all four intervals cover 50 %. The control passes."
    return text + (
        f"The interval of {' and '.join(bad)} does not cover 50 %. With four intervals, one misses by accident in "
        "about "
        "one run of five; run the page with another seed before believing in a leak."
    )


def ladder(records: Sequence[dict]) -> str:
    """FD ratios of this run at the smallest and the largest number of images."""
    low, high = (f(r["params"]["per_class"] for r in records) for f in (min, max))
    parts = []
    for row, name in (("Inception", None), ("Our fingerprint", "the fingerprint")):
        found = {(r["params"]["convention"], r["params"]["per_class"]): r["value"] for r in records if r["row"] == row}
        name = name or f"the {next(r for r in records if r['row'] == row)['params']['features']}"
        parts.append(
            f"for {name} from {found['matched', low]:.2f} to {found['matched', high]:.2f} with equal numbers, and from "
            f"{found['paper', low]:.2f} to {found['paper', high]:.2f} by the paper's convention"
        )
    return f"From {low} to {high:,} images per source the ratio goes {'; '.join(parts)}."


def claims(records: Sequence[dict], tables: Sequence[str]) -> list[list[str]]:
    """Rows (claim, verdict on the paper's numbers, on this run's and those) for the claims read from some tables."""
    beside = {paper.stands_for(r["dataset"]) or "faces" for r in records}
    published = [r for r in paper.records() if r["dataset"] in beside]
    rows = []
    for row in ledger.ledger(published, list(records)):
        if row.claim.tables[0] in tables and row.run.holds is not None:
            rows.append([row.claim.text, str(row.paper), f"**{row.run}** <small>{row.run.detail}</small>"])
    return rows


FRONT = ("first", "second")  # the worlds of the front page's table


def front_page(
    run: Run, records: Sequence[dict], same_seed: Sequence[dict], cost: Mapping[str, float]
) -> dict[str, str]:
    """Short texts for the front page, by the names under which they are glued; ``records`` of Tables 1 to 3."""
    worlds = list(dict.fromkeys(r["dataset"] for r in records))
    passed = same_seed[0]["params"]["equal_bytes"] and all(r["ci_low"] <= 50 <= r["ci_high"] for r in same_seed)
    texts = {
        "profile": run.profile.name,
        "twins": "passes" if passed else "does not pass",
        "gan_images": f"{run.profile.progan.total_images:,}",
        "core_minutes": f"{sum(cost.values()) / 60:.{0 if sum(cost.values()) >= 60 else 1}f}",
    }
    for place, world in zip(FRONT, [*worlds, None], strict=False):
        texts |= {f"{name}_{place}": text for name, text in _front_world(records, world).items()}
    first = {r["row"]: r for r in pick(records, dataset=worlds[0], table="3", metric="accuracy")}
    texts["classes"] = str(first["Ours"]["classes"])
    texts["chance"] = f"{100 / first['Ours']['classes']:.1f} %"
    texts["verdict"] = _verdict(first)
    for table in "123":
        ours = [r for r in pick(records, table=table, row="Ours", metric="accuracy")]
        texts[f"ours_{table}"] = " and ".join(f"{r['value']:.1f} % ({r['dataset']})" for r in ours)
    return texts


def _front_world(records: Sequence[dict], world: str | None) -> dict[str, str]:
    """Name, column of the paper, and the accuracies of Table 3 beside the paper's; dashes without a world."""
    rows = {r["row"]: r for r in pick(records, dataset=world, table="3", metric="accuracy")} if world else {}
    texts = {"dataset": world or "–", "column": column_of(world) if world else "–"}
    for row in METHODS.values():
        r = rows.get(row)
        texts[f"accuracy_{row.lower()}"] = f"{r['value']:.1f} %" if r else "–"
        texts[f"paper_{row.lower()}"] = f"{r['paper']:.1f} %" if r and r["paper"] is not None else "–"
    return texts


def _verdict(rows: Mapping[str, dict]) -> str:
    """The contrast of Table 3 in half a sentence."""
    chance = 100 / rows["Ours"]["classes"]
    if rows["Ours"]["value"] < CONTRAST * chance:
        return "the sources cannot be told apart"
    if rows["kNN"]["value"] <= CONTRAST * chance:
        return "only fingerprints tell the sources apart, as in the paper"
    return "the sources can be told apart, but, unlike in the paper, by simple methods too"
