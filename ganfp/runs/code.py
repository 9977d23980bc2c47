"""A digest of the code behind a recipe, so that a changed function is a new key, and a changed comment is not.

It covers the recipe's own file but for the other recipes there, the modules that it names, and whatever of this package
is imported from these, at their top or in a function, and so on.  Comments, docstrings, layout and methods called
``cost`` do not count.  The borders:

* a registry imports by name at run time, so a recipe says itself which module it has from there;
* of ``runs`` only the recipes are followed: where and when something is made changes nothing;
* ``paper`` is made from artifacts, and other people's packages are noted beside an artifact, in no key.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
BORDERS = ("ganfp", "ganfp.gans", "ganfp.attributors")
RECIPES = "ganfp.runs.recipes"


@cache
def digest(kind: type, modules: tuple[str, ...] = ()) -> str:
    """Hex digest of the code of a recipe's class and of the named modules, with all that they import."""
    own = [ancestor for ancestor in kind.__mro__ if ancestor.__module__ not in ("abc", "builtins")]
    others = set(_below(own[-1])) - set(own)
    todo, seen, found = [*modules, *(ancestor.__module__ for ancestor in own)], set(), []
    while todo:
        if (module := todo.pop()) in seen:
            continue
        seen.add(module)
        cut = {other.__name__ for other in others if other.__module__ == module}
        for name, text, imported in statements(module):
            if name not in cut:
                found.append(text)
                todo += filter(_followed, imported)
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16]


@cache
def statements(module: str) -> list[tuple[str, str, list[str]]]:
    """The top-level statements of a module: the name that one defines, its plain text, the modules that it imports."""
    return [_plain(node) for node in ast.parse(source(module)).body if not _is_text(node)]


def source(module: str) -> str:
    """The text of a module, empty if there is no file of it."""
    path = _path(module)
    if path is None:  # a GAN or a recipe of somebody else's
        path = getattr(sys.modules.get(module) or import_module(module), "__file__", None)
    return Path(path).read_text("utf-8") if path else ""


@cache
def _path(module: str) -> Path | None:
    package, *parts = module.split(".")
    stem = PACKAGE.joinpath(*parts)
    paths = stem / "__init__.py", stem.with_suffix(".py")
    return next(filter(Path.is_file, paths), None) if package == PACKAGE.name else None


def _plain(node: ast.stmt) -> tuple[str, str, list[str]]:
    imported = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            imported += [alias.name for alias in inner.names]
        elif isinstance(inner, ast.ImportFrom):
            imported += [inner.module, *(f"{inner.module}.{alias.name}" for alias in inner.names)]
        elif isinstance(inner, (ast.ClassDef, ast.FunctionDef)):
            inner.body = [s for s in inner.body if not _is_text(s) and getattr(s, "name", "") != "cost"]
    return getattr(node, "name", ""), ast.unparse(node), imported


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _followed(module: str) -> bool:
    border = module in BORDERS or module.startswith(("ganfp.paper", "ganfp.runs")) and not module.startswith(RECIPES)
    return not border and _path(module) is not None


def _below(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield from (below, *_below(below))
