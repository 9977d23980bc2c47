"""Fingerprints as images: spectra, responses by region, what is said and drawn of them."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from ganfp import findings, tables  # noqa: E402
from ganfp.attributors import Attributor  # noqa: E402
from ganfp.attributors.autoencoder import AutoEncoder  # noqa: E402
from ganfp.attributors.summary import layers  # noqa: E402
from ganfp.experiments import existence, regions, visualization  # noqa: E402
from ganfp.paper import plots
from ganfp.paper.record import pick  # noqa: E402
from ganfp.runs.recipes.base import IMAGES
from ganfp.runs.recipes.images import HELD_OUT
from ganfp.runs.recipes.samples import load_part
from ganfp.runs.run import begin  # noqa: E402
from ganfp.worlds import faces  # noqa: E402

RNG = np.random.default_rng(0)


# ---------------------------------------------------------------- spectrum and autocorrelation


def wave(u, v, side=16):
    """A cosine of u cycles down and v across, in all colours: (1, 3, side, side)."""
    y, x = np.mgrid[:side, :side] / side
    return np.broadcast_to(np.cos(2 * np.pi * (u * y + v * x)), (1, 3, side, side)) + 7.0


def test_a_wave_has_its_power_at_its_frequency():
    power = visualization.spectrum(wave(2, 3))[0]
    assert power.sum() == pytest.approx(1)
    assert power[8 + 2, 8 + 3] == pytest.approx(0.5) and power[8 - 2, 8 - 3] == pytest.approx(0.5)


def test_autocorrelation_is_the_correlation_with_shifted_copies():
    x = RNG.standard_normal((2, 3, 8, 8))
    centred = x - x.mean(axis=(-2, -1), keepdims=True)
    found = visualization.autocorrelation(x)
    for k in range(2):
        for dy, dx in [(0, 0), (1, 0), (2, 3), (-4, 1)]:
            shifted = np.roll(centred[k], (dy, dx), axis=(-2, -1))
            expected = (centred[k] * shifted).sum() / (centred[k] ** 2).sum()
            assert found[k, (4 + dy) % 8, (4 + dx) % 8] == pytest.approx(expected)


def test_a_grid_stands_out_and_noise_does_not():
    noise = RNG.standard_normal((1, 3, 64, 64))
    grid = noise + 0.5 * wave(32, 0, 64)
    assert visualization.lattice_power(noise)[0] == pytest.approx(1, abs=1)
    assert visualization.lattice_power(grid)[0] > 50
    assert visualization.lattice_power(noise + 0.5 * wave(16, 16, 64), 4)[0] > 20
    assert visualization.lattice_power(noise + 0.5 * wave(16, 16, 64), 2)[0] < 3  # a pattern of period 4 is not of 2


# ---------------------------------------------------------------- responses


def test_margins_by_hand(run):
    truth = np.repeat(["a", "b", "c"], [4, 4, 2])
    rows = [[0.5, 0.1, 0.2]] * 4 + [[0.3, 0.2, 0.0]] * 4 + [[0.0, 0.0, 1.0]] * 2
    responses = np.array(rows) + np.arange(10)[:, None] * 0.01  # what all models share decides nothing
    a, b, _ = visualization.margins(run, "x", responses, truth, ["a", "b", "c"])
    assert a["value"] == pytest.approx(0.3) and a["params"]["rival"] == "c" and a["ci_low"] == pytest.approx(0.3)
    assert b["value"] == pytest.approx(-0.1) and b["params"]["rival"] == "a" and b["ci_high"] < 0


def test_figure_7_adds_up(run):
    found = visualization.fingerprints(run)
    a = found.arrays
    setup = existence.seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    network = Attributor.load(run.path(run.fit("visnet", setup)))
    for k, name in enumerate(setup.classes):
        np.testing.assert_array_equal(a["images"][k], images[truth == name][0])
        responses = network.responses(images[truth == name])[:, network.columns(setup.classes)]
        np.testing.assert_allclose(a["shown"][k], responses[0], atol=1e-5)
        np.testing.assert_allclose(a["responses_visnet"][k], responses.mean(axis=0), atol=1e-5)
        (margin,) = pick(found.records, row="Our visNet", column=name)
        others = np.delete(responses.mean(axis=0), k)
        assert margin["value"] == pytest.approx(responses[:, k].mean() - others.max(), abs=1e-5)
    assert {r["figure"] for r in found.records} == {"7"} and len(found.records) == 2 * len(setup.classes)


def test_three_logits_share_their_budget(run):
    found = visualization.logits(run)
    assert [r["row"] for r in found.records] == ["learned", "fixed", "inner"]
    assert len({r["params"]["images"] for r in found.records}) == 1
    fixed, inner = (found.value(row)["params"] for row in ("fixed", "inner"))
    assert fixed["temperature"] == pytest.approx(1) and fixed["cross_entropy"] > fixed["floor"] > 0
    learned = found.value("learned")["params"]
    assert inner["floor"] is None and inner["start"] > 0.9 > learned["start"]  # unit noise outlasts a short training
    first = [row[0] for row in tables.logits(found.records, "t", "c").rows]
    assert first[0].startswith("**this run**") and first[4].startswith("**reference**") and first[1:4] == first[5:]


def test_mirrored_training_images_make_symmetric_fingerprints(run):
    found = visualization.mirroring(run)
    plain, mirrored = found.records
    assert [plain["row"], mirrored["row"]] == ["as they are", "mirrored"]
    for r in found.records:
        models = found.arrays[f"models_{r['row']}"]
        pairs = [np.corrcoef(x.ravel(), x[..., ::-1].ravel())[0, 1] for x in models]
        assert r["params"]["symmetry"] == pytest.approx(np.mean(pairs), abs=1e-5)
    assert mirrored["params"]["symmetry"] > plain["params"]["symmetry"]
    text = findings.mirroring(found.records)
    assert text.startswith("After 480 images") and f"{mirrored['value']:.1f} %" in text


def test_cross_entropy_by_hand():
    scores = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    assert visualization.cross_entropy(scores, np.array([0, 2])) == pytest.approx(-np.log([0.5, 0.8]).mean())


# ---------------------------------------------------------------- regions


def test_masks_belong_to_the_test_images(run):
    real = run.images.part(run.array(run.images, IMAGES), "test")
    held = sum(run.images.held.values())
    seed = run.images.seed + HELD_OUT
    scene = faces.render(faces.factors(held, seed), run.profile.resolution)
    np.testing.assert_array_equal(scene.image[-len(real) :], real)
    found = regions.masks(run)
    np.testing.assert_array_equal(found[:, 0], scene.eyes[-len(real) :])
    np.testing.assert_allclose(regions.usual_masks(run)[2], scene.background[-len(real) :].mean(axis=0), atol=1e-6)


def test_density_by_hand():
    values = np.zeros((2, 2, 2))
    values[:, 0] = [[1, 3], [5, 7]]  # the upper row; the lower one is 0
    part = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    value, low, high = regions.density(values, part)
    assert value == pytest.approx(5 / 2)  # a mean of 5 there, of 2 everywhere
    assert low <= value <= high
    assert regions.density(values, np.ones((1, 2, 2)))[0] == pytest.approx(1)


def test_eyes_of_aligned_photographs_are_where_celeba_has_them():
    eyes, face, background = regions.aligned_masks(32)
    assert eyes[13, 11] == 1 and eyes[13, 20] == 1 and eyes[13, 16] == 0 and eyes[20, 11] == 0
    assert face[16, 16] == 1 and background[0, 0] == 1 and background[31, 31] == 1
    total = eyes + face + background
    assert total.max() <= 1 + 1e-6 and eyes.sum() == pytest.approx(2 * np.pi * 2**2, rel=0.02)


def test_regions_are_disjoint_and_measured(run):
    found = regions.where(run)
    chosen = found.arrays["only"]
    assert chosen.dtype == bool and chosen.sum(axis=0).max() == 1 and chosen.any(axis=(1, 2)).all()
    classes = existence.seed_setup(run).classes
    usual = [r for r in found.records if not r["params"].get("variant")]
    for metric in ("response", "energy", "accuracy"):
        assert [(r["row"]) for r in pick(usual, metric=metric, column="eyes")] == classes
    assert len(found.records) == 3 * 3 * len(classes) + 2 * 3  # and real images with their true masks
    assert all(r["value"] > 0 for r in pick(found.records, metric="energy"))
    assert len(tables.regions(found.records, "t", "c").rows) == len(classes) + 1
    assert len(tables.only(found.records, "t", "c").rows) == len(classes)


def test_all_pixels_together_attribute_as_the_network_does(run):
    setup = existence.seed_setup(run)
    images, truth = load_part(setup, "test", run.path)
    network = Attributor.load(run.path(run.fit("visnet", setup)))
    columns = network.columns(setup.classes)
    everything = np.ones((3, *images.shape[2:]), bool)
    found = regions._only(run, network.response_images(images)[:, columns], truth, setup.classes, everything)
    for r in found:
        assert r["value"] == pytest.approx(100 * (network.predict(images) == truth)[truth == r["row"]].mean())
        assert r["params"]["elsewhere"] == pytest.approx(r["value"])


def test_where_no_face_is_known_nothing_is_claimed(run):
    other = begin("smoke", "bedrooms")
    found = regions.where(other)
    assert not found.records and "not known" in findings.regions(found.records)
    assert "not known" in tables.regions([], "t", "c").rows[0][0] and plots.regions({}) is not None
    with pytest.raises(ValueError, match="bedrooms' has no masks"):
        regions.usual_masks(other)


# ---------------------------------------------------------------- sentences


def number(row, column, value, metric, half=0.1, **params):
    known = {"dataset": "faces", "ci_low": value - half, "ci_high": value + half, "params": params}
    return {"row": row, "column": column, "value": value, "metric": metric, **known}


def looked(eyes, only, background):
    return [
        number("real", "eyes", eyes, "response"),
        number("real", "face", 1.5, "response"),
        number("real", "background", 0.5, "response"),
        number("real", "eyes", only, "accuracy", 5, pixels=11, elsewhere=40.0),
        number("GAN_seed_1", "background", background, "response"),
        number("GAN_seed_1", "eyes", 2.0, "response"),
    ]


def test_sentences_about_regions_depend_on_the_numbers():
    text = findings.regions(looked(3.0, 70.0, 1.0))
    assert "observation holds" in text and "worth more" in text and "For every GAN" in text
    assert "peculiar" not in text  # 2.0 is less than 3.0
    text = findings.regions(looked(1.4, 41.0, 0.55))
    assert "does not hold" in text and "not sufficient" in text and "unlike in the paper" in text
    assert "for every GAN they are as dense, or denser" in text
    assert "but it is not shown" in findings.regions(looked(1.6, 41.0, 0.55))


def test_sentences_about_the_diagonal():
    good = [number("Our visNet", name, 0.1, "margin", 0.01, own=0.1, rival="b") for name in ("a", "c")]
    assert "respond most to their own model" in findings.own_models(good)
    bad = [*good, number("Our visNet", "d", 0.005, "margin", 0.01, own=0.05, rival="a")]
    assert "not for d" in findings.own_models(bad)


def test_sentences_about_the_row():
    def text(plain, visible):
        rows = [number("Ours", "", plain, "accuracy", 1), number("Our visNet", "", visible, "accuracy", 1)]
        return findings.visnet(rows)

    assert "even the better" in text(90, 95) and "costs accuracy" in text(95, 90) and "costs nothing" in text(95, 94)


def test_sentences_about_logits():
    def text(fixed, start):
        p = {"floor": 0.6, "cross_entropy": 0.8, "temperature": 0.05, "start": 0.1}
        rows = [
            number("learned", "", 99, "accuracy", 1, **p),
            number("fixed", "", fixed, "accuracy", 1, **p),
            number("inner", "", 95, "accuracy", 1, **{**p, "floor": None, "start": start}),
        ]
        return findings.logits(rows)

    assert "costs accuracy" in text(90, 0.9) and "mostly the noise" in text(90, 0.9)
    assert "hardly suffers" in text(98, 0.1) and "leave their start behind" in text(98, 0.1)


def test_sentences_about_the_grid():
    classes = ["real", "a", "b"]
    assert "every GAN" in findings.lattice({"PRNU": np.array([1.0, 3.0, 4.0])}, classes)
    assert "some GANs" in findings.lattice({"PRNU": np.array([1.0, 0.5, 4.0])}, classes)
    assert "no peak" in findings.lattice({"PRNU": np.array([1.0, 0.5, 0.9])}, classes)


# ---------------------------------------------------------------- figures


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_colours_are_symmetric_about_grey():
    x = np.array([-1.0, 1.0, -2.0, 2.0] * 3).reshape(3, 2, 2)
    found = plots.fingerprints.colour(x, scale=2)
    np.testing.assert_allclose(found[0, 0], 0.25)
    np.testing.assert_allclose(found + plots.fingerprints.colour(-x, scale=2), 1)
    np.testing.assert_allclose(plots.fingerprints.colour(x + 9), plots.fingerprints.colour(x))  # a mean is not shown


def test_figures_show_what_they_are_given(run):
    arrays = visualization.fingerprints(run).arrays
    figure = plots.interactions(arrays)
    shown = [image for axis in figure.axes for image in axis.images]
    limits = {image.get_clim() for image in shown if image.get_array().ndim == 2 and image.get_cmap().name == "RdBu_r"}
    (low, high), *others = limits
    assert low == -high and not others  # one scale for all responses, symmetric
    numbers = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert numbers == [f"{value:+.2f}".replace("-", "−") for value in arrays["shown"].ravel()]
    models = {"visNet": arrays["models_visnet"]}
    spectra = {"visNet": visualization.spectrum(arrays["models_visnet"])}
    assert len(plots.model_fingerprints(models, arrays["classes"], spectra).axes) == 2 * len(arrays["classes"])
    matrices = {"visNet": arrays["responses_visnet"], "PRNU": arrays["responses_prnu"]}
    first, second = plots.response_matrices(matrices, arrays["classes"]).axes
    assert first.get_title() == "visNet" and second.collections[0].get_clim()[1] == np.abs(matrices["PRNU"]).max()
    assert plots.regions(regions.where(run).arrays).axes


def test_figure_3_is_drawn_from_the_layers():
    figure = plots.fingerprint_network(layers(AutoEncoder(128), 3, 128, 128), 128, 11)
    texts = [text.get_text() for text in figure.axes[0].texts]
    sizes = ["128²\n3", "128²\n32", "64²\n64", "32²\n128", "16²\n256", "8²\n512", "4²\n512"]
    back = ["8²\n256", "16²\n128", "32²\n64", "64²\n32", "128²\n16", "128²\n3"]
    assert [text for text in texts if "²" in text] == sizes + back and "GAN 10" in texts


def test_a_card_orders_sources_by_probability():
    classes, p = ["a", "real", "c"], np.array([0.2, 0.7995, 0.0005])
    figure = plots.card(
        np.zeros((3, 8, 8), np.uint8), RNG.standard_normal((3, 8, 8)), RNG.standard_normal((3, 8, 8)),
        RNG.standard_normal((3, 3, 8, 8)), p, classes, title="image.png",
    )  # fmt: skip
    names = [t.get_text() for axis in figure.axes for t in axis.texts if "correlation" not in t.get_text()]
    assert names == ["real", "a", "c"] and figure.get_suptitle() == "image.png"
    assert any("< 0.1 %" in t.get_text() for axis in figure.axes for t in axis.texts)
