"""Checks that the module has a `start` without importing it, as its packages may be missing."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

from ...algorithm.loading.entry_point import read_source
from ...algorithm.loading.functions import EXPECTED
from ...errors import LoadError
from ...text.suggestions import did_you_mean, near_miss
from ..source.source import AlgorithmSource, find_module

_DYNAMIC = ("globals", "exec", "vars", "setattr")
"""Functions that may define any name."""


def find_start(source: AlgorithmSource) -> Path:
    """Find the algorithm's module, and check that it is valid Python with a `start`.

    Returns:
        The absolute path of the module.

    Raises:
        LoadError: the message says what is missing.
    """
    file, folder = find_module(source), source.folder
    text = read_source(str(file), str(folder))
    if file.suffix == ".py":
        _check_names(text, file.relative_to(folder).as_posix())
    return file


def _check_names(source: bytes, shown: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        place = f"{shown}:{error.lineno}" if error.lineno else shown
        raise LoadError(f"{place} is not valid Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LoadError(f"{shown} is not valid Python: {error}") from None
    names = set(_bound(tree))
    if "start" not in names and "*" not in names:
        hint = did_you_mean("start") if near_miss("start", names) else f"; {EXPECTED}"
        found = near_miss("start", names)
        has = f"; it has '{found}'" if found else ""
        raise LoadError(f"{shown} has no function 'start'{has}{hint}")


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module's top level may define; `*` if it may define any name."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:  # no recursion: each `elif` nests one level deeper
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        else:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in _DYNAMIC:
                yield "*"
            waiting.extend(ast.iter_child_nodes(node))
