"""YAML documents whose aliases expand too far."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from wrapper.local.source.yaml_aliases import alias_problem


def test_valid_document() -> None:
    shared: list[Any] = [1, 2]
    assert alias_problem({"a": shared, "b": [shared, {}], "c": None}) is None


def test_aliases_that_expand_to_billions_of_values() -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"- &a{level} [{aliases}]")
    document = yaml.safe_load("\n".join(lines))
    assert alias_problem(document) == "its aliases expand to more than 20,000,000 values"


@pytest.mark.parametrize("text", ["&a [*a]", "&a {k: [1, *a]}"])
def test_document_that_contains_itself(text: str) -> None:
    wrong = alias_problem(yaml.safe_load(text))
    assert wrong == "an alias refers to the value that contains it"


def test_document_that_is_nested_too_deep() -> None:
    document: Any = 1
    for _ in range(100_000):
        document = [document]
    assert alias_problem(document) == "it is nested too deep"
    while isinstance(document, list):  # taken apart here: to free it is recursive too
        document = document.pop()
