"""What a description says about the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.local.source.description import Description, read_description


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Description()),
        ("[1]", Description()),
        ("name: a", Description()),
        ("version: 1.2.3\nenv: python:3.9", Description("1.2.3", "3.9")),
        ("version: 2\nenv: python3", Description("2", "3")),
        ("version: [1]\nenv: python:latest", Description()),
        ("env: python:3.12-slim\ncode: {entryPoint: main.py}", Description("", "3.12")),
    ],
)
def test_descriptions(tmp_path: Path, text: str, expected: Description) -> None:
    (tmp_path / "algorithm.yml").write_text(text)
    assert read_description(tmp_path / "algorithm.yml") == expected


def test_no_description() -> None:
    assert read_description(None) == Description()
