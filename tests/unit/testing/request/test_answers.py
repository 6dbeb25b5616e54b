"""Answers that a test gives in HKube's place."""

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


class Told(list[BaseException]):
    """What is told to the test."""


def answer(given: Any, task_input: Any = None, encoding: str = "json") -> tuple[Any, Told]:
    told = Told()
    made = make_answer(given, lambda: encoding, told.append)
    if not callable(made):
        return made, told
    try:
        return made(make_call(task_input=task_input)), told
    except Exception as error:
        return error, told


@pytest.mark.parametrize("kind", CallKind)
def test_an_answer_that_is_missing_says_how_it_is_given(kind: CallKind) -> None:
    assert TestAnswers().find(make_call(kind)) == Failure(
        f"there is no answer for {kind.value} 'other': hkube.{NAMES[kind]}('other', …) gives one"
    )


def test_an_answer_of_its_kind_is_found() -> None:
    answers = TestAnswers({"other": Failure("no")}, {"other": Cancelled("stopped")}, {})
    assert answers.find(make_call()) == Failure("no")
    assert answers.find(make_call(CallKind.RAW_PIPELINE)) == Cancelled("stopped")


def test_values_and_functions() -> None:
    assert answer({"a": 1}) == ({"a": 1}, [])
    assert answer(None) == (None, [])
    assert answer(lambda given: [*given, 2], [1]) == ([1, 2], [])


def test_a_reply_is_the_answer_itself() -> None:
    assert answer(Cancelled("stopped")) == (Cancelled("stopped"), [])


def test_exceptions() -> None:
    failed, told = answer(ValueError("no"))
    assert isinstance(failed, ValueError)
    assert not told

    def fail(given: Any) -> Any:
        raise KeyError(given)

    failed, told = answer(fail, "x")
    assert isinstance(failed, KeyError)
    assert not told


def test_an_assertion_is_for_the_test_too() -> None:
    def check(given: Any) -> Any:
        raise AssertionError("not as it should be")

    failed, told = answer(check)
    assert isinstance(failed, AssertionError)
    assert told == [failed]


def test_pytests_own_exceptions_are_for_the_test() -> None:
    failed, told = answer(lambda given: pytest.fail("no more"))
    assert str(failed) == "no more"
    assert isinstance(told[0], pytest.fail.Exception)


def test_what_cannot_be_sent_is_named() -> None:
    failed, _ = answer(lambda given: {"a": object()})
    assert str(failed).startswith("the answer for algorithm 'other' cannot be sent: ")
    assert "response.a is an object" in str(failed)
    assert isinstance(answer(b"bytes")[0], TypeError)
    assert answer(b"bytes", encoding="msgpack") == (b"bytes", [])


@pytest.mark.parametrize("reply", [Failure("no"), Cancelled("enough"), Result(1)])
def test_a_function_may_return_a_reply(reply: Reply) -> None:
    assert answer(lambda given: reply) == (reply, [])


def test_what_is_in_a_reply_is_looked_at_too() -> None:
    failed, _ = answer(lambda given: Result(object()))
    assert "cannot be sent" in str(failed)


def test_a_class_is_a_value_and_not_a_function() -> None:
    failed, _ = answer(dict)
    assert "cannot be sent" in str(failed)
