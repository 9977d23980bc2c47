"""For a class: answers that check themselves, notebooks without their solutions, and images of unknown source."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from ganfp.paper.attribution import seed_setup
from ganfp.runs.recipes.samples import Sample, Source
from ganfp.runs.run import Run

STRANGER = "none of them"  # how images are named whose source is not among the known ones
IMAGES, ANSWERS, TRUTH = "blind.npz", "answers.txt", "truth.txt"  # of a blind set
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.M | re.S)
_LABEL = re.compile(r"^\([\w-]+\)=\n", re.M)
_ROLE = re.compile(r"\{(?:doc|numref|ref|eq|cite:\w)\}`([^`]+)`")
_KINDS = {"tab": "Table", "fig": "Figure", "eq": "Equation"}
_BLOCK = re.compile(r"^(`{3,})\{([\w-]+)\} *([^\n]*)\n(?::[^\n]*\n)*(.*?)^\1\n?", re.M | re.S)


class Wrong(AssertionError):
    """An answer that is not right yet; Jupyter shows its hint and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet. {self}"]


def check(answer, *cases: tuple[tuple, Any, str], tolerance: float = 1e-6) -> None:
    """Try a function on cases, each its arguments, what it should return, and a hint for who returns anything else.

    Numbers and arrays may differ by ``tolerance``, absolute and relative.  Raises :class:`Wrong` at the first case that
    it misses; says so when it passes all.
    """
    for given, expected, hint in cases:
        call = f"{answer.__name__}({', '.join(map(_shown, given))})"
        try:
            got = answer(*deepcopy(given))
        except Exception as error:
            raise Wrong(f"{call} stops with {type(error).__name__}: {error}. {hint}") from error
        if got is None:
            raise Wrong(f"{call} returns nothing yet: write your answer in the place of the three dots.")
        if not _equal(got, expected, tolerance):
            where = _difference(got, expected, tolerance)
            raise Wrong(f"{call} gives {_shown(got)}; {_shown(expected)} was expected. {where}{hint}")
    print(f"Right: {answer.__name__} passes {len(cases)} check{'s' * (len(cases) > 1)}.")


def _equal(got: Any, expected: Any, tolerance: float) -> bool:
    try:
        a, b = np.asarray(got), np.asarray(expected)
    except ValueError:  # lists of different lengths
        return False
    if a.shape != b.shape or (a.dtype.kind in "biuf") != (b.dtype.kind in "biuf"):
        return False
    return np.allclose(a, b, tolerance, tolerance) if b.dtype.kind in "biuf" else bool((a == b).all())


def _difference(got: Any, expected: Any, tolerance: float) -> str:
    """Where two large arrays differ first, which :func:`_shown` calls alike."""
    if not (isinstance(got, np.ndarray) and got.size > 16 and got.shape == np.shape(expected)):
        return ""
    place = tuple(map(int, np.argwhere(~np.isclose(got, expected, tolerance, tolerance))[0]))
    return f"They differ first at {list(place)}: {got[place]:.4g} in place of {expected[place]:.4g}. "


def _shown(value: Any) -> str:
    """A value in few words: large arrays by their shape."""
    if isinstance(value, np.ndarray) and value.ndim:
        small = " ".join(np.array2string(value, precision=4, separator=", ").split())
        return small if value.size <= 16 else f"an array {value.shape}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def parametrised(notebook, values: Mapping[str, object]):
    """A copy of a notebook with other defaults for those of the parameters that it has."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if "parameters" in cell.metadata.get("tags", []):
            for name, value in values.items():
                cell.source = re.sub(rf"^({name}: \w+ = ).*?(?=  #|$)", rf"\g<1>{value!r}", cell.source, flags=re.M)
    return copy


def without_solutions(notebook):
    """A copy of a notebook with three dots for each solution, and the book's directives and roles as plain Markdown."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = _ROLE.sub(_as_words, _LABEL.sub("", _BLOCK.sub(_as_markdown, cell.source)))
        elif _SOLUTION.search(cell.source):
            cell.source = _SOLUTION.sub(r"\1...  # your answer", cell.source)
            cell.metadata = {}  # it is no longer folded
    return copy


def _as_words(role: re.Match) -> str:
    kind, _, number = role[1].partition("-")
    return f"{_KINDS[kind]} {number}" if kind in _KINDS else f"`{role[1]}`"


def _as_markdown(block: re.Match) -> str:
    _, kind, title, text = block.groups()
    if kind in ("solution", "index", "claims-summary") or (kind, title) == ("dropdown", "Answers"):
        return ""
    titles = {"exercise": f"**Exercise: {title}.** ", "chapter": "", "admonition": f"**{title}.** "}
    return titles[kind] + _BLOCK.sub(_as_markdown, text).strip() + "\n" if kind in titles else block[0]


def blind_sets(run: Run, count: int, sets: int, key: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """``sets`` times ``count`` images, uint8 (count, 3, R, R), and their sources' names: drawn anew for each ``key``.

    The sources are those of Table 3, and a GAN of another architecture, called :data:`STRANGER`.  No image comes twice.
    With a run's seed for a key they are test images of that run.
    """
    sources = [*seed_setup(run).sources, Source(STRANGER, run.generator("sngan"))]
    rng = np.random.default_rng(key)
    once = np.arange(len(sources))  # in every set each source comes, and so does a stranger
    drawn = [np.append(once, rng.integers(len(once), size=count - len(once))) for _ in range(sets)]
    chosen = np.concatenate([rng.permutation(one) for one in drawn])
    each = run.profile.real.test
    if (most := np.bincount(chosen).max()) > each:
        few = f"profile {run.profile.name} has {each} test images of a source, and {most} are needed"
        raise ValueError(f"{few}: ask for fewer sets, or take a larger profile")
    samples = [Sample(source.origin, "test", each, key) for source in sources]
    run.build(samples, quiet=True)
    images = np.empty((sets * count, 3, run.profile.resolution, run.profile.resolution), np.uint8)
    for i, sample in enumerate(samples):
        rows = np.flatnonzero(chosen == i)
        images[rows] = run.sample(sample)[rng.permutation(each)[: len(rows)]]
    names = np.array([source.name for source in sources])[chosen]
    return list(zip(np.split(images, sets), np.split(names, sets), strict=True))


def questions(run: Run, path: str = "", count: int = 30) -> tuple[np.ndarray, np.ndarray | None]:
    """The images of a blind set, and their sources where these are known: in the teacher's folder alone.

    path: a file of images that ``ganfp class`` wrote; without one a set is drawn of the run's test images.
    """
    if not path:
        return blind_sets(run, count, 1, run.seed)[0]
    truth = Path(path).with_name(TRUTH)
    return np.load(path)["images"], read_names(truth) if truth.exists() else None


def write_blind(folder: Path, images: np.ndarray, truth: Sequence[str] | None = None) -> None:
    """Write a blind set into a folder, with its sources where ``truth`` is given."""
    np.savez(folder / IMAGES, images=images)
    if truth is not None:
        (folder / TRUTH).write_text("\n".join(truth) + "\n", "utf-8")


def read_names(path: Path) -> np.ndarray:
    """One name a line, as a student hands them in."""
    return np.array(path.read_text("utf-8").splitlines())
