"""Explains a result that is null because `start` ended without a `return`."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence

from ..source.source import AlgorithmSource, find_module


def null_result_note(source: AlgorithmSource) -> str | None:
    """Return why a result may be null although nobody meant it to be; None if that is not known.

    Only a `start` that the algorithm's module defines itself is examined.
    """
    try:
        file = find_module(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    for node in reversed(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "start":
            place = f"{file.relative_to(source.folder).as_posix()}:{node.lineno}"
            return _note(node, place)
    return None


def _note(function: ast.FunctionDef | ast.AsyncFunctionDef, place: str) -> str | None:
    values = [node.value for node in _own_nodes(function.body) if isinstance(node, ast.Return)]
    if any(isinstance(value, ast.Constant) and value.value is None for value in values):
        return None  # `return None` is meant
    if not any(values):
        return f"the result is null, because start ({place}) returns nothing"
    if _can_end(function.body):
        return f"the result is null; start ({place}) can end without a return"
    return None


def _own_nodes(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of a function, without those of the functions inside it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _can_end(body: Sequence[ast.stmt]) -> bool:
    """Whether the end of a block can be reached."""
    match body[-1]:
        case ast.Return() | ast.Raise():
            return False
        case ast.If(body=then, orelse=other):
            return not other or _can_end(then) or _can_end(other)
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return _can_end(inner)
        case ast.Try(body=inner, handlers=handlers, orelse=other, finalbody=final):
            if final and not _can_end(final):
                return False
            return _can_end(other or inner) or any(_can_end(each.body) for each in handlers)
        case ast.While(test=ast.Constant(value=True), body=inner):
            return any(isinstance(node, ast.Break) for node in _own_nodes(inner))
        case _:
            return True
