from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import Callable
from typing import Any

import pytest

from wrapper.algorithm.loading.signature import call_with_api, call_with_data, parameters_of


def passed_on(function: Callable[..., Any]) -> Callable[..., Any]:
    """The most common kind of decorator."""

    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return inner


class Algorithm:
    def one(self, args: Any) -> Any:
        return args

    def two(self, args: Any, api: Any) -> Any:
        return args, api

    @passed_on
    def decorated_one(self, args: Any) -> Any:
        return args

    @passed_on
    def decorated_two(self, args: Any, api: Any) -> Any:
        return args, api

    @classmethod
    def of_class(cls, args: Any) -> Any:
        return args

    @staticmethod
    def static(args: Any, api: Any) -> Any:
        return args, api

    def everything(*args: Any) -> Any:
        return args[1:]


class CallableWithOne:
    def __call__(self, args: Any) -> Any:
        return args


class CallableWithTwo:
    def __call__(self, args: Any, hkubeApi: Any) -> Any:  # noqa: N803
        return args, hkubeApi


class Lying:
    @property
    def __signature__(self) -> Any:
        raise ValueError("no signature here")

    def __call__(self, args: Any) -> Any:
        return args


def one(args: Any) -> Any:
    return args


def two(args: Any, anything: Any) -> Any:
    return args, anything


def positional_only(args: Any, api: Any, /) -> Any:
    return args, api


def with_default(args: Any, api: Any = None) -> Any:
    return args, api


def third_has_default(args: Any, api: Any, more: int = 3) -> Any:
    assert more == 3
    return args, api


def only_defaults(args: Any = None) -> Any:
    return args


def everything(*args: Any) -> Any:
    return args


def first_and_rest(args: Any, *rest: Any) -> Any:
    return args, *rest


def everything_and_keywords(*args: Any, **kwargs: Any) -> Any:
    assert not kwargs
    return args


def one_and_keywords(args: Any, **kwargs: Any) -> Any:
    assert not kwargs
    return args


def keyword_only(args: Any, *, hkubeApi: Any) -> Any:  # noqa: N803
    return args, hkubeApi


def keyword_only_any_name(args: Any, *, whatever: Any) -> Any:
    return args, whatever


def keyword_only_with_default(args: Any, *, hkube_api: Any = None) -> Any:
    return args, hkube_api


def other_keyword_with_default(args: Any, *, verbose: bool = False) -> Any:
    assert verbose is False
    return args


def rest_and_keyword(*args: Any, api: Any) -> Any:
    return *args, api


def three(first: Any, args: Any, api: Any) -> Any:
    return args, api


def none() -> Any:
    return None


def two_keywords(args: Any, *, first: Any, second: Any) -> Any:
    raise AssertionError


def all_by_keyword(*, args: Any, api: Any) -> Any:
    raise AssertionError


def only_keywords(**kwargs: Any) -> Any:
    raise AssertionError


@passed_on
def decorated_one(args: Any) -> Any:
    return args


@passed_on
@passed_on
def twice_decorated_one(args: Any) -> Any:
    return args


@passed_on
def decorated_two(args: Any, api: Any) -> Any:
    return args, api


@passed_on
def decorated_everything(*args: Any) -> Any:
    return args


@functools.lru_cache
def cached(args: Any) -> Any:
    return args


@functools.wraps(one)
def takes_two_whatever_it_wraps(args: Any, api: Any) -> Any:
    return one((args, api))


@functools.wraps(two)
def takes_one_whatever_it_wraps(args: Any) -> Any:
    return two(args, "its own")


def with_signature_of_one(*args: Any) -> Any:
    return args


with_signature_of_one.__signature__ = __import__("inspect").signature(one)  # type: ignore[attr-defined]


