"""The store: built once, whole or absent, resumable, checked."""

import json
import multiprocessing
import os
import shutil
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganfp.cli import main
from ganfp.files import sha256, write_text
from ganfp.runs import archive, cluster
from ganfp.runs import store as module
from ganfp.runs.store import DamagedArtifactError, Store


@dataclass(frozen=True)
class Thing:
    name: str
    kind = "thing"

    @property
    def key(self) -> str:
        return self.name

    def describe(self) -> dict:
        return {"name": self.name}


def write(folder: Path, progress) -> None:
    (folder / "data.txt").write_text("whole")


def test_builds_once_and_records_what_it_was(tmp_path):
    store, calls = Store(tmp_path), []

    def make(folder, progress):
        calls.append(1)
        write(folder, progress)

    folder = store.build(Thing("a"), make, device="cpu")
    assert store.build(Thing("a"), make) == folder and len(calls) == 1
    info = store.info(Thing("a"))
    assert info["recipe"] == {"name": "a"} and info["bytes"] == 5 and info["device"] == "cpu" and info["seconds"] >= 0
    assert sorted(p.name for p in folder.iterdir()) == [module.DONE, "data.txt"]


def test_a_failure_leaves_nothing_that_looks_whole_and_the_next_attempt_goes_on(tmp_path):
    store = Store(tmp_path)

    def fail(folder, progress):
        (folder / "half").write_text("1")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        store.build(Thing("a"), fail)
    assert not store.has(Thing("a")) and not store.folder(Thing("a")).exists()

    def resume(folder, progress):
        assert (folder / "half").read_text() == "1"
        write(folder, progress)

    assert store.has(Thing("a")) is False
    store.build(Thing("a"), resume)
    assert store.has(Thing("a"))


def test_seconds_of_all_attempts_are_added(tmp_path):
    store = Store(tmp_path)

    def slow(folder, progress):
        time.sleep(0.2)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.build(Thing("a"), slow)
    store.build(Thing("a"), write)
    info = store.info(Thing("a"))
    assert info["seconds"] >= 0.2 > info["processor_seconds"]  # nobody computed while it slept


def test_progress_can_be_read_by_others(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_REPORTS", 0.0)
    store, seen = Store(tmp_path), []

    def make(folder, progress):
        for share in (0.25, 0.5):
            progress(share)
            seen.append(Store(tmp_path).share(Thing("a")))

    assert store.share(Thing("a")) == 0
    store.build(Thing("a"), make)
    assert seen == [0.25, 0.5] and store.share(Thing("a")) == 1


def test_a_changed_or_missing_file_is_found(tmp_path):
    store = Store(tmp_path)
    folder = store.build(Thing("a"), write)
    store.verify(Thing("a"))
    (folder / "data.txt").write_text("whale")
    with pytest.raises(DamagedArtifactError, match="data.txt"):
        store.verify(Thing("a"))
    (folder / "data.txt").unlink()
    with pytest.raises(DamagedArtifactError, match="delete .* and build again"):
        store.verify(Thing("a"))


def test_two_processes_build_one_artifact_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_build_slowly, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "calls").read_text() == "x"
    assert json.loads((tmp_path / "thing" / "a" / module.DONE).read_text())["kind"] == "thing"


def _build_slowly(root):
    def make(folder, progress):
        with open(root / "calls", "a") as file:
            file.write("x")
        time.sleep(0.5)
        write(folder, progress)

    Store(root).build(Thing("a"), make)


def test_what_a_killed_save_left_is_no_part_of_an_artifact(tmp_path, monkeypatch):
    store = Store(tmp_path)
    part = store.folder(Thing("a")).with_suffix(".part")
    (part / "snapshots").mkdir(parents=True)

    def die(*_):
        raise KeyboardInterrupt

    for name in ("data.txt", "snapshots/1"):  # as a kill leaves them: nothing cleans up
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("os.replace", die)
            patch.setattr(Path, "unlink", lambda *_, **__: None)
            write_text(part / name, "half")
    assert len([p for p in part.rglob("*") if p.is_file()]) == 2
    folder = store.build(Thing("a"), write)
    assert sorted(store.info(Thing("a"))["sha256"]) == ["data.txt"]
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == [module.DONE, "data.txt"]


def test_a_file_is_read_once_for_all_that_rest_on_it(tmp_path, monkeypatch):
    store, read = Store(tmp_path), []
    folder = store.build(Thing("a"), write)
    monkeypatch.setattr(module, "sha256", lambda path: read.append(path) or sha256(path))
    store.verify(Thing("a"))
    store.verify(Thing("a"))
    assert read == [folder / "data.txt"]
    (folder / "data.txt").write_text("other")  # of the same length
    os.utime(folder / "data.txt", ns=(0, 0))
    with pytest.raises(DamagedArtifactError):
        store.verify(Thing("a"))


