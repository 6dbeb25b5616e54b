"""Loads the algorithm in the child of `probe_process.py` and describes its functions as JSON."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from ...algorithm import serve as serving
from ...algorithm.loading.entry_point import find_file
from ...algorithm.loading.loader import EntryPoint, UserAlgorithm, load
from ...algorithm.loading.signature import FittedFunction
from ...errors import LoadError


def answer(path: str, base: str, target: str) -> NoReturn:
    """Load the algorithm, write the answer as JSON, and end the process.

    Args:
        path: the file to write.
        base: the algorithm's folder.
        target: the entry point.
    """
    # While it is imported, Algorunner.Run in a user's script does nothing, as when it is served.
    assert serving
    entry = EntryPoint(Path(base), target)
    found: dict[str, Any] = {"problem": "", "details": "", "functions": [], "remarks": []}
    try:
        algorithm = load(entry)
        found["functions"] = functions_of(algorithm, find_file(entry), base)
        found["remarks"] = list(algorithm.remarks)
    except LoadError as error:
        found["problem"], found["details"] = str(error), error.details
    with open(f"{path}.part", "w", encoding="utf-8") as opened:
        json.dump(found, opened)
    os.replace(f"{path}.part", path)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # user code closed it
    os._exit(0)  # the user's threads and exit hooks could keep it running


def functions_of(algorithm: UserAlgorithm, file: str, base: str) -> list[dict[str, Any]]:
    """Describe an algorithm's functions; the keys are those of `ProbedFunction`."""
    module = next((each for each in list(sys.modules.values()) if _is_from(each, file)), None)
    described = []
    for role in ("start", "initialize", "stop", "exit"):
        fitted = getattr(algorithm, role)
        if fitted is None:
            continue
        function = fitted.function if isinstance(fitted, FittedFunction) else fitted
        name = role
        if role == "initialize" and getattr(module, role, None) is not function:
            name = "init"
        inner = _innermost(function)
        code = getattr(inner, "__code__", None)
        described.append(
            {
                "role": role,
                "name": name,
                "file": _shown(code.co_filename, base) if code else "",
                "line": code.co_firstlineno if code else 0,
                "signature": _signature(function),
                "call": f"{name}({_arguments(fitted, role)})",
                "is_async": inspect.iscoroutinefunction(inner),
            }
        )
    return described


def _is_from(module: object, file: str) -> bool:
    """Whether a module was loaded from a file; asking a lazy module's attribute would load it."""
    return isinstance(module, ModuleType) and vars(module).get("__file__") == file


def _arguments(fitted: Callable[..., Any], role: str) -> str:
    if isinstance(fitted, FittedFunction):
        return fitted.arguments
    return "args, hkubeApi" if role == "start" else "args"


def _innermost(function: Any) -> Any:
    try:
        return inspect.unwrap(function)
    except Exception:  # an odd user object
        return function


def _signature(function: Any) -> str:
    try:
        return str(inspect.signature(function))
    except Exception:  # C code has no signature; the repr of an odd default may raise
        return ""


def _shown(file: str, base: str) -> str:
    inside = os.path.relpath(file, base)
    return file if inside.startswith(os.pardir) else inside
