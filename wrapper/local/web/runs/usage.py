"""Measures the processor time and the memory of an algorithm's processes while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, final

from ...run.usage import usage_of

_INTERVAL = 0.25  # seconds
_MOST_SAMPLES = 600


class UsageSample(NamedTuple):
    """What the processes used at one time.

    Attributes:
        at: seconds since the run began.
        cores: processor cores in use since the sample before.
        memory: resident bytes of all the processes.
    """

    at: float
    cores: float
    memory: int


@final
class UsageSeries:
    """Samples of one run; of a long run every second one is dropped, again and again."""

    def __init__(self, most: int = _MOST_SAMPLES) -> None:
        self._most = most
        self._every = 1
        self._seen = 0
        self._peak = 0
        self.samples: list[UsageSample] = []

    @property
    def peak(self) -> int:
        """The largest memory of all samples, also of those that were dropped."""
        return self._peak

    def add(self, sample: UsageSample) -> None:
        """Add a sample."""
        self._peak = max(self._peak, sample.memory)
        if self._seen % self._every == 0:
            self.samples = [*self.samples, sample]  # a new list: others may be reading this one
            if len(self.samples) > self._most:
                self.samples = self.samples[::2]
                self._every *= 2
        self._seen += 1


@final
class UsageMeter:
    """A thread that measures a process and all below it, four times a second.

    A context manager. Where there is no /proc, it measures nothing.
    """

    def __init__(self, pid: int, take: Callable[[float, int], None]) -> None:
        """Prepare a meter.

        Args:
            pid: the process.
            take: called with the cores in use and the memory in bytes.
        """
        self._pid = pid
        self._take = take
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)

    def __enter__(self) -> UsageMeter:
        if Path("/proc/self/stat").exists():
            self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        before, used_before = time.monotonic(), usage_of(self._pid).cpu
        while not self._ended.wait(_INTERVAL):
            now, (used, memory) = time.monotonic(), usage_of(self._pid)
            if memory:
                # A process that has ended takes its time with it.
                self._take(max(0.0, used - used_before) / (now - before), memory)
            before, used_before = now, used
