"""The size of an event's attachments is bounded."""

from __future__ import annotations

import json

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


def test_attachment_of_several_pieces_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "_PIECE", 100)
    event = BinaryEvent(b'{"a":{"_placeholder":true,"num":0}}', 1)
    event.add(bytes(range(256)))
    assert json.loads(event.message())["a"] == {"type": "Buffer", "data": list(range(256))}
