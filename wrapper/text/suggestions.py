"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable


def near_miss(word: str, options: Iterable[str], likeness: float = 0.6) -> str | None:
    """Find the option that a user most likely meant.

    Args:
        likeness: how alike they must be, from 0 to 1; letters' case does not count.
    """
    by_lower = {option.lower(): option for option in options if option != word}
    if word.lower() in by_lower:
        return by_lower[word.lower()]
    from difflib import get_close_matches  # only once something went wrong

    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=likeness)
    return by_lower[found[0]] if found else None


def did_you_mean(option: str | None) -> str:
    """``: did you mean 'start'?``, or nothing."""
    return f": did you mean '{option}'?" if option else ""
