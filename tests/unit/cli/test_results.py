"""Results on a terminal, in a pipe and in a file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from wrapper.cli.json_values import UsageError
from wrapper.cli.results import (
    MOST_CHARACTERS,
    MOST_LINES,
    check_output,
    excerpt,
    print_result,
    write_result,
)


class Stream(io.StringIO):
    """A stream with an encoding, which may be a terminal."""

    def __init__(self, is_terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._is_terminal, self._encoding = is_terminal, encoding

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def printed(value: Any, is_terminal: bool, encoding: str = "utf-8") -> tuple[str, list[str]]:
    """Return what is printed, and the notes."""
    stream, notes = Stream(is_terminal, encoding), list[str]()
    print_result(value, stream, notes.append)
    return stream.getvalue(), notes


@pytest.mark.parametrize("value", [list(range(300_000)), "x" * 300_000, {"a": ["y" * 50_000]}])
def test_result_that_is_too_long_for_a_terminal_is_cut_with_a_note(value: Any) -> None:
    text, notes = printed(value, is_terminal=True)
    assert text.count("\n") <= MOST_LINES + 1
    assert len(text) <= MOST_CHARACTERS + 2
    assert text.endswith("…\n")
    assert len(notes) == 1
    assert "--output FILE keeps all of it" in notes[0]


def test_size_in_the_note_is_that_of_the_json() -> None:
    assert "it has 2.00 MB of JSON" in printed("x" * 1_999_998, is_terminal=True)[1][0]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_short_result_is_whole(is_terminal: bool) -> None:
    value = {"a": [1, 2, {"b": "ä"}]}
    text, notes = printed(value, is_terminal)
    assert (json.loads(text), notes) == (value, [])
    assert (text.count("\n") > 1) == is_terminal


def test_result_in_a_pipe_stays_whole() -> None:
    text, notes = printed(list(range(300_000)), is_terminal=False)
    assert (len(json.loads(text)), notes) == (300_000, [])


@pytest.mark.parametrize(
    ("lines", "is_cut"), [(MOST_LINES - 3, False), (MOST_LINES, True)], ids=["fits", "does not"]
)
def test_edge_of_the_excerpt(lines: int, is_cut: bool) -> None:
    assert excerpt([1] * lines)[1] == is_cut


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("value", ["ä😀", "\udc80"])
def test_stream_that_cannot_show_a_character_gets_it_escaped(value: str, is_terminal: bool) -> None:
    text, _ = printed(value, is_terminal, encoding="ascii")
    assert text.isascii()
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("value", "content"),
    [(b"\x89PNG\x00", b"\x89PNG\x00"), ({"a": b"\xff"}, b'{"a": {"$base64": "/w=="}}\n')],
)
def test_bytes_are_written_as_they_are_and_the_rest_as_json(
    tmp_path: Path, value: Any, content: bytes
) -> None:
    said: list[str] = []
    write_result(value, tmp_path / "out", said.append)
    assert (tmp_path / "out").read_bytes() == content
    assert said == [f"the result is in {tmp_path / 'out'} ({len(content)} bytes)"]


def test_half_a_surrogate_pair_is_written_as_json(tmp_path: Path) -> None:
    write_result("\udc80", tmp_path / "out", lambda text: None)
    assert json.loads((tmp_path / "out").read_bytes()) == "\udc80"


def test_output_is_checked_before_anything_runs(tmp_path: Path) -> None:
    check_output(None)
    check_output(tmp_path / "new")
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path)
    with pytest.raises(UsageError, match="nowhere does not exist"):
        check_output(tmp_path / "nowhere" / "out")
