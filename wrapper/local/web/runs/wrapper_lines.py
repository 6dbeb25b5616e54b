"""Tells the wrapper's own lines in the output of a container from those of the algorithm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ....text.load_messages import CANNOT_LOAD, LOADED, TASK_FAILED

ENVIRON: Mapping[str, str] = {
    "HKUBE_LOG_FORMAT": "json",
    "HKUBE_LOG_LEVEL": "info",
    "HKUBE_LOG_FAILURES": "true",  # without a task, only the log says why a module does not load
}
"""The settings under which a container's lines can be read here."""

_BEGINS = '{"time": "'


@dataclass(frozen=True)
class WrapperLine:
    """A line of the wrapper's log.

    Attributes:
        level: one of `wrapper.log.LEVELS`.
        text: the message, of one or more lines.
    """

    level: str
    text: str

    @property
    def load_failure(self) -> tuple[str, str] | None:
        """Why the module cannot be loaded, and the lines that explain it; None for other lines."""
        if not self.text.startswith(CANNOT_LOAD):
            return None
        message, _, details = self.text.removeprefix(f"{CANNOT_LOAD}: ").partition("\n")
        return message, details

    @property
    def is_task_failure(self) -> bool:
        """Whether it repeats the error that the worker receives."""
        return self.text.startswith(f"{TASK_FAILED}: ")

    @property
    def is_loaded(self) -> bool:
        """Whether it says that the module's import has ended, in whatever way."""
        return self.text.startswith(LOADED)


def wrapper_line(line: str) -> WrapperLine | None:
    """Read a line of output; None if the algorithm wrote it."""
    if not line.startswith(_BEGINS):
        return None
    try:
        event = json.loads(line)
        return WrapperLine(event["level"], event["message"])
    except (ValueError, KeyError, TypeError):
        return None
