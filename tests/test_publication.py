"""The book as a publication: one count, everything found, everything with its source, readable by all."""

import json
import re
import subprocess
from collections import Counter
from html.parser import HTMLParser

import axe
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT
from matplotlib.colors import to_rgb

from ganfp.paper.plots import style
from ganfp.paper.plots.parts import matrix

CSS = ROOT / "book" / "_static" / "custom.css"
NOT_PROSE = {"a", "code", "pre", "script", "style", "h1", "h2", "h3", "h4", "title", "svg", "nav", "summary", "dt"}


class Page(HTMLParser):
    """The text of an article, piece by piece, with the elements around it."""

    def __init__(self, path):
        super().__init__()
        self.around, self.pieces, self.article, self.ids = [], [], 0, []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.ids += [known["id"]] if "id" in known else []
        if tag not in ("br", "img", "input", "hr", "link", "meta", "source", "col", "path", "use", "rect"):
            self.around.append((tag, known.get("class") or ""))

    def handle_endtag(self, tag):
        while any(tag == name for name, _ in self.around) and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if any("bd-article" in classes for _, classes in self.around):
            self.pieces.append((data, {name for name, _ in self.around}, " ".join(c for _, c in self.around)))


@pytest.fixture(scope="module")
def pages(html):
    paths = [p for folder in ("", "book", "book/api", "notebooks") for p in sorted((html / folder).glob("*.html"))]
    lists = ("genindex.html", "search.html")
    return {p.relative_to(html).as_posix(): Page(p) for p in paths if p.name not in lists}


def numbers(pages, kind):
    text = [t for page in pages.values() for t, _, classes in page.pieces if "caption-number" in classes]
    return Counter(t.split()[1] for t in text if t.split()[:1] == [kind])


def test_what_the_paper_numbers_is_there_once_under_its_number(pages):
    assert {n for n in numbers(pages, "Table") if "x" not in n} == {str(n) for n in range(1, 9)}
    figures = [n for n in numbers(pages, "Figure") if "x" not in n]
    assert sorted({int(n.rstrip("abcd")) for n in figures}) == list(range(1, 37))
    assert sorted(n for n in figures if n[0] == "2" and n[-1] in "abcd") == ["2a", "2b", "2c", "2d"]
    equations = Counter(t for page in pages.values() for t, _, c in page.pieces if "eqno" in c and t.startswith("("))
    assert {n for n in equations if "x" not in n} == {f"({n})" for n in range(1, 8)}
    for counted in (numbers(pages, "Table"), numbers(pages, "Figure"), equations):
        assert set(counted.values()) == {1}
        own = sorted(int(n.strip("(x)")) for n in counted if "x" in n)
        assert own == list(range(1, len(own) + 1))


def test_no_number_of_the_paper_stands_in_prose_without_a_link(pages):
    mention = re.compile(r"(?<!\d{4}, )\b(?:Table|Figure|Equation)s?\s\d+|\bFig\.")  # not another paper's
    for name, page in pages.items():
        text = [t for t, tags, classes in page.pieces if not tags & NOT_PROSE and not silent(classes)]
        assert [t for t in text if mention.search(t)] == [], name


def silent(classes):
    """Whether text is no prose; the article itself is of the class ``mathjax_ignore``."""
    names = ("caption-number", "math", "highlight", "drawing", "prev-next", "bibtex")
    return any(re.search(rf"\b{name}(?!\w)", classes) for name in names)


def test_the_search_and_the_index_find_each_of_them(html, pages):
    index = (html / "searchindex.js").read_text("utf-8")
    entries = re.search(r'"?indexentries"?: ?(\{.*?\}), "?objects"?', index, re.DOTALL)[1]
    known = json.loads(re.sub(r"([{,]) ?(\w+):", r'\1"\2":', entries))
    for name in ("Table 8", "Figure 5", "Figure 36", "Equation 3"):
        ((page, label, main),) = known[name.lower()]
        assert main and any(label in p.ids for p in pages.values())
    listed = re.findall(r">(Figure|Table) (x?)(\d+)([a-d]?)<", (html / "genindex.html").read_text("utf-8"))
    places = [(kind, own, int(n), letter) for kind, own, n, letter in listed]
    assert len(places) > 60 and places == sorted(places)  # as one counts: 2 before 10


