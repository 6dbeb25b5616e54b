"""Rules for the name of an algorithm in HKube."""

from __future__ import annotations

import re

MAX_LENGTH = 32
"""The limit of HKube's API."""

# The api-server's rule, except for the backslash, which its pattern allows by mistake.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")


def name_problem(name: str) -> str | None:
    """Say why HKube refuses a name, as the end of a sentence; None if the name is valid."""
    if _NAME.fullmatch(name) and len(name) <= MAX_LENGTH:
        return None
    if len(name) > MAX_LENGTH:
        return f"has {len(name)} characters, but HKube allows at most {MAX_LENGTH}"
    suggestion = suggested_name(name)
    hint = f"; how about '{suggestion}'?" if suggestion else ""
    return (
        "is not a valid HKube name: use at least two lowercase letters, digits, '-' and '.', and "
        f"begin and end with a letter or digit{hint}"
    )


def suggested_name(name: str) -> str | None:
    """Turn any text into a valid name; None if no valid character is left."""
    made = re.sub(r"[^a-z0-9.]+", "-", name.lower())[:MAX_LENGTH].strip(".-")
    return made if _NAME.fullmatch(made) else None
