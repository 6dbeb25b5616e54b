"""Sends bytes through a non-blocking socket, and keeps what the socket does not take yet."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

# How many pieces go into one system call (the kernel allows 1024, IOV_MAX).
_MAX_PIECES = 64


class ByteStream(Protocol):
    """What the wrapper needs of a socket; a `tls.TlsStream` has it too.

    Non-blocking calls raise BlockingIOError when they cannot continue now.
    """

    def fileno(self) -> int: ...
    def setblocking(self, flag: bool, /) -> None: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def recv_into(self, buffer: memoryview, /) -> int: ...
    def send(self, data: bytes | bytearray | memoryview, /) -> int: ...
    def sendmsg(self, pieces: Sequence[memoryview], /) -> int: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class Outbox:
    """Keeps pieces, in order, until the socket takes them.

    Large pieces are never copied or joined.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._pieces: deque[memoryview] = deque()
        self.is_corked = False
        self.waiting_bytes = 0
        self.lost_bytes = 0  # given to a broken stream, which did not take them
        self.is_broken = False

    def send(self, pieces: Sequence[bytes | bytearray | memoryview]) -> None:
        """Send what the socket takes now, and keep the rest.

        Raises:
            OSError: the other side is gone. Nothing is sent after that: a part of a message may
                have gone out, and what follows would be taken for the rest of it.
        """
        if self.is_broken:
            self.lost_bytes += sum(map(len, pieces))
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if not self._pieces and len(pieces) == 1 and not self.is_corked:
            piece = pieces[0]
            sent = 0
            try:
                sent = self._write_one(piece)
            except OSError:
                self.lost_bytes += len(piece)
                self.discard()
                raise
            if sent < len(piece):
                self._keep(memoryview(piece)[sent:])
            return
        for piece in pieces:
            self._keep(memoryview(piece))
        if not self.is_corked:
            self.flush()

    @contextmanager
    def corked(self) -> Iterator[None]:
        """Send everything together at the end of the block: for a burst of small frames."""
        self.cork()
        try:
            yield
        finally:
            self.uncork()

    def cork(self) -> None:
        """Send nothing for now."""
        self.is_corked = True

    def uncork(self) -> None:
        """Send what was kept, and everything else at once again."""
        self.is_corked = False
        self.try_flush()

    def flush(self) -> None:
        """Send what the socket takes now; after an error everything is dropped.

        Raises:
            OSError: the other side is gone.
        """
        while self._pieces:
            try:
                sent = self._write_many()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.discard()
                raise
            if not sent:
                return
            self.waiting_bytes -= sent
            self._drop_sent(sent)

    def try_flush(self) -> None:
        """Send what the socket takes now; an error is for reading to report."""
        try:
            self.flush()
        except OSError:
            pass

    def discard(self) -> None:
        """Drop what waits, and send nothing more."""
        self._pieces.clear()
        self.lost_bytes += self.waiting_bytes
        self.waiting_bytes = 0
        self.is_broken = True

    def _keep(self, piece: memoryview) -> None:
        if piece.nbytes:
            self._pieces.append(piece)
            self.waiting_bytes += piece.nbytes

    def _write_one(self, piece: bytes | bytearray | memoryview) -> int:
        try:
            return self._stream.send(piece)
        except (BlockingIOError, InterruptedError):
            return 0

    def _write_many(self) -> int:
        if len(self._pieces) == 1:
            return self._stream.send(self._pieces[0])
        return self._stream.sendmsg(list(islice(self._pieces, _MAX_PIECES)))

    def _drop_sent(self, sent: int) -> None:
        while sent:
            first = self._pieces[0]
            if sent < first.nbytes:
                self._pieces[0] = first[sent:]
                return
            sent -= first.nbytes
            self._pieces.popleft()
