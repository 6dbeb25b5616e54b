"""Runs are kept, found again and compared."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from wrapper.local.web.runs.export import as_command, as_test
from wrapper.local.web.runs.history import (
    LARGEST_KEPT,
    History,
    HistoryError,
    kept_json,
    restored,
)


def facts(number, status="done", error=None):
    return {"id": number, "status": status, "seconds": 1.5, "error": error, "result": "{…}"}


def add(history, input_text="[1]", status="done", error=None, result="1", lines=()):
    number = history.begin("alg", input_text)
    history.end(facts(number, status, error), result, list(lines))
    return number


def test_runs_are_still_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with History(tmp_path / "h.sqlite") as history:
        number = add(history, lines=[(0.5, "out", "hello")])
    with History(tmp_path / "h.sqlite") as history:
        assert history.facts(number) == facts(number)
        assert history.lines(number) == [(0.5, "out", "hello")]
        assert history.result_json(number) == "1"
        assert history.input_text(number) == "[1]"
        assert history.facts(99) is None


def test_run_that_was_in_progress_when_the_command_died_is_interrupted(tmp_path: Path) -> None:
    with History(tmp_path / "h.sqlite") as history:
        history.begin("alg", "[]")
    with History(tmp_path / "h.sqlite") as history:
        assert history.search("", "", 0, 10)["runs"][0]["status"] == "interrupted"


def test_search_finds_by_input_result_error_output_and_status() -> None:
    with History(None) as history:
        one = add(history, input_text='["apple"]')
        two = add(history, result='"pear"')
        three = add(history, status="failed", error={"message": "no 50% plum"}, result=None)
        four = add(history, lines=[(0, "out", "a cherry")])

        def found(text="", status=""):
            return [run["id"] for run in history.search(text, status, 0, 10)["runs"]]

        assert found("apple") == [one]
        assert found("pear") == [two]
        assert found("50% p") == [three]
        assert found("50_ p") == []
        assert found("CHERRY") == [four]
        assert found("", "failed") == [three]
        assert found() == [four, three, two, one]
        assert history.search("", "", 1, 2)["runs"][0]["id"] == three


def test_only_the_newest_thousand_are_kept() -> None:
    with History(None) as history:
        numbers = [history.begin("alg", "[]") for _ in range(1003)]
        assert history.search("", "", 0, 1)["total"] == 1000
        assert history.input_text(numbers[2]) is None
        assert history.input_text(numbers[3]) == "[]"


def test_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.txt"
    file.write_text("no database " * 100)
    with pytest.raises(HistoryError, match="use another file with --history FILE"):
        History(file)


def test_bytes_of_a_result_are_kept() -> None:
    value = {"a": [b"\x00\xff", "text", None, 1.5]}
    assert restored(kept_json(value)) == value


def test_result_that_is_too_large_is_not_kept() -> None:
    with History(None) as history:
        kept = add(history, result="x" * LARGEST_KEPT)
        too_large = add(history, result="x" * (LARGEST_KEPT + 1))
        assert history.result_json(kept) is not None
        assert history.result_json(too_large) is None


def test_exported_test_is_python_that_expects_the_result() -> None:
    text = as_test("main.py", [1, "it's"], {"a": [None, True]}, None)
    assert "hkube.run('main.py', input=[1, \"it's\"])" in text
    assert "outcome.result == {'a': [None, True]}" in text
    ast.parse(text)


def test_exported_test_of_a_long_result_is_python_too() -> None:
    ast.parse(as_test("main.py", [["long text"] * 50], [{"key": "value" * 9}] * 20, None))


def test_exported_test_of_a_failure_expects_its_message() -> None:
    text = as_test("main.py", [], None, "ValueError: 'x' (main.py:2, in start)")
    assert "in outcome.error.message" in text
    ast.parse(text)


def test_exported_command_is_quoted_for_the_shell() -> None:
    assert as_command("my alg.py", '["it\'s"]') == (
        "hkube-wrapper run 'my alg.py' --input '[\"it'\"'\"'s\"]'"
    )
