"""Answers that a test gives in place of HKube."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.worker.answers import Call, CallKind, Cancelled, Failure, Reply, Result
from wrapper.testing.request.answers import TestAnswers, make_answer

NAMES = {
    CallKind.ALGORITHM: "answer_algorithm",
    CallKind.STORED_PIPELINE: "answer_pipeline",
    CallKind.RAW_PIPELINE: "answer_pipeline",
    CallKind.DATA_SOURCE: "answer_data_source",
}


def make_call(kind: CallKind = CallKind.ALGORITHM, task_input: Any = None) -> Call:
    return Call(kind, "1", "other", task_input, True, {})


class Reported(list[BaseException]):
    """The exceptions that fail the test."""


def answer(given: Any, task_input: Any = None, encoding: str = "json") -> tuple[Any, Reported]:
    reported = Reported()
    made = make_answer(given, lambda: encoding, reported.append)
    if not callable(made):
        return made, reported
    try:
        return made(make_call(task_input=task_input)), reported
    except Exception as error:
        return error, reported


@pytest.mark.parametrize("kind", CallKind)
def test_missing_answer_says_how_to_add_it(kind: CallKind) -> None:
    assert TestAnswers().find(make_call(kind)) == Failure(
        f"there is no answer for {kind.value} 'other': add one with hkube.{NAMES[kind]}('other', …)"
    )


def test_answer_is_found_by_kind() -> None:
    answers = TestAnswers({"other": Failure("no")}, {"other": Cancelled("stopped")}, {})
    assert answers.find(make_call()) == Failure("no")
    assert answers.find(make_call(CallKind.RAW_PIPELINE)) == Cancelled("stopped")


def test_values_and_functions_are_answers() -> None:
    assert answer({"a": 1}) == ({"a": 1}, [])
    assert answer(None) == (None, [])
    assert answer(lambda given: [*given, 2], [1]) == ([1, 2], [])


def test_reply_is_used_as_it_is() -> None:
    assert answer(Cancelled("stopped")) == (Cancelled("stopped"), [])


def test_exceptions() -> None:
    failed, reported = answer(ValueError("no"))
    assert isinstance(failed, ValueError)
    assert not reported

    def fail(given: Any) -> Any:
        raise KeyError(given)

    failed, reported = answer(fail, "x")
    assert isinstance(failed, KeyError)
    assert not reported


def test_assertion_error_also_fails_the_test() -> None:
    def check(given: Any) -> Any:
        raise AssertionError("not as it should be")

    failed, reported = answer(check)
    assert isinstance(failed, AssertionError)
    assert reported == [failed]


def test_exceptions_of_pytest_fail_the_test() -> None:
    failed, reported = answer(lambda given: pytest.fail("no more"))
    assert str(failed) == "no more"
    assert isinstance(reported[0], pytest.fail.Exception)


def test_unsendable_answer_is_named() -> None:
    failed, _ = answer(lambda given: {"a": object()})
    assert str(failed).startswith("the answer for algorithm 'other' cannot be sent: ")
    assert "response.a is an object" in str(failed)
    assert isinstance(answer(b"bytes")[0], TypeError)
    assert answer(b"bytes", encoding="msgpack") == (b"bytes", [])


@pytest.mark.parametrize("reply", [Failure("no"), Cancelled("enough"), Result(1)])
def test_function_may_return_a_reply(reply: Reply) -> None:
    assert answer(lambda given: reply) == (reply, [])


def test_value_inside_a_reply_is_checked() -> None:
    failed, _ = answer(lambda given: Result(object()))
    assert "cannot be sent" in str(failed)


def test_class_is_a_value_not_a_function() -> None:
    failed, _ = answer(dict)
    assert "cannot be sent" in str(failed)