def test_a_broken_description_is_named(tmp_path):
    store = Store(tmp_path)
    folder = store.build(Thing("a"), write)
    whole = json.loads((folder / module.DONE).read_text())
    (digest,) = whole["sha256"].values()
    files = (["data.txt"], {"../a/data.txt": digest}, {f"{folder}/data.txt": digest}, {"data\0": ""})
    others = ({"key": "b"}, {"kind": "b"}, {"seconds": "1"}, *({"sha256": one} for one in files))
    texts = [json.dumps(whole | change) for change in others]
    for text in ("{", "", "[]", '{"sha256": {}}', "[" * 10**5, *texts):
        (folder / module.DONE).write_text(text)
        with pytest.raises(DamagedArtifactError, match="(artifact.json|data.* is missing).*; delete .*a and build"):
            store.verify(Thing("a"))


def test_damage_is_named_removed_and_made_again(tmp_path, monkeypatch):
    store, things = Store(tmp_path), [Thing("a"), Thing("b"), Thing("c")]
    for thing in things:
        store.build(thing, write)
    data = store.folder(things[1]) / "data.txt"
    before = data.stat()
    data.write_text("Whole")  # one bit, and as a disk may flip it: size and times as they were
    os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns))
    (store.folder(things[2]) / module.DONE).write_text("")
    monkeypatch.setenv("GANFP_STORE", str(tmp_path))
    result = CliRunner().invoke(main, ["store", "verify", "--delete"])
    assert result.exit_code == 0 and f"{data} has changed" in result.output
    assert f"{store.folder(things[2]) / module.DONE} cannot be read" in result.output
    assert [store.has(thing) for thing in things] == [True, False, False]
    store.build(things[1], write)
    assert CliRunner().invoke(main, ["store", "verify"]).output == "2 artifacts, 0 damaged\n"


def test_another_artifact_in_its_place_is_found(tmp_path):
    store = Store(tmp_path)
    folder = store.build(Thing("a"), write)
    shutil.copytree(folder, store.folder(Thing("b")))
    with pytest.raises(DamagedArtifactError, match="is damaged, or another artifact's"):
        store.verify(Thing("b"))


def test_a_lock_that_is_a_link_harms_nothing(tmp_path):
    (tmp_path / "thing").mkdir()
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "thing" / "a.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError):
        Store(tmp_path).build(Thing("a"), write)
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.fixture
def lower(tmp_path):
    """A finished store with artifacts a and b, of which nobody may write a byte."""
    below = Store(tmp_path / "below")
    for name in "ab":
        below.build(Thing(name), write)
    return below


