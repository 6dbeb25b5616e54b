"""What the page says of an algorithm before it runs: its functions, and inputs to try."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import WrapperError
from ..source.source import AlgorithmSource, find_module

_NAMES = ("start", "initialize", "init", "stop", "exit")
_MOST_EXAMPLES = 20
_LARGEST_EXAMPLE = 1024**2


def functions_of(source: AlgorithmSource) -> list[dict[str, Any]]:
    """Return the functions that HKube calls, as they are written in the algorithm's module.

    The module is read, not imported: its process imports it, once.

    Returns:
        An object with `name`, `signature`, `doc`, `file` and `line` for each; none if the module
        is not valid Python, or gets its functions from elsewhere.
    """
    try:
        file = find_module(source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes())
    except (WrapperError, OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [
        {
            "name": node.name,
            "signature": _signature(node),
            "doc": ast.get_docstring(node) or "",
            "file": file.relative_to(source.folder).as_posix(),
            "line": node.lineno,
        }
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in _NAMES
    ]


def examples_of(source: AlgorithmSource) -> list[dict[str, str]]:
    """Return the inputs in `examples/*.json` beside the code, as `name` and `text`."""
    return list(_examples(source.folder / "examples"))


def _examples(folder: Path) -> Iterator[dict[str, str]]:
    for file in sorted(folder.glob("*.json"))[:_MOST_EXAMPLES]:
        try:
            if file.stat().st_size <= _LARGEST_EXAMPLE:
                text = file.read_text(encoding="utf-8")
                value = json.loads(text)
                whole = text if isinstance(value, list) else json.dumps([value], indent=2)
                yield {"name": file.stem, "text": whole.strip()}
        except (OSError, ValueError):
            continue  # it is no input; the algorithm may keep other files there


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    lead = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{lead} {node.name}({ast.unparse(node.args)}){returns}"
