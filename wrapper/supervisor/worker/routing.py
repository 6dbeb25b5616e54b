"""Finds out what a message from the worker is, and decodes it only if necessary."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import DecodingError
from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages import commands
from ...protocol.messages.peek import HEAD_BYTES, peek_command
from ...protocol.task import events

# How an answer begins in the JSON that the worker's JSON.stringify writes.
_ANSWER_HEADS = tuple(b'{"command":"%s"' % command.encode() for command in commands.ANSWERS)


class ParentsChanged(NamedTuple):
    """Pods of this node's parents came or went (streaming)."""


class AlreadyConnected(NamedTuple):
    """The debug gateway serves another wrapper.

    Attributes:
        hostname: where that runs; may be empty.
    """

    hostname: str


class Odd(NamedTuple):
    """A message to ignore.

    Attributes:
        level: the level of the log line.
        text: the log line, which says why.
    """

    level: str
    text: str


def is_answer(payload: bytes | bytearray) -> bool:
    """Return whether the message is surely an answer; if False, `route` may still find one."""
    return payload.startswith(_ANSWER_HEADS)


Routed = events.Event | AlreadyConnected | ParentsChanged | Odd


def route(payload: bytes | bytearray, encoding: str) -> Routed:
    """Return the event that a message stands for; never raises, whatever the message holds."""
    command = peek_command(encoding, bytes(payload[:HEAD_BYTES]))
    if command is None:
        try:
            command = _command_of(get_encoding(encoding).decode(payload))
        except DecodingError as error:
            return Odd("warning", f"ignored a message from the worker: {error}")
    if command is None:
        return Odd("warning", "ignored a message from the worker: it has no command")
    return _event(command, payload, encoding)


def _event(command: str, payload: bytes | bytearray, encoding: str) -> Routed:
    if command == commands.INITIALIZE:
        return events.InitializeReceived(payload)
    if command == commands.START:
        return events.StartReceived(payload)
    # A message of the debug gateway takes the same way to user code as an answer.
    if command in commands.ANSWERS or command == commands.STREAMING_IN_MESSAGE:
        return events.AnswerReceived(payload)
    if command == commands.STOP:
        return events.StopReceived(payload)
    if command == commands.EXIT:
        # Not at the top: importing dataclasses would add 8 ms to the start.
        from ...protocol.messages.shapes import exit_code

        return events.ExitReceived(exit_code(_data_of(payload, encoding)), payload)
    if command == commands.ALREADY_CONNECTED_ERROR:
        data = _data_of(payload, encoding)
        return AlreadyConnected(str(data.get("hostname", "")) if isinstance(data, dict) else "")
    if command == commands.SERVICE_DISCOVERY_UPDATE:
        return ParentsChanged()
    return Odd("warning", f"ignored an unknown command from the worker: {command[:60]!r}")


def _command_of(message: object) -> str | None:
    command = message.get("command") if isinstance(message, dict) else None
    return command if isinstance(command, str) else None


def _data_of(payload: bytes | bytearray, encoding: str) -> object:
    try:
        message = get_encoding(encoding).decode(payload)
    except DecodingError:
        return None
    return message.get("data") if isinstance(message, dict) else None
