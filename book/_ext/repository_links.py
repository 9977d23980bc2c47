"""Link the pages to the repository that publishes them, and to Colab and Binder.

The address is the one that a GitHub workflow runs under (``GITHUB_REPOSITORY``), so a fork's book leads to
the fork.  A book built elsewhere has no such links.
"""

import os

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


def address():
    """The repository's address; "" where it is not known."""
    repository = os.environ.get("GITHUB_REPOSITORY")
    return repository and f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"


class RepositoryLink(SphinxDirective):
    """One line that leads to the repository, where it is known."""

    def run(self):
        if not address():
            return []
        link = nodes.reference("", address(), refuri=address())
        return [nodes.bullet_list("", nodes.list_item("", nodes.paragraph("", "This repository: ", link)))]


def add_links(app, config):
    if not address():
        return
    config.html_theme_options |= {
        "repository_url": address(),
        "repository_branch": os.environ.get("GITHUB_REF_NAME", "main"),
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
        },
    }


def setup(app):
    app.add_directive("repository-link", RepositoryLink)
    app.connect("config-inited", add_links, priority=100)  # before the theme reads its options
    return {"parallel_read_safe": True, "parallel_write_safe": True}
