"""The order of work: needs first, each once, errors that say where."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from ganfp.runs import building
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import DamagedArtifactError, Store


@dataclass(frozen=True)
class Step(Recipe):
    kind = "step"

    name: str
    before: tuple = ()
    fails: bool = False

    def make(self, folder, paths, device, progress):
        if self.fails:
            raise ValueError("no such thing")
        text = "".join((paths(need) / "text").read_text() for need in self.before)
        (folder / "text").write_text(text + self.name)


A = Step("a")
B, C = Step("b", (A,)), Step("c", (A,))
D = Step("d", (B, C))


def build(recipes, store):
    with ThreadPoolExecutor(2) as pool:
        return building.build(recipes, store, executor=pool, quiet=True)


def test_needs_come_first_and_once(tmp_path):
    assert [step.name for step in building.closure([D, B])] == ["a", "b", "c", "d"]
    store = Store(tmp_path)
    build([D], store)
    assert (store.folder(D) / "text").read_text() == "abacd"
    assert building.missing([D], store) == [] and build([D], store) == 0.0


def test_what_only_finished_artifacts_need_is_not_made_again(tmp_path):
    store = Store(tmp_path)
    build([D], store)
    store.clear(A)
    assert building.missing([D], store) == []
    assert [step.name for step in building.missing([Step("e", (A,))], store)] == ["a", "e"]


def test_an_error_names_the_recipe_and_keeps_the_rest(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="no such thing") as caught:
        build([Step("x", (A,), fails=True)], store)
    assert any("while building step x" in note for note in caught.value.__notes__)
    assert store.has(A)


def test_nothing_is_built_on_a_damaged_file(tmp_path):
    store = Store(tmp_path)
    build([A], store)
    (store.folder(A) / "text").write_text("z")
    with pytest.raises(DamagedArtifactError, match="has changed"):
        build([B], store)


def test_processes_see_the_same_store(tmp_path):
    from ganfp.runs.recipes.images import Images
    from ganfp.worlds import DRAWN

    store, images = Store(tmp_path), Images(DRAWN[0], 8, 12, 2, 2, 2)
    assert building.build([images], store, jobs=1, quiet=True) > 0
    info = store.info(images)
    assert info["hardware"].endswith("cores") and info["device"] == "cpu"
