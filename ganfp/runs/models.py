"""Fitted attributors by name: what a build has left in its store, and folders of models of anybody's own."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.attributors.base import SIDECAR
from ganfp.files import read_json
from ganfp.runs import profiles, shipping
from ganfp.runs.recipes.attribution import Evaluation, Fit
from ganfp.runs.recipes.base import PREDICTIONS, settings
from ganfp.runs.store import DONE, Store

DAMAGED = ValueError, KeyError, TypeError, AttributeError, OSError  # what a file of anybody's making may raise
REMEDY = "delete its folder"


@dataclass(frozen=True)
class Entry:
    """A model: its name (the folder, for one outside a store), its folder, and what is known of it.

    A name from a store is profile/data set/task/method, and behind it, with ``=``, each setting that is not the
    profile's.  ``accuracy``: percent of test images; None if it was not measured.
    """

    name: str
    folder: Path
    method: str
    classes: tuple[str, ...]
    resolution: int
    date: str
    accuracy: float | None

    def __post_init__(self) -> None:
        if not isinstance(self.date, str) or not isinstance(self.accuracy, int | float | None):
            raise TypeError(f"{self.folder} has a date or an accuracy that is none")


def find(name: str, store: Store) -> Path:
    """The folder of a model: a path, or a name of :func:`listed`, or the end of one that no other name has.

    ``ValueError`` lists the names that it may have meant.
    """
    if (path := Path(name).expanduser()).is_dir():
        return path
    known = list(stored(store))
    found = [one for one in known if one.name == name] or [one for one in known if one.name.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0].folder
    if found:
        raise ValueError(f"{name} is the name of several models: {', '.join(one.name for one in found)}")
    near = [one.name for one in known if name.rpartition("/")[2] in one.name]
    others = "`ganfp models` lists those that there are, `ganfp build` makes the book's"
    more = f"; did you mean {', '.join(near[:8])}?" if near else f"; {others}"
    raise ValueError(f"{name} is no folder and no model in {store.name}{more}")


def listed(store: Store, around: Path) -> list[Entry]:
    """Models of a store, by name, then those in folders below ``around``, at most three deep."""
    depths = ("", "*/", "*/*/", "*/*/*/")
    folders = sorted({path.parent for depth in depths for path in around.glob(f"{depth}{SIDECAR}")})
    others = [own(folder) for folder in folders if not (folder / DONE).exists()]
    return [*stored(store), *(one for one in others if one)]


def own(folder: Path) -> Entry | None:
    """A model that somebody has saved; None where its files cannot be read."""
    with suppress(*DAMAGED):
        sidecar, facts = read_json(folder / SIDECAR, REMEDY), {}
        with suppress(OSError):
            facts = read_json(folder / "card.json", REMEDY)["facts"]
        known = str(folder), folder, sidecar["method"], tuple(sidecar["classes"]), sidecar["resolution"]
        return Entry(*known, facts.get("date", ""), facts.get("accuracies", {}).get(sidecar["method"], {}).get("value"))
    return None


def stored(store: Store) -> Iterator[Entry]:
    """Attributors of a store, by name; of those that would share one, all but one have a piece of their key after it.

    That one knows the most sources, finished GANs rather than their snapshots, and is the newest.
    """
    datasets = {one["sha256"]: one["recipe"] for folder in shipping.folders() for one in shipping.manifest(folder)}
    measured = dict(_accuracies(store))
    found: dict[str, list[tuple[Path, Mapping[str, Any], tuple[int, int]]]] = {}
    for folder in store.artifacts(Fit.kind):
        with suppress(*DAMAGED):
            info = read_json(folder / DONE, REMEDY)
            recipe, origins = info["recipe"], _origins(info["recipe"]["setup"], datasets)
            lacks = sum("gan" in one for one in origins), -len(origins)  # finished GANs, and sources
            found.setdefault(_name(recipe, origins), []).append((folder, info, lacks))
    for name in sorted(found):
        newest_first = sorted(found[name], key=lambda one: str(one[1].get("date")), reverse=True)
        for i, (folder, info, _) in enumerate(sorted(newest_first, key=lambda one: one[2])):
            with suppress(*DAMAGED):
                sidecar, full = read_json(folder / SIDECAR, REMEDY), f"{name}@{folder.name[:6]}" if i else name
                known = sidecar["method"], tuple(sidecar["classes"]), sidecar["resolution"], info["date"][:10]
                yield Entry(full, folder, *known, measured.get(_text(info["recipe"])))


def _origins(setup: Mapping[str, Any], shipped: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What each source's images come from, a shipped generator's being what was trained; a snapshot has a ``gan``."""
    return [shipped.get(source["origin"].get("digest"), source["origin"]) for source in setup["sources"]]


def _name(recipe: Mapping[str, Any], origins: Iterable[Mapping[str, Any]]) -> str:
    """``quick/faces/seeds/cnn``, or ``quick/faces/seeds/cnn,band=high`` where a setting is not the profile's."""
    setup, method, own = recipe["setup"], recipe["method"], dict(map(tuple, recipe["settings"]))
    best, differs = "", own
    for profile in profiles.names():
        size = profiles.load(profile)
        usual = dict(settings({"seed": 0} | vars(size.methods[method]))) if method in size.methods else {"seed": 0}
        other = {key: value for key, value in own.items() if key not in usual or usual[key] != value}
        same = all(getattr(size.real, part) == setup[part] for part in ("train", "validation", "test"))
        if same and (not best or len(other) < len(differs)):
            best, differs = profile, other
    if "jpegs" in setup:
        differs = {**differs, "jpeg": "+".join(setup["jpegs"])}
    extra = [f"{key}={value}" for key, value in sorted(differs.items())]
    return "/".join([best or "other", _dataset(origins), setup["name"], ",".join([method, *extra])])


def _dataset(origins: Iterable[Mapping[str, Any]]) -> str:
    for origin in origins:
        origin = origin.get("gan", origin)
        if images := origin if origin["kind"] == "images" else origin.get("images"):
            return images["dataset"] + (f"-{images['digest'][:6]}" if images["digest"] else "")
    return "images"


def _accuracies(store: Store) -> Iterator[tuple[str, float]]:
    """Percent of the test images that each attributor names rightly, by the description of its recipe."""
    for folder in store.artifacts(Evaluation.kind):
        with suppress(*DAMAGED):
            recipe = read_json(folder / DONE, REMEDY)["recipe"]
            if recipe["setup"] == recipe["fit"]["setup"] and recipe["split"] == "test":
                names = [source["name"] for source in recipe["setup"]["sources"]]
                truth = np.repeat([sorted(names).index(name) for name in names], recipe["setup"]["test"])
                found = np.load(folder / PREDICTIONS, mmap_mode="r")
                yield _text(recipe["fit"]), float(100 * (found == truth).mean())


def _text(recipe: Mapping[str, Any]) -> str:
    return json.dumps(recipe, sort_keys=True)
