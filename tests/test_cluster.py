"""Past one machine: the same bytes from a cluster that loses a worker, from shards, and from an archive."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganfp.cli import main
from ganfp.gans import training
from ganfp.runs import archive, building, cluster
from ganfp.runs.cluster import Shard
from ganfp.runs.recipes.images import Images
from ganfp.runs.run import begin
from ganfp.runs.store import DONE, Store

ROOT = Path(__file__).resolve().parents[1]


def wanted():
    run = begin("smoke", "faces")
    return [run.gan("progan"), run.gan("progan", 2), run.gan("sngan")]


def contents(store):
    """Every file of every artifact but those that say when and how fast it was made."""
    folders = store.artifacts()
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(p.relative_to(store.root)): p.read_bytes() for p in files if p.name not in (DONE, training.HISTORY)}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("serial"))
    building.build(wanted(), store, jobs=2, quiet=True)
    return store


def test_a_cluster_that_loses_a_worker_ends_with_the_same_bytes(tmp_path, monkeypatch, serial):
    killed = []

    def kill_one(recipe):  # as soon as the images are there, and the first trainings under way
        if isinstance(recipe, Images):
            time.sleep(1.0)
            workers = client.run(os.getpid)
            killed.append(next(iter(workers.values())))
            os.kill(killed[0], signal.SIGKILL)

    with cluster.local(2) as address:
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            monkeypatch.setenv(cluster.SCHEDULER, address)
            store = Store(tmp_path)
            building.build(wanted(), store, quiet=True, done=kill_one)
    assert len(killed) == 1
    assert contents(store) == contents(serial)
    assert not list(tmp_path.glob("*/*.part"))


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(ConnectionError, match="'tcp://127.0.0.1:9'; `ganfp cluster` starts one"):
        cluster.Cluster("tcp://127.0.0.1:9")


def test_two_shards_fill_one_folder_and_make_nothing_twice(tmp_path, serial):
    script = "from test_cluster import *; building.build(wanted(), Store('store'), jobs=1, quiet=True, done=print)"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    shards = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths, cluster.SHARD: f"{i}/2"},
        )
        for i in (1, 2)
    ]  # fmt: skip
    said = [shard.communicate(timeout=300)[0] for shard in shards]
    assert [shard.returncode for shard in shards] == [0, 0]
    assert contents(Store(tmp_path / "store")) == contents(serial)
    assert all(said)  # each has made something


def shown(language, word):
    """The block of code with a word in it, as the page on several machines shows it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", (ROOT / "book" / "rerun.md").read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if word in block)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_job_array_asks_for_its_share(tmp_path):
    script, ganfp = tmp_path / "job.sh", tmp_path / "ganfp"
    script.write_text(shown("bash", "#SBATCH --array"))
    subprocess.run(["bash", "-n", script], check=True)
    ganfp.write_text('#!/bin/sh\necho "$GANFP_STORE" "$@"\n')
    ganfp.chmod(0o755)
    slurm = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8", "SLURM_SUBMIT_DIR": "/home/me"}
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **slurm}
    ran = subprocess.run(["bash", script], env=environment, capture_output=True, text=True)
    store, command, *options = ran.stdout.split()
    assert (store, command) == ("/home/me/artifacts", "build")
    assert Shard.read(options[options.index("--shard") + 1]) == Shard(3, 8)
    assert set(options[::2]) <= {name for option in main.commands["build"].params for name in option.opts}


def test_the_jobs_of_dask_have_one_thread_and_a_gpu():
    pytest.importorskip("dask_jobqueue")
    known: dict = {}
    exec(shown("python", "SLURMCluster").partition("workers.scale")[0], known)  # starts a scheduler, and no job
    job = known["workers"].job_script()
    known["workers"].close()
    assert subprocess.run(["bash", "-n"], input=job, text=True).returncode == 0
    assert all(part in job for part in ("--nthreads 1 ", "--resources GPU=1", "#SBATCH --gres=gpu:1", "#SBATCH -p gpu"))


def test_every_recipe_has_one_owner():
    for recipe in wanted():
        assert [Shard(i, 3).owns(recipe) for i in (1, 2, 3)].count(True) == 1


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b", "1/2/3", "-1/2"])
def test_a_shard_that_is_none(text):
    with pytest.raises(ValueError, match="such as 2/4"):
        Shard.read(text)


def test_an_archive_carries_artifacts_and_their_checksums(tmp_path, serial):
    count = archive.export(serial.artifacts(), tmp_path / "all.tar")
    other = Store(tmp_path / "other")
    assert archive.load(tmp_path / "all.tar", other) == (count, count, [])
    assert contents(other) == contents(serial)
    assert archive.load(tmp_path / "all.tar", other) == (0, count, [])
    assert [fault for folder in other.artifacts() for fault in archive.faults(folder)] == []
    assert building.missing(wanted(), other) == []


def test_faults_are_found_and_named(tmp_path, serial):
    archive.export(serial.artifacts(), tmp_path / "all.tar")
    store = Store(tmp_path / "other")
    archive.load(tmp_path / "all.tar", store)
    folder = store.folder(wanted()[0])
    (folder / "more").write_text("x")
    history = folder / "history.json"
    history.write_bytes(history.read_bytes()[:-1] + b" ")
    (folder / "generator.safetensors").unlink()
    found = "\n".join(archive.faults(folder))
    assert all(part in found for part in ("safetensors is missing", "more does not belong", "history.json has changed"))
    with pytest.raises(ValueError, match="is missing; delete"):
        archive.export([folder], tmp_path / "again.tar")
    assert not (tmp_path / "again.tar").exists()


def test_an_archive_cannot_leave_its_folder(tmp_path):
    import io
    import tarfile

    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../escaped"), io.BytesIO())
    with pytest.raises(ValueError, match="bad.tar is no archive of artifacts"):
        archive.load(tmp_path / "bad.tar", Store(tmp_path / "in" / "store"))
    assert not (tmp_path / "in" / "escaped").exists()
    (tmp_path / "none.tar").write_bytes(b"no")
    with pytest.raises(ValueError, match="none.tar is no archive"):
        archive.load(tmp_path / "none.tar", Store(tmp_path / "store"))


def test_what_is_not_needed_is_found_with_its_size(tmp_path, serial):
    archive.export(serial.artifacts(), tmp_path / "all.tar")
    store = Store(tmp_path / "other")
    archive.load(tmp_path / "all.tar", store)
    begun = store.folder(wanted()[0]).with_name("0" * 20 + ".part")
    begun.mkdir()
    kept = building.closure(wanted()[:2])
    gone = dict(archive.not_needed(store, kept))
    assert gone.keys() == {begun, store.folder(wanted()[2])}
    assert gone[begun] == 0 and gone[store.folder(wanted()[2])] > 10_000
