"""A run as a pytest test, and as a command: the step from trying to testing."""

from __future__ import annotations

import pprint
import shlex
from typing import Any

_LONGEST = 20_000


def as_test(path: str, items: list[Any], result: Any, error: str | None) -> str:
    """Return a test that runs the algorithm with the same input and expects the same outcome.

    Args:
        path: the algorithm's path.
        items: the input.
        result: the result; None if it failed.
        error: why it failed; None if it did not.
    """
    given = _python(items)
    if error is not None:
        return (
            f"def test_reports_the_error(hkube):\n"
            f"    outcome = hkube.run({path!r}, input={given})\n"
            f"\n"
            f"    assert {error!r} in outcome.error.message\n"
        )
    return (
        f"def test_gives_the_result(hkube):\n"
        f"    outcome = hkube.run({path!r}, input={given})\n"
        f"\n"
        f"    assert outcome.result == {_python(result)}\n"
    )


def as_command(path: str, input_text: str) -> str:
    """Return the command that runs the algorithm with the same input."""
    return f"hkube-wrapper run {shlex.quote(path)} --input {shlex.quote(input_text)}"


def _python(value: Any) -> str:
    lines = pprint.pformat(value, width=80, sort_dicts=False)
    return lines.replace("\n", "\n    ")
