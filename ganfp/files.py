"""Files that are either whole or absent."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

TEMPORARY = ".tmp"  # how the names end of files that are not whole yet
ROOM = 1 << 20  # bytes: a disk with less left is full


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes its place when the block ends well, and goes otherwise."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):  # `parents=True` calls itself, as often as there are folders in each other
        folder.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(TEMPORARY, f".{path.name}.", path.parent)
    os.close(handle)
    try:
        with room(path):
            yield Path(name)
        os.chmod(name, 0o644)  # mkstemp's own is private
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def room(path: Path) -> Iterator[None]:
    """Let a full disk be the ``OSError`` that says so and names ``path``, whatever a library made of it."""
    try:
        yield
    except Exception as error:
        if shutil.disk_usage(path.parent).free < ROOM or getattr(error, "errno", None) == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "the disk is full; make room and run it again", str(path)) from error
        raise


def sweep(folder: Path) -> None:
    """Remove what killed processes left of files that were not whole yet; for who holds the folder's lock."""
    for leftover in folder.rglob(f".*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Let the disk itself have a file, so that a power cut after this finds it whole."""
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, value) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path, remedy: str, kind: type = dict) -> Any:
    """The value of a JSON file, of a ``kind``; ``ValueError`` names a file that is damaged, and the remedy."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); {remedy}") from error
    if not isinstance(value, kind):
        raise ValueError(f"{path} is damaged: it should hold a {kind.__name__}; {remedy}")
    return value


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """Write tensors and a JSON-serialisable description into one safetensors file, atomically."""
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    with replacing(path) as temporary:
        try:
            save_file(plain, temporary, {"meta": json.dumps(meta)})
        except SafetensorError as error:
            raise OSError(f"{path} cannot be written: {error}") from error
        sync(temporary)


def read_tensors(path: Path, device: str | torch.device = "cpu") -> tuple[dict[str, Tensor], dict]:
    """Read what :func:`write_tensors` wrote; a damaged file raises ``ValueError`` that names it."""
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
            return tensors, dict(json.loads(file.metadata()["meta"]).items())
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        problem = f"{path} is damaged or not one of ganfp's files ({error}); delete it and build again"
        raise ValueError(problem) from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def project_root() -> Path:
    """The checkout: the first folder with this book, from the working folder upwards or around the package.

    Other books have a ``_toc.yml``, too; the working folder where there is no checkout.
    """
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[1]):
        if (folder / "_toc.yml").is_file() and (folder / "book" / "_ext" / "claims_ledger.py").is_file():
            return folder
    return Path.cwd()
