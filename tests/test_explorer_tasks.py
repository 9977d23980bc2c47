"""The explorer's tasks: the answers that the page prints are what its networks answer."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

CLASSES = np.array(["ProGAN_seed_1", "ProGAN_seed_2", "real"])


class Nearest:
    """Gives an image to its owner while it is, on average, at most ``patience`` grey levels from one that it knows."""

    def __init__(self, known, patience):
        self.known, self.patience, self.classes_ = known.astype(float), patience, CLASSES

    def columns(self, names):
        return np.searchsorted(CLASSES, names)

    def attribute(self, images):
        apart = np.abs(images[:, None].astype(float) - self.known).mean(axis=(2, 3, 4)).min(axis=1)
        sure = np.where(apart <= self.patience, 0.9, 0.05)
        probabilities = np.stack([np.full(len(images), 0.05), sure, 0.95 - sure], axis=1)
        return SimpleNamespace(
            classes=CLASSES, labels=CLASSES[probabilities.argmax(axis=1)], probabilities=probabilities
        )

    def predict(self, images):
        return self.attribute(images).labels

    def predict_proba(self, images):
        return self.attribute(images).probabilities


@pytest.fixture
def extension(monkeypatch):
    pytest.importorskip("sphinx", reason="the book's tools are not installed")
    monkeypatch.syspath_prepend(ROOT / "book" / "_ext")
    for name in ("explorer", "explorer_tasks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import explorer_tasks

    return explorer_tasks


def saved(image, quality):
    file = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file)).transpose(2, 0, 1)


def test_answers_are_the_networks_own(extension):
    from explorer import BANDS, IMMUNISED, WHOLE

    rng = np.random.default_rng(0)
    grey = 128 + rng.normal(0, [[[3]], [[8]], [[12]]], (3, 16, 16))  # the finer the detail, the more JPEG takes of it
    images = np.repeat(grey[:, None], 3, axis=1).astype(np.uint8)
    plain, immune = Nearest(images, 2), Nearest(images, 1000)
    readers = [(plain, WHOLE, "as trained"), (immune, IMMUNISED, "JPEG"), (plain, IMMUNISED, "all of them")]
    readers = [SimpleNamespace(attributor=a, group=g, label=x) for a, g, x in (*readers, (plain, BANDS["low"], "8 px"))]
    stranger = np.full((1, 3, 16, 16), 250, np.uint8)
    names = ["first", "second", "third", "stranger"]
    owners, all_images = ["ProGAN_seed_2"] * 3 + ["stranger"], np.concatenate([images, stranger])
    shown = SimpleNamespace(readers=readers, images=all_images, names=names, owners=owners)
    turns = []
    for image in images:
        far = [q for q in range(100, 4, -1) if np.abs(saved(image, q).astype(float) - image).mean() > 2]
        turns.append(far[0] if far else 0)
    assert 0 < turns[0] < min(turns[1:])
    said = extension.tasks(shown)
    assert f"Choose **{names[int(np.argmin(turns))]}**" in said  # the one that withstands JPEG for the longest
    assert f"At quality {min(turns)} it says real" in said
    assert "immunised to all attacks says real" in said and "immunised to JPEG ProGAN, seed 2" in said
    assert "JPEG makes 3 images of this source another's; of these the latter knows 3" in said
    assert "only low frequencies, at 8 px, knows it (90 %)" in said
    assert "Of 1 strangers the network gives 1 to real, with 90 to 90 %" in said
