"""A stranger names a folder; nothing of the name is alive on a page, in a table or in a figure."""

import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml
from conftest import ROOT
from matplotlib.text import Text
from nbformat import write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ganfp import book, worlds
from ganfp.notebooks import execute
from ganfp.paper import plots
from ganfp.runs.run import begin_each

HOSTILE = [
    "{{ cycler.__init__.__globals__.os.popen('touch PWNED').read() }}",
    "{% raw %}{{ env.config }}",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)<script>",
    "&lt;b&gt;&#60;i&#62;",
    "```{include} conf.py",
    "{doc}`index` {eval-rst}",
    ":::{note}",
    "a | b || c",
    "costs $5 to $9_{x}^",
    "x](javascript:alert(1)) ![y](http:z)",
    "]() [^1] (label)=",
    "one\n\n# two\n- three",
    "__dunder__ *star* ~~gone~~",
    "%s {0} {run.profile} \\input \\",
    "' \" + __import__('os').system('touch PWNED') #",
    "naïve фото 写真",
    "\u202eright to left \x1b[31mred\x07",
    "n" * 200,
]

SHOWN = """\
from IPython.display import Markdown
from myst_nb import glue
import matplotlib.pyplot as plt
from ganfp.runs.run import begin_each
runs = begin_each(profile, dataset, seed=seed, device=device, out=out)
shown = [run.dataset for run in runs]
for i, name in enumerate(shown):
    glue(f"name-{i}", name, display=False)
Markdown("**This run:** " + " and ".join(f"`{name}`, {name}" for name in shown))"""
TABLE = """\
rows = "\\n".join(f"| {name} | 1 | {name} |" for name in shown)
head = "```{table} Of " + " and ".join(shown) + "\\n:name: tab-names\\n\\n| a | b | c |\\n|:--|--:|--:|\\n"
Markdown(head + rows + "\\n```")"""
FIGURE = """\
figure, axes = plt.subplots(len(shown), 1, figsize=(4, len(shown)))
for axis, name in zip(axes, shown):
    axis.set_title(name)
plt.close(figure)
figure"""


class Page(HTMLParser):
    """Elements of a page's article, as (tag, attributes), and the cells of each row of its tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append(0)
        elif tag in ("td", "th"):
            self.rows[-1] += 1


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A book of one executed notebook on folders with hostile names, configured as the book is; its text."""
    root = tmp_path_factory.mktemp("hostile")
    names = []
    for name in HOSTILE:
        folder = root / "data" / name
        folder.mkdir(parents=True)
        names.append(f"folder:{folder}")
    for name in ("book/_ext", "book/_static"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "_config.yml", root)
    (root / "book" / "references.bib").touch()
    glued = "\n".join(f"{{glue:text}}`name-{i}` and" for i in range(len(HOSTILE)))
    other = "{glue:text}`../notebooks/s1_names.ipynb::name-0:s`"  # on another page
    (root / "book" / "index.md").write_text(f"# Times\n\n## They took\n\n```{{run-times}}\n```\n\n{other}\n", "utf-8")
    cells = [
        new_markdown_cell("# Names\n\n## Shown"),
        new_code_cell(
            'profile: str = "smoke"\ndataset: str = "faces"\nseed: int = 0\ndevice: str = "cpu"\nout: str = ""',
            metadata={"tags": ["parameters"]},
        ),
        new_code_cell(SHOWN, metadata={"mystnb": {"markdown_format": "myst"}}),
        new_code_cell(TABLE, metadata={"mystnb": {"markdown_format": "myst"}}),
        new_code_cell(FIGURE, metadata={"mystnb": {"figure": {"name": "fig-n", "caption": "N"}}}),
        new_markdown_cell(glued),
    ]
    (root / "notebooks").mkdir()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / "notebooks" / "s1_names.ipynb")
    toc = {"format": "jb-book", "root": "book/index", "parts": [{"chapters": [{"file": "notebooks/s1_names"}]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    parameters = {"profile": "smoke", "dataset": ",".join(names), "seed": 0, "device": "cpu", "out": ""}
    execute(root / "notebooks" / "s1_names.ipynb", root / "executed" / "s1_names.ipynb", parameters, root)
    run = {"digest": "", "seconds": 1.0, "date": "2026-01-01T00:00:00", "parameters": parameters}
    (root / "executed" / "run.json").write_text(json.dumps({"s1_names": run}))
    assert book.render(root) == 0
    return root


def test_nothing_of_a_name_is_alive_on_a_page(page):
    assert not [*page.rglob("PWNED")] and not (ROOT / "PWNED").exists()
    labels = [worlds.label(f"folder:{name}") for name in HOSTILE]
    for name in ("notebooks/s1_names", "book/index"):
        text = (page / "_build" / "html" / f"{name}.html").read_text("utf-8")
        article = Page(text[text.index("<article") : text.index("</article>")])
        assert all(label in text for label in labels)  # whole, and as they are
        assert not [tag for tag, _ in article.tags if tag in ("script", "iframe", "s", "svg", "object")]
        assert not [key for _, attributes in article.tags for key in attributes if key.startswith("on")]
        assert {a["src"].split("/")[0] for tag, a in article.tags if tag == "img"} <= {".."}
        links = [a["href"] for tag, a in article.tags if tag == "a" and "href" in a]
        assert not [link for link in links if link.startswith(("javascript", "http"))]
        assert len(set(article.rows)) == 1  # every row of the one table has as many cells as the next
        assert [tag for tag, _ in article.tags if tag in ("h1", "h2", "h3")] == ["h1", "h2"]


def test_the_book_has_no_templates():
    """Text that is glued or read from a file cannot be told from a template of the author's."""
    extensions = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["parse"]["myst_enable_extensions"]
    assert "substitution" not in extensions and "html_image" not in extensions


@pytest.mark.parametrize("name", [*HOSTILE, "not utf-8 \udcff", "{{", "_"])
def test_a_label_holds_letters_digits_and_what_joins_them(name):
    label = worlds.label(f"folder:/data/{name}")
    assert re.fullmatch(r"folder:[\w.-]{1,60}", label) and not re.search(r"\b_|_\b", label)


def test_a_label_leaves_innocent_names_alone():
    for name in ("my_photos", "faces-64", "v1.2.npz", "Ünïcode", "写真"):
        assert worlds.label(f"npz:some/where/{name}") == f"npz:{name}"
    assert worlds.label("faces") == "faces"


def test_two_data_sets_of_one_label_are_refused(tmp_path):
    for name in ("a b", "a|b"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="two would both be called folder:a-b"):
        begin_each("smoke", f"folder:{tmp_path / 'a b'},folder:{tmp_path / 'a|b'}")


def test_a_card_shows_names_as_they_are():
    pixels = np.zeros((3, 16, 16), np.uint8)
    planes = np.zeros((2, 3, 16, 16))
    names = ["costs $5 to $9", "$\\frac$"]
    figure = plots.card(pixels, planes[0], planes[:, 0], planes, np.array([0.4, 0.6]), names, title="a $5_$.png")
    figure.savefig(io.BytesIO())
    assert not [text for text in figure.findobj(Text) if text.get_parse_math() and "$" in text.get_text()]
