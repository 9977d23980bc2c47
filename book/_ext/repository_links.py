"""Link the pages to the repository that publishes them, and to Colab and Binder.

The address is the one that a GitHub workflow runs under (``GITHUB_REPOSITORY``), so a fork's book leads to
the fork.  A book built elsewhere has no such links.
"""

import os


def add_links(app, config):
    repository = os.environ.get("GITHUB_REPOSITORY")
    if not repository:
        return
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    config.html_theme_options |= {
        "repository_url": f"{server}/{repository}",
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
    app.connect("config-inited", add_links, priority=100)  # before the theme reads its options
    return {"parallel_read_safe": True, "parallel_write_safe": True}
