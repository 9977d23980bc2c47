"""Trained generators that travel with the repository: half precision, checksummed, each with where it comes from.

A shipped generator is named in a manifest by the description of its recipe, so that whoever asks for the same GAN gets
it instead of a training.  Numbers that are published with it are measured on images of the shipped file.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import torch

from ganfp.files import project_root, read_json, read_tensors, sha256, sweep, write_json, write_tensors
from ganfp.gans import entry, training
from ganfp.locks import held
from ganfp.paper.record import commit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import GAN, Snapshot
from ganfp.runs.store import Store

MANIFEST = "manifest.json"
VARIABLE = "GANFP_GENERATORS"  # a folder of more such files, with a manifest of their own
_PLAIN = re.compile(r"[\w-]+\.safetensors")  # a file beside the manifest, and nowhere else
ROWS = 100  # of a shipped training's curves


def folder() -> Path:
    """Where the generators are that travel with the repository."""
    return project_root() / "results" / "reference" / "generators"


def folders() -> list[Path]:
    """Where files are looked for: in :func:`folder`, and in the one that the environment names."""
    return [folder(), *map(Path, filter(None, [os.environ.get(VARIABLE)]))]


@dataclass(frozen=True)
class Shipped(Recipe):
    """A generator (or a critic, by its ``part``) from a file that travels with the repository, by its checksum."""

    kind = "shipped"
    computes = False
    name: str  # of the GAN, as in `ganfp.gans.GANS`
    digest: str
    part: str = training.GENERATOR
    path: str = field(default="", metadata={"key": False})
    seconds: float = field(default=0.0, metadata={"key": False})  # of its training
    resolution: int = field(default=0, metadata={"key": False})
    replica = 0

    def modules(self) -> tuple[str, ...]:
        return (entry(self.name).module,)

    def make(self, folder, paths, device, progress) -> None:
        """Write the network in single precision, where :mod:`training` loads it from, and its training curves."""
        if not Path(self.path).is_file() or sha256(Path(self.path)) != self.digest:
            raise ValueError(f"{self.path} is missing or is not the file that its manifest describes; fetch it again")
        tensors, meta = read_tensors(Path(self.path))
        write_json(folder / training.HISTORY, meta.pop("history"))
        write_tensors(folder / self.part, _as(torch.float32, tensors), meta)


def ship(gan: GAN, store: Store, folder: Path) -> Path:
    """Write a finished GAN's generator into ``folder`` in half precision, and into its manifest; the file's path.

    Raises ``ValueError`` where a weight does not fit into half precision, and where the file is another GAN's.
    """
    path = folder / f"{file_name(gan)}.safetensors"
    refuse_another([gan], folder)
    tensors, meta = read_tensors(store.folder(gan) / training.GENERATOR)
    halves = _as(torch.float16, tensors)
    for key, value in halves.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{store.folder(gan)}: {key} does not fit into half precision")
    history = json.loads((store.folder(gan) / training.HISTORY).read_text("utf-8"))
    meta["history"] = history | {"rows": _thinned(history["rows"], ROWS)}
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / ".lock", lambda: None):  # for the moment in which another process writes the manifest
        sweep(folder)
        refuse_another([gan], folder)
        write_tensors(path, halves, meta)
        _note(gan, store.info(gan), path, meta["seen"])
    return path


def refuse_another(gans: Sequence[GAN], folder: Path) -> None:
    """``ValueError`` where the place of one of the GANs is taken by another GAN.

    A file that the manifest does not know is what a killed process left, and takes nobody's place.
    """
    there = {one["file"]: one["recipe"] for one in manifest(folder)}
    for gan in gans:
        name = f"{file_name(gan)}.safetensors"
        if name in there and there[name] != identity(gan):
            remedy = "delete it first if this one shall take its place"
            raise ValueError(f"{folder / name} is a GAN of other settings; {remedy}")


def _note(gan: GAN, info: dict, path: Path, seen: int) -> None:
    """Enter a generator in the manifest beside it."""
    others = [other for other in manifest(path.parent) if other["file"] != path.name]
    known = {key: info[key] for key in ("seconds", "date", "device", "hardware", "torch") if key in info}
    file = {"file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size, "images_seen": seen}
    this = {**file, **known, "commit": commit(), "recipe": identity(gan)}
    write_json(path.parent / MANIFEST, sorted([*others, this], key=itemgetter("file")))


def find(gan: GAN | Snapshot, part: str = training.GENERATOR, where: Sequence[Path] = ()) -> Shipped | None:
    """The shipped generator (or critic) of a GAN, None if there is none; ``where``: :func:`folders` by default."""
    wanted = identity(gan)
    for path in where or folders():
        for one in manifest(path):
            if one["recipe"] == wanted and one.get("part", training.GENERATOR) == part:
                what = gan.name, one["sha256"], part, str(path / one["file"])
                return Shipped(*what, one["seconds"], gan.resolution)
    return None


def manifest(folder: Path) -> list[dict]:
    """What is known of each shipped generator, in the order of the files' names; empty without a manifest."""
    path = folder / MANIFEST
    entries = read_json(path, "fetch it again", list) if path.exists() else []
    for one in entries:
        kinds = {"file": str, "sha256": str, "seconds": int | float, "recipe": dict}
        wrong = not isinstance(one, dict) or not all(isinstance(one.get(key), kind) for key, kind in kinds.items())
        if wrong or not isinstance(one.get("part", ""), str) or not _PLAIN.fullmatch(one["file"]):
            raise ValueError(f"{path} is damaged at {one!r:.60}; fetch it again")
    return entries


def identity(gan: GAN | Snapshot) -> dict[str, Any]:
    """A GAN's description without what its weights do not depend on.

    The code is left out, because a shipped generator outlives a faster training loop, and so are the moments at which
    the generator was also kept on its way.  What the real images look like is not: their renderer's version stays.
    """

    def kept(values: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key not in ("code", "snapshots")}

    return json.loads(json.dumps(gan.describe()), object_hook=kept)


def file_name(gan: GAN) -> str:
    """``faces-ProGAN-seed-1``, ``faces-ProGAN-exchanged-100``."""
    what = f"seed-{gan.seeds.init}" if gan.subset is None else f"exchanged-{gan.subset.swapped}"
    return f"{gan.images.dataset.partition(':')[0]}-{entry(gan.name).label}-{what}"


def _thinned(rows: list[dict], count: int) -> list[dict]:
    """At most so many rows of training curves: losses averaged over a few rows, the rest as in the last of them."""
    step = -(-len(rows) // count)
    groups = [rows[start : start + step] for start in range(0, len(rows), step)]
    losses = rows[0].keys() - {"images", "resolution", "blend"} if rows else ()
    return [group[-1] | {key: sum(row[key] for row in group) / len(group) for key in losses} for group in groups]


def _as(dtype: torch.dtype, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All numbers that are not whole in another precision."""
    return {key: value.to(dtype) if value.is_floating_point() else value for key, value in tensors.items()}
