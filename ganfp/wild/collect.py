"""Which files: those of each source to learn from, and those to ask about."""

import csv
import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ganfp.worlds.reader import images_in, litter

LeftOut = list[tuple[Path, str]]  # files that are not used, each with the reason


def sources(path: Path) -> tuple[list[tuple[Path, str]], LeftOut]:
    """Files and their sources, in natural order (2 before 10), and what is left out.

    path: a folder with a folder for each source, or a CSV with columns ``path`` and ``source``, whose paths start at
    its own folder and do not leave it.  ``ValueError`` where there are not two sources at least.
    """
    found, left = _from_csv(path) if path.is_file() else _from_folders(path)
    if (count := len({source for _, source in found})) < 2:
        wanted = "a folder with one folder of images for each source, or a CSV with columns path and source"
        raise ValueError(f"{path} has {count} source{'s' * (count != 1)} with images, and 2 are needed: give {wanted}")
    return sorted(found, key=lambda one: (one[1], natural(one[0]))), left


def inputs(words: Iterable[str]) -> tuple[list[Path], LeftOut]:
    """The files that images, folders and glob patterns name, each once, and what is left out of the folders.

    ``ValueError`` names a word that names nothing, or says what is left out where there is nothing else.
    """
    found: dict[Path, None] = {}
    left: LeftOut = []
    for word in words:
        there = os.path.lexists(word)  # a link to nowhere is: a shell's pattern may have found it
        paths = [Path(word)] if there else sorted(map(Path, glob.glob(word, recursive=True)), key=natural)
        if not paths:
            raise ValueError(f"{word} names no file, no folder and no pattern of names")
        for path in paths:
            images, others = _in(path) if path.is_dir() else ([path], [])
            found.update(dict.fromkeys(images))
            left += others
    if not found:
        raise ValueError(f"{left[0][0]} {left[0][1]}")
    return list(found), left


def _in(folder: Path) -> tuple[list[Path], LeftOut]:
    """The images in a folder, and what is left out: the folder itself where there are none."""
    try:
        return images_in(folder)
    except ValueError as error:
        return [], [(folder, str(error).removeprefix(f"{folder} "))]


def natural(path: Path) -> tuple[tuple[str, int], ...]:
    """A key that sorts numbers in names as numbers, so that frames follow each other."""
    return tuple((text, int(number or -1)) for text, number in re.findall(r"(\D+|^)(\d{0,18})", str(path)))


def _from_folders(path: Path) -> tuple[list[tuple[Path, str]], LeftOut]:
    found, left = [], []
    for folder in sorted(path.iterdir()):
        if litter(folder.name):
            continue
        images, others = _in(folder) if folder.is_dir() else ([], [(folder, "is in no source's folder")])
        found += [(image, folder.name) for image in images]
        left += others
    return found, left


def _from_csv(path: Path) -> tuple[list[tuple[Path, str]], LeftOut]:
    found: dict[Path, str] = {}
    left, root = [], path.parent.resolve()
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
                    left.append((image, f"line {rows.line_num} of {path} lacks a path or a source"))
                elif not image.resolve().is_relative_to(root):
                    left.append((image, f"is outside the folder of {path}; put the list above its images"))
                elif found.get(image, source) != source:
                    raise ValueError(f"{path}, line {rows.line_num}: {name} has two sources")
                else:
                    found[image] = source
        except csv.Error as error:
            raise ValueError(f"{path}, line {rows.line_num}: {error}") from error
    return list(found.items()), left
