"""What is wrong with a command line: adds a hint to the message, and shows it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from ..text.suggestions import did_you_mean, near_miss

WRONG_USAGE: type[Exception] = typer.BadParameter.__bases__[0]
"""Typer's own base class of usage errors; Typer does not export it by name."""

_UNKNOWN = re.compile(r"No such command '(?P<name>.*?)'", re.DOTALL)
_VALUE_ERROR = re.compile(r"(?:Value error, )(?P<rest>.*)", re.DOTALL)
_CHOICE = re.compile(r"'(?P<given>.*)' is not one of (?P<choices>'.*')\.?", re.DOTALL)
_SPLIT_JSON = re.compile(r"[\[\]{}\"]")


def explained(message: str, arguments: Sequence[str], commands: Iterable[str]) -> str:
    """Return a usage error's message in plain words, with what to write instead.

    Args:
        message: the message of the command line's parser.
        arguments: the arguments of the command line.
        commands: the names of the commands.
    """
    unknown = _UNKNOWN.search(message)
    if unknown:
        return _unknown_command(unknown["name"], message, arguments, commands)
    if "unexpected extra argument" in message:
        if any(_SPLIT_JSON.search(text) for text in arguments if not text.startswith("-")):
            return (
                f"{message.rstrip('.')}. The shell may have split the JSON: put single quotes "
                "around it, as in --input '[{\"a\": 1}]'"
            )
        return message
    choice = _CHOICE.search(_VALUE_ERROR.sub(r"\g<rest>", message))
    if choice:
        choices = re.findall(r"'([^']*)'", choice["choices"])
        alike = did_you_mean(near_miss(choice["given"], choices))
        return f"'{choice['given']}' is not one of {', '.join(choices)}{alike}"
    return _VALUE_ERROR.sub(r"\g<rest>", message)


def show_usage_error(error: Any) -> None:
    """Show a usage error on stderr, with the command's usage line."""
    context = getattr(error, "ctx", None)
    if context is not None:
        print(context.get_usage(), file=sys.stderr)
        print(f"Try '{context.command_path} --help' for help.", file=sys.stderr)
    print(f"error: {error.format_message()}", file=sys.stderr)


def _unknown_command(
    name: str, message: str, arguments: Sequence[str], commands: Iterable[str]
) -> str:
    known = near_miss(name, commands)
    path = Path(name)
    try:
        is_path = path.exists() or path.with_name(f"{path.name}.py").exists()
    except (OSError, ValueError):
        is_path = False
    if is_path and known is None and list(arguments[:1]) == [name]:
        shown = name if path.exists() else f"{name}.py"
        return f"there is no command '{name}': did you mean hkube-wrapper run {shown}?"
    if known is None:
        return f"there is no command '{name}'; the commands are {', '.join(sorted(commands))}"
    return f"there is no command '{name}'{did_you_mean(known)}"
