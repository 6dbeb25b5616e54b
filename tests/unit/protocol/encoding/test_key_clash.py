from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.encoding.key_clash import find_key_clash
from wrapper.protocol.encoding.values import key_text

KEYS = st.sampled_from([1, "1", None, "null", math.nan, "NaN", True, "true", (1, 2), "(1, 2)", 2.5])


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ({1: "a", "1": "b"}, "the keys 1 and '1' in result both become '1'"),
        ({"x": [0, {None: 1, "null": 2}]}, "the keys None and 'null' in result.x[1] both"),
        ([{(1, 2): 1, "(1, 2)": 2}], "the keys (1, 2) and '(1, 2)' in result[0] both become"),
        ({math.nan: 1, float("nan"): 2}, "the keys nan and nan in result both become 'null'"),
    ],
)
def test_keys_that_become_the_same_text_are_named(result: Any, sentence: str) -> None:
    assert str(find_key_clash(result)).startswith(sentence)


@given(st.dictionaries(KEYS, st.integers()))
def test_a_clash_is_found_if_and_only_if_a_value_is_lost(result: dict[Any, int]) -> None:
    texts = {key_text(key) for key in result}
    assert (find_key_clash({"deep": (result,)}) is None) is (len(texts) == len(result))


@pytest.mark.parametrize("name", ["json", "msgpack", "bson"])
def test_an_encoding_notes_that_it_changes_keys(name: str) -> None:
    encoding = get_encoding(name)
    encoding.encode({"command": "done", "data": {"a": [1, {"b": 2.5}]}})
    assert not encoding.changes_keys
    encoding.encode({"command": "done", "data": {"a": [1, {3: 2.5}]}})
    assert encoding.changes_keys
