"""The order of work: needs first, each once, errors that say where."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ganfp import machine
from ganfp.runs import building
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import DamagedArtifactError, Store

ROOT = Path(__file__).resolve().parents[1]


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
    shutil.rmtree(store.folder(A))
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


SCRIPT = """
from ganfp.runs.run import begin
run = begin("smoke", "faces")
print(run.array(run.images, "images.npy").shape, __file__)
"""


def test_a_script_needs_no_guard(tmp_path):
    (tmp_path / "plain.py").write_text(SCRIPT)
    environment = {**os.environ, "GANFP_STORE": str(tmp_path / "store"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "plain.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(800, 3, 16, 16)") and done.stdout.endswith("plain.py\n")


SLOW = """
import time
from dataclasses import dataclass
from pathlib import Path
from ganfp.runs import building
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import Store

@dataclass(frozen=True)
class Slow(Recipe):
    kind = "slow"
    number: int

    def make(self, folder, paths, device, progress):
        (folder / "pid").write_text(str(__import__("os").getpid()))
        time.sleep(600)

if __name__ == "__main__":
    building.build([Slow(i) for i in range(2)], Store("store"), jobs=2, quiet=True)
"""


def test_workers_end_with_a_process_that_is_killed(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    parent = subprocess.Popen([sys.executable, "slow.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        pids = eventually(lambda: [int(p.read_text() or 0) for p in tmp_path.glob("store/slow/*.part/pid")], 2)
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: [pid for pid in pids if not Path(f"/proc/{pid}").exists()], 2)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="asks Linux for a process's children")
def test_workers_that_have_hardly_begun_end_with_it_too(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    parent = subprocess.Popen([sys.executable, "slow.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    try:
        pids = eventually(lambda: children.read_text().split()[1:], 2)  # the first one tracks resources
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: [pid for pid in pids if not Path(f"/proc/{pid}").exists()], 2)


def eventually(found, count):
    """What is found, once there is so much of it."""
    for _ in range(600):
        if len(got := found()) == count and all(got):
            return got
        time.sleep(0.1)
    raise AssertionError(f"only {got} after a minute")


def test_as_many_workers_as_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert machine.cores() == 3 and building.hardware.__wrapped__().endswith(", 3 cores")
