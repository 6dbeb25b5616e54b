"""A number of bytes for people."""

from __future__ import annotations


def shown_size(size: int) -> str:
    """`0 bytes`, `12.3 kB`, `4.0 MB`."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 999.95:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"
