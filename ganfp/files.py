"""Files that are either whole or absent."""

import hashlib
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

TEMPORARY = ".tmp"  # how the names end of files that are not whole yet


@contextmanager
def replacing(path: Path):
    """Yield a temporary path beside ``path``; it takes its place when the block ends well, and goes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(TEMPORARY, f".{path.name}.", path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)  # mkstemp's own is private
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, value) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """Write tensors and a JSON-serialisable description into one safetensors file, atomically."""
    plain = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    with replacing(path) as temporary:
        save_file(plain, temporary, {"meta": json.dumps(meta)})


def read_tensors(path: Path, device: str | torch.device = "cpu") -> tuple[dict[str, Tensor], dict]:
    """Read what :func:`write_tensors` wrote; a damaged file raises ``ValueError`` that names it."""
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            return {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["meta"])
    except (SafetensorError, KeyError, TypeError) as error:
        problem = f"{path} is damaged or not one of ganfp's files ({error}); delete it and build again"
        raise ValueError(problem) from error


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def project_root() -> Path:
    """The checkout: the first folder with a ``_toc.yml``, from the working folder upwards or around the package."""
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[1]):
        if (folder / "_toc.yml").is_file():
            return folder
    return Path.cwd()
