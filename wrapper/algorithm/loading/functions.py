"""Finds the algorithm's functions among a module's names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

from ...errors import LoadError
from ...text.suggestions import did_you_mean, near_miss
from ..errors.user_frames import Files, Owner
from .importing import parsed
from .signature import call_with_api, call_with_data, parameters_of

EXPECTED = "expected start(args) or start(args, hkubeApi)"
MAX_ARGUMENTS = 2
MAX_LISTED = 8
_ABSENT = object()


class UserFunctions(NamedTuple):
    """An algorithm's adapted functions; ``remarks`` are about functions that are not called."""

    start: Callable[[Any, Any], Any]
    initialize: Callable[[Any], Any] | None = None
    stop: Callable[[Any], Any] | None = None
    exit: Callable[[Any], Any] | None = None
    remarks: tuple[str, ...] = ()


def functions_of(module: ModuleType, name: str, source: bytes) -> UserFunctions:
    """Find the functions in the user's module.

    Args:
        module: the imported module.
        name: the name of its file, for messages.
        source: its source, parsed again if ``start`` is not found.

    Raises:
        LoadError: it has no ``start`` that can be called with a task's data.
    """
    start = getattr(module, "start", _ABSENT)
    if start is _ABSENT:
        raise LoadError(_no_start(module, name, source))
    adapted = _adapted_start(start, f"'start' in {name}")
    remarks: list[str] = []
    initialize = _initialize(module, name, remarks)
    return UserFunctions(
        start=adapted,
        initialize=initialize,
        stop=_optional(module, "stop", name, remarks),
        exit=_optional(module, "exit", name, remarks),
        remarks=tuple(remarks),
    )


def given_functions(*, start: Any, initialize: Any, stop: Any, exit: Any) -> UserFunctions:
    """Check functions that a script passes; an optional function may be None.

    Raises:
        LoadError: one of them cannot be called with the arguments that it would receive.
    """
    return UserFunctions(
        start=_adapted_start(start, "the argument start"),
        initialize=_given("initialize", initialize),
        stop=_given("stop", stop),
        exit=_given("exit", exit),
    )


def _given(name: str, function: Any) -> Callable[[Any], Any] | None:
    if function is None:
        return None
    if not callable(function):
        raise LoadError(f"the argument {name} is {_kind(function)}, not a function")
    adapted = call_with_data(function)
    if adapted is None:
        found = _written(function, name)
        raise LoadError(f"the argument {name} is {found}; expected {name}() or {name}(args)")
    return adapted


def _adapted_start(start: Any, where: str) -> Callable[[Any, Any], Any]:
    if not callable(start):
        raise LoadError(f"{where} is {_kind(start)}, not a function; {EXPECTED}")
    adapted = call_with_api(start)
    if adapted is None:
        raise LoadError(f"{where} is {_written(start, 'start')}, which {_wrong(start)}; {EXPECTED}")
    return adapted


def _initialize(module: ModuleType, name: str, remarks: list[str]) -> Callable[[Any], Any] | None:
    """HKube's documentation says ``initialize``, its published wrapper calls ``init``."""
    remarked: list[str] = []
    for function_name in ("initialize", "init"):
        # An "initialize" with other parameters is a helper of the user's, so "init" is tried next.
        adapted = _optional(module, function_name, name, remarked)
        if adapted is not None:
            return adapted
    remarks += remarked
    return None


def _optional(
    module: ModuleType, function_name: str, name: str, remarks: list[str]
) -> Callable[[Any], Any] | None:
    function: Any = getattr(module, function_name, None)
    if not _is_users_function(function):
        return None
    adapted = call_with_data(function)
    if adapted is None:
        # Not an error: with the published wrapper, a helper of that name does no harm.
        remarks.append(
            f"{_written(function, function_name)} in {name} is not called by HKube:"
            f" expected {function_name}() or {function_name}(args)"
        )
    return adapted


def _is_users_function(function: Any) -> bool:
    """Whether the user meant a function to be called, rather than only imported it.

    ``from sys import exit`` does not make an exit handler; ``stop = event.set`` does.
    """
    if not callable(function):
        return False
    if not isinstance(function, (FunctionType, BuiltinFunctionType, type)):
        return type(function).__module__ != "_sitebuiltins"  # the "exit" of interactive sessions
    module = str(getattr(function, "__module__", None) or "").partition(".")[0]
    if module not in sys.stdlib_module_names:
        return True
    # A user's module may have the name of a standard module, so look at where its code is.
    code = getattr(function, "__code__", None)
    return code is not None and _is_in_own_file(code.co_filename)


def _is_in_own_file(path: str) -> bool:
    return not path.startswith("<") and Files().owner(path) is not Owner.LIBRARY


def _no_start(module: ModuleType, name: str, source: bytes) -> str:
    misplaced = _misplaced_start(source)
    if misplaced:
        return f"{name} has no function 'start' at its top level: {misplaced}"
    own = [
        key
        for key, value in vars(module).items()
        if callable(value) and not key.startswith("_") and _is_defined_by(value, module)
    ]
    if not own:
        return f"{name} has no function 'start'; it defines no functions; {EXPECTED}"
    guess = near_miss("start", own)
    if guess:
        return f"{name} has no function 'start'; it has '{guess}'{did_you_mean('start')}"
    listed = ", ".join(f"'{key}'" for key in own[:MAX_LISTED])
    more = f" and {len(own) - MAX_LISTED} more" if len(own) > MAX_LISTED else ""
    return f"{name} has no function 'start'; it has {listed}{more}; {EXPECTED}"


def _is_defined_by(value: Any, module: ModuleType) -> bool:
    if getattr(value, "__module__", None) == module.__name__:
        return True
    return isinstance(value, FunctionType) and _is_in_own_file(value.__code__.co_filename)


def _misplaced_start(source: bytes) -> str:
    """Say where else in a module a function ``start`` is defined; empty if nowhere."""
    import ast

    tree = parsed(source)
    if tree is None:
        return ""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if child.name != "start":
                continue
            if isinstance(node, ast.ClassDef):
                return (
                    f"it is a method of the class '{node.name}' (line {child.lineno});"
                    f" add the line: start = {node.name}().start"
                )
            block = f"if {ast.unparse(node.test)}:" if isinstance(node, ast.If) else "another block"
            return f"it is defined under {block} (line {child.lineno}); move it out of there"
    return ""


def _wrong(start: Any) -> str:
    parameters = parameters_of(start)
    if parameters is not None and parameters.required > MAX_ARGUMENTS:
        return f"needs {parameters.required} arguments"
    if parameters is not None and not parameters.keyword_required:
        return "takes no argument"
    return "has arguments that can only be passed by name"


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"


def _written(function: Any, name: str) -> str:
    parameters = parameters_of(function)
    return f"{name}{parameters}" if parameters else name
