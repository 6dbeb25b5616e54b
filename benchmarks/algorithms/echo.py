"""Return the first input."""

from typing import Any


def start(args: dict[str, Any]) -> Any:
    """HKube's entry point."""
    return args["input"][0]
