"""``{profile-table}`` and ``{generator-table}``: what the project holds, from its files when it is rendered."""

from sphinx.util.docutils import SphinxDirective

from ganfp.cli import words
from ganfp.runs import profiles, shipping


class ProjectTable(SphinxDirective):
    header: tuple[str, ...]

    def rows(self):
        raise NotImplementedError

    def run(self):
        lines = ["```{list-table}", ":header-rows: 1", ":class: results prose profiles", ""]
        for line in (self.header, *self.rows()):
            lines += [f"{'  -' if i else '* -'} {cell}" for i, cell in enumerate(line)]
        return self.parse_text_to_nodes("\n".join([*lines, "```"]))


class ProfileTable(ProjectTable):
    """The profiles and what they cost, from ``ganfp/runs/presets``."""

    header = ("Profile", "What for", "Pixels", "Seeds", "Images per GAN", "Time", "Disk", "On")

    def rows(self):
        for name in profiles.names():
            p = profiles.load(name)
            trained_by = profiles.load(p.generators) if p.generators else p
            images = f"{trained_by.gans['progan'].total_images:,}" + (", shipped" if p.generators else "")
            time, disk = words.takes(p.cost), words.size(p.cost.bytes)
            yield f"`{name}`", p.summary, p.resolution, p.seeds, images, time, disk, p.cost.machine


class GeneratorTable(ProjectTable):
    """The generators that travel with the repository, from their manifest."""

    header = ("File", "Images seen", "Minutes", "On", "kB")

    def rows(self):
        entries = shipping.manifest(shipping.folder())
        if not entries:
            yield "none yet", "", "", "", ""
        for e in entries:
            minutes = f"{e['seconds'] / 60:.0f}"
            yield f"`{e['file']}`", f"{e['images_seen']:,}", minutes, e["hardware"], e["bytes"] // 1000


def setup(app):
    app.add_directive("profile-table", ProfileTable)
    app.add_directive("generator-table", GeneratorTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
