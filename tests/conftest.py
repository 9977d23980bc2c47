"""The smoke run that the notebooks' and the book's tests share: executed once, in a copy of the book."""

import os
import shutil
from pathlib import Path

import browser
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


def averaged(images, factor):
    """Images (N, C, H, W) reduced by box averages, float64 and not rounded."""
    n, channels, height, width = images.shape
    blocks = images.reshape(n, channels, height // factor, factor, width // factor, factor)
    return blocks.mean((3, 5), dtype=np.float64)


@pytest.fixture(scope="module")
def one_thread():
    """Compute with one thread: small pictures are drawn faster so, above all beside other work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def store(request):
    """Folder of the artifacts that tests share.

    They are kept between sessions in pytest's cache, or in ``GANFP_STORE`` where that is set; the store itself
    knows when one is out of date.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "GANFP_STORE" not in os.environ:
            patch.setenv("GANFP_STORE", str(request.config.cache.mkdir("store")))
        yield Path(os.environ["GANFP_STORE"])


@pytest.fixture(scope="session")
def run(store):
    """A run at profile smoke, on faces, with all artifacts of the book made."""
    from ganfp.paper import sections
    from ganfp.runs.run import begin_each

    runs = begin_each("smoke", "faces,bedrooms")
    runs[0].build(sections.needs(runs), quiet=True)
    return runs[0]


@pytest.fixture
def sealed(run, monkeypatch):
    """The run, unable to build: an experiment must find everything that `needs` names."""

    def refuse(*recipes, **_):
        raise AssertionError(f"not among the needs: {recipes}")

    monkeypatch.setattr("ganfp.runs.building.ProcessPoolExecutor", refuse)
    return run


@pytest.fixture(scope="session")
def smoke(tmp_path_factory, run):
    """Root of a copy of the book with every notebook executed at profile smoke."""
    from ganfp import book

    root = tmp_path_factory.mktemp("book")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, root)
    for name in ("book", "notebooks"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copytree(ROOT / "results" / "reference", root / "results" / "reference")
    book.execute_book("smoke", root=root)
    return root


@pytest.fixture(scope="session")
def html(smoke):
    """Folder of the rendered pages; every warning is an error."""
    from ganfp import book

    assert book.render(smoke) == 0
    return smoke / "_build" / "html"


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium; where there is none, only continuous integration fails for it."""
    found = browser.find()
    if found is None:
        reason = f"no browser of {', '.join(browser.NAMES)} on the path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with browser.Browser(found) as opened:
        yield opened
