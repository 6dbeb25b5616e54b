"""Reads JSON that options give: as text, in a file, or on stdin."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..errors import WrapperError

_EXCERPT = 60  # characters


class UsageError(WrapperError):
    """The command line is wrong; the message names the option."""

    code = "UsageError"


def read_json(option: str, given: str) -> Any:
    """Read the JSON value of an option.

    Args:
        option: as the user wrote it, `--input`.
        given: JSON; `@FILE` for the content of a file; `-` for stdin.

    Raises:
        UsageError: the value is not JSON, or cannot be read.
    """
    text, where = _text(option, given)
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        if given == text and not text.strip():
            raise UsageError(f"{option} is empty: write the JSON, for example '[1, 2]'") from None
        if not text.strip():
            raise UsageError(f"{where} is empty: it must contain JSON") from None
        hint = _file_hint(given) if given == text else ""
        raise UsageError(f"{where} is not valid JSON: {_reason(error, text)}{hint}") from None


def read_array(option: str, given: str) -> list[Any]:
    """Read a JSON array; see `read_json`."""
    value = read_json(option, given)
    if isinstance(value, list):
        return value
    text = json.dumps(value, ensure_ascii=False)
    example = f": perhaps '[{text}]'" if len(text) <= _EXCERPT and given[:1] not in "@-" else ""
    raise UsageError(
        f"{option} must be a JSON array, with an item for each input of the node{example}"
    )


def read_object(option: str, given: str) -> dict[str, Any]:
    """Read a JSON object; see `read_json`."""
    value = read_json(option, given)
    if isinstance(value, dict):
        return value
    raise UsageError(f'{option} must be a JSON object, for example \'{{"name": "value"}}\'')


def read_lines(option: str, given: str) -> list[Any]:
    """Read a JSON value from each line of a file; empty lines are passed over.

    Args:
        option: as the user wrote it, `--feed`.
        given: the file, or `-` for stdin.

    Raises:
        UsageError: a line is not JSON, or the file cannot be read.
    """
    text, where = _text(option, given if given == "-" else f"@{given}")
    values = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                values.append(json.loads(line, parse_constant=_refuse))
            except (ValueError, RecursionError) as error:
                reason = _reason(error, line)
                raise UsageError(f"{where}: line {number} is not valid JSON: {reason}") from None
    return values


def files_of(given: Sequence[str]) -> list[Path]:
    """Return the files that the values of options are read from.

    Raises:
        UsageError: more than one value comes from stdin.
    """
    if given.count("-") > 1:
        raise UsageError("'-' (stdin) is given more than once, but stdin can be read only once")
    return [file for text in given if (file := _file_of(text))]


def _file_of(given: str) -> Path | None:
    return Path(given[1:]) if given.startswith("@") else None


def _text(option: str, given: str) -> tuple[str, str]:
    if given == "-":
        return _from_stdin(option), f"{option} (from stdin)"
    file = _file_of(given)
    if file is None:
        return given, option
    if given == "@":
        raise UsageError(f"{option}: '@' needs a file name, for example @input.json")
    try:
        return file.read_text(encoding="utf-8-sig"), f"{option} ({file})"
    except OSError as error:
        raise UsageError(f"{option}: cannot read {file}: {error.strerror}") from None
    except ValueError:  # not UTF-8; a null byte in the name
        raise UsageError(f"{option}: cannot read {file} as UTF-8 text") from None


def _from_stdin(option: str) -> str:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError(f"{option}: stdin is closed")
    try:
        return sys.stdin.read()
    except ValueError:
        raise UsageError(f"{option}: stdin is not UTF-8 text") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"it contains {name}, which JSON does not have")


def _reason(error: Exception, text: str) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    reason = f"{error.msg[:1].lower()}{error.msg[1:]}"
    return f"{reason} (line {error.lineno}, column {error.colno})\n{_pointed(error, text)}"


def _pointed(error: json.JSONDecodeError, text: str) -> str:
    """Return the line of an error with a caret below the place."""
    lines = text.splitlines() or [""]
    line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
    first = max(0, error.colno - 1 - _EXCERPT // 2)
    shown = line[first : first + _EXCERPT]
    shown = "".join(each if each.isprintable() else " " for each in shown)
    start = "…" if first else ""
    return f"  {start}{shown}\n  {' ' * (len(start) + error.colno - 1 - first)}^"


def _file_hint(given: str) -> str:
    try:
        is_file = Path(given).is_file()
    except (OSError, ValueError):
        return ""
    if is_file:
        return f"\ndid you mean the file: @{given}?"
    quoted = given.startswith(("{", "[")) and '"' not in given
    return "\nthe shell may have removed the quotes: put single quotes around it" if quoted else ""
