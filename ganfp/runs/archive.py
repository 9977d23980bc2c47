"""A store that travels: artifacts from one machine to another, checked; and what no profile needs any more, removed."""

import json
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ganfp.files import replacing, sha256
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.store import DONE, Store, settle


def faults(folder: Path) -> list[str]:
    """What is wrong with an artifact, a line each; nothing if every file is as it was when it was finished."""
    try:
        known = json.loads((folder / DONE).read_text("utf-8"))
        digests, own = dict(known["sha256"]), (known["kind"], known["key"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{folder / DONE} cannot be read ({error!r})"]
    there = folder.parent.name, folder.name
    found = [] if own == there else [f"{folder} is {'/'.join(map(str, own))} by its own word"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {DONE}
    found += [f"{folder / name} is missing" for name in sorted(digests.keys() - there)]
    found += [f"{folder / name} does not belong there" for name in sorted(there - digests.keys())]
    changed = (name for name in sorted(there & digests.keys()) if sha256(folder / name) != digests[name])
    return found + [f"{folder / name} has changed" for name in changed]


def export(folders: Iterable[Path], target: Path) -> int:
    """Write artifacts into one tar file, and return their number; ``ValueError`` names a damaged one."""
    count = 0
    with replacing(target) as temporary, tarfile.open(temporary, "w") as tar:
        for folder in folders:
            if wrong := faults(folder):
                raise ValueError(f"{wrong[0]}; delete {folder} and build again")
            tar.add(folder, f"{folder.parent.name}/{folder.name}")
            count += 1
    return count


def load(source: Path, store: Store) -> tuple[int, int, list[Path]]:
    """Take over the artifacts of a tar file that are not there yet.

    Returns how many were new, how many the file holds, and the folders of those that are there already with other
    bytes, as another machine makes them, and stay as they are.  All are unpacked beside the store first and checked,
    and nothing is taken over from a file that is damaged, or that reaches out of its folder: ``ValueError`` says so.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".import-", dir=store.root) as unpacked:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(unpacked, filter="data")
        except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            if getattr(error, "errno", None):  # of the disk, and not of a decoder
                raise
            raise ValueError(f"{source} is no archive of artifacts, or a damaged one: {error}") from error
        folders = Store(unpacked).artifacts()
        if not folders:
            raise ValueError(f"{source} holds no artifacts: `ganfp store export` writes such a file")
        if wrong := [fault for folder in folders for fault in faults(folder)]:
            told = wrong[0].replace(f"{unpacked}/", "")
            raise ValueError(f"{source}: {told}, and {len(wrong) - 1} more faults; fetch it again")
        known = {path.relative_to(path.parents[1]): path for path in store.artifacts()}
        pairs = [(folder, known.get(folder.relative_to(unpacked))) for folder in folders]
        for folder in (folder for folder, there in pairs if there is None):
            settle(folder, store.root / folder.relative_to(unpacked))
        others = [there for folder, there in pairs if there and _digests(folder) != _digests(there)]
    return sum(there is None for _, there in pairs), len(folders), others


def _digests(folder: Path) -> dict:
    return json.loads((folder / DONE).read_text("utf-8")).get("sha256", {})


def not_needed(store: Store, needed: Iterable[Recipe]) -> Iterator[tuple[Path, int]]:
    """Finished artifacts, and begun ones, that are none of the recipes, each with its bytes; none of a lower store."""
    keep = {store.folder(recipe) for recipe in needed}
    for folder in sorted(path for path in store.root.glob("*/*") if path.is_dir()):
        if folder.with_suffix("") not in keep:
            yield folder, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
