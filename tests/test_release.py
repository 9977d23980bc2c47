"""The archive of a release: the same files, the same bytes; and the pages of the PDF, linked with each other."""

import hashlib
import io
import json
import re
import sys
import tarfile

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import pdf  # noqa: E402
import release  # noqa: E402


@pytest.fixture
def root(tmp_path):
    for name in ("_build/html/book/index.html", "_build/ganfp.pdf", "executed/a.ipynb", "executed/.lock", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "results" / "reference").mkdir(parents=True)
    (tmp_path / "results" / "reference" / "table1.json").write_text("[]")
    return tmp_path


def test_a_second_run_gives_the_same_bytes(root):
    first = release.archive(root, root / "dist" / "a.tar.gz")
    for path in sorted(root.rglob("*.ipynb")):  # as after another checkout
        path.touch()
        path.chmod(0o600)
    assert release.archive(root, root / "dist" / "b.tar.gz") == first
    (root / "LICENSE").write_text("another")
    assert release.archive(root, root / "dist" / "c.tar.gz") != first


def test_it_holds_everything_and_its_checksums(root):
    release.archive(root, root / "dist" / "a.tar.gz")
    with tarfile.open(root / "dist" / "a.tar.gz") as archive:
        found = {name.removeprefix("ganfp/"): archive.extractfile(name).read() for name in archive.getnames()}
    sums = dict(reversed(line.split("  ")) for line in found.pop("SHA256SUMS").decode().splitlines())
    assert set(found) == {
        "LICENSE", "ganfp.pdf", "html/book/index.html", "notebooks/a.ipynb", "results/reference/table1.json",
    }  # fmt: skip
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def test_a_missing_part_says_what_makes_it(root):
    (root / "_build" / "ganfp.pdf").unlink()
    with pytest.raises(FileNotFoundError, match="make book pdf"):
        release.files(root)


def test_no_line_of_a_paragraph_and_no_half_of_a_signature_is_printed_alone(chromium, tmp_path):
    def lines(n):
        return "<br>".join(f"LINE{k}" for k in range(n))

    many = "<dd><em>LINE</em>,</dd> " * 60
    signature = f'<dl><dt class="sig">LINE f(<dl>{many}</dl>)</dt><dd>it</dd></dl>'
    parts = [f"<p>{lines(n)}</p>" for n in (2, 3, 4, 5)] + [f"<dl><dt>LINE</dt><dd>{lines(3)}</dd></dl>", signature]
    gaps = range(930, 1090, 10)
    articles = [f"<article><div style='height: {gap}px'></div>{part}</article>" for part in parts for gap in gaps]
    page = tmp_path / "print.html"
    style = f"{pdf.STYLE} .print-only {{ line-height: 1.6 }}"
    page.write_text(f"<html><style>{style}</style><main class='print-only'>{''.join(articles)}</main>")
    chromium.open(page.as_uri(), pdf.WIDTH)
    chromium.evaluate(pdf.FIT)
    printed = [sheet.extract_text() for sheet in pdf.PdfReader(io.BytesIO(pdf.printed(chromium))).pages]
    counts = [text.count("LINE") for text in printed]
    assert len(printed) > len(articles) and 1 not in counts
    assert [count for count in counts if count > 5] == [61] * len(gaps)
    assert "LINE )" in " ".join(printed[-1].split())  # a signature ends without a comma


def test_links_between_pages_lead_within_the_one_page(tmp_path):
    (tmp_path / "book").mkdir()
    article = (
        '<article class="bd-article"><section id="top"><h1>A</h1><a href="../notebooks/s1.html#fig-1">f</a>'
        '<a href="b.html">b</a><a href="#top">t</a><a href="https://x.org/y.html">x</a>'
        '<a href="../_downloads/d.csv">d</a><a href="../_code/c.html#line-1">c</a><img src="../_images/i.svg">'
        "</section></article>"
    )
    (tmp_path / "book" / "a.html").write_text(f"<main>{article}</main>")
    text = pdf.article(tmp_path, "book/a", ["book/a", "book/b", "notebooks/s1"])
    for expected in (
        '<article id="book-a"', 'id="book-a--top"', 'href="#notebooks-s1--fig-1"', 'href="#book-b"',
        'href="#book-a--top"', 'href="https://x.org/y.html"', 'src="_images/i.svg"',
    ):  # fmt: skip
        assert expected in text
    assert "_downloads" not in text and "_code" not in text  # they would be absolute paths
    line = '<a href="#book-a--top">A<span class="page"></span></a>'
    assert pdf.contents("book/a", text) == f"<li>{line}<ul></ul></li>"


def test_the_contents_of_the_pdf_say_the_pages(chromium, tmp_path):
    page = tmp_path / "print.html"
    text = '<section style="break-before: page" id="b-c"><h2>C</h2></section>'
    line = pdf.contents("b", '<section id="b"><h1>B</h1></section>' + text)
    page.write_text(f'<html data-theme="auto"><nav class="contents">{line}</nav><p id="b">B</p>{text}')
    chromium.open(page.as_uri(), 1000)
    chromium.evaluate(pdf.FIT)
    assert chromium.evaluate("document.documentElement.dataset.theme") == "light"  # else it is printed without colours
    pages = pdf.numbers(pdf.printed(chromium))
    assert pages == {"b": 1, "b-c": 2}
    chromium.evaluate(f"{pdf.NUMBER}({json.dumps(pages)}); 0")
    assert chromium.evaluate("[...document.querySelectorAll('.page')].map(x => x.textContent)") == ["1", "2"]


def test_what_belongs_together_is_printed_on_one_page(chromium, tmp_path):
    group = "<tr><td><strong>group{0}</strong><td><p></p></tr><tr><td>row{0}<td><p>1</p></tr>"
    parts = (
        "<dl><dt>sig{0}<br>a<br>b<br>end{0}</dt><dd><p>says{0}</p><p>more</p></dd></dl>",
        "<h2>head{0}</h2><p>first{0}<br>second{0}</p><figure style='height: 300px'>figure{0}</figure>",
        "<table><caption>caption{0}</caption><thead><tr><th>a{0}<th>b</tr></thead>"
        + group
        + "<tr><td>x<td>y</tr>" * 50,
    )
    cases = [(height, part) for part in parts for height in range(720, 1090, 12)]
    articles = [
        f"<article><div style='height: {height}px'></div><section>{part.format(f'-{i}.')}</section></article>"
        for i, (height, part) in enumerate(cases)
    ]
    page = tmp_path / "print.html"
    page.write_text(f"<html><style>{pdf.STYLE}</style><main class='print-only'>{''.join(articles)}</main>")
    chromium.open(page.as_uri(), pdf.WIDTH)
    chromium.evaluate(pdf.FIT)
    printed = [sheet.extract_text() for sheet in pdf.PdfReader(io.BytesIO(pdf.printed(chromium))).pages]
    for i, (height, part) in enumerate(cases):
        words = [f"{word}-{i}." for word in re.findall(r"(\w+)\{0\}", part)]
        first = next(sheet for sheet in printed if words[0] in sheet)
        assert not (apart := [word for word in words if word not in first]), f"{apart} below {height} px"
