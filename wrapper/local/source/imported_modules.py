"""Finds the modules that the user's files import, by reading the code without running it."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...algorithm.loading.distributions import guess_distribution
from ...algorithm.loading.importing import PACKAGE_NAME, parsed
from ...algorithm.loading.own_folder import (
    is_installed_elsewhere,
    module_without_folder,
    own_folder,
)

OWN_PACKAGES = frozenset({"wrapper", "hkube_python_wrapper", PACKAGE_NAME})
MAX_FILES = 5_000

_NOT_HERE = {"TYPE_CHECKING", ".TYPE_CHECKING", "__name__"}
_MACHINE = {".platform", ".version_info", ".name", "platform"}
"""In `if sys.platform == "win32":` and the like, the import may not be needed on this machine."""
_ABSENCE = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Imported:
    """An imported module that is neither the user's own nor in the standard library.

    Attributes:
        name: the dotted name as written.
        place: file and line of the first import.
        optional: whether the code can run without it.
    """

    name: str
    place: str
    optional: bool

    @property
    def top(self) -> str:
        """The part of the name before the first dot."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class ImportStatement:
    """An import of one module; each of the `names` imported from it may be a module too."""

    module: str
    line: int
    optional: bool
    level: int = 0
    names: tuple[str, ...] = ()

    def modules(self) -> list[str]:
        """All modules that the statement may load."""
        return [self.module, *(f"{self.module}.{name}".lstrip(".") for name in self.names)]


def imports_of(entry: Path, base: Path) -> list[Imported]:
    """Find the imported modules, following imports through the user's other files.

    Args:
        entry: absolute path of the module.
        base: absolute path of the algorithm's folder.

    Returns:
        One entry for each module, in the order of their imports. A module is optional only if
        all imports of it are.
    """
    found: dict[str, Imported] = {}
    for file, statement, files in _walk(entry, base):
        if files is None:
            place = f"{os.path.relpath(file, base)}:{statement.line}"
            for name in _foreign(statement):
                _add(found, Imported(name, place, statement.optional))
    return list(found.values())


def own_imports_of(entry: Path, base: Path) -> dict[Path, str]:
    """Find the user's own files that are imported; see `imports_of`.

    Returns:
        Each file with the place of its first import.
    """
    found: dict[Path, str] = {}
    for file, statement, files in _walk(entry, base):
        for each in files or ():
            found.setdefault(each, f"{os.path.relpath(file, base)}:{statement.line}")
    return found


def _walk(entry: Path, base: Path) -> Iterator[tuple[Path, ImportStatement, list[Path] | None]]:
    """Yield each import, with its file and the user's own files that it imports, if any."""
    waiting, seen = [entry], {entry}
    roots = list(dict.fromkeys([entry.parent, base]))
    while waiting and len(seen) < MAX_FILES:
        file = waiting.pop(0)
        for statement in statements(file):
            files = own_files(statement, file, roots)
            waiting += [each for each in files or () if each not in seen]
            seen.update(files or ())
            yield file, statement, files


def _foreign(statement: ImportStatement) -> set[str]:
    """Names to find the distributions by: `google.cloud.storage` has a separate distribution."""
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


def statements(file: Path) -> Iterator[ImportStatement]:
    """Yield the imports in a file that may run; none if the file is invalid."""
    try:
        tree = parsed(file.read_bytes())
    except OSError:
        return
    if tree is not None:
        yield from _in_module(tree)


def _in_module(tree: ast.Module) -> Iterator[ImportStatement]:
    waiting = [(node, False) for node in reversed(tree.body)]
    while waiting:  # no recursion: each `elif` nests one level deeper
        node, optional = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield ImportStatement(alias.name, node.lineno, optional)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield ImportStatement(node.module or "", node.lineno, optional, node.level, names)
        elif not _is_never_run(node):
            waiting += reversed(list(_below(node, optional)))


def _below(node: ast.stmt, optional: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield the statements directly inside one, and whether their imports are optional."""
    optional = optional or (isinstance(node, ast.If) and _names_any(node.test, _MACHINE))
    goes_on = isinstance(node, ast.Try) and any(map(_catches_absence, node.handlers))
    for name, value in ast.iter_fields(node):
        for item in value if isinstance(value, list) else ():
            if isinstance(item, ast.stmt):
                # In `try: import a / except ImportError: import b`, either module is enough.
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
    """Whether the block is only for type checkers or for use as a script."""
    return isinstance(node, ast.If) and not node.orelse and _names_any(node.test, _NOT_HERE)


def _names_any(test: ast.expr, words: set[str]) -> bool:
    """Whether an expression uses one of these names, as a variable or an attribute."""
    nodes = list(ast.walk(test))
    variables = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {f".{node.attr}" for node in nodes if isinstance(node, ast.Attribute)}
    return not words.isdisjoint(variables | attributes)


def own_files(statement: ImportStatement, file: Path, roots: list[Path]) -> list[Path] | None:
    """Return the user's files that a statement may load; None if it imports none of them."""
    paths = [[part for part in module.split(".") if part] for module in statement.modules()]
    top = paths[0][0] if paths[0] else ""
    if statement.level:
        folder = file.parents[min(statement.level, len(file.parents)) - 1]
    elif top == PACKAGE_NAME:
        folder, paths = roots[-1], [path[1:] for path in paths]
    else:
        own = [each for each in roots if (each / f"{top}.py").is_file() or _is_package(each / top)]
        if own:
            folder = own[0]
        else:
            return _unreachable_files(statement, file, roots)
    return list(dict.fromkeys(each for path in paths for each in _files_along(folder, path)))


def _unreachable_files(
    statement: ImportStatement, file: Path, roots: list[Path]
) -> list[Path] | None:
    """Return the user's files that a statement names by a folder that is not on the path.

    Loading the module reports that they are not found. No package would help.
    """
    modules = statement.modules()
    folder = own_folder(modules, str(file))
    if folder is not None and not is_installed_elsewhere(folder):
        parent = Path(folder).parent
        return [each for name in modules for each in _files_along(parent, name.split("."))]
    inner = module_without_folder(modules, map(str, roots))
    return None if inner is None else _files_along(roots[-1], inner.split("."))


def _is_package(folder: Path) -> bool:
    """Whether a folder holds Python files; a folder of data hides no installed package."""
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
