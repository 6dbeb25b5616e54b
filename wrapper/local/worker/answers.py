"""Replies to an algorithm's code-API calls when there is no cluster."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ...errors import WrapperError


class CallKind(enum.Enum):
    """The kinds of call that an algorithm can make; the value is the kind's name in messages."""

    ALGORITHM = "algorithm"
    STORED_PIPELINE = "stored pipeline"
    RAW_PIPELINE = "raw pipeline"
    DATA_SOURCE = "data source"


@dataclass(frozen=True)
class Call:
    """A call of a running algorithm to HKube.

    Attributes:
        kind: Kind of call.
        call_id: Id that the algorithm gave the call.
        name: Name of the algorithm, pipeline or data source that is requested.
        input: Input of the algorithm or flow input of the pipeline.
        include_result: Whether the algorithm wants the result in the answer.
        body: The complete message data, unchanged.
    """

    kind: CallKind
    call_id: str
    name: str
    input: Any
    include_result: bool
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """The answer to a call that succeeded.

    Attributes:
        value: The result.
    """

    value: Any


@dataclass(frozen=True)
class Failure:
    """The answer to a call that failed.

    Attributes:
        text: The error message that the algorithm receives.
    """

    text: str


@dataclass(frozen=True)
class Cancelled:
    """The answer for a sub-pipeline that somebody else stopped.

    Attributes:
        reason: Why it was stopped.
    """

    reason: str


Reply = Result | Failure | Cancelled


@dataclass(frozen=True)
class Later:
    """A reply that is sent later.

    Attributes:
        start: called with the call, and a function that takes the reply, once, in any thread; it
            returns a function that cancels what was started, for a reason, after which the reply
            does not matter.
    """

    start: Callable[[Call, Callable[[Reply], None]], Callable[[str], None]]


Answer = Reply | Later | Callable[[Call], Any]


class Answers(Protocol):
    """Finds the answer to a call."""

    def find(self, call: Call) -> Answer:
        """Return the answer for a call; a Failure if there is none."""


class AnswersError(WrapperError):
    """A file of answers is invalid; the message names the place."""

    code = "AnswersError"


@dataclass(frozen=True)
class AnswerTable:
    """Replies by name.

    Each value is a reply, or a function that takes the call and returns its result or a reply. An
    exception in the function reaches the algorithm as the call's failure.
    """

    algorithms: Mapping[str, Answer] = field(default_factory=dict)
    pipelines: Mapping[str, Answer] = field(default_factory=dict)
    data_sources: Mapping[str, Answer] = field(default_factory=dict)

    def find(self, call: Call) -> Answer:
        """Return the answer for a call; a Failure that names the call if the table has none."""
        missing = Failure(f"there is no answer for {call.kind.value} '{call.name}'")
        return self.get(call) or missing

    def get(self, call: Call) -> Answer | None:
        """Return the answer for a call, or None if the table has none."""
        if call.kind is CallKind.ALGORITHM:
            section = self.algorithms
        elif call.kind is CallKind.DATA_SOURCE:
            section = self.data_sources
        else:
            section = self.pipelines
        return section.get(call.name)


def load_answers(path: Path) -> AnswerTable:
    """Read a JSON file of canned answers.

    Returns:
        The table; each entry of the file is `{"result": …}`, `{"error": "text"}` or
        `{"stopped": "reason"}` in one of the sections algorithms, pipelines, dataSources.

    Raises:
        AnswersError: the file cannot be read, or an entry is not of that shape.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AnswersError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise AnswersError(f"{path} is not valid JSON: {error}") from error
    except RecursionError as error:
        raise AnswersError(f"{path} is nested too deep") from error
    sections = {"algorithms": {}, "pipelines": {}, "dataSources": {}} | _as_object(document, path)
    unknown = sorted(sections.keys() - {"algorithms", "pipelines", "dataSources"})
    if unknown:
        raise AnswersError(
            f"{path} has an unknown section '{unknown[0]}': "
            "the sections are algorithms, pipelines and dataSources"
        )
    return AnswerTable(
        algorithms=_section(sections["algorithms"], f"{path}: algorithms"),
        pipelines=_section(sections["pipelines"], f"{path}: pipelines"),
        data_sources=_section(sections["dataSources"], f"{path}: dataSources"),
    )


def _section(entries: object, where: str) -> dict[str, Answer]:
    return {
        name: _reply(entry, f"{where}.{name}") for name, entry in _as_object(entries, where).items()
    }


def _reply(entry: object, where: str) -> Reply:
    match entry:
        case {"result": value, **rest} if not rest:
            return Result(value)
        case {"error": str(text), **rest} if not rest:
            return Failure(text)
        case {"stopped": str(reason), **rest} if not rest:
            return Cancelled(reason)
    raise AnswersError(
        f'{where} must be {{"result": …}}, {{"error": "text"}} or {{"stopped": "reason"}}'
    )


def _as_object(value: object, where: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise AnswersError(f"{where} must be a JSON object")
    return value
