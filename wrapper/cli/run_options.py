"""The options of `hkube-wrapper run`, and reading the usual ones without Typer.

Typer and what it brings take a third of the time that `run` needs for a small algorithm. A command
line that is plainly right does not need it. Typer reads all others, and writes help and errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

COMMAND = "run"
_COMPLETION = "_HKUBE_WRAPPER_COMPLETE"  # set by a shell that asks Typer for completions
_DIGITS = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_LARGEST_PORT = 65535


class RunOptions(NamedTuple):
    """The options of `hkube-wrapper run`, under the names of its parameters; see its help."""

    path: str = "."
    inputs: list[str] | None = None
    message: list[str] | None = None
    feed: str | None = None
    flow_input: str | None = None
    extra_data: str | None = None
    algorithms: Path | None = None
    pipelines: Path | None = None
    answers: Path | None = None
    watch: bool = False
    watch_also: list[str] | None = None
    repeat: int = 1
    timeout: float | None = None
    as_json: bool = False
    output: Path | None = None
    quiet: bool = False
    env: list[str] | None = None
    metrics: Path | None = None
    storage: str | None = None
    in_process: bool = False
    port: int = 0


def _count(text: str) -> int | None:
    return int(text) or None if _DIGITS.fullmatch(text) else None


def _port(text: str) -> int | None:
    number = int(text) if _DIGITS.fullmatch(text) else -1
    return number if 0 <= number <= _LARGEST_PORT else None


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text) else None


def _storage(text: str) -> str | None:
    return text if text == "fs" else None


# Each option with its parameter, and what reads its value; that returns None for a wrong one.
_VALUES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "--feed": ("feed", str),
    "--flow-input": ("flow_input", str),
    "--extra-data": ("extra_data", str),
    "--algorithms": ("algorithms", Path),
    "--pipelines": ("pipelines", Path),
    "--answers": ("answers", Path),
    "--output": ("output", Path),
    "-o": ("output", Path),
    "--metrics": ("metrics", Path),
    "--repeat": ("repeat", _count),
    "--timeout": ("timeout", _seconds),
    "--storage": ("storage", _storage),
    "--port": ("port", _port),
}
_LISTS = {
    "--input": "inputs",
    "--message": "message",
    "--watch-also": "watch_also",
    "--env": "env",
    "-e": "env",
}
_FLAGS = {
    "--watch": "watch",
    "--json": "as_json",
    "--in-process": "in_process",
    "--quiet": "quiet",
    "-q": "quiet",
}


def read_usual_options(arguments: Sequence[str], environ: Mapping[str, str]) -> RunOptions | None:
    """Read a command line that is plainly a right one of `run`.

    Args:
        arguments: what follows the name of the program.
        environ: the environment.

    Returns:
        The options; None if Typer has to read it.
    """
    if not arguments or arguments[0] != COMMAND or _COMPLETION in environ:
        return None
    found: dict[str, Any] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        if argument in _FLAGS:
            found[_FLAGS[argument]] = True
            continue
        if not argument.startswith("-"):
            if not argument or "path" in found:
                return None
            found["path"] = argument
            continue
        option, equals, value = argument.partition("=")
        if equals and not option.startswith("--"):
            return None
        if not equals:
            value = next(rest, "")
            if not value or (value.startswith("-") and value != "-"):
                return None
        if option in _LISTS:
            found.setdefault(_LISTS[option], []).append(value)
        elif option in _VALUES:
            name, read = _VALUES[option]
            if not value or name in found or (given := read(value)) is None:
                return None
            found[name] = given
        else:
            return None
    return RunOptions(**found)
