"""The explorer in a real browser: the same numbers as the library's, every control, and no request to the network."""

import io
import json
import os

import browser
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from explorer_page import Page
from PIL import Image
from test_book import complaints

from ganfp import relight
from ganfp.attacks import attack
from ganfp.attributors import attributor_class
from ganfp.cli import main
from ganfp.explorer import Exhibit, Reader, export, fragment, page
from ganfp.worlds import faces, files

SIDE, CLASSES, EACH = 32, ("blocks", "drawn", "stripes"), 70
SOURCES = np.repeat(CLASSES, EACH)


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0)).save(file, "PNG", **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def images():
    """Faces as drawn and with two patterns of up-sampling: uint8 (210, 3, 32, 32)."""
    found = faces.draw(len(SOURCES), SIDE).astype(np.int16)
    y, x = np.indices((SIDE, SIDE))
    found[SOURCES == "blocks"] += 10 * ((x + y) % 2).astype(np.int16)
    found[SOURCES == "stripes"] += 10 * (x % 2).astype(np.int16)
    return found.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def readers(images):
    """One of every kind of layer and of logits, trained just so far that they are of different opinions."""

    def fitted(method, **settings):
        return attributor_class(method)(**settings).fit(images, SOURCES, validation=(images[::3], SOURCES[::3]))

    small = {"fmap_base": 128, "fmap_max": 16, "batch": 16, "checks": 2, "learning_rate": 0.01}
    found = [Reader(fitted("cnn", **small, images=640, boost=3.0, optimiser="muon"), "Whole image", "as trained")]
    found.append(Reader(fitted("visnet", **small, images=160), "visNet", "visNet"))
    found.append(Reader(fitted("prnu", sigma=2.0, levels=2), "PRNU", "PRNU"))
    for part in ({"factor": 2}, {"band": "high", "factor": 4, "boost": 2.0}, {"pool_at": 8}):
        found.append(Reader(fitted("cnn", **small, images=320, **part), "Parts", json.dumps(part)))
    return [*found, Reader(fitted("visnet", **small, images=160, logits="inner"), "visNet", "inner products")]


def shown(readers, images):
    names = [f"{name}, image {i % EACH + 1}" for i, name in enumerate(SOURCES)]
    return Exhibit(readers, images, SOURCES.tolist(), names, readable={"drawn": "drawn </script>by code"})


@pytest.fixture(scope="module")
def chromium():
    if (found := browser.find()) is None:
        reason = f"no browser of {', '.join(browser.NAMES)} on the path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with browser.Browser(found) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(readers, images, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    path.write_text(page(shown(readers, images), "Fingerprints <of> three"), "utf-8")
    return path.as_uri()


@pytest.fixture
def opened(chromium, address):
    return Page(chromium, address)


# ---------------------------------------------------------------------------- the same numbers


def test_two_hundred_images_get_the_numbers_that_python_gives_them(opened, readers, images):
    some = images[:200]
    found = opened.answers(0, range(200))
    wanted = readers[0].attributor.predict_proba(some)
    assert wanted.max(axis=1).min() < 0.9 < wanted.max()  # of many opinions
    np.testing.assert_allclose([one["p"] for one in found], wanted, atol=1e-3)
    np.testing.assert_allclose([one["v"] for one in found], readers[1].attributor.responses(some), atol=1e-3)
    np.testing.assert_allclose([one["r"] for one in found], readers[2].attributor.scores(some), atol=1e-5)
    assert np.median([one["ms"] for one in found]) < 100


def test_every_kind_of_network_says_the_same_as_in_python(opened, readers, images):
    rows = range(0, len(images), 15)
    for number, reader in enumerate(readers):
        found, wanted = opened.answers(number, rows), reader.attributor.attribute(images[::15])
        np.testing.assert_allclose([one["p"] for one in found], wanted.probabilities, atol=1e-3, err_msg=reader.label)
        scale = np.abs(wanted.scores).max()
        np.testing.assert_allclose([one["s"] for one in found], wanted.scores, atol=1e-3 * scale, err_msg=reader.label)


def test_pictures_are_those_of_the_library(opened, readers, images):
    from ganfp.attributors.prnu import residuals
    from ganfp.features.spectra import spectrum

    visnet, one = readers[1].attributor, images[:1]
    fingerprint = visnet.image_fingerprints(one)
    found = opened.js(
        "e.ask(e.imageOf(0), 0).then(({found: f}) => ({fingerprint: [...f.visnet.fingerprint],"
        " residual: [...f.residual], responses: f.visnet.responses.map(r => [...r]), spectrum: [...f.spectrum]}))"
    )
    np.testing.assert_allclose(found["fingerprint"], fingerprint.ravel(), atol=1e-3)
    np.testing.assert_allclose(found["responses"], visnet.response_images(one)[0].reshape(3, -1), atol=1e-4)
    np.testing.assert_allclose(found["residual"], residuals(one, **readers[2].attributor.chosen_).ravel(), atol=1e-3)
    np.testing.assert_allclose(found["spectrum"], spectrum(fingerprint).ravel(), atol=1e-5)


def test_weights_keep_fourteen_bits():
    values = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    kept = export.rounded(values)
    assert np.abs(kept / values - 1).max() <= 2.0**-15
    assert not (kept.view(np.uint32) & 0x1FF).any()


# ---------------------------------------------------------------------------- attacks


def near(found, wanted, share=0.01):
    """Equal up to rounding: one level, and that seldom."""
    apart = np.abs(found.astype(int) - wanted)
    assert apart.max() <= 1 and (apart > 0).mean() <= share


def test_attacks_are_those_of_the_library(opened, images):
    one = images[:1]
    for position, side in enumerate((1, 3, 5, 7, 9)):
        opened.set("blurring", position)
        near(opened.pixels(), attack("blur", one, 0, sides=(side,))[0])
    opened.click(".ex-reset")
    for percent in (5, 12, 30):
        opened.set("cropping", percent)
        lost = max(1, round(percent / 100 * SIDE))
        middle = slice(lost // 2, lost // 2 + SIDE - lost)
        kept = torch.from_numpy(one[..., middle, middle]).float()
        wanted = torch.nn.functional.interpolate(kept, (SIDE, SIDE), mode="bilinear", align_corners=False)
        near(opened.pixels(), wanted.round().numpy()[0])
    opened.click(".ex-reset")
    for position in (1, 17, 30):
        opened.set("relighting", position)
        near(opened.pixels(), relight(one, azimuth=5.0 * position - 85)[0])
    opened.click(".ex-reset")
    assert (opened.pixels() == one[0]).all()


def test_noise_is_gaussian_and_grows_with_the_slider(opened, images):
    grey = np.full((3, SIDE, SIDE), 128, np.uint8)
    opened.js(f"e.choose(new Uint8Array({grey.size}).fill(128), '', 'grey').then(() => 0)")
    grains = []
    for position in (8, 40):
        opened.set("noise", position)
        grains.append(opened.pixels().astype(float) - 128)
        assert grains[-1].std() == pytest.approx(position / 2, rel=0.05) and abs(grains[-1].mean()) < 0.05 * position
    assert np.corrcoef(*(grain.ravel() for grain in grains))[0, 1] > 0.99  # the same grain
    kurtosis = (grains[1] ** 4).mean() / grains[1].var() ** 2
    assert kurtosis == pytest.approx(3, abs=0.3)


def test_jpeg_is_the_browsers_own_and_close_to_pillows(opened, images):
    for quality in (90, 50, 10):
        opened.set("compression", 101 - quality)
        wanted = attack("compression", images[:1], 0, low=quality, high=quality)[0]
        own = np.abs(wanted.astype(int) - images[0]).mean()
        assert np.abs(opened.pixels().astype(int) - wanted).mean() < 0.5 * own
        assert f"quality {quality}" in opened.js("e.find('[name=ex-compression]').getAttribute('aria-valuetext')")


# ---------------------------------------------------------------------------- files of the reader's


def test_a_file_becomes_what_folder_makes_of_it(opened, tmp_path):
    rng = np.random.default_rng(0)
    for shape in ((3, SIDE, SIDE), (3, 75, 50), (3, 33, 90)):
        path = tmp_path / "own.png"
        path.write_bytes(png(rng.integers(0, 256, shape, np.uint8)))
        opened.give(path)
        wanted = files.square_mean(files.decode(path, path)[0], SIDE, path)
        assert (opened.pixels("state.original") == wanted).all()
        said = opened.text(".ex-complaint")
        assert said == "" if shape[1:] == (SIDE, SIDE) else f"{shape[2]} × {shape[1]} px" in said
    assert "can only name one of the 3 sources" in opened.text(".ex-verdict")
    turned = Image.fromarray(np.repeat(np.arange(0, 256, 4, dtype=np.uint8)[:, None], 64, axis=1)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(path, "PNG", exif=exif)
    opened.give(path)
    assert (opened.pixels("state.original") == files.square_mean(files.decode(path, path)[0], SIDE, path)).all()


def test_what_the_library_refuses_the_page_refuses(opened, tmp_path):
    def saved(name, image, *how):
        image.save(tmp_path / name, *how)
        return tmp_path / name

    deep = np.random.default_rng(0).integers(0, 2**16, (40, 40), np.uint16)
    refused = [
        (saved("small.png", Image.new("RGB", (40, 31))), "small.png is 40 x 31 px: too small for 32 px"),
        (saved("deep.png", Image.fromarray(deep)), "save it as 8-bit RGB or greyscale"),
        (saved("cmyk.jpg", Image.new("CMYK", (40, 40)), "JPEG"), "cmyk.jpg has colour mode CMYK"),
        (tmp_path / "text.png", "text.png is not a"),
    ]
    (tmp_path / "text.png").write_text("no image")
    before = opened.pixels("state.original")
    for path, message in refused:
        opened.give(path)
        assert message in opened.text(".ex-complaint")
        with pytest.raises(ValueError, match=r"too small|8-bit|not a readable"):
            files.square_mean(files.decode(path, path)[0], SIDE, path)
    opened.give(saved("clear.png", Image.new("RGBA", (40, 40), (9, 9, 9, 100))))  # a browser mixes what it hides
    assert "transparent" in opened.text(".ex-complaint")
    assert (opened.pixels("state.original") == before).all()


# ---------------------------------------------------------------------------- the controls


def test_the_page_asks_for_nothing_and_names_every_control(opened):
    assert list(complaints(opened.events)) == []
    assert opened.js("document.title") == "Fingerprints <of> three"
    tree = opened.chromium.call("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "radio", "checkbox", "slider", "image", "img")
    controls = [n for n in tree if n.get("role", {}).get("value") in roles and not n["ignored"]]
    assert len(controls) > 3 * 2 + EACH + 7
    assert [n["role"]["value"] for n in controls if not n.get("name", {}).get("value")] == []
    for width in (420, 1440):
        opened.chromium.resize(width)
        assert opened.js("document.documentElement.scrollWidth") <= width


def test_choosing_images_and_readers(opened, readers, images):
    rows = [0, EACH + 5, 2 * EACH + 9]
    for source, row in enumerate(rows):
        opened.click("[name=ex-source]", source)
        opened.click("[name=ex-thumb]", row % EACH)
        assert (opened.pixels() == images[row]).all()
        for nth, number in enumerate((0, 3, 4, 5)):  # the networks; visNet and PRNU have columns
            opened.click("[name=ex-reader]", nth)
            wanted = readers[number].attributor.predict_proba(images[row : row + 1])[0]
            best = CLASSES[wanted.argmax()].replace("drawn", "drawn </script>by code")
            right = "That is right" if CLASSES[wanted.argmax()] == SOURCES[row] else "That is wrong"
            said = f"The network says: {best}, {100 * wanted.max():.1f}\N{NO-BREAK SPACE}%. {right}"
            assert opened.text(".ex-verdict").startswith(said)
        correlations = readers[1].attributor.responses(images[row : row + 1])[0]
        cells = opened.js("e.rows.map(r => r.cells.visnet.text.textContent)")
        assert cells == [f"{c:+.3f}".replace("-", "−") for c in correlations]
        marked = opened.js("e.rows.map(r => r.row.classList.contains('ex-true'))")
        assert marked == [name == SOURCES[row] for name in CLASSES]
    for k in range(3):
        opened.click(".ex-look", k)
        assert opened.js(f"e.rows[{k}].row.querySelector('button').ariaPressed") == "true"
        assert f"{correlations[k]:+.3f}".replace("-", "−") in opened.js("e.pictures.response.words.textContent")


def test_sliders_by_keyboard(opened):
    opened.js("e.find('[name=ex-noise]').focus()")
    for _ in range(3):
        opened.key("ArrowRight")
    assert opened.js("e.state.strengths.noise") == 1.5
    assert opened.js("e.find('[name=ex-noise]').getAttribute('aria-valuetext')") == "deviation 1.5 of 255"
    opened.click(".ex-reset")
    assert set(opened.js("Object.values(e.state.strengths)")) == {None}


def test_the_brush_by_mouse_and_by_keyboard(opened, images):
    smooth = attack("blur", images[:1], 0, sides=(9,))[0]
    opened.click(".ex-brush")
    opened.js("e.find('.ex-main').scrollIntoView({block: 'center'})")
    frame = opened.js("(r => [r.x, r.y, r.width])(e.find('.ex-main').getBoundingClientRect())")
    at = dict(x=frame[0] + frame[2] / 4, y=frame[1] + frame[2] / 4, button="left", clickCount=1)
    for kind in ("mousePressed", "mouseReleased"):
        opened.chromium.call("Input.dispatchMouseEvent", type=kind, buttons=1, **at)
    opened.settle()
    y, x = np.indices((SIDE, SIDE)) + 0.5
    touched = np.hypot(x - 8, y - 8) <= SIDE / 12
    near(opened.pixels(), np.where(touched, smooth, images[0]))
    opened.js("e.find('.ex-main').focus()")
    opened.key(" ", " ")
    touched |= np.hypot(x - 16, y - 16) <= SIDE / 12
    near(opened.pixels(), np.where(touched, smooth, images[0]))
    opened.click(".ex-unwipe")
    assert (opened.pixels() == images[0]).all()


def test_guessing_first_hides_the_answer_and_keeps_a_score(opened):
    opened.set("noise", 20)
    opened.click(".ex-guess-on")
    assert "say a name" in opened.text(".ex-verdict") and opened.js("e.find('.ex-thumbs').offsetParent") is None
    assert opened.js("e.state.strengths.noise") is None
    score = [0, 0]
    for turn, says in enumerate((True, False, True), start=1):
        owner = opened.js("e.state.owner")
        visible = opened.js("e.find('table').innerText + e.find('.ex-inside').innerText + e.find('.ex-main').ariaLabel")
        assert "%" not in visible and "made it" not in visible
        opened.click(".ex-buttons button", CLASSES.index(owner) if says else (CLASSES.index(owner) + 1) % 3)
        score[0] += says
        named = "e.page.classes[e.shown.probabilities.indexOf(Math.max(...e.shown.probabilities))]"
        score[1] += opened.js(named) == owner
        said = opened.text(".ex-score")
        assert said.startswith("Right" if says else "No") and "1 in 3" in said
        assert f"You: {score[0]} of {turn}, the network: {score[1]} of {turn}" in said
        opened.click(".ex-next")
    opened.click(".ex-guess-on")
    assert opened.text(".ex-verdict").startswith("The network says")


def test_a_mean_of_residuals_grows_into_the_fingerprint(opened, readers, images):
    prnu = readers[2].attributor
    opened.click("[name=ex-growing]", 2)
    opened.pull(".ex-grow input[type=range]", 20)
    look = "const look = () => (e.grown.count === 20 ? done(e.grown) : setTimeout(look, 20))"
    grown = opened.js(f"new Promise(done => {{ {look}; look() }})")
    mean = prnu._residuals(images[2 * EACH : 2 * EACH + 20]).mean(dim=0).numpy()
    wanted = [np.corrcoef(mean.ravel(), model.ravel())[0, 1] for model in prnu.fingerprints_]
    assert grown["name"] == "stripes"
    np.testing.assert_allclose(grown["correlations"], wanted, atol=1e-4)


# ---------------------------------------------------------------------------- what it is made of


def test_what_cannot_be_shown_is_refused(readers, images, monkeypatch):
    cnn = readers[0].attributor
    knn = attributor_class("knn")().fit(images, SOURCES)
    with pytest.raises(ValueError, match="shows cnn, visnet and prnu, and no knn"):
        Exhibit([Reader(cnn, "", ""), Reader(knn, "", "")], images, SOURCES, SOURCES)
    fewer = attributor_class("prnu")().fit(images[: 2 * EACH], SOURCES[: 2 * EACH])
    with pytest.raises(ValueError, match="a prnu knows other sources"):
        Exhibit([Reader(cnn, "", ""), Reader(fewer, "", "")], images, SOURCES, SOURCES)
    monkeypatch.setattr("ganfp.explorer.LIMIT", 100_000)
    with pytest.raises(ValueError, match=r"would have \d\.\d MB, 0 at most: give it fewer images"):
        fragment(shown(readers, images))


def test_the_command_makes_a_page_of_ones_own(readers, images, chromium, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, reader in (("network", readers[0]), ("noise", readers[2]), ("visible", readers[1])):
        reader.attributor.save(name)
    for name in ("stripes", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.png").write_bytes(png(images[-1]))
    large = np.repeat(np.repeat(images[-1], 3, axis=1), 3, axis=2)
    (tmp_path / "mine" / "two.png").write_bytes(png(large))

    def explore(*words):
        return CliRunner().invoke(main, ["explore", *words])

    more = "--also", "visible", "--also", "noise"
    result = explore("network", "stripes", "mine", "mine/one.png", *more, "--out", "a.html")
    assert result.exit_code == 0 and "3 images and 3 models in a.html" in result.output, result.output
    for model in ("network", "noise"):  # a page with and without visNet
        found = explore(model, "mine", "--out", f"{model}.html")
        assert found.exit_code == 0 and "2 images and 1 model in" in found.output
        opened = Page(chromium, (tmp_path / f"{model}.html").as_uri(), 420)
        assert list(complaints(opened.events)) == [] and opened.text(".ex-verdict").startswith("The network says")
    opened = Page(chromium, (tmp_path / "a.html").as_uri())
    assert opened.js("e.page.owners") == ["stripes", "images", "images"]  # each file once
    assert (opened.pixels() == images[-1]).all()
    assert "exists already" in explore("network", "mine", "--out", "a.html").output
    assert "nowhere" in explore("network", "mine", "--also", "nowhere", "--out", "c.html").output
    (tmp_path / "mine" / "bad.png").write_bytes(png(images[0, :, :9, :9]))
    assert "bad.png is 9 x 9 px: too small" in explore("network", "mine", "--out", "b.html").output


def test_the_books_page_asks_the_runs_own_network(html, run, chromium):
    from ganfp import attributors
    from ganfp.paper.attribution import seed_setup

    opened = Page(chromium, (html / "book" / "explorer.html").as_uri())
    setup = seed_setup(run)
    network = attributors.load(run.path(run.fit("cnn", setup)))
    first = run.sample(setup.part("test")[setup.classes.index(network.classes_[0])])[:1]
    found = opened.js("e.shown.probabilities")
    np.testing.assert_allclose(found, network.predict_proba(np.array(first))[0], atol=1e-3)
    assert opened.js("e.page.readers.length") > 10 and opened.js("e.page.owners.at(-1)") == "stranger"
    assert opened.js("document.querySelectorAll('.admonition.dropdown').length") == 1
