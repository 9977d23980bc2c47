"""``{claims-ledger}``: each claim on the numbers of the paper, of the reference run and of this run.

``{claims-list} OUTCOME``: those claims of the paper that come to ``holds``, ``is refuted`` or ``is not shown`` in the
reference run, or in this run where the reference run has not measured them.

The run's records are those that the notebooks listed in ``executed/run.json`` left and measured themselves, and no
others: a page that shows another run's says so, and here they are not this run's.  Without records every claim of the
run reads "not measured".  Those of the reference run are in ``results/reference``.

The head of a chapter (``chapter_head.py``) says what the claims of its page come to, by :meth:`Claims.came_out`.

Options: ``:tables: 1 2 3`` shows only the claims that are read from these tables, ``:name:`` is a label.
"""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ganfp.paper import judge, published
from ganfp.paper.record import read, reference_records
from ganfp.worlds import DRAWN

logger = logging.getLogger(__name__)

HEADINGS = ("Claim", "Section", "Paper's numbers", "Reference run", "This run")
WIDTHS = (46, 9, 15, 15, 15)
CLASSES = {
    judge.HOLDS: "claim-holds",
    judge.REFUTED: "claim-fails",
    judge.NOT_SHOWN: "claim-open",
    judge.NOT_MEASURED: "claim-missing",
    judge.UNPRINTED: "claim-missing",
}
PHOTOGRAPHS = {"x3": "celeba", "x12": "eurosat"}  # pages that repeat the claims of others on photographs
FEW = 6  # claims that a chapter's head lists unfolded
HEADS = {judge.HOLDS: "Confirmed", judge.NOT_SHOWN: "Not confirmed at this scale", judge.REFUTED: "Refuted"}
COUNTED = {
    judge.HOLDS: "hold",
    judge.NOT_SHOWN: "are not shown",
    judge.REFUTED: "are refuted",
    judge.NOT_MEASURED: "are not measured",
    judge.UNPRINTED: "are stated without numbers",
}


def run_shown(root):
    """Profile of the run that the pages show, and the files of records of their notebooks, each with its profile."""
    ledger = Path(root, "executed", "run.json")
    pages = json.loads(ledger.read_text("utf-8")).values() if ledger.exists() else ()
    files = {
        file: page["parameters"]["profile"]
        for page in pages
        for name in page.get("records", ())
        if (file := Path(root, page["parameters"]["out"], name)).suffix == ".json" and file.exists()
    }
    return ", ".join({page["parameters"]["profile"]: None for page in pages}), files


def records_shown(root):
    """The records of the run that the pages show: those that it measured itself."""
    return [r for file, its_own in run_shown(root)[1].items() for r in read(file) if r.profile == its_own]


@cache
def rows(root):
    """The ledger of the run that the pages show; judged once, as several pages ask for it."""
    # photographs have a page of their own
    drawn = [r for r in reference_records(Path(root, "results", "reference")) if r.dataset in DRAWN]
    return judge.ledger(records_shown(root), drawn)


@cache
def photographed(root, dataset):
    """Every claim with its verdict in the reference run on photographs, as rows of the ledger."""
    return judge.ledger((), [r for r in reference_records(Path(root, "results", "reference")) if r.dataset == dataset])


def section(docname):
    """The section whose claims a page is about: "4.2" of ``s4_2_existence``, "x8" of ``x8_inversion``, "" of others."""
    found = re.match(r"s?(x\d+|[A-Z]|\d+_\d+)_", Path(docname).name)
    return found[1].replace("_", ".") if found else ""


class Claims(SphinxDirective):
    """What all directives read: the rows of the ledger."""

    def rows(self):
        files = run_shown(self.env.srcdir)[1]
        code = sorted(Path(judge.__file__).parent.glob("*.py"))
        reference = Path(self.env.srcdir, "results", "reference")
        others = [Path(published.__file__).with_suffix(".yml"), Path(self.env.srcdir, "executed", "run.json")]
        for file in [*code, *others, *files, *sorted(reference.glob("*.json"))]:
            self.env.note_dependency(str(file))
        try:
            return rows(self.env.srcdir)
        except ValueError as error:
            logger.warning("%s: %s", self.name, error, location=self.get_location())
            return []


    def came_out(self):
        """What a page found: how many of its claims hold, and each of few, or each of many that does not hold."""
        here = section(self.env.docname)
        if here in PHOTOGRAPHS:
            self.rows()  # for what it notes: the page depends on the records
            rows = photographed(self.env.srcdir, PHOTOGRAPHS[here])
        else:
            rows = [row for row in self.rows() if row.claim.section == here] if here else []
        rows = [row for row in rows if decided(row).holds is not None]
        if not rows:
            return []
        counts = Counter(decided(row).outcome for row in rows)
        said = f"{counts[judge.HOLDS]} of the {len(rows)} claims of this page hold{'s' * (counts[judge.HOLDS] == 1)}"
        for outcome in (judge.NOT_SHOWN, judge.REFUTED):
            if count := counts[outcome]:
                said += f", {count} {COUNTED[outcome] if count > 1 else outcome}"
        own = [row for row in rows if decided(row) is row.run]
        whose = "this run" if len(own) == len(rows) else "reference run"
        whose += ", and this run where that measured nothing" if 0 < len(own) < len(rows) else ""
        head = nodes.paragraph("", "", nodes.strong(text="What came out:"))
        head += nodes.Text(f" {said} ({whose}).")
        found = nodes.bullet_list(classes=["claims-list"])
        for row in rows:
            if len(rows) <= FEW or decided(row).outcome != judge.HOLDS:
                found += nodes.list_item("", nodes.paragraph("", f"{row.claim.text} ", *parts(decided(row))))
        if len(found) <= FEW:
            return [head, *([found] if found.children else [])]
        fold, unfold = "<details class='numbers'><summary>Those that do not hold</summary>", "</details>"
        return [head, nodes.raw("", fold, format="html"), found, nodes.raw("", unfold, format="html")]


