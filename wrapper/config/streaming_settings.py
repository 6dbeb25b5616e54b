"""The settings of streaming pipelines."""

from __future__ import annotations

from typing import NamedTuple

from .environment import EnvironmentReader

_MEGABYTE = 1024 * 1024
WHEN_FULL = ("drop", "wait")


class StreamingSettings(NamedTuple):
    """How a node sends messages to other nodes.

    Attributes:
        buffer_bytes: the most that the queue may hold; half of the container's memory is
            another limit.
        statistics_interval: seconds between two reports of statistics to the worker.
        drain_timeout: seconds that a graceful stop waits until all messages are handled.
        when_full: what a full queue does: ``drop`` the oldest message, or let senders ``wait``.
    """

    buffer_bytes: int
    statistics_interval: float
    drain_timeout: float
    when_full: str


def read_streaming(read: EnvironmentReader) -> StreamingSettings:
    """Read the settings of streaming."""
    interval = read.seconds("STREAMING_STATISTICS_INTERVAL", 2.0)
    if interval >= 100:  # HKube's Node.js wrapper takes milliseconds, its Python wrapper seconds
        interval /= 1000
    return StreamingSettings(
        buffer_bytes=read.whole("STREAMING_MAX_BUFFER_MB", 1500) * _MEGABYTE,
        statistics_interval=interval,
        # HKube's worker gives up on a stop after 600 seconds.
        drain_timeout=read.seconds("STREAMING_DRAIN_TIMEOUT", 540.0),
        when_full=read.choice("STREAMING_WHEN_FULL", WHEN_FULL, "drop"),
    )
