"""Section 4.4, immunizability: Tables 7 and 8, Figure 6, and how far a defence against an attack reaches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from ganfp import metrics
from ganfp.attacks import ATTACKS
from ganfp.paper import attribution
from ganfp.paper.attacked import DEVIATION, PAPERS, Named, answers, attack, attacked, joined, measured, variants
from ganfp.paper.attribution import clusters, seed_setup, smaller
from ganfp.paper.judge import NEAR_CHANCE, NOT_SHOWN, RESTORED, Evidence, at_least, at_most, claim, every, shown
from ganfp.paper.published import stands_for
from ganfp.paper.record import Record, Result, one, original, pick, record
from ganfp.paper.sections import Study
from ganfp.paper.table import DASH, Table, listed, number, rows_by_dataset, small, strong, this_run
from ganfp.runs.recipes.attacked import Answers, Attack
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.samples import Setup
from ganfp.runs.run import Run

METHODS = {"prnu": "PRNU", "cnn": "Ours"}  # the rows of Tables 7 and 8
STUDIED = {name: entry.strengths for name, entry in ATTACKS.items() if entry.strengths}
AXES = {name: strengths.axis for name, strengths in STUDIED.items()}
LONGER = "longer"  # as a defence: trained on for as long, but without an attack
FEWER = 200  # test images of each source in the studies beside the tables

Pair = tuple[Attack | None, Attack | None]  # a defence and what it meets
Place = tuple[str, str, str]  # row, column and variant of a record


def cells(run: Run) -> list[tuple[str, str, Pair]]:
    """Column, variant, defence and attack of each cell of a row; the variant "clean" is of images as they were."""
    found: list[tuple[str, str, Pair]] = []
    for (name, variant), by in variants(run).items():
        found += [(f"{name} atk", variant, (None, by)), (f"{name} dfs", variant, (by, by))]
        found.append((f"{name} dfs", joined("clean", variant), (by, None)))
    return found


def figure6(run: Run, rows: int = 3) -> tuple[list[str], np.ndarray]:
    """Figure 6: images of the last GAN without an attack and under each, (rows, 7, 3, R, R), and the columns' names."""
    names = ["none", *PAPERS]
    return names, np.stack([list(attacked(run, name, rows).values())[-1][1] for name in names], axis=1)


def needs(runs: Sequence[Run]) -> list[Recipe]:
    """The tables of every data set, the studies beside them of the first."""
    return [recipe for run in runs for recipe in table_needs(run)] + study_needs(runs[0])


def table_needs(run: Run) -> list[Recipe]:
    """What :func:`table` loads."""
    found: list[Recipe] = [run.evaluation(method, seed_setup(run)) for method in METHODS]
    return found + [answers(run, method, *pair) for method, (*_, pair) in product(METHODS, cells(run))]


def study_needs(run: Run) -> list[Recipe]:
    """What :func:`strengths` and :func:`matrix` load."""
    return [answer for answer, _ in (*levels(run), *pairs(run))]


def table(run: Run) -> Result:
    """Table 7 or 8: accuracy under each attack, before (atk) and after (dfs) immunisation, and Table 3's beside it.

    As variants, noise of the other reading and immunised methods on images that nobody attacked, which the paper leaves
    out.  Metrics ``difference`` and ``gain_difference``: what the claims compare; ``won_back``: see :func:`won_back`.
    """
    setup, found = seed_setup(run), {}
    for method, row in METHODS.items():
        clean = attribution.accuracy(run, method, setup, "3")
        found[row, clean.column, ""] = clean, attribution.predictions(run, method, setup)
        for column, variant, pair in cells(run):
            answer = answers(run, method, *pair)
            known = {"column": column, "variant": variant, "seconds": run.seconds(answer.fit)}
            found[row, column, variant] = measured(run, answer, row, table=_table(run.dataset), **known)
    compared = [_difference(run, setup, found[a], found[b]) for a, b in _compared(original(run.dataset))]
    said = {place[:2]: named for place, (_, named) in found.items() if not place[2]}
    return Result([*(r for r, _ in found.values()), *compared, *gains(run, said), *won_back(run, said)])


def _table(dataset: str) -> str:
    return "8" if stands_for(dataset) == "bedrooms" else "7"


