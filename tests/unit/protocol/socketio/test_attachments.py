"""The size of an event's attachments is bounded."""

from __future__ import annotations

import pytest

from wrapper.protocol.socketio import attachments
from wrapper.protocol.socketio.attachments import AttachmentError, BinaryEvent


def test_attachments_that_are_too_large_together_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attachments, "MAX_ATTACHED_BYTES", 10)
    event = BinaryEvent(b"{}", 3)
    event.add(b"12345")
    event.add(b"67890")
    with pytest.raises(AttachmentError, match="more than 10 bytes"):
        event.add(b"1")
