"""Figures: pictures keep their pixels, colours their sources."""

import inspect
import json
import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from conftest import ROOT  # noqa: E402

from ganfp.attributors.network import AttributionNetwork  # noqa: E402
from ganfp.attributors.summary import layers  # noqa: E402
from ganfp.paper import plots  # noqa: E402
from ganfp.paper.plots import style  # noqa: E402
from ganfp.paper.record import Record  # noqa: E402
from ganfp.paper.table import readable  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_caption_names_no_side_of_panels_that_stand_one_below_the_other_on_a_telephone():
    told = 0
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            caption = cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", "")
            for name in re.findall(r"plots\.(\w+)\(", "".join(cell["source"])) if caption else ():
                if "stack=True" in inspect.getsource(inspect.unwrap(getattr(plots, name))):
                    assert not re.search(r"\b(Left|Right)\b", caption), (notebook.name, caption)
                    told += 1
    assert told > 10


def test_montage_by_hand():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 2, 2), np.uint8)
    picture = plots.montage(images, rows=2)
    assert picture.shape == (5, 5, 4)
    picture, seen = picture[..., :3], picture[..., 3]
    assert (picture[:2, :2] == 0).all() and (picture[:2, 3:] == 1).all() and (picture[3:, :2] == 2).all()
    assert seen[:2, :2].min() == seen[:2, 3:].min() == seen[3:, :2].min() == 255
    assert not seen[2].any() and not seen[:, 2].any() and not seen[3:, 3:].any()  # the gaps, and the place left over


def test_a_source_has_one_colour_on_every_page():
    some, all_of_them = (plots.colours(classes) for classes in (["a", "b"], ["real", "a", "b", "c"]))
    assert some["a"] == all_of_them["a"] and len(set(all_of_them.values())) == 4
    assert readable("ProGAN_seed_2") == "ProGAN, seed 2"


def test_smoothing_keeps_a_constant_and_the_length():
    assert plots.smooth(np.full(30, 2.5)) == pytest.approx(np.full(30, 2.5))
    assert len(plots.smooth(np.arange(3.0))) == 3


def test_training_curves_of_a_short_run():
    rows = [{"images": i, "resolution": 4 if i < 5 else 8, "distance": 1.0} for i in range(1, 4)]
    (axis,) = plots.training_curves({"ProGAN_seed_1": rows}).axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), 1.0)


def test_signed_matrices_have_symmetric_limits():
    figure = plots.responses(np.array([[0.2, -0.5], [0.1, 0.3]]), ["a", "b"], "cosine")
    mesh = figure.axes[0].collections[0]
    assert mesh.get_clim() == (-0.5, 0.5)


def test_the_network_is_drawn_from_its_layers():
    figure = plots.network(layers(AttributionNetwork(128, 11), 3, 128, 128), 128, 11)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"128²\n3", "64²\n32", "4²\n512", "512", "11\nsources"} <= set(texts)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_odd_number_of_confusion_matrices_leaves_no_empty_frame(count):
    figure = plots.confusions({f"m{i}": np.eye(2) for i in range(count)}, ["real", "a"])
    assert len(figure.axes) == count


def test_beginnings_draw_zero_below_every_difference():
    arrays = {"seen": np.arange(4), "difference": np.array([[0.0], [0.0], [1e-4], [1e-2]])}
    figure = plots.beginnings(arrays | {"swapped": np.array([1]), "first": np.array([1])})
    line = figure.axes[0].lines[0].get_ydata()
    assert line[0] == line[1] < 1e-5 and line[2:].tolist() == [1e-4, 1e-2]
    assert "0" in [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_rungs_show_each_interval():
    def rung(i, value):
        known = {"ci_low": value - 2, "ci_high": value + 1, "classes": 3, "dataset": "faces", "metric": "accuracy"}
        return Record(row="Ours", value=value, params={"swapped": i, "base": 100}, **known)

    (axis,) = plots.rungs([rung(1, 90.0), rung(100, 95.0)]).axes
    (bars,) = axis.collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[88, 91], [93, 96]]


def test_growth_is_marked_where_there_is_room():
    def rows(*resolutions):
        return [{"images": 100 * (i + 1), "resolution": r, "distance": 1.0} for i, r in enumerate(resolutions)]

    curves = {"ProGAN": rows(4, 8, *[16] * 18), "SNGAN": rows(*[16] * 20), "CramerGAN": rows(16), "MMDGAN": rows(16)}
    growing, still, *_ = plots.training_panels(curves).axes
    assert len(plots.training_panels(curves | {"a fifth": rows(16)}).axes) == 5
    assert [text.get_text() for text in growing.texts] == ["", "", "16 px"]
    assert not still.texts


@pytest.mark.parametrize("length", [8, 20, 30])
def test_long_names_take_a_legend_fewer_columns_and_a_page_no_more_width(length):
    scores = ["x" * (length - i) for i in range(4)]
    curves = {f"{kind}/{score}": np.ones((2, 5)) for kind in ("new seed", "new architecture") for score in scores}
    inches = {}
    for mime, text in style.bundle(plots.open_world(curves)).items():
        if "svg" in mime:
            inches[mime] = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', text)[1]) / 72
            assert all(score in text for score in scores)
    assert inches["image/svg+xml"] <= style.WIDE and inches[style.NARROW_MIME] <= style.NARROW
