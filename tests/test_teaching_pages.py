"""What the book teaches with: heads and key points, meanings of terms, slides in one file."""

import re

import pytest
from test_book import PAGES, complaints
from test_publication import NOT_PROSE, Page, silent

from ganfp.paper import judge

CHAPTERS = [p for p in PAGES if p.startswith("notebooks/")]
CHAPTERS += [f"book/{p}" for p in ("related_work", "conclusion", "reading", "data", "claims", "discrepancies", "rerun")]


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_says_what_it_teaches_and_asks_for(page, html):
    text = (html / f"{page}.html").read_text("utf-8")
    (head,) = re.findall(r'<div class="[^"]*chapter-head[^>]*>(.*?)</div>', text, re.S)
    assert re.search(r"After this (page|lab) you can", head) and "You need" in head
    (read,) = re.findall(r"(\d+) minutes? to read", head)
    assert 1 <= int(read) <= 30
    assert ("s to run here (" in head) == page.startswith("notebooks/")
    assert "Key points" in text
    assert 'class="exercise' in text or page.startswith("notebooks/lab")


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_says_at_its_head_what_its_claims_came_to(page, html):
    text = (html / f"{page}.html").read_text("utf-8")
    (head,) = re.findall(r'<div class="[^"]*chapter-head[^>]*>(.*?)</div>', text, re.S)
    of_a_section = re.match(r"notebooks/s?(x\d+|\d+_\d+)_", page)
    here = of_a_section[1].replace("_", ".") if of_a_section else ""
    said = re.search(
        r"What came out:</strong> (\d+) of the (\d+) claims of this page holds?"
        r"(?:, (\d+) (?:is|are) not shown)?(?:, (\d+) (?:is|are) refuted)? \((?:reference|this) run", head,
    )  # fmt: skip
    assert (said is not None) == (here == "x3" or here in {c.section for c in judge.claims().values()})
    if said:
        holding, total, *others = (int(n or 0) for n in said.groups())
        assert holding + sum(others) == total and head.count('class="claim-') >= (total if total <= 6 else sum(others))


def test_minutes_grow_with_the_page(html):
    def read(page):
        return int(re.search(r"(\d+) minutes? to read", (html / f"{page}.html").read_text("utf-8"))[1])

    assert read("notebooks/sB_faces") < read("notebooks/s4_1_setup") < read("book/discrepancies")


def test_terms_are_explained_at_their_first_use(html):
    glossary = (html / "book" / "glossary.html").read_text("utf-8")
    ids = set(re.findall(r'id="(term-[^"]+)"', glossary))
    assert len(ids) > 50 and 'role="tooltip"' not in glossary
    for page in CHAPTERS:
        text = (html / f"{page}.html").read_text("utf-8")
        used = re.findall(r'<span class="glossed"><a href="[^"]*#([^"]+)"', text)
        assert used and len(set(used)) == len(used) and set(used) <= ids, page
        meanings = re.findall(r'role="tooltip" id="(gloss-\d+)">([^<]+)<', text)
        assert len(meanings) == len(used) == len({number for number, _ in meanings})
    page = (html / "notebooks" / "s4_2_existence.html").read_text("utf-8")
    assert 'href="../book/glossary.html#term-PRNU"' in page and "Photo response non-uniformity" in page


NAMES = {*"AMD AMX CSV CUDA EPYC GB MB MIT NFS NPZ NVIDIA PDF RGB SLURM".split()}  # of makers, file formats, units


@pytest.mark.parametrize("page", [*CHAPTERS, "book/index", "book/explorer", "book/teach"])
def test_an_abbreviation_is_spelled_out_or_in_the_glossary(page, html):
    terms = set(re.findall(r'id="term-([^"]+)"', (html / "book" / "glossary.html").read_text("utf-8")))
    pieces = Page(html / f"{page}.html").pieces
    text = " ".join(t for t, tags, classes in pieces if not tags & (NOT_PROSE - {"a"}) and not silent(classes))
    used = set(re.findall(r"(?<![\w-])[A-Z][A-Z]+(?=s?(?![\w-]))", text)) - terms - NAMES
    assert "GAN" in terms and len(text) > 1000
    assert [word for word in used if not re.search(rf"\({word}\b|\b{word},? (?:\(|the )", text)] == []