def _difference(run: Run, setup: Setup, a: Named, b: Named) -> Record:
    return attribution.difference(run, setup, _placed(a[0]), _placed(b[0]), a[1], b[1])


def _placed(r: Record) -> Record:
    """The record with its variant in its column: what is compared needs a place of its own."""
    return replace(r, column=joined(r.column, r.variant))


def _compared(clean: str) -> list[tuple[Place, Place]]:
    """What the claims compare in :func:`table`; ``clean`` is the column of Table 3."""
    before: Place = ("Ours", clean, "")
    found: list[tuple[Place, Place]] = []
    for name in PAPERS:
        atk, dfs = (("Ours", f"{name} {when}", "") for when in ("atk", "dfs"))
        found += [(atk, before), (dfs, before), (("Ours", f"{name} dfs", "clean"), before)]
        found += [(dfs, atk), (dfs, ("PRNU", f"{name} dfs", ""))]
        found += [(("Ours", "relighting atk", ""), atk)] if name != "relighting" else []
        found += [(("Ours", "combination dfs", ""), dfs)] if name != "combination" else []
    return found


def gains(run: Run, said: Mapping[tuple[str, str], np.ndarray]) -> list[Record]:
    """How many points more our network gains from immunisation than PRNU does, by attack (column)."""
    setup, found = seed_setup(run), []
    for name in PAPERS:
        two = [tuple(said[row, f"{name} {when}"] for when in ("atk", "dfs")) for row in ("Ours", "PRNU")]
        d = metrics.gain_difference(setup.labels("test"), *two, clusters(setup))
        known = {"column": name, "setup": setup.name, "n": len(two[0][0]), "interval": (d.low, d.high)}
        params = {"against": ["PRNU", name, setup.name], "p": d.p}
        found.append(record(run, "Ours", "gain_difference", d.value, params=params, **known))
    return found


def won_back(run: Run, said: Mapping[tuple[str, str], np.ndarray]) -> list[Record]:
    """Percent of the loss that immunisation wins back for our network, by attack (column), where a loss is shown.

    And, as ``difference``, how much less it is of the combination.
    """
    setup, samples = seed_setup(run), {}
    truth, of = setup.labels("test"), clusters(setup)
    for name in PAPERS:
        three = [said["Ours", column] for column in (original(run.dataset), f"{name} atk", f"{name} dfs")]
        if metrics.paired_difference(truth, *three[:2], of).low > 0:
            samples[name] = metrics.won_back(truth, *three, of, seed=run.seed)
    known = {"setup": setup.name, "n": len(truth), "classes": len(setup.sources)}

    def made(metric: str, share: np.ndarray, column: str, **more) -> Record:
        middle = tuple(np.percentile(share[1:], [2.5, 97.5]))
        return record(run, "Ours", metric, share[0], interval=middle, column=column, **known, **more)

    found = [made("won_back", share, name) for name, share in samples.items()]
    mixed = samples.pop("combination", None)
    for name, share in samples.items() if mixed is not None else ():
        more = {"variant": f"against Ours, {name}", "params": {"against": ["Ours", name, setup.name]}}
        found.append(made("difference", mixed - share, "combination", **more))
    return found


def levels(run: Run) -> list[tuple[Answers, dict]]:
    """Each strength of the attacks that have one, before (atk) and after (dfs) immunity to the paper's mixture."""
    found = []
    for (name, studied), when in product(STUDIED.items(), ("atk", "dfs")):
        for at, options in {studied.none: None, **studied.options}.items():
            against = None if options is None else attack(run, name, **options)
            params = {"attack": name, "strength": float(at), "when": when}
            known = {"column": f"{name} {when}", "variant": f"{name} {at:g}, {when}", "params": params}
            found.append((answers(run, "cnn", attack(run, name) if when == "dfs" else None, against, FEWER), known))
    return found


def strengths(run: Run) -> Result:
    """Our network against the strength of some attacks: ``params.attack``, ``params.strength``, ``params.when``."""
    return Result([measured(run, answer, "Ours", **known)[0] for answer, known in levels(run)])


