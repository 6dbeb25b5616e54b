"""Recordings of messages, one JSON object a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.testing.request.wrong_use import WrongUse
from wrapper.testing.streams import recording
from wrapper.testing.streams.child_pod import SentMessage

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(values=st.lists(json_values))
def test_what_is_written_is_read(
    values: list[object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("recording") / "messages.jsonl"
    recording.write(path, "main", [SentMessage(value, "sink", []) for value in values])
    read = list(recording.read(path))
    assert [message.value for message in read] == values
    assert {message.node for message in read} <= {"main"}


def test_output_of_pipeline_run_is_read(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    path.write_text('{"node": "a", "message": null, "flow": "x"}\n\n{"message": 1}\n')
    assert list(recording.read(path)) == [(None, "a", "x"), (1, None, None)]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", ":1: the line is not JSON"),
        ('{"message": 1}\n[1]', ':2: the line must be an object with a "message"'),
        ('{"value": 1}', 'with a "message"'),
        ('{"message": 1, "node": 2}', '"node" must be a text'),
    ],
)
def test_invalid_line_is_named(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "output.jsonl"
    path.write_text(text)
    with pytest.raises(WrongUse, match=error):
        list(recording.read(path))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="cannot be read"):
        list(recording.read(tmp_path / "none.jsonl"))


def test_value_that_is_not_json_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="not JSON, so it cannot be saved"):
        recording.write(tmp_path / "x", "main", [SentMessage(b"\0", "sink", [])])
