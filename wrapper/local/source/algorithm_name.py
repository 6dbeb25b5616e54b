"""What HKube takes as the name of an algorithm."""

from __future__ import annotations

import re

MAX_LENGTH = 63
"""Kubernetes labels the algorithm's pods with it."""

# The api-server's rule, but for the backslash, which its pattern lets pass by mistake.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")


def why_not_a_name(name: str) -> str | None:
    """Tell why HKube refuses a name, as the end of a sentence; None: it takes it."""
    if _NAME.fullmatch(name) and len(name) <= MAX_LENGTH:
        return None
    if len(name) > MAX_LENGTH:
        return f"has {len(name)} characters, but HKube takes {MAX_LENGTH} at most"
    suggestion = suggested_name(name)
    hint = f"; how about '{suggestion}'?" if suggestion else ""
    return (
        "is no name that HKube takes: small letters, digits, '-' and '.', two or more, a letter "
        f"or digit first and last{hint}"
    )


def suggested_name(name: str) -> str | None:
    """Make a name that HKube takes of another; None where nothing is left of it."""
    made = re.sub(r"[^a-z0-9.]+", "-", name.lower())[:MAX_LENGTH].strip(".-")
    return made if _NAME.fullmatch(made) else None
