"""What the user's files import, read from their text: nothing is run."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...algorithm.loading.distributions import guess_distribution
from ...algorithm.loading.importing import PACKAGE_NAME, parsed

OWN_PACKAGES = frozenset({"wrapper", "hkube_python_wrapper", PACKAGE_NAME})
MAX_FILES = 5_000

_NOT_HERE = {"TYPE_CHECKING", ".TYPE_CHECKING", "__name__"}
_MACHINE = {".platform", ".version_info", ".name", "platform"}
"""`if sys.platform == "win32":` and its like: another machine needs the import, or does not."""
_ABSENCE = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Imported:
    """A module that is neither the user's own nor Python's.

    Attributes:
        name: dotted, as it is written.
        place: file and line of the first import.
        optional: the code goes on where it is missing.
    """

    name: str
    place: str
    optional: bool

    @property
    def top(self) -> str:
        """The first part of its name."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class _Statement:
    """An import of one module; `names` are what is imported from it, each perhaps a module too."""

    module: str
    line: int
    optional: bool
    level: int = 0
    names: tuple[str, ...] = ()

    def modules(self) -> list[str]:
        """All that may be loaded."""
        return [self.module, *(f"{self.module}.{name}".lstrip(".") for name in self.names)]


def imports_of(entry: Path, base: Path) -> list[Imported]:
    """Follow the imports from the algorithm's module through the user's other files.

    Args:
        entry: absolute path of the module.
        base: absolute path of the algorithm's folder.

    Returns:
        One for each module, the places in the order in which they are met; one that is needed
        somewhere is not optional.
    """
    found: dict[str, Imported] = {}
    waiting, seen = [entry], {entry}
    roots = list(dict.fromkeys([entry.parent, base]))
    while waiting and len(seen) < MAX_FILES:
        file = waiting.pop(0)
        for statement in _statements(file):
            files = _own_files(statement, file, roots)
            if files is not None:
                waiting += [each for each in files if each not in seen]
                seen.update(files)
                continue
            place = f"{os.path.relpath(file, base)}:{statement.line}"
            for name in _foreign(statement):
                _add(found, Imported(name, place, statement.optional))
    return list(found.values())


def _foreign(statement: _Statement) -> set[str]:
    """The names to look a distribution up by; `from google.cloud import storage` has its own."""
    if _is_known(statement.module):
        return set()
    whole = guess_distribution(statement.module, {})
    other = {name for name in statement.modules() if guess_distribution(name, {}) != whole}
    return other or {statement.module}


def _add(found: dict[str, Imported], imported: Imported) -> None:
    before = found.get(imported.name)
    if before is None or (before.optional and not imported.optional):
        found[imported.name] = imported


def _is_known(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in OWN_PACKAGES


def _statements(file: Path) -> Iterator[_Statement]:
    try:
        tree = parsed(file.read_bytes())
    except OSError:
        return
    if tree is not None:
        yield from _in_module(tree)


def _in_module(tree: ast.Module) -> Iterator[_Statement]:
    waiting = [(node, False) for node in reversed(tree.body)]
    while waiting:  # no recursion: a long `elif` is as deep as it is long
        node, optional = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Statement(alias.name, node.lineno, optional)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield _Statement(node.module or "", node.lineno, optional, node.level, names)
        elif not _is_never_run(node):
            waiting += reversed(list(_below(node, optional)))


def _below(node: ast.stmt, optional: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements right within one, and whether the code goes on without their imports."""
    optional = optional or (isinstance(node, ast.If) and _names_any(node.test, _MACHINE))
    goes_on = isinstance(node, ast.Try) and any(map(_catches_absence, node.handlers))
    for name, value in ast.iter_fields(node):
        for item in value if isinstance(value, list) else ():
            if isinstance(item, ast.stmt):
                # In `try: import a / except ImportError: import b` either will do.
                yield item, optional or (goes_on and name == "body")
            elif isinstance(item, ast.ExceptHandler):
                absent = optional or _catches_absence(item)
                yield from ((each, absent) for each in item.body)
            elif isinstance(item, ast.match_case):
                yield from ((each, optional) for each in item.body)


def _catches_absence(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return not names.isdisjoint(_ABSENCE)


def _is_never_run(node: ast.stmt) -> bool:
    """Tell a block for type checkers, or for use as a script."""
    return isinstance(node, ast.If) and not node.orelse and _names_any(node.test, _NOT_HERE)


def _names_any(test: ast.expr, words: set[str]) -> bool:
    """Tell whether an expression has one of these names, as a variable or an attribute."""
    nodes = list(ast.walk(test))
    variables = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {f".{node.attr}" for node in nodes if isinstance(node, ast.Attribute)}
    return not words.isdisjoint(variables | attributes)


def _own_files(statement: _Statement, file: Path, roots: list[Path]) -> list[Path] | None:
    """The user's files that a statement may load; None: it is about no file of theirs."""
    paths = [[part for part in module.split(".") if part] for module in statement.modules()]
    top = paths[0][0] if paths[0] else ""
    if statement.level:
        folder = file.parents[min(statement.level, len(file.parents)) - 1]
    elif top == PACKAGE_NAME:
        folder, paths = roots[-1], [path[1:] for path in paths]
    else:
        own = [each for each in roots if (each / f"{top}.py").is_file() or _is_package(each / top)]
        if not own:
            return None
        folder = own[0]
    return list(dict.fromkeys(each for path in paths for each in _files_along(folder, path)))


def _is_package(folder: Path) -> bool:
    """A folder with Python files; one with data alone does not stand before an installed one."""
    if not folder.is_dir():
        return False
    return any(folder.glob("*.py")) or any(folder.glob("*/*.py"))


def _files_along(folder: Path, parts: list[str]) -> list[Path]:
    files = []
    for part in parts:
        module = folder / f"{part}.py"
        folder = folder / part
        package = folder / "__init__.py"
        files += [each for each in (package, module) if each.is_file()][:1]
    return files
