"""Reads environment variables from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from .json_values import UsageError


def read_variables(given: Sequence[str] | None) -> dict[str, str]:
    """Return the variables of `-e KEY=VALUE`.

    Raises:
        UsageError: one is not of that form.
    """
    variables = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals or "\0" in text:
            raise UsageError(f"-e {text}: write KEY=VALUE, for example -e THRESHOLD=0.5")
        variables[name] = value
    return variables
