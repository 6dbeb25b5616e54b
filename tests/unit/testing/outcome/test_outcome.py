"""The outcome of a run, as a test reads it."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.testing.outcome.outcome import AlgorithmFailed, Error, Outcome, no_result_within


def make_outcome(error: Error | None = None, stopped: bool = False, result: Any = None) -> Outcome:
    return Outcome(error, stopped, [], [], (), (), [], result)


@pytest.mark.parametrize("result", [5, None, 0, {"a": []}])
def test_result(result: Any) -> None:
    assert make_outcome(result=result).result == result


def test_failed_run_raises_with_its_cause() -> None:
    cause = ValueError("bad")
    outcome = make_outcome(Error("AlgorithmError", "ValueError: bad (main.py:2)", "frame", cause))
    with pytest.raises(AlgorithmFailed) as caught:
        _ = outcome.result
    assert str(caught.value) == "the algorithm failed: ValueError: bad (main.py:2)"
    assert caught.value.__cause__ is cause


def test_failure_in_another_process_includes_its_frames() -> None:
    outcome = make_outcome(Error("AlgorithmError", "ValueError: bad", "  File main.py\n    > 2"))
    with pytest.raises(AlgorithmFailed) as caught:
        _ = outcome.result
    assert str(caught.value) == "the algorithm failed: ValueError: bad\n  File main.py\n    > 2"


def test_stopped_run_has_no_result() -> None:
    with pytest.raises(AssertionError, match="no result: the algorithm was stopped"):
        _ = make_outcome(stopped=True).result


def test_error_as_text_is_its_message() -> None:
    assert str(Error("AlgorithmError", "ValueError: bad", "")) == "ValueError: bad"


def test_timeout_message() -> None:
    text = "the algorithm had no result within 60 s (timeout=60)"
    assert no_result_within(60.0, None) == text
    assert no_result_within(60.0, "a.py:3, in f") == f"{text}; it was at a.py:3, in f"
