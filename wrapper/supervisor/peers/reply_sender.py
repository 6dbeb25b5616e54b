"""Sends long messages through a non-blocking socket, a piece at a time."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator, Sequence

from ...protocol.zmtp.frames import Piece, frame_head

# One call sends at most so much: other connections, and the worker, have their turn after it.
_BYTES_A_TURN = 256 * 1024
_PIECES_A_TURN = 64


class ReplySender:
    """Sends pieces, in order, and takes them from their source only as the socket takes them.

    Nothing is copied or joined.

    Args:
        sock: non-blocking.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._source: Iterator[Piece] = iter(())
        self._pieces: deque[memoryview] = deque()
        self._bytes = 0

    def begin(self, pieces: Iterator[Piece]) -> None:
        """Send these pieces; call it only when everything before has been sent."""
        self._source = pieces

    def go_on(self) -> bool:
        """Send what the socket takes now; return whether everything has been sent.

        Raises:
            OSError: the other side is gone.
        """
        turn = self._next_turn()
        if not turn:
            return True
        try:
            sent = self._socket.sendmsg(turn)
        except (BlockingIOError, InterruptedError):
            return False
        self._drop(sent)
        return not self._next_turn()

    def _next_turn(self) -> list[memoryview]:
        while self._bytes < _BYTES_A_TURN and len(self._pieces) < _PIECES_A_TURN:
            piece = next(self._source, None)
            if piece is None:
                break
            if len(piece):
                self._pieces.append(memoryview(piece))
                self._bytes += len(piece)
        turn = list(self._pieces)
        if self._bytes > _BYTES_A_TURN:  # only the last piece can exceed it
            turn[-1] = turn[-1][: len(turn[-1]) - (self._bytes - _BYTES_A_TURN)]
        return turn

    def _drop(self, sent: int) -> None:
        self._bytes -= sent
        while sent:
            first = self._pieces[0]
            if sent < len(first):
                self._pieces[0] = first[sent:]
                return
            sent -= len(first)
            self._pieces.popleft()


def message_pieces_of(frames: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the bytes of a ZMTP message: the heads and the bodies of its frames.

    Args:
        frames: at least one.
    """
    last = len(frames) - 1
    for number, frame in enumerate(frames):
        yield frame_head(len(frame), more=number < last)
        yield frame
