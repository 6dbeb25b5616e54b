"""The path to a value within a result, as a user reads it: ``result.items[3]``."""

from __future__ import annotations

from typing import Any


def path_text(keys: list[Any]) -> str:
    """Return the path as a user writes it: a name, and the keys that lead on from it."""
    parts = [str(keys[0]), *map(_step, keys[1:])]
    if len(parts) > 20:
        parts[10:-5] = ["…"]
    return "".join(parts)


def _step(key: Any) -> str:
    if type(key) is str and key.isidentifier() and len(key) <= 80:
        return f".{key}"
    if type(key) is str:
        import json

        text = json.dumps(
            key[:80] + "…" if len(key) > 80 else key, ensure_ascii=not key.isprintable()
        )
        return f"[{text}]"
    return f"[{key_repr(key)}]"


def key_repr(key: Any) -> str:
    """Return a key as Python writes it, shortened."""
    try:
        text = repr(key)
    except Exception:  # the user's own __repr__
        text = f"a {type(key).__name__}"
    return text if len(text) <= 80 else text[:80] + "…"
