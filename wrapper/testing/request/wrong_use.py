"""The error for a test that uses `hkube` wrongly."""

from __future__ import annotations


class WrongUse(TypeError):
    """The test uses ``hkube`` wrongly; the message says what to do instead."""
