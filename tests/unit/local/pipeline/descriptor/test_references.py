"""The grammar of references and batches in a node's input."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapper.local.pipeline.descriptor.references import (
    MAX_DEPTH,
    RawBatch,
    Reference,
    ReferenceSyntaxError,
    Relation,
    fill,
    leaves_of,
    parse_reference,
    parse_tree,
    references_of,
)

NAMES = st.from_regex(r"[a-z][a-z0-9-]*", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5)


@pytest.mark.parametrize(
    "text, reference",
    [
        ("@green", Reference(Relation.NODE, "green")),
        ("@green.a.0", Reference(Relation.NODE, "green", ("a", "0"))),
        ("#@green.a", Reference(Relation.BATCH, "green", ("a",))),
        ("*@green", Reference(Relation.ANY, "green")),
        ("*#@green", Reference(Relation.ANY_BATCH, "green")),
        ("@flowInput.files", Reference(Relation.NODE, "flowInput", ("files",))),
    ],
)
def test_reference_is_parsed(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference
    assert str(reference) == text


def test_flow_input_is_not_a_node() -> None:
    assert Reference(Relation.NODE, "flowInput").is_flow_input
    assert not Reference(Relation.NODE, "flowInputs").is_flow_input


@pytest.mark.parametrize("text", ["", "green", "a@b.org", "#green", "*green", "* @green", "# [1]"])
def test_other_strings_are_returned_unchanged(text: str) -> None:
    assert parse_reference(text) == text


@pytest.mark.parametrize(
    "text, items",
    [
        ("#[1,2,3]", (1, 2, 3)),
        ("#[]", ()),
        ('#[{"a": [1, 2]}, null, "x"]', ({"a": [1, 2]}, None, "x")),
        ("#[1...4]", (1, 2, 3, 4)),
        ("#[-1 ... 1]", (-1, 0, 1)),
        ("#[7...7]", (7,)),
        ("#[1, 2, 5...7, 11]", (1, 2, 5, 6, 7, 11)),
        ("#[hello, 1...3, world, 2.5, true]", ("hello", 1, 2, 3, "world", 2.5, True)),
    ],
)
def test_raw_batch_is_parsed(text: str, items: tuple[object, ...]) -> None:
    assert parse_reference(text) == RawBatch(items)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("@", "has no node name after"),
        ("#@.x", "has no node name after"),
        ("@green.", "empty part in its path"),
        ("@green..a", "empty part in its path"),
        ("#[1,2", "does not end with ']'"),
        ("#[1,,x]", "empty item"),
        ("#[5...1]", "empty range '5...1': the end must not be below the start"),
        ("#[a...b]", "bad range 'a...b': write it like 1...100"),
        ("#[1...2...3]", "bad range"),
        ("#[1...1000000000]", "would have 1,000,000,000 tasks; the local limit is 100,000"),
        ("#[1...99999,1...99999]", "would have 199,998 tasks"),
        (f"#[1...{'9' * 5000}]", "bad range"),
    ],
)
def test_mistake_is_reported(text: str, problem: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as caught:
        parse_reference(text)
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 200


@settings(deadline=None)
@given(text=st.text(max_size=40) | st.from_regex(r"[#*@]{1,3}\[?[\w.,\[\]]*", fullmatch=True))
def test_any_string_is_parsed_or_rejected_with_a_message(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except ReferenceSyntaxError:
        return
    assert parsed == text or isinstance(parsed, (RawBatch, Reference))
    if isinstance(parsed, Reference):
        assert str(parsed) == text


@settings(deadline=None)
@given(items=st.lists(SCALARS, max_size=6))
def test_raw_batch_keeps_json_values(items: list[object]) -> None:
    assert parse_reference(f"#{json.dumps(items)}") == RawBatch(tuple(items))


TREES = st.recursive(
    SCALARS | NAMES.map(lambda name: f"@{name}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(tree=TREES.filter(lambda value: "@" not in json.dumps(value).replace('"@', "")))
def test_filling_a_tree_with_its_own_references_restores_it(tree: object) -> None:
    try:
        parsed = parse_tree(tree)
    except ReferenceSyntaxError:
        return
    assert fill(parsed, str) == tree or any(
        isinstance(leaf, RawBatch) for leaf in leaves_of(parsed)
    )


def test_references_are_found_at_every_level() -> None:
    tree = parse_tree(["@a", {"k": ["#@b.x", {"l": "*@flowInput.y"}], "m": "#[1]"}, 3])
    assert [str(reference) for reference in references_of(tree)] == ["@a", "#@b.x", "*@flowInput.y"]
    assert len(list(leaves_of(tree))) == 4


def test_too_deeply_nested_input_is_rejected() -> None:
    value: object = 1
    for _ in range(MAX_DEPTH * 50):
        value = [value]
    with pytest.raises(ReferenceSyntaxError, match="nested more than 100 levels deep"):
        parse_tree(value)
