"""Which files: those of each source to learn from, and those to ask about."""

import csv
import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ganfp.wild.stream import Item
from ganfp.worlds.reader import images_in, litter


class LeftOut(list[tuple[Path, str]]):
    """Files that are not used, each with the reason; if that is ``strict``, the first of them is a ``ValueError``."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict

    def add(self, path: Path, reason: str) -> None:
        if self.strict:
            raise ValueError(f"--strict: {path} {reason}")
        self.append((path, reason))

    def images(self, folder: Path) -> list[Path]:
        """The images in a folder; what is left out of it is added, the folder itself where there are none."""
        try:
            found, others = images_in(folder)
        except ValueError as error:
            found, others = [], [(folder, str(error).removeprefix(f"{folder} "))]
        for path, reason in others:
            self.add(path, reason)
        return found

    def kept(self, items: Iterable[Item]) -> list[Item]:
        """The items that hold squares; the others are added."""
        good = []
        for item in items:
            self.add(item.path, item.reason) if item.reason else good.append(item)
        return good


def sources(path: Path, left: LeftOut) -> list[tuple[Path, str]]:
    """Files and their sources, in natural order (2 before 10); what is left out is added to ``left``.

    path: a folder with a folder for each source, or a CSV with columns ``path`` and ``source``, whose paths start at
    its own folder and do not leave it.  ``ValueError`` where there are not two sources at least.
    """
    found = _from_csv(path, left) if path.is_file() else _from_folders(path, left)
    if (count := len({source for _, source in found})) < 2:
        wanted = "a folder with one folder of images for each source, or a CSV with columns path and source"
        raise ValueError(f"{path} has {count} source{'s' * (count != 1)} with images, and 2 are needed: give {wanted}")
    return sorted(found, key=lambda one: (one[1], natural(one[0])))


def inputs(words: Iterable[str], left: LeftOut) -> list[Path]:
    """The files that images, folders and glob patterns name, each once; what is left out is added to ``left``.

    ``ValueError`` names a word that names nothing, or says what is left out where there is nothing else.
    """
    found: dict[Path, None] = {}
    for word in words:
        there = os.path.lexists(word)  # a link to nowhere is: a shell's pattern may have found it
        paths = [Path(word)] if there else sorted(map(Path, glob.glob(word, recursive=True)), key=natural)
        if not paths:
            raise ValueError(f"{word} names no file, no folder and no pattern of names")
        for path in paths:
            found.update(dict.fromkeys(left.images(path) if path.is_dir() else [path]))
    if not found:
        raise ValueError(f"{left[0][0]} {left[0][1]}")
    return list(found)


def natural(path: Path) -> tuple[tuple[str, int], ...]:
    """A key that sorts numbers in names as numbers, so that frames follow each other."""
    return tuple((text, int(number or -1)) for text, number in re.findall(r"(\D+|^)(\d{0,18})", str(path)))


def _from_folders(path: Path, left: LeftOut) -> list[tuple[Path, str]]:
    found = []
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and not litter(folder.name):
            found += [(image, folder.name) for image in left.images(folder)]
        elif not litter(folder.name):
            left.add(folder, "is in no source's folder")
    return found


def _from_csv(path: Path, left: LeftOut) -> list[tuple[Path, str]]:
    found: dict[Path, str] = {}
    root = path.parent.resolve()
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        try:
            rows = csv.DictReader(file)
            if not {"path", "source"} <= set(rows.fieldnames or ()):
                begins = f"it begins with {rows.fieldnames!s:.60}"
                raise ValueError(f"{path} is no CSV with columns path and source: {begins}")
            for row in rows:
                name, source = row["path"] or "", (row["source"] or "").strip()
                image = path.parent / name
                if not source or not name or "\0" in name:
                    left.add(image, f"line {rows.line_num} of {path} lacks a path or a source")
                elif not image.resolve().is_relative_to(root):
                    left.add(image, f"is outside the folder of {path}; put the list above its images")
                elif found.get(image, source) != source:
                    raise ValueError(f"{path}, line {rows.line_num}: {name} has two sources")
                else:
                    found[image] = source
        except csv.Error as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from error
    return list(found.items())
