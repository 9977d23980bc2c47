"""Where each table and figure comes from: a line under it with its run, its numbers to download, and its code.

Nothing is declared for it.  A page's executed notebook says what a cell used, what was saved with ``run.save``, and
which functions made it; records say the rest.  What a page saved is copied beside the pages as CSV and NPZ, the code as
pages.
"""

import ast
import csv
import importlib
import inspect
import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.transforms.post_transforms import SphinxPostTransform

import ganfp
from ganfp.paper.record import Record, pick, read, reference_records
from ganfp.paper.table import provenance

PACKAGE = Path(ganfp.__file__).parent
SECTION = re.compile(r"\.paper\.[sx][\dA-Z]\w*\.")
DATA, CODE, EXECUTED = "_downloads/data", "_code", "_downloads/executed"


@dataclass
class Source:
    """What a value of a notebook comes from: names of saved files (patterns), functions, which records were picked."""

    files: set = field(default_factory=set)
    functions: dict = field(default_factory=dict)  # a dictionary keeps the order
    picked: list = field(default_factory=list)  # the fields that calls of pick name; empty: all records

    def makers(self):
        """The function that shows it, and the one of a section that measured it."""
        names = [name for name in self.functions if ".paper.page." not in name]
        return list(dict.fromkeys(names[:1] + [name for name in names if SECTION.search(name)][:1]))

    def join(self, other):
        self.files |= other.files
        self.functions |= other.functions
        self.picked += other.picked


def sources(cells):
    """The source of each table and figure of a notebook, by its label, from the code of its cells alone."""
    modules, values, found = {}, {}, {}
    trees = [(cell, ast.parse("".join(cell["source"]))) for cell in cells if cell["cell_type"] == "code"]
    saved = {}
    for _, tree in trees:
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "save" and len(call.args) == 2:
                saved.setdefault(ast.unparse(call.args[0]), set()).add(pattern(call.args[1]))
    for cell, tree in trees:
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module.startswith("ganfp"):
                modules |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
            used = of(node, modules, values)
            written = (name for target in getattr(node, "targets", ()) for name in ast.walk(target))
            for target in (name for name in written if isinstance(name, ast.Name)):
                files = used.files | saved.get(target.id, set())
                values[target.id] = Source(files, dict(used.functions), [*used.picked])
        everything = of(tree, modules, values)
        for label in labels(cell, tree):
            found[label] = everything
    return found


def of(tree, modules, values):
    """What a piece of code makes use of; the functions that it calls itself come first."""
    source = Source()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            if (name := f"{modules[node.value.id]}.{node.attr}") and resolve(name):
                source.functions[name] = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pick":
            wanted = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            source.picked += [wanted] if len(wanted) == len(node.keywords) else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in values:
            source.join(values[node.id])
    return source


