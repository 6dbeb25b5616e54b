"""The messages encoded by hand are the same as those of the real encoders."""

from __future__ import annotations

import pytest

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages import commands
from wrapper.protocol.messages.bare import control_message
from wrapper.protocol.messages.peek import peek_command

COMMANDS = [
    commands.INITIALIZED,
    commands.STARTED,
    commands.STOPPED,
    commands.STOPPING,
    commands.ALIVE,
    "a" * 31,
]


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
@pytest.mark.parametrize("command", COMMANDS)
def test_real_decoder_reads_the_message(command: str, encoding: str) -> None:
    written = control_message(command, encoding)

    assert get_encoding(encoding).decode(written) == {"command": command}
    assert peek_command(encoding, written) == command


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
@pytest.mark.parametrize("command", COMMANDS)
def test_real_encoder_writes_the_same_bytes(command: str, encoding: str) -> None:
    assert control_message(command, encoding) == get_encoding(encoding).encode({"command": command})
