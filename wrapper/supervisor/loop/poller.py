"""Waits for several sockets at once: reads them, and sends what waits in their outboxes.

`select.poll` and not `selectors`: that costs 1.4 µs more each time, and a task waits several times.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Protocol

from .outbox import Outbox

_READ = select.POLLIN
_WRITE = select.POLLOUT
_LONGEST_WAIT = 3600.0  # seconds; the kernel counts milliseconds, up to 24 days


class Pollable(Protocol):
    """Something with a file descriptor to wait for."""

    def fileno(self) -> int: ...


class Poller:
    """Calls back when a source can be read, and sends what waits in a source's outbox.

    Level-triggered. A callback may still be called once after its source was forgotten and the
    file descriptor was reused: reading must not block.
    """

    def __init__(self) -> None:
        self._poll = select.poll()
        self._watched: dict[int, _Watched] = {}
        self._senders: list[tuple[_Watched, Outbox]] = []

    def watch(
        self, source: Pollable, on_readable: Callable[[], None] | None, outbox: Outbox | None = None
    ) -> None:
        """Wait for this source from now on.

        Args:
            source: what to wait for.
            on_readable: called when there is something to read; None: the source is never read.
            outbox: flushed whenever the source accepts bytes.
        """
        self._watched[source.fileno()] = watched = _Watched(source.fileno(), on_readable, outbox)
        self._poll.register(watched.fd, watched.mask)
        self._list_senders()

    def pause(self, source: Pollable, paused: bool) -> None:
        """Stop reading the source for now, or read it again."""
        watched = self._watched.get(source.fileno())
        if watched is not None and watched.on_readable is not None:
            self._wait_for(watched, watched.mask & ~_READ if paused else watched.mask | _READ)

    def await_room(self, source: Pollable, on_writable: Callable[[], None] | None) -> None:
        """Call back whenever the source accepts bytes; None: no longer.

        This is for many sources that rarely have anything to send: unlike an outbox, a source that
        has nothing to send costs nothing.
        """
        watched = self._watched.get(source.fileno())
        if watched is not None:
            watched.on_writable = on_writable
            mask = watched.mask & ~_WRITE if on_writable is None else watched.mask | _WRITE
            self._wait_for(watched, mask)

    def forget(self, source: Pollable) -> None:
        """Stop waiting for the source; call this before it is closed."""
        if source.fileno() in self._watched:
            self._drop(source.fileno())

    def wait(self, timeout: float | None) -> None:
        """Wait for at most `timeout` seconds (None: no limit) and handle what is ready."""
        for sender, outbox in self._senders:
            if (outbox.waiting_bytes > 0) is not (sender.mask & _WRITE > 0):
                self._wait_for(sender, sender.mask ^ _WRITE)
        milliseconds = None
        if timeout is not None:
            # Rounded up: waking a moment too early, the loop would spin until the time comes.
            milliseconds = int(min(timeout, _LONGEST_WAIT) * 1000) + 1 if timeout > 0 else 0
        for fd, mask in self._poll.poll(milliseconds):
            ready = self._watched.get(fd)
            if ready is None:  # a previous callback has forgotten it
                continue
            if mask == _READ and ready.on_readable is not None:  # nearly always
                ready.on_readable()
                continue
            if mask & _WRITE and ready.on_writable is not None:
                ready.on_writable()
                if self._watched.get(fd) is not ready:
                    continue
            elif mask & _WRITE and ready.outbox is not None:
                ready.outbox.try_flush()
            # Reading also reports errors and hang-ups.
            if mask & ~_WRITE:
                if ready.on_readable is not None:
                    ready.on_readable()
                else:  # otherwise it would wake the loop for ever
                    self._drop(fd)

    def _wait_for(self, watched: _Watched, mask: int) -> None:
        if mask != watched.mask:
            watched.mask = mask
            self._poll.modify(watched.fd, mask)

    def _drop(self, fd: int) -> None:
        del self._watched[fd]
        self._poll.unregister(fd)
        self._list_senders()

    def _list_senders(self) -> None:
        self._senders = [
            (each, each.outbox) for each in self._watched.values() if each.outbox is not None
        ]


class _Watched:
    """A source, and what the kernel was asked to wait for."""

    __slots__ = ("fd", "mask", "on_readable", "on_writable", "outbox")

    def __init__(
        self, fd: int, on_readable: Callable[[], None] | None, outbox: Outbox | None
    ) -> None:
        self.fd = fd
        self.on_readable = on_readable
        self.outbox = outbox
        self.on_writable: Callable[[], None] | None = None
        self.mask = 0 if on_readable is None else _READ