def pattern(argument):
    """A file's name as it stands in the code, with ``*`` for what is put in."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)


def labels(cell, tree):
    """Labels that a cell gives: of its figure, and of its table."""
    figure = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [figure] if figure else [text for text in texts if text.startswith("tab-")]


def resolve(function):
    """A function of the package by its whole name; None for anything else."""
    module, _, name = function.rpartition(".")
    try:
        found = inspect.unwrap(getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError):
        return None
    return found if inspect.isfunction(found) else None


class Lines(SphinxPostTransform):
    """Put the line under every table and figure of a page that is a notebook."""

    default_priority = 15

    def run(self, **kwargs):
        self.page = Path(self.env.docname).name
        ledger = Path(self.env.srcdir, "executed", "run.json")
        if not self.env.docname.startswith("notebooks/") or not ledger.exists():
            return
        self.executed = json.loads(ledger.read_text("utf-8")).get(self.page)
        copy = Path(self.env.srcdir, "executed", f"{self.page}.ipynb")
        if self.executed is None or not copy.exists():
            return
        known = sources(json.loads(copy.read_text("utf-8"))["cells"])
        for node in list(self.document.findall(lambda x: isinstance(x, (nodes.table, nodes.figure)))):
            for label in (name for name in node["ids"] if name in known):
                self.add(node, known[label])

    def add(self, node, source):
        there = self.executed.get("records", [])
        files = [f for f in there if any(fnmatch(Path(f).stem, name) for name in source.files)]
        after = node.parent[node.parent.index(node) + 1 :]
        said = after[0] if after and "provenance" in after[0].get("classes", ()) else None
        if said is None:
            said = nodes.paragraph("", self.run_of(files, source), classes=["provenance"])
            node.parent.insert(node.parent.index(node) + 1, said)
        made = [(f"code: {name.removeprefix('ganfp.paper.')}", code_page(name)) for name in source.makers()]
        taken = []
        for file in sorted(files):
            stem, kind = Path(file).stem, Path(file).suffix
            name = f"{stem}.csv" if kind == ".json" else f"{stem}.npz"
            taken.append((name, f"{DATA}/{self.page}/{name}"))
        if any(reads_reference(name) for name in source.functions):
            taken.append(("reference.csv", f"{DATA}/reference.csv"))
        notebook = ("notebook", f"{EXECUTED}/{self.page}.ipynb")
        for text, target in (*made, *taken, notebook):
            up = "../" * self.env.docname.count("/")
            said += [nodes.Text(" · "), nodes.reference("", text, internal=True, refuri=up + target)]

    def run_of(self, files, source):
        """Whose numbers they are, from their records; without records, whose images."""
        folder, given = Path(self.env.srcdir, self.executed["parameters"]["out"]), self.executed["parameters"]
        records = [r for file in files if file.endswith(".json") for r in read(folder / file)]
        if not records and any(reads_reference(name) for name in source.functions):
            records = reference_records()
        records = [r for wanted in source.picked for r in pick(records, **wanted)] or records
        bare = Record(row="", metric="", value=0, profile=given["profile"], dataset=given["dataset"].replace(",", ", "))
        text = provenance(records or [bare])
        return text if records else f"{text}, commit {self.executed.get('commit', '')}".removesuffix(", commit ")


def reads_reference(function):
    """Whether a function shows what the reference run published."""
    return "reference_records(" in "".join(inspect.getsourcelines(resolve(function))[0])


def code_page(function):
    found = resolve(function)
    file, line = Path(inspect.getsourcefile(found)), inspect.getsourcelines(found)[1]
    return f"{CODE}/{file.relative_to(PACKAGE).as_posix()}.html#line-{line}"


def write_downloads(app, exception):
    """Copy what pages saved and their executed notebooks, and list the code of the package's part for the paper."""
    ledger = Path(app.srcdir, "executed", "run.json")
    if exception or app.builder.format != "html" or not ledger.exists():
        return
    for page, executed in json.loads(ledger.read_text("utf-8")).items():
        there = Path(app.outdir, DATA, page)
        there.mkdir(parents=True, exist_ok=True)
        Path(app.outdir, EXECUTED).mkdir(exist_ok=True)
        shutil.copy(Path(app.srcdir, "executed", f"{page}.ipynb"), Path(app.outdir, EXECUTED))
        for file in (Path(app.srcdir, executed["parameters"]["out"], name) for name in executed.get("records", [])):
            if file.suffix == ".npz":
                shutil.copy(file, there)
            else:
                write_csv(read(file), there / f"{file.stem}.csv")
    write_csv(reference_records(), Path(app.outdir, DATA, "reference.csv"))
    for file in sorted(PACKAGE.rglob("*.py")):
        title = f"ganfp/{file.relative_to(PACKAGE).as_posix()}"
        listing = HtmlFormatter(full=True, title=title, linenos="inline", lineanchors="line", anchorlinenos=True)
        page = Path(app.outdir, CODE, f"{file.relative_to(PACKAGE).as_posix()}.html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(highlight(file.read_text("utf-8"), PythonLexer(), listing), "utf-8")


def write_csv(records, path):
    """Records as a table of text, a line for each; what is not a number or a word is JSON."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, list(Record.__dataclass_fields__), lineterminator="\n")
        lines.writeheader()
        for r in records:
            lines.writerow({k: json.dumps(v) if isinstance(v, dict) else v for k, v in asdict(r).items()})


def setup(app):
    app.add_post_transform(Lines)
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
