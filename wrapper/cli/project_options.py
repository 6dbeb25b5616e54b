"""Options that the pyproject.toml of the current folder sets, in `[tool.hkube]`.

A table has the name of its command, and a key that of its option:

    [tool.hkube.run]
    input = ["[1]"]
    timeout = 60
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..text.suggestions import did_you_mean, near_miss
from .json_values import UsageError

FILE = Path("pyproject.toml")
_TABLE = b"tool.hkube"


def has_project_options(file: Path = FILE) -> bool:
    """Return whether the file may set options; this is fast."""
    try:
        return _TABLE in file.read_bytes()
    except OSError:
        return False


def project_options(command: Any, file: Path = FILE) -> dict[str, Any]:
    """Return the options that the file sets, as the command line's `default_map`.

    Args:
        command: the command line, an object of Typer.
        file: the pyproject.toml.

    Raises:
        UsageError: the file is not valid, or sets something that is no option.
    """
    if not has_project_options(file):
        return {}
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {error}") from None
    table = document.get("tool", {}).get("hkube", {})
    return _options(command, table, f"{file}: [tool.hkube]")


def _options(command: Any, table: Any, where: str) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} must be a table")
    commands = getattr(command, "commands", {})
    names = {} if commands else _names(command)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key in commands:
            inner = f"{where.removesuffix(']')}.{key}]"
            found[key] = _options(commands[key], value, inner)
        elif key in names:
            found[names[key].name] = _checked(names[key], value, f"{where}: {key}")
        else:
            kind = "command" if commands else "option"
            alike = did_you_mean(near_miss(key, [*commands, *names]))
            raise UsageError(f"{where}: there is no {kind} '{key}'{alike}")
    return found


def _names(command: Any) -> dict[str, Any]:
    """Return the parameters of a command by the names that the file uses."""
    names = {}
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--") or not option.startswith("-"):
                names[option.removeprefix("--")] = parameter
    names.pop("help", None)
    return names


def _checked(parameter: Any, value: Any, where: str) -> Any:
    """Return a value of the type that an option takes; the parser checks what it means."""
    if getattr(parameter, "is_flag", False):
        if not isinstance(value, bool):
            raise UsageError(f"{where} must be true or false")
        return value
    if parameter.multiple:
        values = value if isinstance(value, list) else [value]
        return [_text(item, where) for item in values]
    return _text(value, where)


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{where} must be text or a number, as on the command line")
    return str(value)
