"""Documents that are larger than they look."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from wrapper.local.source.yaml_aliases import what_is_wrong


def test_documents_as_they_should_be() -> None:
    shared: list[Any] = [1, 2]
    assert what_is_wrong({"a": shared, "b": [shared, {}], "c": None}) is None


def test_a_few_lines_that_come_to_billions_of_values() -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        aliases = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"- &a{level} [{aliases}]")
    document = yaml.safe_load("\n".join(lines))
    assert what_is_wrong(document) == "its aliases come to more than 20,000,000 values"


@pytest.mark.parametrize("text", ["&a [*a]", "&a {k: [1, *a]}"])
def test_a_document_that_holds_itself(text: str) -> None:
    wrong = what_is_wrong(yaml.safe_load(text))
    assert wrong == "an alias in it stands within its own anchor"


def test_a_document_without_end() -> None:
    document: Any = 1
    for _ in range(100_000):
        document = [document]
    assert what_is_wrong(document) == "it is nested too deep"
    while isinstance(document, list):  # taken apart here: to free it is recursive too
        document = document.pop()
