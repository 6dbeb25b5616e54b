"""One thread that calls functions one after another, at once or later.

An asyncio loop is no replacement: importing asyncio adds about 10 ms to the start of a command, and
its loop has neither a hook that runs after each call nor a clock that a test can set.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

Call = Callable[..., object]

LONGEST_WAIT = 3600.0
"""Seconds; the system limits a single wait, so a longer one is split."""
NEVER = 1e12
"""Seconds; a longer delay, which a pipeline's ttl may be, is shortened to this."""


@dataclass(order=True)
class Timer:
    """A call at a given time, unless it is cancelled first."""

    at: float
    number: int
    call: Call = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Cancel the call; only in the loop's thread."""
        self.cancelled = True


@final
class Loop:
    """Calls functions in one thread, in the order in which they were posted.

    Args:
        after_each: called after each function, to act on everything it changed.
        on_error: called with an exception that a function raises.
        clock: returns the time in seconds.
    """

    def __init__(
        self,
        after_each: Call = lambda: None,
        on_error: Callable[[Exception], object] = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after_each = after_each
        self._on_error = on_error
        self._clock = clock
        self._inbox: queue.SimpleQueue[tuple[Call, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self.run, name="pipelines", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def post(self, call: Call, *arguments: Any) -> None:
        """Call a function soon, in the loop's thread; safe from any thread."""
        self._inbox.put((call, arguments))

    def after(self, seconds: float, call: Call, *arguments: Any) -> Timer:
        """Call a function after a delay; only in the loop's thread."""
        timer = Timer(self._clock() + min(seconds, NEVER), next(self._numbers), call, arguments)
        heapq.heappush(self._timers, timer)
        return timer

    def end(self) -> None:
        """End the loop once everything posted so far has been called, and wait for that."""
        self._inbox.put(None)
        if self._thread.ident not in (None, threading.get_ident()):
            self._thread.join()

    def run(self) -> None:
        """Call what is posted until the loop ends."""
        while True:
            try:
                self._run()
            except Exception as error:  # boundary: a bug in here must not leave anybody waiting
                self._timers.clear()  # only timers can fail here: posted calls are caught in _call
                self._on_error(error)
            else:
                return

    def _run(self) -> None:
        while True:
            try:
                posted = self._inbox.get(timeout=self._next_timer())
            except queue.Empty:
                self._call_timers()
                continue
            if posted is None:
                return
            call, arguments = posted
            self._call(call, *arguments)
            self._call_timers()

    def _next_timer(self) -> float | None:
        """Return the seconds until the next timer, or None without timers."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            return None
        return min(max(0.0, self._timers[0].at - self._clock()), LONGEST_WAIT)

    def _call_timers(self) -> None:
        while self._timers and (self._timers[0].cancelled or self._timers[0].at <= self._clock()):
            timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                self._call(timer.call, *timer.arguments)

    def _call(self, call: Call, *arguments: Any) -> None:
        try:
            call(*arguments)
            self._after_each()
        except Exception as error:  # boundary: one failure must not block the calls after it
            self._on_error(error)
