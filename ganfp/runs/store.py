"""Artifacts on disk: made once, whole or absent, and never mixed up.

An artifact is what a recipe makes; its folder is named after the recipe's kind and key.  It is built beside its
final place in a folder that ends in ``.part``, which outlives an interruption so that long work can resume, and
takes its final name only when it is complete.  A lock file lets only one process build it, the others wait.  Of a
recipe the store asks nothing but ``kind``, ``key`` and ``describe()``.  Below one may lie another, which is read only.
"""

import math
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ganfp.files import project_root, read_json, room, sha256, sweep, sync, write_json, write_text
from ganfp.locks import held, is_held
from ganfp.runs.recipes.base import Recipe

VARIABLE = "GANFP_STORE"
DONE = "artifact.json"
PART = ".part"
PROGRESS = "progress"
SECONDS_BETWEEN_REPORTS = 0.25

_verified: dict[Path, tuple[int, int, str]] = {}  # size, time of change and digest of files that were read


class DamagedArtifactError(RuntimeError):
    """A file of a finished artifact is missing or has changed."""


class Store:
    """A folder of artifacts, ``root``, made if need be; ``UPPER:LOWER`` names two, of which the lower is only read.

    ``:`` is what stands between the folders of ``$PATH``: ``;`` on Windows.
    """

    def __init__(self, root: str | os.PathLike) -> None:
        self.name = os.pathsep.join(map(os.path.abspath, os.fspath(root).split(os.pathsep)))
        self.root, *self.below = map(Path, os.fspath(root).split(os.pathsep))
        if len(self.below) > 1 or "" in os.fspath(root).split(os.pathsep):
            raise ValueError(f"a store is one folder, or two as UPPER{os.pathsep}LOWER, not {os.fspath(root)!r}")
        if self.below and not self.below[0].is_dir():
            raise FileNotFoundError(f"the lower store {self.below[0]} does not exist; ${VARIABLE} may name it")

    def folder(self, recipe: Recipe) -> Path:
        """Where the artifact is, or will be: in the lower store only if it is there, and not here."""
        places = [root / recipe.kind / recipe.key for root in (self.root, *self.below)]
        return next((place for place in places if (place / DONE).is_file()), places[0])

    def artifacts(self, kind: str = "*") -> list[Path]:
        """The folders of all finished artifacts (of a kind), by kind and key; of two of one key, the upper."""
        found: dict[tuple[str, str], Path] = {}
        for root in (*self.below, self.root):
            folders = (path.parent for path in root.glob(f"{kind}/*/{DONE}") if path.parent.suffix != PART)
            found |= {(folder.parent.name, folder.name): folder for folder in folders}
        return [found[key] for key in sorted(found)]

    def has(self, recipe: Recipe) -> bool:
        """Whether the artifact is complete."""
        return (self.folder(recipe) / DONE).is_file()

    def info(self, recipe: Recipe) -> dict:
        """What is known of a finished artifact: recipe, seconds, bytes, machine, date, checksums."""
        path = self.folder(recipe) / DONE
        remedy = self._remedy(path.parent)
        try:
            info = read_json(path, remedy)
        except FileNotFoundError as error:
            raise DamagedArtifactError(f"{path} is missing; {remedy}") from error
        except ValueError as error:
            raise DamagedArtifactError(str(error)) from error
        digests, seconds = info.get("sha256"), info.get("seconds")
        whole = isinstance(digests, dict) and digests and isinstance(seconds, int | float) and 0 <= seconds < math.inf
        if not whole or (info.get("kind"), info.get("key")) != (recipe.kind, recipe.key):
            raise DamagedArtifactError(f"{path} is damaged, or another artifact's; {remedy}")
        return info

    def build(self, recipe: Recipe, make: Callable[[Path, Callable[[float], None]], None], **notes) -> Path:
        """The folder of the artifact, made by ``make(folder, progress)`` unless it is there.

        ``make`` gets a folder that holds whatever an interrupted attempt left, and a function to report the share
        done (0 to 1).  ``notes`` are stored with the artifact.
        """
        folder = self.folder(recipe)
        if self.has(recipe):
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with held(folder.with_suffix(".lock"), lambda: print(f"waiting for who makes {folder}", file=sys.stderr)):
            if self.has(recipe):  # another process was faster
                return self.folder(recipe)
            part = _part(folder)
            part.mkdir(parents=True, exist_ok=True)
            spent, started, reported = _read(part)[1], time.monotonic(), -math.inf
            processor = time.process_time()

            def progress(share: float) -> None:
                nonlocal reported
                if (now := time.monotonic()) - reported > SECONDS_BETWEEN_REPORTS:
                    write_text(part / PROGRESS, f"{share} {spent + now - started}")
                    reported = now

            try:
                with room(folder):
                    make(part, progress)
            finally:  # the time of an attempt that failed counts too
                seconds = spent + time.monotonic() - started
                with suppress(OSError):
                    write_text(part / PROGRESS, f"{_read(part)[0]} {seconds}")
            (part / PROGRESS).unlink(missing_ok=True)
            sweep(part)
            files = sorted(path for path in part.rglob("*") if path.is_file())
            known = {
                "kind": recipe.kind, "key": recipe.key, "recipe": recipe.describe(), "seconds": round(seconds, 3),
                "processor_seconds": round(time.process_time() - processor, 3),  # of the last attempt
                "bytes": sum(path.stat().st_size for path in files),
                "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }  # fmt: skip
            digests = {path.relative_to(part).as_posix(): sha256(path) for path in files}
            write_json(part / DONE, {**known, **notes, "sha256": digests})
            sync(part / DONE)  # what a power cut takes of the others shows by their checksums
            settle(part, folder)
        return folder

    def verify(self, recipe: Recipe) -> None:
        """Raise :class:`DamagedArtifactError` unless every file is as it was when the artifact was finished.

        A process reads a file once, and again when its size or its time of change is another.
        """
        folder = self.folder(recipe)
        for name, digest in self.info(recipe)["sha256"].items():
            path, inside = folder / name, PurePosixPath(name)
            within = not inside.is_absolute() and ".." not in inside.parts and "\0" not in name
            if not within or not path.is_file() or _digest(path) != digest:
                raise DamagedArtifactError(f"{path!s} is missing or has changed; {self._remedy(folder)}")

    def _remedy(self, folder: Path) -> str:
        if self.root in folder.parents:
            return f"delete {folder} and build again, or let `ganfp store verify --delete` find all such"
        return f"this lower store is only read: let its owner delete {folder}"

    def busy(self, recipe: Recipe) -> bool:
        """Whether another process is making the artifact."""
        return is_held(self.folder(recipe).with_suffix(".lock"))

    def share(self, recipe: Recipe) -> float:
        """Share of the artifact that is done, 0 to 1, also while another process works on it."""
        return 1.0 if self.has(recipe) else _read(_part(self.folder(recipe)))[0]


def here() -> Store:
    """The store of this project: what ``$GANFP_STORE`` names, or ``artifacts`` in the project's folder."""
    return Store(os.environ.get(VARIABLE) or project_root() / "artifacts")


def settle(whole: Path, folder: Path) -> None:
    """Give a finished artifact its place, in which an unfinished copy may lie that somebody began."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir() and not (folder / DONE).exists():
        shutil.rmtree(folder)
    os.replace(whole, folder)


def _digest(path: Path) -> str:
    stat = path.stat()
    if _verified.get(path, ())[:2] != (stat.st_size, stat.st_mtime_ns):
        _verified[path] = stat.st_size, stat.st_mtime_ns, sha256(path)
    return _verified[path][2]


def _part(folder: Path) -> Path:
    return folder.with_suffix(PART)


def _read(part: Path) -> tuple[float, float]:
    """The share done, and the seconds spent."""
    try:
        share, seconds = (part / PROGRESS).read_text().split()
        return float(share), float(seconds)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return 0.0, 0.0
