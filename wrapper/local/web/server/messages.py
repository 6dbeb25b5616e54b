"""The messages between the page and its server, over one WebSocket at `/socket`. All are JSON.

**From the page**: a command. `id` is any number; its answer has the same.

    {"id": 7, "command": "run", "input": "[1, 2]"}

| command | fields | answer |
|---|---|---|
| `run` | `input`: a JSON array, as text | `run`: the new run's id |
| `stop` | – | – |
| `run_on_save` | `on` | – |
| `facts` | `run` | `facts`: what the topic `run` would say of it |
| `log` | `run`, `start`, `limit` | `total`, `lines`: of each `[seconds, source, text]` |
| `value` | `run`, `path`, `start`, `limit` | a value and its parts, see `results/pages` |
| `view` | `run`, `path`, `kind`, and fields of the kind | see `results/views` |
| `history` | `text`, `status`, `start`, `limit` | `total`, `runs` |
| `compare` | `left`, `right` | `rows`, and whether there are more |
| `export` | `run`, `form`: `test` or `command` | `text` |

**From the server**: an answer, or a topic. An answer to a command that failed has `error`.

    {"id": 7, "answer": {"run": 12}}          {"id": 7, "error": "a run is in progress: …"}
    {"topic": "run", "value": {…}}

| topic | what its value says |
|---|---|
| `algorithm` | name, state, functions, why it cannot be loaded, examples of inputs, settings |
| `run` | the newest run: see `RunRecord.facts` |
| `history` | a number that changes whenever the list of runs does |

A topic is sent when the page connects and when it changes, always whole, ten times a second at
most. So a page that was away needs no more than to connect again, and one that reads slowly gets
fewer messages; nothing waits for it. What grows without limit (lines, results) is fetched in parts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....errors import WrapperError


class CommandError(WrapperError):
    """A command of the page cannot be carried out; the message is shown there."""

    code = "CommandError"


@dataclass(frozen=True)
class PageCommand:
    """A command of the page.

    Attributes:
        number: its id, which its answer repeats.
        name: what to do.
        fields: its other fields.
    """

    number: int
    name: str
    fields: Mapping[str, Any]

    def text(self, field: str, default: str | None = None) -> str:
        """Return a field that is text."""
        value = self.fields.get(field, default)
        if not isinstance(value, str):
            raise CommandError(f"'{field}' of the command '{self.name}' must be text")
        return value

    def count(self, field: str, default: int | None = None, most: int = 2**53) -> int:
        """Return a field that is a whole number of at least 0; one above `most` becomes `most`."""
        value = self.fields.get(field, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise CommandError(f"'{field}' of the command '{self.name}' must be a whole number")
        return min(value, most)

    def flag(self, field: str) -> bool:
        """Return a field that is true or false."""
        value = self.fields.get(field)
        if not isinstance(value, bool):
            raise CommandError(f"'{field}' of the command '{self.name}' must be true or false")
        return value

    def path(self) -> list[int]:
        """Return the field `path`: the position of a part in each of the values around it."""
        value = self.fields.get("path", [])
        if not isinstance(value, list) or not all(
            isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in value
        ):
            raise CommandError(f"'path' of the command '{self.name}' must be a list of positions")
        return value


def parse_command(text: str | bytes) -> PageCommand:
    """Read a message of the page.

    Raises:
        CommandError: it is not a command.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"a message of the page is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise CommandError("a message of the page must be an object")
    number, name = message.get("id"), message.get("command")
    if not isinstance(number, int) or not isinstance(name, str):
        raise CommandError("a message of the page must have an id and a command")
    return PageCommand(number, name, message)
