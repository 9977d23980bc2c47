"""Commands killed at random moments and run again: ``python tests/kills.py --kills 20 train build``.

Every round runs a command in a copy of the project that has nothing made yet, kills the process at a random moment
(SIGKILL, and nothing else of its family; with ``--group`` its whole process group, as a closed terminal or a job's
end does), runs it again, kills it again, until it ends by itself.  Then nothing may be left that an undisturbed run
does not leave: no process, no file; and what was made must be the same.  Linux only: it looks for processes in /proc.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import click
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[1]
MARK = "GANFP_KILLED"  # in the environment of a command and of all its descendants
PATIENCE = 20.0  # seconds in which descendants must have ended
TIMES = {"seconds", "date", "commit", "history.json"}  # what is another each time
MEASURED = "cost.json"  # of page x13: nothing but seconds


@dataclass(frozen=True)
class Command:
    """A command line of ganfp, what it must have run before, and the files that it makes."""

    line: str
    made: tuple[str, ...]
    before: str = ""
    without: tuple[str, ...] = ()  # folders of the project that it makes itself


RECORDS = ("results/smoke/**/*.json", "runs/**/*.json")
COMMANDS = {
    "train": Command("train progan --profile smoke --out out --resume", ("out/generator.*", "out/critic.*")),
    "build": Command("build --profile smoke --dataset faces", ("artifacts/*/*/artifact.json",)),
    "book": Command("book --profile smoke", ("_build/html/**/*.html", *RECORDS), "build --profile smoke"),
    "render": Command("render", ("_build/html/**/*.html",), "book --profile smoke"),
    "notebook": Command("notebook s4_3 -p profile smoke --force", RECORDS),
    "reference": Command(
        "reference --profile smoke --dataset faces", ("results/reference/generators/*.safetensors",),
        without=("results/reference/generators",),
    ),
}  # fmt: skip


def project(folder: Path, without: tuple[str, ...] = ()) -> Path:
    """A copy of what is needed to run commands, without what is made."""
    for name in ("ganfp", "book", "notebooks", "results/reference"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "smoke"))
    for name in ("_config.yml", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in without:
        shutil.rmtree(folder / name)
    return folder


def start(line: str, root: Path, mark: str, log: Path) -> subprocess.Popen:
    """Start a command whose whole family carries a mark."""
    environment = {**os.environ, MARK: mark, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    environment.pop("GANFP_STORE", None)
    with open(log, "a") as file:
        command = [sys.executable, "-m", "ganfp.cli", *line.split()]
        return subprocess.Popen(command, cwd=root, env=environment, stdout=file, stderr=file, process_group=0)


def family(mark: str) -> list[int]:
    """The processes that carry a mark and have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return found


def orphans(mark: str) -> tuple[list[int], float]:
    """The processes that outlive their family's head for too long, and how many seconds the last one took to end."""
    began = time.monotonic()
    while (left := family(mark)) and time.monotonic() - began < PATIENCE:
        time.sleep(0.05)
    return left, time.monotonic() - began


def made(root: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    """A digest of each file that was made, without what is another each time."""
    found = sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()})
    return {path.relative_to(root).as_posix(): sha256(content(path)).hexdigest() for path in found}


def content(path: Path) -> bytes:
    """The bytes of a file, as far as they must be the same each time."""
    if path.name == MEASURED:
        return b""
    if path.suffix == ".json":
        return json.dumps(_timeless(json.loads(path.read_text("utf-8")), path.name == "artifact.json")).encode()
    if path.suffix == ".safetensors":
        with safe_open(path, "np") as file:
            return b"".join(key.encode() + file.get_tensor(key).tobytes() for key in sorted(file.keys()))
    if path.suffix == ".html":  # which page it is; times, and numbers that rest on them, are in its text
        return b"".join(re.findall(rb"<(?:title|h1|h2|figure|table)[ >]", path.read_bytes()))
    return path.read_bytes()


def _timeless(value, artifact: bool):
    if isinstance(value, dict):
        drop = TIMES | ({"bytes"} if artifact else set())
        return {key: _timeless(one, artifact) for key, one in value.items() if key not in drop}
    return [_timeless(one, artifact) for one in value] if isinstance(value, list) else value


def names(root: Path) -> set[str]:
    """All files that are there, but for Python's own."""
    every = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return {name for name in every if "__pycache__" not in name}


def rounds(
    command: Command, kills: int, work: Path, rng: random.Random, say: Callable[[str], None], group: bool = False
) -> dict:
    """Kill a command so many times, in as many rounds as that takes; what went wrong, in words."""
    log, wrong, killed, slowest, round_ = work / "log", [], 0, 0.0, 0

    def prepared(name: str) -> Path:
        root = project(work / name, command.without)
        if command.before and start(command.before, root, "before", log).wait():
            raise RuntimeError(f"`ganfp {command.before}` failed, see {log}")
        return root

    whole = prepared("whole")
    fresh = work / "fresh"
    shutil.copytree(whole, fresh, symlinks=True)
    began = time.monotonic()
    if start(command.line, whole, "whole", log).wait():
        raise RuntimeError(f"`ganfp {command.line}` failed, see {log}")
    takes = time.monotonic() - began
    wanted, files = made(whole, command.made), names(whole)
    say(f"undisturbed: {takes:.0f} s, {len(wanted)} files compared")
    while killed < kills:
        round_ += 1
        root = work / f"round-{round_}"
        shutil.copytree(fresh, root, symlinks=True)
        while True:
            mark = f"{work.name}-{round_}-{killed}"
            process = start(command.line, root, mark, log)
            try:
                # while kills are left, most come before the end
                process.wait(rng.uniform(0, takes) if killed < kills else None)
            except subprocess.TimeoutExpired:
                (os.killpg if group else os.kill)(process.pid, signal.SIGKILL)
                process.wait()
                killed += 1
            left, seconds = orphans(mark)
            slowest = max(slowest, seconds)
            wrong += [f"process {pid} outlived kill {killed}" for pid in left]
            if process.returncode != -signal.SIGKILL:
                break
        if process.returncode:
            wrong.append(f"round {round_} ended with status {process.returncode}")
        elif (found := made(root, command.made)) != wanted:
            wrong += [f"round {round_}: {name}" for name in sorted(set(found.items()) ^ set(wanted.items()))]
        if extra := names(root) - files:
            wrong.append(f"round {round_} left {', '.join(sorted(extra)[:5])}")
        say(f"round {round_}: {killed} kills, {len(wrong)} wrong, the last process ended within {slowest:.2f} s")
        shutil.rmtree(root)
    return {"kills": killed, "rounds": round_, "wrong": wrong, "slowest": slowest}


@click.command()
@click.argument("which", nargs=-1, type=click.Choice([*COMMANDS]))
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--group", is_flag=True, help="Kill the whole process group.")
def main(which: tuple[str, ...], kills: int, seed: int, group: bool) -> None:
    """Kill commands at random moments, run them again, and say what was lost."""
    failed, say = False, lambda text: click.echo(f"  {text}")
    for name in which or COMMANDS:
        with tempfile.TemporaryDirectory() as work:
            result = rounds(COMMANDS[name], kills, Path(work), random.Random(seed), say, group)
        click.echo(f"{name}: {result['kills']} kills, {result['rounds']} rounds, {len(result['wrong'])} wrong")
        for text in result["wrong"]:
            click.echo(f"  {text}")
        failed |= bool(result["wrong"])
    sys.exit(failed)


if __name__ == "__main__":
    main()