BOTH = [
    two,
    positional_only,
    with_default,
    third_has_default,
    everything,
    first_and_rest,
    everything_and_keywords,
    keyword_only,
    keyword_only_any_name,
    keyword_only_with_default,
    rest_and_keyword,
    decorated_two,
    decorated_everything,
    takes_two_whatever_it_wraps,
    with_signature_of_one,
    Algorithm().two,
    Algorithm().decorated_two,
    Algorithm.static,
    Algorithm().everything,
    CallableWithTwo(),
    CallableWithTwo().__call__,
    functools.partial(three, "bound"),
    functools.partial(keyword_only),
    functools.partial(two),
    lambda data, api: (data, api),
]
DATA_ONLY = [
    one,
    only_defaults,
    one_and_keywords,
    other_keyword_with_default,
    decorated_one,
    twice_decorated_one,
    cached,
    Algorithm().one,
    Algorithm().decorated_one,
    Algorithm.of_class,
    CallableWithOne(),
    Lying(),
    functools.partial(lambda first, data: data, "bound"),
    lambda data: data,
]


@pytest.mark.parametrize("function", BOTH)
def test_start_gets_the_data_and_the_api(function: Callable[..., Any]) -> None:
    start = call_with_api(function)
    assert start is not None
    assert start("data", "api") == ("data", "api")


@pytest.mark.parametrize("function", DATA_ONLY)
def test_start_gets_only_the_data(function: Callable[..., Any]) -> None:
    start = call_with_api(function)
    assert start is not None
    assert start("data", "api") == "data"


@pytest.mark.parametrize("function", [none, three, two_keywords, all_by_keyword, only_keywords])
def test_uncallable_start_is_refused(function: Callable[..., Any]) -> None:
    assert call_with_api(function) is None


def test_start_that_fits_is_not_wrapped() -> None:
    assert call_with_api(two) is two


def test_wrapped_signature_does_not_count() -> None:
    start = call_with_api(takes_one_whatever_it_wraps)
    assert start is not None
    assert start("data", "api") == ("data", "its own")


def test_argument_bound_by_partial_stays_bound() -> None:
    start = call_with_api(functools.partial(with_default, api="the user's"))
    assert start is not None
    assert start("data", "api") == ("data", "the user's")


def test_partial_makes_later_arguments_keyword_only() -> None:
    def function(args: Any, bound: int, api: Any) -> Any:
        return args, api

    start = call_with_api(functools.partial(function, bound=1))
    assert start is not None
    assert start("data", "api") == ("data", "api")


def test_function_without_signature_gets_only_the_data() -> None:
    function = operator.itemgetter("x")  # on some versions of Python it has a signature
    start = call_with_api(dict)
    assert parameters_of(dict) is None
    assert start is not None
    assert start({"x": 1}, "api") == {"x": 1}
    assert call_with_data(function) is not None


def test_async_start_returns_an_awaitable() -> None:
    async def start(args: Any) -> Any:
        return args

    fitted = call_with_api(start)
    assert fitted is not None
    assert asyncio.run(fitted("data", "api")) == "data"


@pytest.mark.parametrize(
    "function",
    [one, only_defaults, everything, with_default, one_and_keywords, dict, Algorithm().one],
)
def test_optional_function_gets_its_data(function: Callable[..., Any]) -> None:
    fitted = call_with_data(function)
    assert fitted is function


def test_optional_function_without_parameters() -> None:
    calls = []
    fitted = call_with_data(lambda: calls.append("called"))
    assert fitted is not None
    fitted({"forceStop": True})
    assert calls == ["called"]


@pytest.mark.parametrize("function", [two, three, keyword_only])
def test_optional_function_that_needs_more_is_refused(function: Callable[..., Any]) -> None:
    assert call_with_data(function) is None


@pytest.mark.parametrize(
    ("function", "written"),
    [
        (none, "()"),
        (three, "(first, args, api)"),
        (two_keywords, "(args, *, first, second)"),
        (rest_and_keyword, "(*args, api)"),
        (functools.partial(three, 1), "(args, api)"),
    ],
)
def test_parameters_read_as_they_are_written(function: Callable[..., Any], written: str) -> None:
    assert str(parameters_of(function)) == written
