"""Section 4.4 and page x2 on the smoke run, and what their sentences say of made-up records."""

from dataclasses import replace

import numpy as np
import pytest

from ganfp import attacks, claims, findings, metrics, tables
from ganfp.attributors import Attributor, attributor_class
from ganfp.experiments import format_leak, immunizability
from ganfp.experiments.existence import seed_setup
from ganfp.paper import plots
from ganfp.paper.published import ATTACKS
from ganfp.paper.record import KEYS, pick
from ganfp.runs.recipes.attacked import Attack, MixedFormats, Resaved, load_attacked
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import begin


def test_needs_are_complete(sealed):
    immunizability.tables([sealed, begin("smoke", "bedrooms")])
    for study in (immunizability.strengths, immunizability.matrix, immunizability.spectra, immunizability.figure6):
        study(sealed)
    for study in (format_leak.networks, format_leak.ghost_control):
        study(sealed)


# ---------------------------------------------------------------------------- recipes


def test_image_k_of_every_source_meets_the_same_draw(sealed):
    setup, attack = seed_setup(sealed), Attack("cropping")
    images, labels = load_attacked(setup, "test", attack, sealed.path)
    clean, _ = load_part(setup, "test", sealed.path)
    for source in setup.classes:
        assert (images[labels == source] == attacks.attack("cropping", clean[labels == source], _seed(0, "test"))).all()
    train = attack.on(clean[:5], "train", np.arange(5))
    assert (train != images[:5]).any()  # another draw in each split


def _seed(seed, split):
    from ganfp import worlds
    from ganfp.seeding import mix

    return mix(seed, worlds.SPLITS.index(split))


def test_whatever_matters_changes_the_key(sealed):
    setup = seed_setup(sealed)
    one = sealed.immunised("cnn", setup, Attack("noise"))
    others = [
        sealed.immunised("cnn", setup, Attack("blur")),
        sealed.immunised("cnn", setup, Attack("noise", (("reading", "deviation"),))),
        sealed.immunised("cnn", setup, Attack("noise", seed=1)),
        replace(one, settings=(("images", 1),)),
        sealed.immunised("prnu", setup, Attack("noise")),
    ]
    assert len({recipe.key for recipe in (one, *others)}) == 6
    assert {need.split for need in one.needs()[1:]} == {"train", "validation"}  # never the test images
    plain, mixed = setup, format_leak.resaved(setup, "real")
    assert sealed.fit("knn", plain).key != sealed.fit("knn", mixed).key
    assert [isinstance(sample, Resaved) for sample in mixed.part("test")] == [True, False, False]


def test_a_defence_starts_from_the_fitted_weights(sealed):
    setup = seed_setup(sealed)
    before = Attributor.load(sealed.path(sealed.fit("cnn", setup)))
    after = Attributor.load(sealed.path(sealed.immunised("cnn", setup, Attack("noise"))))
    assert after.images == sealed.profile.immunisation.images and after.classes_.tolist() == before.classes_.tolist()
    one, two = (x.network_.stages[0].first.weight.detach().numpy().ravel() for x in (before, after))
    assert (one != two).any() and np.corrcoef(one, two)[0, 1] > 0.5


def test_prnus_defence_is_estimated_from_attacked_images(sealed):
    setup, attack = seed_setup(sealed), immunizability.variants(sealed)["blur", ""]
    after = sealed.immunised("prnu", setup, attack)
    images, labels = load_attacked(setup, "train", attack, sealed.path)
    held = load_attacked(setup, "validation", attack, sealed.path)
    by_hand = attributor_class("prnu")().fit(images, labels, validation=held)
    found = Attributor.load(sealed.path(after))
    assert np.allclose(found.fingerprints_, by_hand.fingerprints_) and found.chosen_ == by_hand.chosen_


# ---------------------------------------------------------------------------- Tables 7 and 8


@pytest.fixture
def table7(sealed):
    return immunizability.tables([sealed])


def test_the_tables_count_attacked_test_images(sealed, table7):
    setup = seed_setup(sealed)
    for column, defence in (("blur atk", None), ("blur dfs", Attack("blur"))):
        fit = sealed.fit("cnn", setup) if defence is None else sealed.immunised("cnn", setup, defence)
        images, truth = load_attacked(setup, "test", Attack("blur"), sealed.path)
        expected = metrics.accuracy(truth, Attributor.load(sealed.path(fit)).predict(images))
        (found,) = [r for r in pick(table7.records, row="Ours", column=column) if not r["params"].get("variant")]
        assert (found["value"], found["ci_low"], found["n"]) == (expected.value, expected.low, expected.n)
        assert set(found) == set(KEYS) and found["table"] == "7" and found["seconds"] > 0
    assert found["paper"] == 97.20