def test_the_search_does_not_see_the_meanings(html):
    index = (html / "searchindex.js").read_text("utf-8")
    titles = re.search(r"docnames:? ?\[(.*?)\]|\"docnames\": ?\[(.*?)\]", index)
    names = [name.strip("\"' ") for name in (titles[1] or titles[2]).split(",")]
    (found,) = re.findall(r'[{,"]uniform["]?: ?(\[[\d, ]+\]|\d+)', index)  # a stem of PRNU's meaning
    pages = {names[int(i)] for i in re.findall(r"\d+", found)}
    assert "book/glossary" in pages and "notebooks/s4_5_visualization" not in pages


def test_a_meaning_shows_to_the_keyboard_and_goes_with_escape(html, chromium):  # noqa: F811
    chromium.open((html / "notebooks" / "s4_2_existence.html").as_uri(), 420)
    shown = "getComputedStyle(document.querySelector('.glossed [role=tooltip]')).display"
    assert chromium.evaluate(shown) == "none"
    chromium.evaluate("document.querySelector('.glossed a').focus()")
    assert chromium.evaluate(shown) == "block"
    assert chromium.evaluate("document.documentElement.scrollWidth") <= 420
    chromium.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
    assert chromium.evaluate(shown) == "none"


CUT_OFF = """
[...document.querySelectorAll('.glossed')].filter(term => {
    const [link, meaning] = term.children;
    link.scrollIntoView({block: 'center', behavior: 'instant'});
    link.focus({preventScroll: true});
    const box = meaning.getBoundingClientRect();
    const seen = x => meaning.contains(document.elementFromPoint(x, box.top + 8));
    return box.width && !(seen(box.left + 4) && seen(box.right - 4));
}).map(term => term.innerText)
"""


@pytest.mark.parametrize("page", ["book/index", "notebooks/s3_3_fingerprint_network"])
def test_nothing_cuts_a_meaning_off(page, html, chromium):
    chromium.open((html / f"{page}.html").as_uri(), 1280)
    assert chromium.evaluate("document.querySelectorAll('.glossed').length") > 10
    assert chromium.evaluate(CUT_OFF) == []


def test_ten_slides_are_one_file_that_keys_turn(html, chromium, tmp_path):  # noqa: F811
    alone = tmp_path / "slides.html"
    alone.write_bytes((html / "slides.html").read_bytes())
    assert not re.search(r'(?:src|href)="(?!data:|#)', alone.read_text("utf-8"))
    assert list(complaints(chromium.open(alone.as_uri(), 1280))) == []
    chromium.resize(1280, 720)
    slides = "[...document.querySelectorAll('body > section')]"
    visible = f"{slides}.filter(s => s.offsetHeight).map(s => s.querySelector('h1').innerText)"
    seen = []
    for _ in range(12):
        (title,) = chromium.evaluate(visible)
        seen.append(title)
        assert chromium.evaluate("document.documentElement.scrollHeight") <= 720, title
        chromium.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))")
        chromium.evaluate("new Promise(done => setTimeout(done, 30))")
    assert len(set(seen)) == 10 and seen[9:] == [seen[9]] * 3
    chromium.evaluate("dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'}))")
    chromium.evaluate("new Promise(done => setTimeout(done, 30))")
    assert chromium.evaluate(visible) == [seen[0]]
    assert chromium.evaluate(f"{slides}.filter(s => !s.querySelector('.drawing .wide svg')).length") == 0
    chromium.call("Emulation.setEmulatedMedia", media="print")
    assert len(chromium.evaluate(visible)) == 10
    chromium.call("Emulation.setEmulatedMedia", media="")
