"""Returns how many inputs it got."""

from typing import Any


def start(args: dict[str, Any]) -> Any:
    """HKube's entry point."""
    return len(args["input"][0])
