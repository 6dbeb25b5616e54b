"""Checks what algorithms start by name, by reading their code, before anything runs.

Only calls with a literal name count. A call inside a `try` may fail, and one inside an `if` may
never happen, so they do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ....algorithm.loading.importing import parsed
from ....errors import WrapperError
from ...source.imported_modules import own_imports_of
from ...source.source import AlgorithmSource, find_module
from ...worker.answers import CallKind
from .algorithms import check_algorithms
from .folders import CatalogError
from .resources import Resources
from .stored_pipelines import missing_pipeline, stored_pipeline

_CONDITIONAL = (ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.While)
_FUNCTIONS = {
    "start_algorithm": (CallKind.ALGORITHM, "algorithmName"),
    "start_stored_subpipeline": (CallKind.STORED_PIPELINE, "name"),
}


@dataclass(frozen=True)
class NamedCall:
    """A call in an algorithm's code that starts something by name.

    Attributes:
        kind: what it starts.
        name: the name of the algorithm or of the stored pipeline.
        place: file and line, from the algorithm's folder.
    """

    kind: CallKind
    name: str
    place: str


def named_calls(source: AlgorithmSource) -> list[NamedCall]:
    """Return the calls in an algorithm's own files that start something by a literal name."""
    try:
        entry = find_module(source)
        files = [entry, *own_imports_of(entry, source.folder)]
    except (WrapperError, OSError):  # reported when it is loaded
        return []
    return [call for file in dict.fromkeys(files) for call in _calls_in(file, source.folder)]


def check_named_calls(algorithms: Iterable[str], resources: Resources) -> None:
    """Check what some algorithms start by name, and what that starts in turn.

    Args:
        algorithms: the names of the algorithms; unknown ones are passed over.
        resources: what is available on this machine.

    Raises:
        CatalogError: something is missing or unusable; the message has a line for each.
    """
    problems: dict[str, None] = {}
    waiting = list(algorithms)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name in resources.scripted or name not in resources.algorithms:
            continue
        seen.add(name)
        for call in named_calls(resources.algorithms.source(name)):
            try:
                waiting += _started_by(call, resources)
            except WrapperError as error:
                where = f"{call.place}: '{name}' starts the {call.kind.value} '{call.name}'"
                problems[f"{where}, but {error}"] = None
    if problems:
        raise CatalogError("\n".join(problems))


def _started_by(call: NamedCall, resources: Resources) -> list[str]:
    """Return the algorithms that a call starts."""
    if call.kind is CallKind.ALGORITHM:
        if call.name in resources.answers.algorithms:
            return []
        resources.algorithms.source(call.name)
        return [call.name]
    if call.name in resources.answers.pipelines:
        return []
    if call.name not in resources.stored:
        raise CatalogError(missing_pipeline(call.name, resources.stored))
    pipeline = stored_pipeline(call.name, resources.stored)
    check_algorithms(pipeline, pipeline.name, resources.algorithms, resources.scripted)
    return [node.algorithm for node in pipeline.nodes]


def _calls_in(file: Path, folder: Path) -> Iterator[NamedCall]:
    try:
        tree = parsed(file.read_bytes())
    except OSError:
        return
    waiting: list[ast.AST] = [] if tree is None else [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _CONDITIONAL) or (isinstance(node, ast.Try) and node.handlers):
            continue
        waiting += reversed(list(ast.iter_child_nodes(node)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found = _FUNCTIONS.get(node.func.attr)
            name = found and _literal(node, found[1])
            if found and name:
                place = f"{file.relative_to(folder).as_posix()}:{node.lineno}"
                yield NamedCall(found[0], name, place)


def _literal(call: ast.Call, keyword: str) -> str | None:
    """Return the name that a call is given, if the code holds it as a literal."""
    given = [each.value for each in call.keywords if each.arg == keyword]
    for value in [*call.args[:1], *given]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return None
