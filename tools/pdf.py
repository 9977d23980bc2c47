"""``make pdf``: all pages of the rendered book as one PDF, printed by a headless Chromium.

The articles are put one after the other into one page, behind a table of contents; links between pages become links
within it.  It is printed twice: where a heading of the first print has come to stand, the contents of the second say.
Folded code stays folded; whatever else is folded lies open.
"""

import base64
import io
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCALE = 0.9
WIDTH = round(660 / SCALE)  # pixels: A4 less its margins
sys.path.insert(0, str(ROOT / "tests"))  # the driver of the browser

import browser  # noqa: E402
from pypdf import PdfReader  # noqa: E402

FOOTER = (
    '<div style="width: 100%; font: 8px sans-serif; text-align: center">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)
STYLE = """
.print-only { max-width: 46rem; margin: 0 auto; }
.print-only > article { break-before: page; }
.print-only :is(h1, h2, h3, h4, dt, caption, thead, p:has(+ ul, + ol, + pre, + div, + figure)) { break-after: avoid; }
.print-only :is(.provenance, .cell_output:has(> .stream)) { break-before: avoid; }
.print-only tr:has(> td:first-child strong):has(> td:last-child > p:empty) { break-after: avoid; }
.print-only .headerlink, .print-only form.filter, .print-only .enlarge, .print-only button { display: none !important; }
.print-only details.hide { display: none; }
.print-only :is(p, li) { orphans: 2; widows: 2; }
.print-only :is(figure, caption, dt, tr, pre, .cell_input, .whole, .again, .sd-container-fluid) { break-inside: avoid; }
.print-only :is(.provenance, dd > p:first-child, p:has(+ ul, + ol, + pre, + div, + figure)) { break-inside: avoid; }
.print-only .cell_input { padding-top: 1px; }
#book-slides section { break-inside: avoid; }
.print-only pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.74rem; }
.print-only dt.sig :is(dl, dd) { display: inline; margin: 0; } /* on paper a signature runs on, less its last comma */
.print-only dt.sig dd:last-child { font-size: 0; }
.print-only dt.sig dd:last-child em { font-size: 1rem; }
.print-only a:not([href]) { color: inherit !important; text-decoration: none !important; }
.print-only table.wraps :is(td, th) { white-space: normal !important; }
.print-only :is(.explorer > *, details.numbers) { display: none; }
.print-only .explorer::before { content: "The explorer itself runs in a browser, on this page of the book."; }
.print-only .explorer { margin-bottom: 1rem; }
.print-only .scrolls { box-shadow: none !important; }
.print-only .drawing .narrow { display: none; }
.print-only .drawing .wide { display: block; }
nav.contents { border: 0; }
nav.contents li { list-style: none; }
nav.contents a { display: flex; gap: 0.5em; }
nav.contents a::before { content: ""; order: 1; flex: 1; border-bottom: 1px dotted; margin-bottom: 0.3em; }
nav.contents .page { order: 2; min-width: 2em; text-align: right; }
"""  # a frame right at a page's head would show at the foot of the one before; a row of empty cells names those below
FIT = """
document.documentElement.dataset.theme = "light"; // the theme's own script waits for a reader's choice, without colours
document.querySelectorAll(".print-only :is(p, li, dd)").forEach(text => // Chromium parts three lines as two and one
    text.classList.toggle("whole", text.offsetHeight < 3.5 * parseFloat(getComputedStyle(text).lineHeight)));
document.querySelectorAll(".print-only table").forEach(table => {
    const room = table.parentElement.clientWidth;
    table.classList.toggle("wraps", table.scrollWidth > 1.3 * room);
    const zoom = Math.min(1, room / table.scrollWidth);
    table.style.zoom = zoom;
    if (table.caption) table.caption.style.zoom = 1 / zoom;
    table.classList.toggle("whole", table.getBoundingClientRect().height < 700);
}); 0
"""  # a table fits into the page's width, rather with two lines a cell than small, and whole up to two thirds of it
UNREPEATED = ("Key points", "Exercises")  # sections that every page has, of which the contents are silent
NUMBER = """
(pages => document.querySelectorAll("nav.contents a").forEach(
    link => link.lastChild.textContent = pages[decodeURIComponent(link.hash.slice(1))] ?? ""))
"""


def pages(root):
    """Documents in the order of the table of contents, as ``book/find``."""
    return re.findall(r"(?:root|file): (\S+)", (root / "_toc.yml").read_text("utf-8"))


def slug(page):
    return page.replace("/", "-")


def article(folder, page, known):
    """The article of a page, its identifiers and links fit for one page that holds all those known.

    A link to any other file would be an absolute path of this machine: its text alone is printed.
    """
    text = (folder / f"{page}.html").read_text("utf-8")
    text = re.search(r'<article class="bd-article".*?</article>', text, re.DOTALL)[0]
    here = (folder / page).parent

    def link(found):
        path, _, label = found[2].partition("#")
        if re.match(r"[a-z]+:", found[2]):
            return found[0]
        target = page if not path else (here / path).resolve().relative_to(folder).as_posix().removesuffix(".html")
        if found[1] == "src":
            return f'src="{target}"'
        return f'href="#{slug(target)}{"--" * bool(label)}{label}"' if target in known else ""

    text = re.sub(r'\b(href|src)="([^"]*)"', link, text).replace('<details class="sd-', '<details open class="sd-')
    return re.sub(r'(\bid=")', rf"\g<1>{slug(page)}--", text).replace("<article ", f'<article id="{slug(page)}" ', 1)


HEADING = r'<section[^>]*id="([^"]*)">(?:\s*<span[^>]*></span>)*\s*<h{}>(.*?)<'


def contents(page, text):
    """A line of the table of contents, with its sections below it, and room for their pages."""

    def line(label, head):
        return f'<a href="#{label}">{head}<span class="page"></span></a>'

    title, *_ = [*re.findall(HEADING.format(1), text), (slug(page), page)]
    sections = (found for found in re.findall(HEADING.format(2), text) if found[1] not in UNREPEATED)
    below = "".join(f"<li>{line(*found)}</li>" for found in sections)
    return f"<li>{line(*title)}<ul>{below}</ul></li>"


def one_page(folder, root):
    """Everything as one HTML text, with the styles and scripts of the front page."""
    head = re.search(r"<head>.*?</head>", (folder / "book" / "index.html").read_text("utf-8"), re.DOTALL)[0]
    head = head.replace('"../', '"').replace("</head>", f"<style>{STYLE}</style></head>")
    known = pages(root)
    texts = {page: article(folder, page, known) for page in known}
    toc = "".join(contents(*item) for item in texts.items())
    lead = f"<nav class='contents'><h1>GAN fingerprints</h1><ul>{toc}</ul></nav>"
    body = f'<body><main class="print-only">{lead}{"".join(texts.values())}</main></body>'
    return f'<!doctype html><html lang="en" data-theme="light">{head}{body}</html>'


def printed(opened):
    """The page that a browser shows, as a PDF."""
    options = dict(displayHeaderFooter=True, headerTemplate="<span></span>", footerTemplate=FOOTER)
    options |= dict(printBackground=True, generateTaggedPDF=True, generateDocumentOutline=True)
    options |= dict(paperWidth=8.27, paperHeight=11.69, scale=SCALE)  # inches: A4
    options |= dict.fromkeys(("marginTop", "marginBottom", "marginLeft", "marginRight"), 0.7)
    stream, parts = opened.call("Page.printToPDF", transferMode="ReturnAsStream", **options)["stream"], []
    while not parts or not parts[-1]["eof"]:
        parts.append(opened.call("IO.read", handle=stream))
    opened.call("IO.close", handle=stream)
    return b"".join(base64.b64decode(p["data"]) if p.get("base64Encoded") else p["data"].encode() for p in parts)


def numbers(data):
    """On which page of a PDF, from 1 on, each place is that a link leads to."""
    reader = PdfReader(io.BytesIO(data))
    places = reader.named_destinations.items()
    return {name.removeprefix("/"): reader.get_destination_page_number(place) + 1 for name, place in places}


def main(root=ROOT):
    folder = (root / "_build" / "html").resolve()
    if not (folder / "book" / "index.html").exists():
        sys.exit(f"{folder} holds no book; run: make book")
    executable = browser.find()
    if executable is None:
        sys.exit(f"no browser of {', '.join(browser.NAMES)} on the path prints the PDF")
    whole, target = folder / "print.html", root / "_build" / "ganfp.pdf"
    whole.write_text(one_page(folder, root), "utf-8")
    try:
        with browser.Browser(executable, patience=600) as opened:
            opened.open(whole.as_uri(), WIDTH)
            opened.evaluate(FIT)
            opened.evaluate(f"{NUMBER}({json.dumps(numbers(printed(opened)))}); 0")
            target.write_bytes(printed(opened))
    finally:
        whole.unlink()
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