def test_the_list_has_all_of_them_with_a_picture_and_a_title(html):
    text = (html / "book" / "find.html").read_text("utf-8")
    rows = re.findall(r"<tr.*?</tr>", text, re.DOTALL)[1:]
    assert len(rows) == 8 + 39 + 7
    for row in rows:
        cells = re.findall(r"<td.*?</td>", row, re.DOTALL)
        assert "thumbnail" in cells[0] and "href=" in cells[1] and re.search(r"\w{4}", re.sub("<.*?>", "", cells[2]))
    dark = re.findall(r'only-dark" src="([^"]+)"', text)
    assert len(dark) == 39
    assert not any(style.INK in (html / "book" / path).read_text("utf-8") for path in dark)


def labels_of_code(path):
    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    figures = [c["metadata"].get("mystnb", {}).get("figure", {}).get("name") for c in cells]
    return {*filter(None, figures), *re.findall(r"\"(tab-[\w-]+)\"", "".join("".join(c["source"]) for c in cells))}


def test_under_each_table_and_figure_of_a_notebook_stands_where_it_comes_from(html):
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text, page = (html / "notebooks" / f"{notebook.stem}.html").read_text("utf-8"), html / "notebooks"
        parts = re.split(r'class="provenance"', text)
        for label in labels_of_code(notebook):
            (before,) = [i for i, part in enumerate(parts[:-1]) if f'id="{label}"' in part]
            line = parts[before + 1].partition("</p>")[0]
            assert "profile " in line and "code: " in line and "notebook</" in line, label
            targets = [t.partition("#")[0] for t in re.findall(r'href="([^"]*)"', line)]
            assert all((page / t).resolve().is_file() for t in targets), label


def test_numbers_to_download_are_those_of_the_records(html, smoke):
    records = json.loads((smoke / "results" / "smoke" / "s4_2_existence" / "table3.json").read_text("utf-8"))
    path = html / "_downloads" / "data" / "s4_2_existence" / "table3.csv"
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 1 + len(records) and lines[0].startswith("row,metric,value,table")
    assert lines[1].split(",")[:2] == [records[0]["row"], records[0]["metric"]]
    assert path.with_suffix(".npz").exists()


def test_a_page_has_one_folded_block_of_parameters_with_the_values_of_this_run(html):
    text = (html / "notebooks" / "s1_introduction.html").read_text("utf-8")
    assert text.count("Parameters of this run") == 1 and "tag_injected" not in text
    assert '"smoke"' in text.partition("Parameters of this run")[2].partition("</details>")[0]


# ---------------------------------------------------------------------------- for everybody

SAMPLE = ("book/index", "book/find", "book/claims", "book/references", "book/api/metrics", "notebooks/s4_3_persistence")


@pytest.fixture(scope="module")
def core():
    """The script of axe-core."""
    try:
        return axe.script()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm does not give {axe.VERSION}: {error}")


@pytest.mark.parametrize("page", SAMPLE)
def test_axe_finds_nothing_serious(html, chromium, core, page):
    """On a page of each kind; ``python tests/axe.py`` asks about all of them."""
    assert axe.serious(chromium, html / f"{page}.html", core) == []


SHIFT = """
new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done(sum), 300);
})
"""


def test_a_figure_fits_every_width_and_does_not_move_the_page(html, chromium):
    wider = "[...document.querySelectorAll('.drawing')].filter(x => x.scrollWidth > x.clientWidth + 1).length"
    for page in ("s3_1_attribution_network", "s3_3_fingerprint_network", "s4_2_existence", "s4_3_persistence"):
        for width in (1440, 420):
            chromium.open((html / "notebooks" / f"{page}.html").as_uri(), width)
            assert chromium.evaluate(wider) == 0, (page, width)
        assert chromium.evaluate(SHIFT) < 0.1


def test_a_click_enlarges_and_a_filter_filters(html, chromium):
    chromium.open((html / "notebooks" / "s4_3_persistence.html").as_uri(), 1440)
    chromium.evaluate("document.querySelector('figure .drawing').click()")
    assert chromium.evaluate("document.querySelector('dialog[open] .drawing').getBoundingClientRect().width") > 900
    chromium.open((html / "book" / "claims.html").as_uri(), 1440)
    shown = "[...document.querySelectorAll('.claims-ledger tbody tr')].filter(row => row.checkVisibility()).length"
    everything = chromium.evaluate(shown)
    choose = """document.querySelectorAll('form.filter select')[0].value = '4.3';
        document.querySelector('form.filter').dispatchEvent(new Event('input'))"""
    chromium.evaluate(choose)
    assert 0 < chromium.evaluate(shown) < everything


