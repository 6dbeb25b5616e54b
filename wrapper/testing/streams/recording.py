"""Messages in a file, one JSON object a line, as `pipeline run --json` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..request.wrong_use import WrongUse
from .child_pod import SentMessage


class RecordedMessage(NamedTuple):
    """A message of a recording.

    Attributes:
        value: what was sent.
        node: the node that sent it; None: the recording does not say.
        flow: the name of its flow; None: the recording does not say.
    """

    value: Any
    node: str | None
    flow: str | None


def read(path: Path) -> Iterator[RecordedMessage]:
    """Yield the messages of a recording.

    Raises:
        WrongUse: the file cannot be read, or a line is invalid.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"the recording {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _parse(line, f"{path}:{number}")


def write(path: Path, node: str, messages: Iterable[SentMessage]) -> None:
    """Write messages that a node has sent.

    Raises:
        WrongUse: a message is not JSON.
    """
    lines = []
    for message in messages:
        try:
            lines.append(json.dumps({"node": node, "message": message.value}, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise WrongUse(
                f"a message that '{node}' sent is not JSON, so it cannot be saved: {error}"
            ) from error
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _parse(line: str, where: str) -> RecordedMessage:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise WrongUse(f"{where}: the line is not JSON: {error}") from error
    if not isinstance(value, dict) or "message" not in value:
        raise WrongUse(f'{where}: the line must be an object with a "message"')
    node, flow = value.get("node"), value.get("flow")
    for name, text in (("node", node), ("flow", flow)):
        if text is not None and not isinstance(text, str):
            raise WrongUse(f'{where}: "{name}" must be a text')
    return RecordedMessage(value["message"], node, flow)
