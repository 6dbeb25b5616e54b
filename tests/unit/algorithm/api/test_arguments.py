from decimal import Decimal
from types import MappingProxyType, SimpleNamespace

import numpy
import pytest

from wrapper.algorithm.api.arguments import (
    check_call_id,
    check_dict,
    check_list,
    check_name,
    check_nodes,
    check_timeout,
)


def test_a_name_is_a_str():
    assert check_name("start_algorithm", "algorithmName", "green-alg") == "green-alg"


@pytest.mark.parametrize(
    "name, found", [(None, "None"), (7, "int"), (["a"], "list"), (b"a", "bytes")]
)
def test_a_name_of_another_type_is_refused(name, found):
    with pytest.raises(TypeError, match=f"^start_x: name must be a str, not {found}$"):
        check_name("start_x", "name", name)


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused(name):
    with pytest.raises(ValueError, match="^start_x: name must not be empty$"):
        check_name("start_x", "name", name)


@pytest.mark.parametrize("value", [[], [1], (), (1, 2)])
def test_a_list_is_a_list_or_a_tuple(value):
    assert check_list("start_x", "input", value) == list(value)


@pytest.mark.parametrize(
    "value, found",
    [(None, "None"), ({"a": 1}, "dict"), ("text", "str"), (5, "int"), (numpy.ones(2), "ndarray")],
)
def test_another_type_for_a_list_is_refused_with_advice(value, found):
    with pytest.raises(TypeError, match=rf"input must be a list, not {found}; .*input=\[value\]$"):
        check_list("start_x", "input", value)


def test_nodes_are_dicts():
    nodes = [{"nodeName": "one"}, MappingProxyType({"nodeName": "two"})]
    assert check_nodes("start_x", nodes) == nodes
    with pytest.raises(TypeError, match=r"^start_x: nodes\[1\] must be a dict, not str$"):
        check_nodes("start_x", [{}, "two"])
    with pytest.raises(TypeError, match=r"^start_x: nodes must be a list, not dict"):
        check_nodes("start_x", {})


@pytest.mark.parametrize(
    "value, expected", [(None, {}), ({"a": 1}, {"a": 1}), (MappingProxyType({"a": 1}), {"a": 1})]
)
def test_a_dict_is_any_mapping_or_none(value, expected):
    result = check_dict("start_x", "flowInput", value)
    assert result == expected
    assert type(result) is dict


@pytest.mark.parametrize("value, found", [([], "list"), ("text", "str"), (0, "int")])
def test_another_type_for_a_dict_is_refused(value, found):
    with pytest.raises(TypeError, match=f"^start_x: flowInput must be a dict, not {found}$"):
        check_dict("start_x", "flowInput", value)


def test_no_default_is_shared():
    assert check_dict("start_x", "tags", None) is not check_dict("start_x", "tags", None)


@pytest.mark.parametrize(
    "timeout, seconds",
    [
        (None, None),
        (5, 5.0),
        (0.25, 0.25),
        (numpy.int64(3), 3.0),
        (Decimal("1.5"), 1.5),
        (float("inf"), None),
        (10**400, None),
    ],
)
def test_a_timeout_is_a_number_of_seconds(timeout, seconds):
    assert check_timeout("start_x", timeout) == seconds


@pytest.mark.parametrize("timeout", [True, "5", b"5", [5], object(), 1j])
def test_a_timeout_of_another_type_is_refused(timeout):
    found = type(timeout).__name__
    with pytest.raises(
        TypeError, match=f"timeout must be a number of seconds or None, not {found}"
    ):
        check_timeout("start_x", timeout)


@pytest.mark.parametrize("timeout", [0, -1, -0.5, float("nan"), float("-inf"), -(10**400)])
def test_a_timeout_that_is_not_above_0_is_refused(timeout):
    with pytest.raises(ValueError, match="^start_x: timeout must be above 0 seconds, not "):
        check_timeout("start_x", timeout)


def test_a_call_is_named_by_its_id_or_its_future():
    assert check_call_id("stop_x", ("start_x",), "12-3") == "12-3"
    assert check_call_id("stop_x", ("start_x",), SimpleNamespace(id="12-4")) == "12-4"


@pytest.mark.parametrize(
    "value, found", [(None, "None"), (3, "int"), (SimpleNamespace(id=3), "Simple")]
)
def test_anything_else_is_rejected(value, found):
    with pytest.raises(TypeError, match=f"future that start_a or start_b returned .*, not {found}"):
        check_call_id("stop_x", ("start_a", "start_b"), value)


def test_an_empty_id_is_rejected():
    with pytest.raises(ValueError, match="id must not be empty"):
        check_call_id("stop_x", ("start_x",), "")
