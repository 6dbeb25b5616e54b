"""Messages of pages, whatever they hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.web.server.messages import CommandError, parse_command


def test_command_has_its_fields() -> None:
    command = parse_command('{"id": 3, "command": "log", "run": 1, "text": "a", "on": true}')

    assert (command.number, command.name) == (3, "log")
    assert command.count("run") == 1
    assert command.count("run", most=0) == 0
    assert command.text("text") == "a"
    assert command.flag("on") is True
    assert command.path() == []


@pytest.mark.parametrize(
    "read",
    [
        lambda command: command.count("x"),
        lambda command: command.text("x"),
        lambda command: command.flag("x"),
        lambda command: command.path(),
    ],
)
def test_field_of_another_type_is_refused(read) -> None:
    command = parse_command('{"id": 1, "command": "c", "x": null, "path": [true]}')
    with pytest.raises(CommandError, match="must be"):
        read(command)


@given(st.text() | st.binary() | st.builds(json.dumps, st.lists(st.none() | st.integers())))
def test_anything_else_is_refused(message) -> None:
    with pytest.raises(CommandError):
        parse_command(message)