def contents(root: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def over(lower: Store, tmp_path: Path) -> Store:
    return Store(f"{tmp_path / 'above'}{os.pathsep}{lower.root}")


def test_what_lies_below_is_read_and_nothing_is_written_there(tmp_path, lower):
    before, store = contents(lower.root), over(lower, tmp_path)
    made = [store.build(Thing(name), write) for name in "abc"]
    assert [folder.parents[1].name for folder in made] == ["below", "below", "above"]
    for name in "abc":
        store.verify(Thing(name))
        assert not store.busy(Thing(name)) and store.share(Thing(name)) == 1
    assert [folder.name for folder in store.artifacts()] == list("abc")
    assert contents(lower.root) == before
    assert [folder.name for folder in Store(tmp_path / "above").artifacts()] == ["c"]


def test_of_two_the_upper_is_taken(tmp_path, lower):
    own = Store(tmp_path / "above").build(Thing("a"), lambda folder, progress: (folder / "data.txt").write_text("own"))
    store = over(lower, tmp_path)
    assert store.folder(Thing("a")) == own
    assert [folder.parents[1].name for folder in store.artifacts()] == ["above", "below"]


def test_commands_read_both_stores_and_change_the_upper(tmp_path, monkeypatch, lower):
    store = over(lower, tmp_path)
    store.build(Thing("c"), write)
    for name in "ac":
        (store.folder(Thing(name)) / "data.txt").write_text("whale")
    before = contents(lower.root)
    monkeypatch.setenv("GANFP_STORE", store.name)
    with pytest.raises(DamagedArtifactError, match="only read: let its owner delete .*below"):
        store.verify(Thing("a"))
    result = CliRunner().invoke(main, ["store", "verify", "--delete"])
    assert result.exit_code == 1 and "3 artifacts, 2 damaged, 1 of them deleted" in result.output
    assert [store.has(Thing(name)) for name in "abc"] == [True, True, False]
    store.build(Thing("d"), write)
    assert list(archive.not_needed(store, [Thing("a")])) == [
        (store.folder(Thing("d")), (store.folder(Thing("d")) / module.DONE).stat().st_size + 5)
    ]
    assert contents(lower.root) == before


def test_both_stores_travel_together_and_nothing_arrives_twice(tmp_path, lower):
    store = over(lower, tmp_path)
    store.build(Thing("c"), write)
    assert archive.export(store.artifacts(), tmp_path / "all.tar") == 3
    assert archive.load(tmp_path / "all.tar", store) == (0, 3, [])
    assert archive.load(tmp_path / "all.tar", Store(f"{tmp_path / 'third'}{os.pathsep}{lower.root}")) == (1, 3, [])


@pytest.fixture
def theirs(tmp_path):
    """The archive of another machine, which made artifact a with other bytes, and b, which is not here."""
    there = Store(tmp_path / "theirs")
    there.build(Thing("a"), lambda part, progress: (part / "data.txt").write_text("theirs"), torch="1.0")
    there.build(Thing("b"), write, torch="1.0")
    archive.export(there.artifacts(), tmp_path / "theirs.tar")
    return tmp_path / "theirs.tar"


def test_another_machines_bytes_replace_none_and_are_said(tmp_path, monkeypatch, theirs):
    store = Store(tmp_path / "ours")
    folder = store.build(Thing("a"), write)
    monkeypatch.setenv("GANFP_STORE", str(tmp_path / "ours"))
    said = CliRunner().invoke(main, ["store", "import", str(theirs)]).output
    assert "1 new artifacts of 2" in said
    assert f"1 were here already with other bytes and stay as they are, such as {folder}" in said
    assert (folder / "data.txt").read_text() == "whole" and store.info(Thing("b"))["torch"] == "1.0"
    store.verify(Thing("a")), store.verify(Thing("b"))


def test_an_unfinished_copy_is_no_artifact_and_in_nobodys_way(tmp_path, theirs):
    store = Store(tmp_path / "ours")
    for name in "ab":  # what an interrupted `cp` leaves
        store.folder(Thing(name)).mkdir(parents=True)
        (store.folder(Thing(name)) / "data.txt").write_text("wh")
    store.build(Thing("a"), write)
    assert archive.load(theirs, store)[:2] == (1, 2)
    for name in "ab":
        store.verify(Thing(name))
        assert sorted(path.name for path in store.folder(Thing(name)).iterdir()) == [module.DONE, "data.txt"]


def test_an_artifact_without_checksums_is_damaged(tmp_path):
    store = Store(tmp_path)
    done = store.build(Thing("a"), write) / module.DONE
    done.write_text(json.dumps(json.loads(done.read_text()) | {"sha256": {}}))
    with pytest.raises(DamagedArtifactError, match="is damaged"):
        store.verify(Thing("a"))
    assert archive.faults(done.parent) == [f"{done.parent / 'data.txt'} does not belong there"]


def test_other_archives_are_refused(tmp_path, theirs):
    store = Store(tmp_path / "ours")
    with tarfile.open(tmp_path / "folder.tar", "w") as tar:  # of the folder around the artifacts
        tar.add(tmp_path / "theirs", "artifacts")
    with pytest.raises(ValueError, match="folder.tar holds no artifacts: `ganfp store export` writes"):
        archive.load(tmp_path / "folder.tar", store)
    for kind in ("gz", "xz", "bz2"):
        path = tmp_path / f"theirs.tar.{kind}"
        with tarfile.open(path, f"w:{kind}") as tar:
            tar.add(tmp_path / "theirs", "")
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"theirs.tar.{kind}"):
            archive.load(path, store)
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(ValueError, match="damaged one"):
            archive.load(path, store)
    assert store.artifacts() == []


def test_a_worker_reads_both_stores(tmp_path, lower):
    store, seen = over(lower, tmp_path), []
    store.root.mkdir()
    cluster._make(
        lambda recipe, root, device: seen.append(Store(root).folder(recipe)),
        Thing("a"),
        {"name": "a"},
        store.name,
        "cpu",
    )
    assert seen == [lower.folder(Thing("a"))]


@pytest.mark.parametrize("name", ["above{0}", "{0}below", "a{0}b{0}c"])
def test_a_store_is_one_folder_or_two(name):
    with pytest.raises(ValueError, match="one folder, or two as UPPER"):
        Store(name.format(os.pathsep))


def test_a_lower_store_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="lower store .*nowhere does not exist"):
        Store(f"{tmp_path}{os.pathsep}{tmp_path / 'nowhere'}")
