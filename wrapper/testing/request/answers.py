"""The answers that a test gives in place of HKube."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...errors import WrapperError
from ...local.worker.answers import Answer, AnswerTable, Call, CallKind, Cancelled, Failure, Result
from ...protocol.encoding.encoding import get_encoding

_METHODS = {
    CallKind.ALGORITHM: "answer_algorithm",
    CallKind.STORED_PIPELINE: "answer_pipeline",
    CallKind.RAW_PIPELINE: "answer_pipeline",
    CallKind.DATA_SOURCE: "answer_data_source",
}


@dataclass(frozen=True)
class TestAnswers(AnswerTable):
    """An answer table that explains how to add a missing answer."""

    algorithms: dict[str, Answer] = field(default_factory=dict)
    pipelines: dict[str, Answer] = field(default_factory=dict)
    data_sources: dict[str, Answer] = field(default_factory=dict)

    __test__ = False  # pytest must not collect it

    def find(self, call: Call) -> Answer:
        """Return the answer to a call, or a Failure that says how to add one."""
        found = super().find(call)
        if self.get(call) is None and isinstance(found, Failure):
            method = _METHODS[call.kind]
            return Failure(f"{found.text}: add one with hkube.{method}({call.name!r}, …)")
        return found


def make_answer(
    given: Any, encoding: Callable[[], str], report: Callable[[BaseException], None]
) -> Answer:
    """Turn what a test passes to `hkube.answer_…` into an answer.

    Args:
        given: The result; an exception, which makes the call fail; a Failure or Cancelled; or a
            function that receives the call's input and returns one of these or raises.
        encoding: Returns the encoding of the messages.
        report: Receives exceptions of the function that must fail the test: AssertionError and
            those of pytest.
    """

    if isinstance(given, (Result, Failure, Cancelled)):
        return given

    def answer(call: Call) -> Any:
        try:
            value = given(call.input) if _is_function(given) else given
        except Exception as error:
            if isinstance(error, AssertionError):
                report(error)
            raise
        except BaseException as error:  # pytest.fail, pytest.skip and their like
            report(error)
            raise RuntimeError(str(error)) from error
        return _checked(value, encoding(), call)

    return answer


def _is_function(given: Any) -> bool:
    return callable(given) and not isinstance(given, type)


def _checked(value: Any, encoding: str, call: Call) -> Any:
    if isinstance(value, BaseException):
        raise value
    if isinstance(value, (Failure, Cancelled)):
        return value
    plain = value.value if isinstance(value, Result) else value
    try:
        get_encoding(encoding).encode({"response": plain}, "answer")
    except WrapperError as error:
        text = f"the answer for {call.kind.value} '{call.name}' cannot be sent: {error}"
        raise TypeError(text) from error
    return value
