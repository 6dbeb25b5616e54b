"""Waiting on several sockets at once, to read them and to send what waits for them."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Protocol

from .outbox import Outbox

_READ = 1  # POLLIN
_WRITE = 4  # POLLOUT
_LONGEST_WAIT = 3600.0  # seconds; the kernel's milliseconds end at 24 days


class Pollable(Protocol):
    """Something with a file descriptor to wait on."""

    def fileno(self) -> int: ...


class Poller:
    """Calls back when a source can be read; sends what waits in a source's outbox.

    Level-triggered. A callback may be called once more after its source was forgotten and the
    file descriptor used anew: reading must not block.
    """

    def __init__(self) -> None:
        self._poll = select.poll() if hasattr(select, "poll") else _SelectPoll()
        self._watched: dict[int, _Watched] = {}
        self._is_stale = False  # the kernel may have to be told anew what is waited for

    def watch(
        self, source: Pollable, on_readable: Callable[[], None] | None, outbox: Outbox | None = None
    ) -> None:
        """Wait for this source from now on.

        Args:
            source: what to wait on.
            on_readable: called when there is something to read; None: it is never read.
            outbox: is flushed whenever the source takes bytes.
        """
        fd = source.fileno()
        self._watched[fd] = watched = _Watched(on_readable, outbox)
        self._poll.register(fd, watched.mask)
        if outbox is not None:
            outbox.on_waiting = self._mark_stale
            self._is_stale = True

    def pause(self, source: Pollable, paused: bool) -> None:
        """Read the source no more for now, or again."""
        watched = self._watched.get(source.fileno())
        if watched is not None:
            self._is_stale = True
            watched.reading = 0 if paused or watched.on_readable is None else _READ

    def forget(self, source: Pollable) -> None:
        """Do not wait on it any more; call it before the source is closed."""
        if self._watched.pop(source.fileno(), None) is not None:
            self._poll.unregister(source.fileno())

    def wait(self, timeout: float | None) -> None:
        """Wait at most `timeout` seconds (None: for ever) and deal with what is ready."""
        if self._is_stale:
            self._tell_kernel()
        milliseconds = None
        if timeout is not None:
            # Rounded up: woken a moment too early, the loop would spin until the time has come.
            milliseconds = int(min(timeout, _LONGEST_WAIT) * 1000) + 1 if timeout > 0 else 0
        for fd, mask in self._poll.poll(milliseconds):
            ready = self._watched.get(fd)
            if ready is None:  # forgotten by a callback before this one
                continue
            if mask == _READ and ready.on_readable is not None:  # nearly always
                ready.on_readable()
                continue
            if mask & _WRITE and ready.outbox is not None:
                ready.outbox.try_flush()
            # An error or a hang-up is told by reading.
            if mask & ~_WRITE:
                if ready.on_readable is not None:
                    ready.on_readable()
                else:  # it would wake us for ever
                    del self._watched[fd]
                    self._poll.unregister(fd)

    def _mark_stale(self) -> None:
        self._is_stale = True

    def _tell_kernel(self) -> None:
        """Tell the kernel what is waited for, where that has changed."""
        self._is_stale = False
        for fd, watched in self._watched.items():
            mask = watched.reading
            if watched.outbox is not None and watched.outbox.waiting_bytes:
                mask |= _WRITE
                self._is_stale = True  # it may be empty the next time
            if mask != watched.mask:
                watched.mask = mask
                self._poll.modify(fd, mask)


class _Watched:
    """What is waited for of a source, and what the kernel was told of it."""

    __slots__ = ("mask", "on_readable", "outbox", "reading")

    def __init__(self, on_readable: Callable[[], None] | None, outbox: Outbox | None) -> None:
        self.on_readable = on_readable
        self.outbox = outbox
        self.reading = 0 if on_readable is None else _READ
        self.mask = self.reading


class _SelectPoll:
    """select.poll where there is none (Windows)."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}

    def register(self, fd: int, mask: int) -> None:
        self._masks[fd] = mask

    def modify(self, fd: int, mask: int) -> None:
        self._masks[fd] = mask

    def unregister(self, fd: int) -> None:
        del self._masks[fd]

    def poll(self, milliseconds: int | None) -> list[tuple[int, int]]:
        readers = [fd for fd, mask in self._masks.items() if mask & _READ]
        writers = [fd for fd, mask in self._masks.items() if mask & _WRITE]
        timeout = None if milliseconds is None else milliseconds / 1000
        readable, writable, _ = select.select(readers, writers, [], timeout)
        return [(fd, _READ) for fd in readable] + [(fd, _WRITE) for fd in writable]