def under_noise(records: Sequence[Record]) -> str:
    """How strong noise must be to bring an undefended network near chance, in words, from :func:`strengths`."""
    found = [r for r in records if r.params["attack"] == "noise" and r.params["when"] == "atk"]
    found = sorted(found, key=lambda r: r.params["strength"])
    near = [r for r in found if at_most(r, NEAR_CHANCE * r.chance) == 1]
    said = ", ".join(f"{r.value:.1f} % at {r.params['strength']:g}" for r in found)
    end = f"from {near[0].params['strength']:g} on" if near else f"nowhere up to {found[-1].params['strength']:g}"
    what = "By the standard deviation of noise, without a defence"
    return f"{what}: {said}. Near chance, {NEAR_CHANCE:g} times it, {end}."


def pairs(run: Run) -> list[tuple[Answers, dict]]:
    """Every defence with every attack; the defence ``longer`` is a control without an attack."""
    against = {"none": None} | {name: attack(run, name) for name in PAPERS}
    defences = {"none": None, LONGER: attack(run, "combination", probability=0.0)} | against
    found = {(d, a): answers(run, "cnn", defences[d], against[a], FEWER) for d, a in product(defences, against)}
    return [(x, {"variant": met(d, a), "params": {"defence": d, "attack": a}}) for (d, a), x in found.items()]


def matrix(run: Run) -> Result:
    """Our network immunised to one attack (``params.defence``) under another (``params.attack``): does it help?"""
    named = {known["variant"]: measured(run, answer, "Ours", column="", **known) for answer, known in pairs(run)}
    found = [r for r, _ in named.values()]
    for defence, against in dict.fromkeys((d, a) for a in PAPERS for d in (a, "combination")):
        two = (named[met(d, against)] for d in (defence, LONGER))
        found.append(_difference(run, smaller(seed_setup(run), FEWER), *two))
    return Result(found)


def met(defence: str, against: str) -> str:
    """The variant of a cell of :func:`matrix`."""
    return f"immunised to {defence}, under {against}"


STUDIES = {
    "attacks": Study(lambda run: Result([r for r in table(run).records if r.table != "3"]), table_needs),
    "strengths": Study(strengths, study_needs, every_dataset=False, photographs=False),
    "defences": Study(matrix, study_needs, every_dataset=False, photographs=False),
}


def _cell(e: Evidence, name: str, when: str, row: str = "Ours", variant: str = "") -> Record:
    return _placed(e.number(_table(e.stands_for), row, f"{name} {when}", variant=variant))


def _ours(e: Evidence, when: str, names: Sequence[str] = PAPERS, **more) -> dict[str, Record]:
    return {name: _cell(e, name, when, **more) for name in names}


@claim("attacks-hurt", "4.4", "3 7 8", "Every attack lowers the accuracy of the attribution network.")
def _attacks_hurt(e: Evidence) -> tuple[str, str]:
    clean, atk = e.number("3", "Ours"), _ours(e, "atk")
    return every(e.above(clean, r) for r in atk.values()), f"clean {clean.value:.2f}; {shown(atk)}"


@claim("fatal-attacks", "4.4", "7 8", "Noise and JPEG compression defeat the network: it ends near chance.")
def _fatal_attacks(e: Evidence) -> tuple[str, str]:
    return _near_chance(_ours(e, "atk", ("noise", "compression")))


@claim("noise-deviation", "4.4", "7 8", "Noise whose standard deviation, not variance, is 5 to 20 defeats the network.")
def _noise_deviation(e: Evidence) -> tuple[str, str]:
    clean = e.number("3", "Ours")
    outcome, numbers = _near_chance({DEVIATION: _cell(e, "noise", "atk", variant=DEVIATION)})
    return outcome, f"{numbers}; variance {_cell(e, 'noise', 'atk').value:.2f}, no noise {clean.value:.2f}"


def _near_chance(found: Mapping[str, Record]) -> tuple[str, str]:
    limit = NEAR_CHANCE * next(iter(found.values())).chance
    return every(at_most(r, limit) for r in found.values()), f"{shown(found)}, at most {limit:.2f} wanted"


@claim("mild-attacks", "4.4", "7 8", "Under the other four attacks the network still beats chance.")
def _mild_attacks(e: Evidence) -> tuple[str, str]:
    atk = _ours(e, "atk", ("blur", "cropping", "relighting", "combination"))
    chance = atk["blur"].chance
    return every(at_least(r, chance) for r in atk.values()), f"{shown(atk)}, chance {chance:.2f}"


