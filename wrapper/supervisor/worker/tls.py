"""A TLS socket that raises BlockingIOError as a plain socket does."""

from __future__ import annotations

import ssl
from collections.abc import Sequence


class TlsStream:
    """An `outbox.ByteStream` for wss, which only debug connections use."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._socket = sock

    def fileno(self) -> int:
        return self._socket.fileno()

    def setblocking(self, flag: bool, /) -> None:
        self._socket.setblocking(flag)

    def settimeout(self, seconds: float | None, /) -> None:
        self._socket.settimeout(seconds)

    def recv_into(self, buffer: memoryview, /) -> int:
        try:
            return self._socket.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error
        except ssl.SSLEOFError:
            return 0

    def pending(self) -> int:
        """Return the number of bytes that are decrypted, but not read yet."""
        return self._socket.pending()

    def send(self, data: bytes | bytearray | memoryview, /) -> int:
        try:
            return self._socket.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError from error

    def sendmsg(self, pieces: Sequence[memoryview], /) -> int:
        # TLS makes its own records, so sending several pieces at once saves nothing.
        return self.send(pieces[0])

    def shutdown(self, how: int, /) -> None:
        self._socket.shutdown(how)

    def close(self) -> None:
        self._socket.close()
