"""Suggestions for mistyped words: "did you mean …?"."""

from __future__ import annotations

from collections.abc import Iterable


def near_miss(word: str, options: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the option that a user most likely meant.

    Args:
        likeness: how similar it must be, from 0 to 1; case is ignored.
    """
    by_lower = {option.lower(): option for option in options if option != word}
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    from difflib import get_close_matches  # slow to import, and needed only after a mistake

    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def did_you_mean(option: str | None) -> str:
    """Return ``: did you mean 'start'?``, or nothing without an option."""
    return f": did you mean '{option}'?" if option else ""