@claim("relighting-is-weakest", "4.4", "7 8", "Relighting keeps the high frequencies and is the weakest attack.")
def _relighting_is_weakest(e: Evidence) -> tuple[str, str]:
    atk = _ours(e, "atk")
    return every(e.above(atk["relighting"], r) for name, r in atk.items() if name != "relighting"), shown(atk)


@claim("immunisation-restores", "4.4", "3 7 8", "Immunisation undoes blur, cropping and relighting.")
def _immunisation_restores(e: Evidence) -> tuple[str, str]:
    return _as_before(e, _ours(e, "dfs", ("blur", "cropping", "relighting")))


@claim("immunity-is-free", "4.4", "3 7 8", "Immunity costs nothing on images that nobody attacked.")
def _immunity_is_free(e: Evidence) -> tuple[str, str]:
    return _as_before(e, _ours(e, "dfs", variant="clean"))


def _as_before(e: Evidence, found: Mapping[str, Record]) -> tuple[str, str]:
    clean = e.number("3", "Ours")
    numbers = f"before {clean.value:.2f}; {shown(found)}; {RESTORED:g} points allowed"
    return every(e.above(r, clean, RESTORED) for r in found.values()), numbers


@claim("immunisation-helps", "4.4", "3 7 8", "Against noise, JPEG and the combination it wins back a part.")
def _immunisation_helps(e: Evidence) -> tuple[str, str]:
    clean, names = e.number("3", "Ours"), ("noise", "compression", "combination")
    atk, dfs = (_ours(e, when, names) for when in ("atk", "dfs"))
    signs = [sign for name in names for sign in (e.above(dfs[name], atk[name]), e.above(clean, dfs[name]))]
    changes = ", ".join(f"{name} {atk[name].value:.2f} to {dfs[name].value:.2f}" for name in names)
    return every(signs), f"clean {clean.value:.2f}; {changes}"


@claim("combination-ends-lowest", "4.4", "7 8", "After immunisation the combination is the strongest attack.")
def _combination_ends_lowest(e: Evidence) -> tuple[str, str]:
    dfs = _ours(e, "dfs")
    return every(e.above(r, dfs["combination"]) for name, r in dfs.items() if name != "combination"), shown(dfs)


@claim("combination-recovers-least", "4.4", "3 7 8", "Immunisation wins back least from the combination.")
def _combination_recovers_least(e: Evidence) -> tuple[str, str]:
    found = {name: share for name in PAPERS if (share := _won_back(e, name))}
    numbers = ", ".join(f"{name} {r.value:.0f} %" for name, r in found.items())
    least = found.pop("combination", None)
    outcome = every(e.above(r, least) for r in found.values()) if least and found else NOT_SHOWN
    return outcome, f"share of the lost accuracy won back: {numbers or 'none is shown to be lost'}"


def _won_back(e: Evidence, name: str) -> Record | None:
    """The share as measured, else the widest that the accuracies' intervals allow; None if the attack takes nothing."""
    clean, atk, dfs = e.number("3", "Ours"), _cell(e, name, "atk"), _cell(e, name, "dfs")
    if e.above(clean, atk) < 1:
        return None
    if found := pick(e.records, metric="won_back", row="Ours", column=name):
        return found[0]
    ends = product((clean.low, clean.high), (atk.low, atk.high), (dfs.low, dfs.high))
    shares = [100 * (d - a) / (c - a) for c, a, d in ends if c > a]
    value = 100 * (dfs.value - atk.value) / (clean.value - atk.value)
    return replace(dfs, metric="won_back", column=name, value=value, ci_low=min(shares), ci_high=max(shares))


@claim("best-immunised", "4.4", "7 8", "After immunisation our network beats PRNU under every attack.")
def _best_immunised(e: Evidence) -> tuple[str, str]:
    return _all_above(e, _ours(e, "dfs"), _ours(e, "dfs", row="PRNU"))


def _all_above(e: Evidence, ours: Mapping[str, Record], theirs: Mapping[str, Record]) -> tuple[str, str]:
    numbers = ", ".join(f"{name} {r.value:.2f} against {theirs[name].value:.2f}" for name, r in ours.items())
    return every(e.above(r, theirs[name]) for name, r in ours.items()), numbers


