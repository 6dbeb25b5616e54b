"""Returns the first input; unlike `echo`, it has an `initialize`, for which HKube waits."""

from typing import Any


def initialize(args: dict[str, Any]) -> None:
    """Called by HKube before `start`."""


def start(args: dict[str, Any]) -> Any:
    """HKube's entry point."""
    return args["input"][0]
