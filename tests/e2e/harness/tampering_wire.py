"""A TCP relay in front of a worker, which damages what it carries."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Literal

Damage = Literal["change a byte", "reset"]

_PATIENCE = 15.0  # seconds
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class TamperingWire:
    """Relays connections to a port of 127.0.0.1; a context manager.

    Args:
        piece: the most bytes that are passed on at a time.

    Attributes:
        port: where it listens.
        damaged: set once the damage is done.
    """

    def __init__(self, piece: int = 65_536) -> None:
        self._piece = piece
        self._worker_port = 0
        self._is_led = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._damage: Damage | None = None
        self._upstream = False
        self._after = 0
        self.damaged = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> TamperingWire:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # `shutdown` wakes the thread that waits in `accept`; `close` alone does not.
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def lead_to(self, port: int) -> None:
        """Say where the worker listens; connections wait until then."""
        self._worker_port = port
        self._is_led.set()

    def damage_once(self, damage: Damage, upstream: bool, after: int) -> None:
        """Damage the traffic once.

        Args:
            damage: what to do.
            upstream: in what the wrapper sends; else in what the worker sends.
            after: that many more bytes pass unharmed.
        """
        with self._lock:
            self._damage, self._upstream, self._after = damage, upstream, after
            self.damaged.clear()

    def _accept(self) -> None:
        while True:
            try:
                wrapper, _ = self._listener.accept()
                self._is_led.wait(_PATIENCE)
                worker = socket.create_connection(("127.0.0.1", self._worker_port))
            except OSError:
                return
            self._sockets += [wrapper, worker]
            for source, target, upstream in ((wrapper, worker, True), (worker, wrapper, False)):
                relaying = threading.Thread(
                    target=self._relay, args=(source, target, upstream), daemon=True
                )
                relaying.start()

    def _relay(self, source: socket.socket, target: socket.socket, upstream: bool) -> None:
        with contextlib.suppress(OSError):
            while data := bytearray(source.recv(self._piece)):
                if self._is_due(upstream, len(data)):
                    if self._damage == "reset":
                        source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        source.close()
                        self._finish_damage()
                        break
                    data[len(data) // 2] ^= 0xFF
                    self._finish_damage()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _is_due(self, upstream: bool, size: int) -> bool:
        with self._lock:
            if self._damage is None or self._upstream is not upstream:
                return False
            self._after -= size
            return self._after < 0

    def _finish_damage(self) -> None:
        with self._lock:
            self._damage = None
        self.damaged.set()