@claim("prnu-gains-less", "4.4", "7 8", "PRNU gains less from immunisation than our network.")
def _prnu_gains_less(e: Evidence) -> tuple[str, str]:
    ours, prnu = ({name: _gain(e, row, name) for name in PAPERS} for row in ("Ours", "PRNU"))
    apart = [replace(d, metric="difference") for d in pick(e.records, metric="gain_difference")]
    outcome, _ = _all_above(Evidence([*e.records, *apart], e.dataset), ours, prnu)
    numbers = ", ".join(f"{name} {r.value:+.2f} against {prnu[name].value:+.2f}" for name, r in ours.items())
    return outcome, numbers


def _gain(e: Evidence, row: str, name: str) -> Record:
    before, after = (_cell(e, name, when, row) for when in ("atk", "dfs"))
    low, high = e.difference(after, before)
    return replace(after, column=name, value=after.value - before.value, ci_low=low, ci_high=high)


@claim("own-defence", "4.4", "7", "Under every attack, immunity to it does more than longer training alone.")
def _own_defence(e: Evidence) -> tuple[str, str]:
    return _all_above(e, _matrix(e, {name: name for name in PAPERS}), _matrix(e, dict.fromkeys(PAPERS, LONGER)))


@claim("mixed-defence", "4.4", "7", "Immunity to the combination helps against each of its parts, too.")
def _mixed_defence(e: Evidence) -> tuple[str, str]:
    parts = [name for name in PAPERS if name != "combination"]
    return _all_above(e, *(_matrix(e, dict.fromkeys(parts, defence)) for defence in ("combination", LONGER)))


def _matrix(e: Evidence, defences: Mapping[str, str]) -> dict[str, Record]:
    return {a: _placed(e.number("", "Ours", setup="seeds", variant=met(d, a))) for a, d in defences.items()}


@claim("relighting-nearer", "4.4", "7", "Relit, faces come nearer to the truth, nearer still with their true shape.")
def _relighting_nearer(e: Evidence) -> tuple[str, str]:
    rows = ("from the left", "relit, prior", "relit, true normals")
    found = {row: e.number("", row, metric="rms", setup="relighting") for row in rows}
    before, prior, true = found.values()
    return every([e.above(before, prior), e.above(prior, true)]), f"grey levels, root mean square: {shown(found)}"


def attacks_table(records: Iterable[Record], which: str, name: str) -> Table:
    """Table 7 or 8: paper | reference | this run before and after immunisation, and after it without an attack."""

    def rows(mine: list[Record]) -> list[list[str]]:
        before = [r for r in pick(mine, row="PRNU") if r.column.endswith(" atk")]
        before.sort(key=lambda r: PAPERS.index(r.column.split()[0]))
        return [row for r in before for row in _attack_rows(mine, r.column.split()[0], r.variant)]

    found = pick(records, table=which, metric="accuracy")
    caption = (
        f"Attacks on {listed(list(dict.fromkeys(r.dataset for r in found)))}. Accuracy in percent under each attack, "
        "before and after immunisation, and, in the last column, of the immunised method on images that nobody "
        f"attacked. Here are {found[0].classes} sources (chance {found[0].chance:.1f} %)"
        + ("; the paper has 11 sources (9.1 %)" if any(r.paper is not None for r in found) else "")
        + ". Small: 95 % interval. Bold: the better method."
    )
    header = ["", "", "paper", "reference", "before", "after", "after, no attack"]
    return Table(name, caption, header, rows_by_dataset(found, rows), of=found)


def _attack_rows(found: Sequence[Record], name: str, variant: str) -> list[list[str]]:
    """A row per method: the paper's two numbers, the reference run's two and this run's three."""
    columns = ("atk", variant), ("dfs", variant), ("dfs", joined("clean", variant))
    places = [{"column": f"{name} {when}", "variant": kind} for when, kind in columns]
    three = {row: [one(found, row=row, **place) for place in places] for row in METHODS.values()}
    top = [max(r.value for r in both) for both in zip(*three.values(), strict=True)]
    label, rows = f"{name} {small(variant)}" if variant else name, []
    for row, cells in three.items():
        ours = [this_run(r, strong if r.value == best else str) for r, best in zip(cells, top, strict=True)]
        others = ([getattr(r, who) for r in cells[:2]] for who in ("paper", "reference"))
        arrows = [DASH if None in two else " → ".join(map(number, two)) for two in others]
        rows.append([label if not rows else "", row, *arrows, *ours])
    return rows
