"""JSON values of options."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.cli.json_values import UsageError, files_of, read_array, read_json, read_object


def test_json_text() -> None:
    assert read_array("--input", '[1, {"a": "ä"}]') == [1, {"a": "ä"}]
    assert read_object("--extra-data", '{"a": 1}') == {"a": 1}


def test_value_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text("[1]", encoding="utf-8-sig")
    assert read_array("--input", f"@{path}") == [1]
    assert files_of(["[]", f"@{path}", "-"]) == [path]


def test_value_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("[2]"))
    assert read_array("--input", "-") == [2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "--input is empty: write the JSON"),
        (
            "{'a': 1}",
            "enclosed in double quotes (line 1, column 2)\n  {'a': 1}\n   ^",
        ),
        ("[1, 2", "expecting ',' delimiter (line 1, column 6)\n  [1, 2\n       ^"),
        ("[NaN]", "it contains NaN, which JSON does not have"),
        ("[" * 100_000, "it is nested too deep"),
        ("5", "must be a JSON array, with an item for each input of the node: perhaps '[5]'"),
        ('{"a": 1}', """perhaps '[{"a": 1}]'"""),
        (json.dumps("x" * 200), "must be a JSON array, with an item for each input of the node"),
        ("@none.json", "--input: cannot read none.json: No such file or directory"),
        ("@", "--input: '@' needs a file name"),
        ("@a\0b", "as UTF-8 text"),
    ],
)
def test_invalid_json_is_reported(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_array("--input", text)
    assert said in str(raised.value)


def test_caret_points_at_the_mistake_in_a_long_line(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('[\n{"key": "%s", bad}\n]' % ("x" * 200))
    with pytest.raises(UsageError, match=r"\(line 2, column 213\)") as raised:
        read_array("--input", f"@{path}")
    _, shown, caret = str(raised.value).split("\n")
    assert shown[caret.index("^") :].startswith("bad}")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.touch()
    with pytest.raises(UsageError, match=r"\(.*in.json\) is empty"):
        read_array("--input", f"@{path}")


def test_file_without_its_sign(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text("[1]")
    with pytest.raises(UsageError, match=f"did you mean the file: @{path}"):
        read_array("--input", str(path))


def test_quotes_that_the_shell_removed() -> None:
    with pytest.raises(UsageError, match="put single quotes around it"):
        read_array("--input", "[{a: 1}]")


def test_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text("[1,]")
    with pytest.raises(UsageError, match=f"--input \\({path}\\) is not valid JSON"):
        read_array("--input", f"@{path}")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="as UTF-8 text"):
        read_array("--input", f"@{path}")


def test_object_is_required() -> None:
    with pytest.raises(UsageError, match="--extra-data must be a JSON object, for example"):
        read_object("--extra-data", "[]")


def test_stdin_is_rejected_a_second_time() -> None:
    with pytest.raises(UsageError, match="is given more than once"):
        files_of(["-", "-"])


def test_closed_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="stdin is closed"):
        read_json("--input", "-")


@given(st.text(max_size=30).filter(lambda text: text[:1] not in ("@", "-")))
def test_any_text_is_read_or_reported(text: str) -> None:
    value: Any = None
    said = ""
    try:
        value = read_json("--input", text)
    except UsageError as error:
        said = str(error)
    if said:
        assert said.startswith(("--input is not valid JSON: ", "--input is empty: "))
        assert len(said.splitlines()) <= 4
    else:
        assert json.loads(text) == value