class ClaimsLedger(Claims):
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = {"tables": directives.unchanged_required, "name": directives.unchanged}

    def run(self):
        profile, files = run_shown(self.env.srcdir)
        tables = set(self.options.get("tables", "1 2 3 4 5 6 7 8").split())
        rows = [row for row in self.rows() if tables & set(row.claim.tables)]
        return [summary(rows, profile if files else ""), self.table(rows)] if rows else []

    def table(self, rows):
        table = nodes.table(classes=["claims-ledger", "filterable", "colwidths-given"])
        if self.arguments:
            table += nodes.title(self.arguments[0], self.arguments[0])
        self.set_source_info(table)
        self.add_name(table)
        group = nodes.tgroup(cols=len(HEADINGS))
        table += group
        for width in WIDTHS:
            group += nodes.colspec(colwidth=width)
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += line([nodes.paragraph(text=heading)] for heading in HEADINGS)
        for row in rows:
            claim = [nodes.paragraph(text=row.claim.text), *details(row)]
            verdicts = ([verdict(result)] for result in (row.paper, row.reference, row.run))
            body += line((claim, [nodes.paragraph(text=row.claim.section)], *verdicts))
        return table


class ClaimsList(Claims):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        found = nodes.bullet_list(classes=["claims-list"])
        for row in self.rows():
            verdict = decided(row)
            of_the_paper = row.paper.holds is not None or row.paper.outcome == judge.UNPRINTED
            if of_the_paper and verdict.outcome == self.arguments[0]:
                head = nodes.paragraph("", f"{row.claim.text} ", *parts(verdict))
                head += nodes.Text(f" (Section {row.claim.section}{', this run' if verdict is row.run else ''})")
                found += nodes.list_item("", head)
        return [found if found.children else nodes.paragraph(text="None.")]


class ClaimsSummary(Claims):
    """One paragraph: what some claims come to, by outcome, with the tables that those of another page are read from."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        rows = {row.claim.id: row for row in self.rows()}
        chosen = [rows[name] for name in self.arguments[0].split() if name in rows]
        said = nodes.paragraph()
        for outcome, heading in HEADS.items():
            mine = [row.claim for row in chosen if decided(row).outcome == outcome]
            here = section(self.env.docname)
            texts = [within(c.text) + ("" if c.section == here else f" ({read_from(c)})") for c in mine]
            said += [nodes.strong(text=f"{heading}: "), nodes.Text("; ".join(texts) + ". ")] if mine else []
        return [said]


def within(text):
    """A sentence as a part of another: without its full stop, its first word small unless that is a name."""
    plain = text.split()[0][1:].islower() or text[1] == " "
    return (text[0].lower() if plain else text[0]) + text[1:].rstrip(".")


def read_from(one):
    return "Tables 7 and 8" if one.tables == ("7", "8") else f"Table {one.tables[-1]}"


def decided(row):
    """The verdict that a reader should take away: the reference run's, and this run's where that has none."""
    return row.reference if row.reference.holds is not None else row.run


def line(cells):
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", *cell)
    return row


def verdict(result):
    return nodes.paragraph("", "", *parts(result))


def parts(result):
    """A verdict in its look; one that differs between data sets, each in its own."""
    said = str(result).split(", ")
    for i, part in enumerate(said):
        outcome = next(outcome for outcome in CLASSES if part.startswith(outcome))
        yield nodes.inline(text=part, classes=[CLASSES[outcome]])
        yield from [nodes.Text(", ")] if i < len(said) - 1 else []


def details(row):
    """The numbers behind each verdict, folded; nothing where nothing was measured."""
    said = [
        nodes.paragraph("", "", nodes.strong(text=name), nodes.Text(f" {result.numbers}"))
        for name, result in (("Paper", row.paper), ("Reference", row.reference), ("Run", row.run))
        if result.holds is not None
    ]
    fold, unfold = "<details class='numbers'><summary>Numbers</summary>", "</details>"
    return [nodes.raw("", fold, format="html"), *said, nodes.raw("", unfold, format="html")] if said else []


def summary(rows, profile):
    def count(results):
        found = Counter(result.outcome for result in results)
        kinds = [outcome for outcome in COUNTED if outcome != judge.UNPRINTED or found[outcome]]
        return ", ".join(f"{found[outcome]} {COUNTED[outcome]}" for outcome in kinds)

    run = f"in this run ({profile})" if profile else "in this run (no records found)"
    text = f"Of {len(rows)} claims, on the paper's numbers {count(r.paper for r in rows)}; "
    text += f"in the reference run {count(r.reference for r in rows)}; "
    return nodes.paragraph(text=f"{text}{run} {count(r.run for r in rows)}.")


def setup(app):
    app.add_directive("claims-ledger", ClaimsLedger)
    app.add_directive("claims-list", ClaimsList)
    app.add_directive("claims-summary", ClaimsSummary)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
