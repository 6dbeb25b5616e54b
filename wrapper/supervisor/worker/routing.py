"""What a message of the worker is, decoded only where that is needed to know."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import DecodingError
from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages import commands
from ...protocol.messages.peek import HEAD_BYTES, peek_command
from ...protocol.task import events

_ANSWERS = frozenset(
    (
        commands.SUB_PIPELINE_STARTED,
        commands.SUB_PIPELINE_DONE,
        commands.SUB_PIPELINE_ERROR,
        commands.SUB_PIPELINE_STOPPED,
        commands.SUB_PIPELINE_STOPPED_MISSPELT,
        commands.ALGORITHM_EXECUTION_DONE,
        commands.ALGORITHM_EXECUTION_ERROR,
        commands.DATA_SOURCE_RESPONSE,
    )
)
# How an answer begins in JSON as the worker's JSON.stringify writes it.
_ANSWER_HEADS = tuple(b'{"command":"%s"' % command.encode() for command in _ANSWERS)
_TO_COME = frozenset((commands.SERVICE_DISCOVERY_UPDATE, commands.STREAMING_IN_MESSAGE))


class AlreadyConnected(NamedTuple):
    """The debug gateway serves somebody else.

    Attributes:
        hostname: whom; may be empty.
    """

    hostname: str


class Odd(NamedTuple):
    """A message that nothing can be done with.

    Attributes:
        level: for the log.
        text: why, for the log.
    """

    level: str
    text: str


def is_answer(payload: bytes | bytearray) -> bool:
    """Whether this is an answer, seen at a glance; if not, `route` may still find that it is."""
    return payload.startswith(_ANSWER_HEADS)


def route(payload: bytes | bytearray, encoding: str) -> events.Event | AlreadyConnected | Odd:
    """The event that a message means; never raises, whatever the message holds."""
    command = peek_command(encoding, bytes(payload[:HEAD_BYTES]))
    if command is None:
        try:
            command = _command_of(get_encoding(encoding).decode(payload))
        except DecodingError as error:
            return Odd("warning", f"ignored a message of the worker: {error}")
    if command is None:
        return Odd("warning", "ignored a message of the worker: it names no command")
    return _event(command, payload, encoding)


def _event(
    command: str, payload: bytes | bytearray, encoding: str
) -> events.Event | AlreadyConnected | Odd:
    if command == commands.INITIALIZE:
        return events.InitializeReceived(payload)
    if command == commands.START:
        return events.StartReceived(payload)
    if command in _ANSWERS:
        return events.AnswerReceived(payload)
    if command == commands.STOP:
        return events.StopReceived(payload)
    if command == commands.EXIT:
        # Not at the top: dataclasses cost 8 ms of the start.
        from ...protocol.messages.shapes import exit_code

        return events.ExitReceived(exit_code(_data_of(payload, encoding)), payload)
    if command == commands.ALREADY_CONNECTED_ERROR:
        data = _data_of(payload, encoding)
        return AlreadyConnected(str(data.get("hostname", "")) if isinstance(data, dict) else "")
    if command in _TO_COME:
        return Odd("debug", f"ignored {command}: streaming pipelines are to come")
    return Odd("warning", f"ignored an unknown command of the worker: {command[:60]!r}")


def _command_of(message: object) -> str | None:
    command = message.get("command") if isinstance(message, dict) else None
    return command if isinstance(command, str) else None


def _data_of(payload: bytes | bytearray, encoding: str) -> object:
    try:
        message = get_encoding(encoding).decode(payload)
    except DecodingError:
        return None
    return message.get("data") if isinstance(message, dict) else None
