"""Calling the user's functions with as many arguments as they take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any

API_NAMES = ("hkubeApi", "hkube_api", "hkubeapi", "hkubeAPI", "api")
"""How an optional keyword-only parameter must be called to get the HKubeApi."""


@dataclass(frozen=True)
class Parameters:
    """What a callable takes.

    Attributes:
        positional: names of those that can be given by position.
        required: how many of these have no default.
        variadic: whether it has ``*args``.
        keyword_required: names of the keyword-only ones without a default.
        keyword_optional: names of the keyword-only ones with one.
    """

    positional: tuple[str, ...]
    required: int
    variadic: bool
    keyword_required: tuple[str, ...] = ()
    keyword_optional: tuple[str, ...] = ()

    def takes(self, arguments: int) -> bool:
        """Tell whether a call with so many positional arguments, and no others, is possible."""
        if self.keyword_required or self.required > arguments:
            return False
        return self.variadic or len(self.positional) >= arguments

    def __str__(self) -> str:
        names = list(self.positional)
        if self.variadic:
            names.append("*args")
        elif self.keyword_required or self.keyword_optional:
            names.append("*")
        return f"({', '.join([*names, *self.keyword_required, *self.keyword_optional])})"


def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """Read what a callable itself takes, whatever a decorator says it wraps.

    Returns:
        None where it cannot be known: some functions written in C.
    """
    # A plain function's code cannot be contradicted by a __signature__ that a decorator has set.
    if type(function) is FunctionType:
        return _of_code(function)
    if type(function) is MethodType and type(function.__func__) is FunctionType:
        return _without_first(_of_code(function.__func__))
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except Exception:  # C code has none; a user's object may raise anything
        return None
    return _of_signature(signature)


def call_with_api(function: Callable[..., Any]) -> Callable[[Any, Any], Any] | None:
    """Fit ``start`` to be called with the data and the HKubeApi.

    Returns:
        A callable of exactly two positional arguments; None where ``start`` cannot take the data.
    """
    parameters = parameters_of(function)
    if parameters is None:
        return _with_data_only(function)  # written in C: what it does with a second is unknown
    if parameters.takes(2):
        bound = type(function) is MethodType
        if _passes_on_to_one_argument(function, parameters, bound):
            return _with_data_only(function)
        return function
    name = _api_keyword(function, parameters)
    if name is not None:
        return _with_api_by_name(function, name)
    return _with_data_only(function) if parameters.takes(1) else None


def call_with_data(function: Callable[..., Any]) -> Callable[[Any], Any] | None:
    """Fit ``initialize``, ``stop`` or ``exit`` to be called with the message's data.

    Returns:
        A callable of exactly one positional argument; None where it needs more than one.
    """
    parameters = parameters_of(function)
    if parameters is None or parameters.takes(1):
        return function
    return _without_data(function) if parameters.takes(0) else None


def _of_code(function: FunctionType) -> Parameters:
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    by_keyword = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
    defaults = function.__kwdefaults__ or {}
    return Parameters(
        positional=positional,
        required=len(positional) - len(function.__defaults__ or ()),
        variadic=bool(code.co_flags & inspect.CO_VARARGS),
        keyword_required=tuple(name for name in by_keyword if name not in defaults),
        keyword_optional=tuple(name for name in by_keyword if name in defaults),
    )


def _without_first(parameters: Parameters) -> Parameters:
    return Parameters(
        positional=parameters.positional[1:],
        required=max(0, parameters.required - 1),
        variadic=parameters.variadic,
        keyword_required=parameters.keyword_required,
        keyword_optional=parameters.keyword_optional,
    )


def _of_signature(signature: inspect.Signature) -> Parameters:
    every = list(signature.parameters.values())
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [each for each in every if each.kind in by_position]
    by_keyword = [each for each in every if each.kind is inspect.Parameter.KEYWORD_ONLY]
    empty = inspect.Parameter.empty
    return Parameters(
        positional=tuple(each.name for each in positional),
        required=sum(each.default is empty for each in positional),
        variadic=any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in every),
        keyword_required=tuple(each.name for each in by_keyword if each.default is empty),
        keyword_optional=tuple(each.name for each in by_keyword if each.default is not empty),
    )


def _passes_on_to_one_argument(
    function: Callable[..., Any], parameters: Parameters, bound: bool
) -> bool:
    """Tell ``@timed def start(args)``, where ``timed`` gives all of its ``*args`` to ``start``.

    A decorator's own parameters are what counts, but one with ``*args`` alone says nothing about
    how many it wants: most hand them on, and a second one would break the function within.

    Args:
        bound: whether the first argument of what it wraps is the object (``self``).
    """
    if not parameters.variadic or parameters.positional:
        return False
    wrapped = getattr(function, "__wrapped__", None)
    if not callable(wrapped):
        return False
    inner = parameters_of(wrapped)
    if inner is None:
        return False
    if bound:
        inner = _without_first(inner)
    if inner.takes(2):
        return _passes_on_to_one_argument(wrapped, inner, bound)
    return inner.takes(1)


def _api_keyword(function: Callable[..., Any], parameters: Parameters) -> str | None:
    """Find the keyword-only parameter that is meant for the HKubeApi."""
    if parameters.required > 1 or not (parameters.positional or parameters.variadic):
        return None
    if parameters.keyword_required:
        return parameters.keyword_required[0] if len(parameters.keyword_required) == 1 else None
    # What functools.partial has bound already is the user's choice.
    bound = function.keywords if isinstance(function, partial) else {}
    free = [name for name in parameters.keyword_optional if name not in bound]
    return next((name for name in API_NAMES if name in free), None)


# The functions below add one frame of the wrapper's; reports leave it out.


def _with_data_only(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def start(data: Any, api: Any) -> Any:
        return function(data)

    return start


def _with_api_by_name(function: Callable[..., Any], name: str) -> Callable[[Any, Any], Any]:
    def start(data: Any, api: Any) -> Any:
        return function(data, **{name: api})

    return start


def _without_data(function: Callable[..., Any]) -> Callable[[Any], Any]:
    def call(data: Any) -> Any:
        return function()

    return call
