"""The envelope around a request of a REQ socket, and around the reply to it.

Frames that routed the request on its way come first, then an empty frame; all of them go back with
the reply. Source: https://rfc.zeromq.org/spec/28/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .frames import Piece

EMPTY = b""


class Enveloped(NamedTuple):
    """A request or a reply.

    Attributes:
        envelope: the first frames, with the empty one.
        body: the frames after it; at least one.
    """

    envelope: list[Piece]
    body: list[Piece]


def open_envelope(frames: Sequence[Piece]) -> Enveloped | None:
    """Separate a message from its envelope; None: it has none, or nothing is in it."""
    for number, frame in enumerate(frames[:-1]):
        if not len(frame):
            return Enveloped(list(frames[: number + 1]), list(frames[number + 1 :]))
    return None