def test_every_claim_of_the_section_finds_its_numbers(sealed, table7):
    verdicts = claims.evaluate(table7.records)
    section = [claim for claim in claims.CLAIMS if claim.section == "4.4"]
    assert len(section) == 10 and all(verdicts[claim.id].holds is not None for claim in section)
    rows = findings.claims(table7.records, ("7", "8"))
    assert [row[0] for row in rows] == [claim.text for claim in section]
    bedrooms = immunizability.tables([begin("smoke", "bedrooms")]).records
    assert {r["table"] for r in bedrooms} == {"3", "8"}
    assert claims.evaluate(bedrooms)["best-immunised"].holds is not None


def test_the_table_and_the_pictures_show_what_was_measured(sealed, table7):
    table = tables.attacks([r for r in table7.records if r["table"] == "7"], "tab-7", "caption")
    assert len(table.rows) == 2 * (len(ATTACKS) + 1) and table.rows[0][:2] == ["noise", "PRNU"]
    ours = next(row for row in table.rows if row[1] == "Ours" and "9.14 → 93.02" in row[2])
    (found,) = [r for r in pick(table7.records, row="Ours", column="noise atk") if not r["params"].get("variant")]
    assert f"{found['value']:.2f}" in ours[4]
    assert "standard deviation" in table.markdown()
    plots.immunisation([r for r in table7.records if r["table"] == "7"])
    plots.attack_columns(*immunizability.figure6(sealed))
    plots.attacked_rows(immunizability.attacked(sealed, "none", 3))
    plots.attacked_rows(immunizability.attacked(sealed, "blur", 3))
    plots.strengths(immunizability.strengths(sealed).records, immunizability.AXES)
    plots.image_rows(immunizability.relit_faces(sealed, 3))


def test_differences_are_grey_where_nothing_changed():
    from ganfp.paper.plots.attacks import difference

    before = np.full((1, 3, 4, 4), 100, np.uint8)
    after = before.copy()
    after[0, 0, 0] = [100, 101, 98, 255]
    assert difference(before, after)[0, 0, 0].tolist() == [128, 132, 120, 255]
    assert (difference(before, after)[0, 1:] == 128).all()


def test_the_power_of_a_wave_lies_at_its_frequency():
    wave = np.cos(2 * np.pi * 5 * np.arange(32) / 32)
    rings, power = immunizability.radial_power(np.broadcast_to(wave, (2, 3, 32, 32)))
    assert rings[power.argmax()] == 5 and np.delete(power, power.argmax()).max() < 1e-12


def test_the_matrix_has_a_control_and_agrees_with_the_table(sealed, table7):
    found = immunizability.matrix(sealed)
    a = found.arrays
    assert a["accuracy"].shape == (8, 7) and list(a["defences"]) == ["none", "longer", *ATTACKS]
    for i, name in enumerate(ATTACKS):
        for row, when in ((0, "atk"), (2 + i, "dfs")):
            (cell,) = [
                r for r in pick(table7.records, row="Ours", column=f"{name} {when}") if not r["params"].get("variant")
            ]
            assert a["accuracy"][row, 1 + i] == cell["value"]
    plots.transfer(a["accuracy"], a["defences"], a["attacks"])
    assert "longer training" in findings.transfer(found.records) or "Nowhere" in findings.transfer(found.records)


# ---------------------------------------------------------------------------- page x2


def test_exchanged_formats_are_the_opposite(sealed):
    for setup in format_leak.setups(sealed).values():
        other = format_leak.other_formats(setup)
        assert set(getattr(setup, "jpegs", ())) | set(other.jpegs) == set(setup.classes)
        assert not set(getattr(setup, "jpegs", ())) & set(other.jpegs)
    twins = format_leak.setups(sealed)["twins", "one PNG, one JPEG"]
    assert isinstance(twins, MixedFormats) and len(twins.jpegs) == 1


def test_the_control_passes_on_our_sources_and_finds_the_leak(sealed):
    found = format_leak.ghost_control(sealed)
    assert all(r["value"] < 10 for r in pick(found.records, column="all PNG"))
    leaky = {r["row"]: r["value"] for r in pick(found.records, column="real JPEG")}
    assert leaky.pop("real") > 80 and max(leaky.values()) < 10
    assert "passes" in findings.ghost_control(found.records)
    plots.ghost_curves(found.arrays)
    assert len(tables.ghosts(found.records, "tab", "caption").rows) == 3


# ---------------------------------------------------------------------------- sentences


