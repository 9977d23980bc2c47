"""Figures of fingerprints show what they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from ganfp.attributors.autoencoder import AutoEncoder  # noqa: E402
from ganfp.attributors.summary import layers  # noqa: E402
from ganfp.features.spectra import spectrum  # noqa: E402
from ganfp.paper import plots, s4_5  # noqa: E402

RNG = np.random.default_rng(0)


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


def test_figures_show_what_they_are_given(sealed):
    arrays = s4_5.fingerprints(sealed).arrays
    figure = plots.interactions(arrays)
    shown = [image for axis in figure.axes for image in axis.images]
    limits = {image.get_clim() for image in shown if image.get_array().ndim == 2 and image.get_cmap().name == "RdBu_r"}
    (low, high), *others = limits
    assert low == -high and not others  # one scale for all responses, symmetric
    numbers = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert numbers == [f"{value:+.2f}".replace("-", "−") for value in arrays["shown"].ravel()]
    models = {"visNet": arrays["models_visnet"]}
    spectra = {"visNet": spectrum(arrays["models_visnet"])}
    panels = 2 * len(arrays["classes"])
    assert len(plots.model_fingerprints(models, arrays["classes"], spectra).axes) == panels + 1  # the spectra's scale
    matrices = {"visNet": arrays["responses_visnet"], "PRNU": arrays["responses_prnu"]}
    first, second = plots.response_matrices(matrices, arrays["classes"]).axes
    assert first.get_title() == "visNet" and second.collections[0].get_clim()[1] == np.abs(matrices["PRNU"]).max()
    assert "not known" in plots.regions({}).axes[0].texts[0].get_text()
    assert plots.regions(s4_5.where(sealed).arrays).axes


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
