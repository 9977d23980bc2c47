"""``{profile-table}``: the profiles and what they cost, read from ``ganfp/presets``."""

from sphinx.util.docutils import SphinxDirective

from ganfp import cli, profiles

HEADER = ("Profile", "What for", "Pixels", "Seeds", "Images per GAN", "Time", "Disk", "On")


def rows():
    for name in profiles.names():
        p = profiles.load(name)
        images = f"{p.progan.total_images:,}"
        time, disk = cli.duration(p.cost), cli.size(p.cost.bytes)
        yield f"`{name}`", p.summary, p.resolution, p.seeds, images, time, disk, p.cost.machine


class ProfileTable(SphinxDirective):
    def run(self):
        lines = ["```{list-table}", ":header-rows: 1", ":class: results prose profiles", ""]
        for line in (HEADER, *rows()):
            lines += [f"{'  -' if i else '* -'} {cell}" for i, cell in enumerate(line)]
        return self.parse_text_to_nodes("\n".join([*lines, "```"]))


def setup(app):
    app.add_directive("profile-table", ProfileTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
