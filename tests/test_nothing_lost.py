"""Ended at any moment, by anything: what there is stays, what comes next goes on, and nobody stays behind."""

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from test_training import IMAGES, exported, run

from ganfp import book, files, locks
from ganfp.gans import training
from ganfp.gans.training import Seeds
from ganfp.processes import between_steps

ROOT = Path(__file__).resolve().parents[1]

# ---------------------------------------------------------------------------- locks


def test_a_lock_is_one_processs_until_it_lets_go(tmp_path):
    told = []
    with locks.held(tmp_path / "lock", lambda: told.append("first")):
        waiting = threading.Thread(target=lambda: take(tmp_path / "lock", told))
        waiting.start()
        for _ in range(100):
            if told:
                break
            time.sleep(0.05)
        assert told == ["busy"]
    waiting.join(10)
    assert told == ["busy", "taken"]


def take(path, told):
    with locks.held(path, lambda: told.append("busy")):
        told.append("taken")


def test_a_lock_does_not_follow_links_and_a_disk_without_locks_has_a_remedy(tmp_path, monkeypatch):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="lock"):
        take(tmp_path / "lock", [])
    assert (tmp_path / "precious").read_text() == "kept"

    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    with pytest.raises(OSError, match=r"other cannot be locked .*GANFP_STORE names one"):
        take(tmp_path / "other", [])


def test_where_there_is_no_fcntl_the_other_systems_locks_are_used(tmp_path, monkeypatch):
    class Windows:
        LK_NBLCK = 2
        taken = True

        def locking(self, handle, mode, count):
            if self.taken:
                self.taken = False
                raise PermissionError(errno.EACCES, "Permission denied")

    told = []
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "msvcrt", Windows(), raising=False)
    take(tmp_path / "lock", told)
    assert told == ["busy", "taken"]


def test_the_book_is_one_commands_at_a_time(tmp_path, capsys):
    (tmp_path / "executed").mkdir()
    (tmp_path / "executed" / ".run.json.x.tmp").write_text("of a killed process")
    done = []

    def other():
        with book._alone(tmp_path):
            done.append(True)

    with book._alone(tmp_path):
        assert [path.name for path in (tmp_path / "executed").iterdir()] == [".lock"]
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.5)
        assert not done
    thread.join(10)
    assert done and "waiting for another command" in capsys.readouterr().out


# ---------------------------------------------------------------------------- disks


def test_a_full_disk_is_said_in_one_line_that_names_the_file(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 0))

    def full(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(files, "save_file", full)
    for write in (
        lambda: files.write_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(2)}, {}),
        lambda: cut_short(tmp_path / "a.safetensors"),
    ):
        with pytest.raises(OSError, match=r"the disk is full; make room and run it again: '.*a.safetensors'") as caught:
            write()
        assert caught.value.errno == errno.ENOSPC and not list(tmp_path.iterdir())


def cut_short(path):
    with files.replacing(path):
        raise OSError("3072 requested and 0 written")  # what numpy says


# ---------------------------------------------------------------------------- signals


@pytest.fixture(autouse=True)
def heard():
    """Ctrl-C as on a terminal: whoever starts the tests in the background may have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_a_step_and_the_second_one_does_not():
    steps = []
    with pytest.raises(KeyboardInterrupt), between_steps() as asked:
        signal.raise_signal(signal.SIGINT)
        steps.append(list(asked))
    assert steps == [[signal.SIGINT]]
    with pytest.raises(KeyboardInterrupt), between_steps():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        steps.append("never")
    assert len(steps) == 1 and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_at_any_moment_leaves_a_checkpoint_that_goes_on_to_the_same_bytes(tmp_path):
    run(tmp_path / "whole")
    for step in (1, 2, 7):
        calls = []

        def stop(share, calls=calls, step=step):
            calls.append(share)
            if len(calls) == step:
                signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / str(step), progress=stop)
        assert len(calls) == step  # and no further
        assert run(tmp_path / str(step), resume=True)
        assert exported(tmp_path / str(step)) == exported(tmp_path / "whole")


def test_a_training_goes_on_with_its_own_images_alone(tmp_path):
    run(tmp_path, budget=0.05)
    other = IMAGES.copy()
    other[-1, 0, 0, 0] ^= 1
    with pytest.raises(ValueError, match="checkpoint.safetensors was made with other pixels"):
        run(tmp_path, images=other, resume=True)
    with pytest.raises(ValueError, match="other pixels"):
        run(tmp_path, images=IMAGES[::-1].copy(), resume=True)
    with pytest.raises(ValueError, match="other pixels, seeds"):
        run(tmp_path, Seeds.all(2), images=other, resume=True)
    assert run(tmp_path, resume=True)


KILLED = """
import sys
from pathlib import Path
from ganfp.gans import training
from test_training import IMAGES, ONE
training.SECONDS_BETWEEN_CHECKPOINTS = 0.0
step = lambda share: print(share, flush=True)
training.train("progan", CONFIG, ONE, IMAGES, Path(sys.argv[1]), resume=True, progress=step)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_killed_at_random_moments_it_ends_with_the_same_bytes_and_no_other_file(tmp_path):
    run(tmp_path / "whole")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    rng = random.Random(1)
    for _ in range(3):
        command = [sys.executable, "-c", KILLED, str(tmp_path / "killed")]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        process.stdout.readline()  # it has begun
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate()
    files.sweep(tmp_path / "killed")  # as every command does that holds its lock
    assert run(tmp_path / "killed", resume=True)
    assert exported(tmp_path / "killed") == exported(tmp_path / "whole")
    names = [{path.name for path in (tmp_path / name).iterdir()} for name in ("whole", "killed")]
    assert names[0] == names[1]


def test_weights_that_do_not_fit_their_settings_take_no_memory(tmp_path):
    run(tmp_path)
    tensors, meta = files.read_tensors(tmp_path / training.GENERATOR)
    meta["config"] |= {"fmap_base": 2**30, "fmap_max": 2**17}  # 64 GB for the first layer
    files.write_tensors(tmp_path / training.GENERATOR, tensors, meta)
    with pytest.raises(ValueError, match="generator.safetensors does not hold a generator"):
        training.load_generator(tmp_path)
