"""One thread that does one thing after the other, also later on."""

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
"""Seconds; a thread cannot wait for any time, but it can wait again."""
NEVER = 1e12
"""Seconds; a time that is over this, as a pipeline's may be, is as good as for ever."""


@dataclass(order=True)
class Timer:
    """Something to be done at a time, unless it is cancelled before."""

    at: float
    number: int
    call: Call = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Do not do it; call this in the loop's thread."""
        self.cancelled = True


@final
class Loop:
    """Calls functions in one thread, in the order they were posted.

    Args:
        after_each: called after each of them, for what depends on all that has changed.
        fault: called with what one of them raises.
        clock: seconds.
    """

    def __init__(
        self,
        after_each: Call = lambda: None,
        fault: Callable[[Exception], object] = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._after_each = after_each
        self._fault = fault
        self._clock = clock
        self._inbox: queue.SimpleQueue[tuple[Call, tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self.run, name="pipelines", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def post(self, call: Call, *arguments: Any) -> None:
        """Have a function called in the loop's thread; safe from any thread."""
        self._inbox.put((call, arguments))

    def after(self, seconds: float, call: Call, *arguments: Any) -> Timer:
        """Have a function called later on; call this in the loop's thread."""
        timer = Timer(self._clock() + min(seconds, NEVER), next(self._numbers), call, arguments)
        heapq.heappush(self._timers, timer)
        return timer

    def end(self) -> None:
        """End the loop after what was posted before, and wait for that."""
        self._inbox.put(None)
        if self._thread.ident not in (None, threading.get_ident()):
            self._thread.join()

    def run(self) -> None:
        """Call what is posted until the end."""
        while True:
            try:
                self._run()
            except Exception as error:  # the border: a fault of its own must leave nobody waiting
                self._timers.clear()  # one of them, for what is posted gets here in no other way
                self._fault(error)
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
        """Seconds to wait for the next timer, or None if there is none."""
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
        except Exception as error:  # the border: one fault must not hang all that is to follow
            self._fault(error)