def cell(row, column, value, variant=None, half=1.0, **params):
    extra = {"variant": variant} if variant else {}
    ci = {"ci_low": value - half, "ci_high": value + half}
    table = "" if params else "7"
    return {
        "row": row, "column": column, "value": value, "table": table, "classes": 4, "dataset": "faces", "paper": None,
        "params": extra | params, **ci,
    }  # fmt: skip


def records_of(clean, before, after, prnu=30.0, free=None):
    found = [cell("Ours", "CelebA", clean) | {"table": "3"}, cell("PRNU", "CelebA", clean) | {"table": "3"}]
    for row, a, b in (("Ours", before, after), ("PRNU", {n: prnu for n in ATTACKS}, {n: prnu for n in ATTACKS})):
        for name in ATTACKS:
            found += [cell(row, f"{name} atk", a[name]), cell(row, f"{name} dfs", b[name])]
            found.append(cell(row, f"{name} dfs", (free or b)[name], "clean"))
        found.append(cell(row, "noise atk", a["noise"] - 10, immunizability.SECOND_READING))
    return found


PAPER_LIKE = dict(
    clean=99,
    before=dict(noise=26, blur=50, cropping=47, compression=25, relighting=94, combination=30),
    after=dict(noise=93, blur=98, cropping=98, compression=88, relighting=98.5, combination=73),
)


def test_sentences_about_a_run_like_the_papers():
    records = records_of(**PAPER_LIKE)
    assert "noise and compression end near chance" in findings.attacks(None, records)
    assert "the weakest relighting with 94.0 %" in findings.attacks(None, records)
    text = findings.defences(records)
    assert "Under blur, cropping and relighting ours is back within 2 points" in text
    assert "under noise, compression and combination ours wins back a part" in text
    assert "as in the paper" in text and "beats the immunised PRNU under every attack" in text
    assert "Both end near chance" in findings.noise_readings(records)
    costly = records_of(**PAPER_LIKE, free={name: 80.0 for name in ATTACKS})
    assert "costs accuracy" in findings.clean_after(costly)


def test_sentences_about_a_run_that_is_not():
    same = {name: 90.0 for name in ATTACKS}
    records = records_of(90, same, same | {"blur": 80.0}, prnu=85.0)
    text = findings.attacks(None, records)
    assert "No attack lowers that" in text and "None comes near chance" in text
    text = findings.defences(records)
    assert "under blur the intervals show no gain" in text and "where the paper has the combination" in text
    assert "and PRNU beats it under blur" in text
    assert "Neither ends near chance; the standard deviation comes nearer" in findings.noise_readings(records)
    assert "immunity costs nothing" in findings.clean_after(records_of(90, same, same))
    assert "even raises it" in findings.clean_after(records_of(80, same, same))
    two = records + [r | {"dataset": "bedrooms"} for r in records]
    assert findings.attacks(None, two).count("None comes near") == 2 and "**Bedrooms.**" in findings.attacks(None, two)


def test_sentences_about_transfer():
    def matrix(**better):
        value = {(d, a): 50.0 for d in ("none", "longer", *ATTACKS) for a in ("none", *ATTACKS)}
        value |= {(n, n): 70.0 for n in ATTACKS} | {tuple(key.split("_")): v for key, v in better.items()}
        return [cell("Ours", "", v, defence=d, attack=a) for (d, a), v in value.items()]

    assert "Nowhere does immunity to one attack help" in findings.transfer(matrix())
    assert "Under noise, blur, cropping" in findings.transfer(matrix())
    text = findings.transfer(matrix(noise_blur=60.0, blur_noise=40.0))
    assert "immunity to noise helps against blur" in text and "immunity to blur hurts against noise" in text


def test_sentences_about_formats():
    def four(same, other):
        values = {("all PNG", "as trained"): 52.0, ("mixed", "as trained"): same, ("mixed", "exchanged"): other}
        return [cell("twins", c, v, test=t, leak=c == "mixed") for (c, t), v in values.items()]

    assert "it tells formats, not sources" in findings.leak(four(99.0, 2.0))
    assert "a part of what it has learned" in findings.leak(four(95.0, 70.0))
    assert "it has not learned the format" in findings.leak(four(80.0, 80.5))
    shares = [cell("real", "all PNG", 50.0), cell("GAN", "all PNG", 1.0), cell("real", "real JPEG", 99.0)]
    assert "does not pass" in findings.ghost_control(shares)
    values = [("from the left", 30.0), ("relit, prior", 31.0), ("relit, true normals", 12.0)]
    assert "not the order" in findings.relighting([{"row": row, "value": value} for row, value in values])
