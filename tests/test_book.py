"""The book builds without a warning and reads well from disk, wide and narrow, without a network."""

import re

import pytest
import yaml
from conftest import ROOT

PAGES = re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text("utf-8"))
LOCAL = ("file:", "data:", "blob:", "about:")


def complaints(events):
    """Errors in the console and requests that leave the disk."""
    for event in events:
        match event:
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                yield details.get("exception", details).get("description", details["text"])
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error", "args": args}}:
                yield str([a.get("value", a.get("description")) for a in args])
            case {"method": "Log.entryAdded", "params": {"entry": {"level": "error"} as entry}}:
                yield f"{entry['text']} {entry.get('url', '')}"
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                if not url.startswith(LOCAL):
                    yield f"request to {url}"
            case {"method": "Network.loadingFailed", "params": {"errorText": text}}:
                yield f"not loaded: {text}"


def test_the_front_page_and_the_pages_are_there(html):
    assert (html / "index.html").exists()
    for page in PAGES:
        assert (html / f"{page}.html").exists(), page


SMALL = """
[...document.querySelectorAll('svg text, svg tspan')].filter(t => t.textContent.trim() && t.checkVisibility())
.map(t => {
    const across = t.getScreenCTM();
    return [parseFloat(getComputedStyle(t).fontSize) * Math.hypot(across.a, across.b), t.textContent];
}).filter(([pixels]) => pixels < 11)
"""


@pytest.mark.parametrize("page", ["index", *PAGES])
def test_a_page_opens_from_disk(page, html, chromium):
    events = chromium.open((html / f"{page}.html").as_uri(), 1440)
    assert any(event.get("method") == "Network.requestWillBeSent" for event in events)  # they are watched
    assert list(complaints(events)) == []
    for width in (1440, 420):
        chromium.resize(width)
        assert chromium.evaluate("document.documentElement.scrollWidth") <= width
        assert chromium.evaluate(SMALL) == [], f"text of figures below 11 pixels at {width}"
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert chromium.evaluate(broken) == []
    mute = """[...document.querySelectorAll('.bd-article img, .bd-article .drawing')]
        .filter(i => !(i.alt ?? i.ariaLabel)).map(i => i.outerHTML.slice(0, 99))"""
    assert chromium.evaluate(mute) == []
    assert chromium.evaluate("document.querySelectorAll('mjx-merror, .problematic').length") == 0


def test_the_checks_notice_what_they_look_for(tmp_path, chromium):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><div style='width: 900px'>wide</div><img src='http://localhost:9/x.png'>"
        "<svg viewBox='0 0 9 9' width='9'><text font-size='12'>10<tspan font-size='8'>3</tspan></text></svg>"
        "<script>console.error('said'); setTimeout(() => { throw new Error('thrown') })</script>"
    )
    found = "\n".join(complaints(chromium.open(page.as_uri(), 420)))
    assert "request to http://localhost:9/x.png" in found and "not loaded" in found
    assert "said" in found and "thrown" in found
    assert chromium.evaluate("document.documentElement.scrollWidth") > 420
    assert [text for _, text in chromium.evaluate(SMALL)] == ["3"]


def test_formulas_are_set(html, chromium):
    pages = [page for page in PAGES if 'class="math' in (html / f"{page}.html").read_text("utf-8")]
    assert pages
    chromium.open((html / f"{pages[0]}.html").as_uri(), 1440)
    assert chromium.evaluate("document.querySelectorAll('mjx-container').length") > 0


def test_pixels_keep_their_colours_in_dark_mode_and_lines_take_the_themes(html, chromium):
    found = {}
    for dark in (False, True):
        chromium.open((html / "notebooks" / "s1_introduction.html").as_uri(), 1440, dark)
        found[dark] = chromium.evaluate("getComputedStyle(document.querySelector('.drawing svg text')).fill")
    assert chromium.evaluate("document.documentElement.dataset.theme") == "dark"
    assert found[False] != found[True]
    chromium.open((html / "notebooks" / "sB_faces.html").as_uri(), 1440, dark=True)
    filters = "[...document.querySelectorAll('.drawing svg image')].map(i => getComputedStyle(i).filter)"
    assert set(chromium.evaluate(filters)) == {"none"}
    assert chromium.evaluate(filters.replace("filter)", "imageRendering)"))[0] == "pixelated"


def test_downloads_are_the_clean_notebooks(html):
    for page in PAGES:
        if page.startswith("notebooks/"):
            source = html / "_sources" / f"{page}.ipynb"
            assert source.read_text("utf-8") == (ROOT / f"{page}.ipynb").read_text("utf-8")


def test_the_configuration_leaves_execution_to_the_runner():
    configuration = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    assert configuration["execute"]["execute_notebooks"] == "off"
