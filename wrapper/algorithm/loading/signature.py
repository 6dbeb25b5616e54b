"""Calls the user's functions with the arguments that they accept."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any, NamedTuple

API_NAMES = ("hkubeApi", "hkube_api", "hkubeapi", "hkubeAPI", "api")
"""An optional keyword-only parameter with one of these names receives the HKubeApi."""


class Parameters(NamedTuple):
    """The parameters of a callable.

    Attributes:
        positional: names of the parameters that can be passed by position.
        required: how many of these have no default.
        variadic: whether there is an ``*args``.
        keyword_required: names of the keyword-only parameters without a default.
        keyword_optional: names of the keyword-only parameters with a default.
    """

    positional: tuple[str, ...]
    required: int
    variadic: bool
    keyword_required: tuple[str, ...] = ()
    keyword_optional: tuple[str, ...] = ()

    def takes(self, arguments: int) -> bool:
        """Whether a call with this many positional arguments and no others is possible."""
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


@dataclass(frozen=True, eq=False)
class FittedFunction:
    """A user's function that takes fewer arguments than the wrapper has for it.

    A call adds one frame to the stack, which reports leave out.

    Attributes:
        function: the user's function.
        takes_data: whether it gets the message's data.
        api_keyword: name of the parameter that gets the HKubeApi; None: it does not get it.
    """

    function: Callable[..., Any]
    takes_data: bool = True
    api_keyword: str | None = None

    @property
    def arguments(self) -> str:
        """The arguments of the call, for people: ``args, api=hkubeApi``."""
        if not self.takes_data:
            return ""
        return "args" if self.api_keyword is None else f"args, {self.api_keyword}=hkubeApi"

    def __call__(self, data: Any, api: Any = None) -> Any:
        """Call the user's function with what it takes."""
        if not self.takes_data:
            return self.function()
        if self.api_keyword is None:
            return self.function(data)
        return self.function(data, **{self.api_keyword: api})


def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """Read the callable's own parameters, not those of a function that it wraps.

    Returns:
        None if they are unknown, as for some functions written in C.
    """
    # For a plain function the code decides, not a __signature__ that a decorator has set.
    if type(function) is FunctionType:
        return _of_code(function)
    if type(function) is MethodType and type(function.__func__) is FunctionType:
        return _without_first(_of_code(function.__func__))
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except Exception:  # C code has no signature; a user's object may raise anything
        return None
    return _of_signature(signature)


def call_with_api(function: Callable[..., Any]) -> Callable[[Any, Any], Any] | None:
    """Make ``start`` callable with the data and the HKubeApi.

    Returns:
        A callable that takes two positional arguments; None if ``start`` cannot take the data.
    """
    parameters = parameters_of(function)
    if parameters is None:
        return FittedFunction(function)  # written in C: a second argument may break it
    if parameters.takes(2):
        bound = type(function) is MethodType
        if _passes_on_to_one_argument(function, parameters, bound):
            return FittedFunction(function)
        return function
    name = _api_keyword(function, parameters)
    if name is not None:
        return FittedFunction(function, api_keyword=name)
    return FittedFunction(function) if parameters.takes(1) else None


def call_with_data(function: Callable[..., Any]) -> Callable[[Any], Any] | None:
    """Make ``initialize``, ``stop`` or ``exit`` callable with the message's data.

    Returns:
        A callable that takes one positional argument; None if the function needs more.
    """
    parameters = parameters_of(function)
    if parameters is None or parameters.takes(1):
        return function
    return FittedFunction(function, takes_data=False) if parameters.takes(0) else None


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
    """Recognize ``@timed def start(args)``, where ``timed`` passes its ``*args`` to ``start``.

    A decorator's own parameters count, but ``*args`` alone does not say how many it wants. Most
    decorators pass them on, and a second argument would break the wrapped function.

    Args:
        bound: whether the wrapped function's first argument is the object (``self``).
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
    """Find the keyword-only parameter that receives the HKubeApi."""
    if parameters.required > 1 or not (parameters.positional or parameters.variadic):
        return None
    if parameters.keyword_required:
        return parameters.keyword_required[0] if len(parameters.keyword_required) == 1 else None
    # An argument bound by functools.partial is the user's choice.
    bound = function.keywords if isinstance(function, partial) else {}
    free = [name for name in parameters.keyword_optional if name not in bound]
    return next((name for name in API_NAMES if name in free), None)