def test_the_button_of_a_folded_solution_stands_beside_its_title(html, chromium):
    under = """[...document.querySelectorAll('.toggle-button')].filter(button => {
        const [title] = button.parentElement.getElementsByTagName('a'), b = button.getBoundingClientRect();
        return title && [...title.getClientRects()].some(t => t.right > b.left && t.top < b.bottom && t.bottom > b.top);
    }).length"""
    for page in ("x10_diffusion", "sA_frechet_ratio"):
        for width in (1440, 420):
            chromium.open((html / "notebooks" / f"{page}.html").as_uri(), width)
            assert chromium.evaluate("document.querySelectorAll('.toggle-button').length") > 0
            assert chromium.evaluate(under) == 0, (page, width)


# ---------------------------------------------------------------------------- colours

# Machado, Oliveira and Fernandes 2009: how full dichromats see linear RGB
DEFECTS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def linear(colour):
    x = np.array(to_rgb(colour))
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    f = np.cbrt(np.clip(XYZ @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883], 1e-4, None))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(colour, ground="#ffffff"):
    one, other = sorted(XYZ[1] @ linear(each) + 0.05 for each in (colour, ground))
    return other / one


def test_a_colour_means_one_thing_and_can_be_seen():
    known = style.palette()
    everything = [colour for colours in known.values() for colour in colours]
    assert len(everything) == len(set(everything))
    assert all(contrast(colour) >= 4.5 for colour in (*known["sources"], *known["ink"][:2]))
    assert all(contrast(colour) >= 3 for kind in ("methods", "attacks", "others") for colour in known[kind])
    assert set(style.DARK) == {colour for kind in ("sources", "methods", "attacks") for colour in known[kind]}
    assert len(set(style.DARK.values())) == len(style.DARK)
    ground = re.search(r'data-theme="dark"\] {[^}]*--pst-color-background: (#\w+)', CSS.read_text("utf-8"))[1]
    assert all(contrast(colour, ground) >= 4.5 for colour in style.DARK.values())


@pytest.mark.parametrize(("kind", "first"), [("sources", 6), ("methods", 5), ("attacks", 6)])
@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("dark", [False, True])
def test_colours_of_one_kind_differ_for_the_colour_blind_too(kind, first, defect, dark):
    colours = [style.DARK[colour] if dark else colour for colour in style.palette()[kind][:first]]
    seen = [lab(np.array(DEFECTS[defect]) @ linear(colour)) for colour in colours]
    nearest = min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])
    assert nearest >= 15  # of CIELAB, where 2.3 is just noticed


def test_a_number_on_its_colour_can_be_read():
    (axis,) = plt.figure().subplots(1, 1, squeeze=False).flat
    matrix(axis, np.linspace(0, 100, 101)[None], ["row"], [""] * 101, fmt=".0f", **style.PERCENT)
    faces = axis.collections[0].get_facecolors()
    assert len(axis.texts) == 101
    assert min(contrast(text.get_color(), face) for text, face in zip(axis.texts, faces, strict=True)) > 3.5
    plt.close("all")


def test_a_reference_says_who_where_and_when_and_a_venue_has_one_name():
    entries = re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}", (ROOT / "book" / "references.bib").read_text("utf-8"), re.DOTALL)
    assert len(entries) > 80
    where = {"inproceedings": "booktitle", "article": "journal", "book": "publisher", "misc": "howpublished"}
    names = set()
    for kind, key, text in entries:
        found = dict(re.findall(r"^  (\w+) += \{(.*)\},?$", text, re.MULTILINE))
        assert {"author", "title", where[kind]} <= set(found), key
        assert kind == "misc" or re.fullmatch(r"[12]\d{3}", found["year"]), key
        assert re.fullmatch(r"\d{4}\.\d{4,5}", found.get("eprint", "0000.00000")), key
        assert "pages" in found or "eprint" in found or kind in ("book", "misc"), key  # else nobody finds it
        names |= {found[where[kind]]}
    assert not [name for name in names if any(name != other and other.startswith(f"{name} (") for other in names)]
