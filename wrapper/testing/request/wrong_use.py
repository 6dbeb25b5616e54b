"""How a test is told that it uses `hkube` wrongly."""

from __future__ import annotations


class WrongUse(TypeError):
    """What a test asks of `hkube` cannot be done; the text says what to do instead."""
