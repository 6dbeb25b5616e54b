"""Follows a build or a job on the cluster until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar, final

from ..show.screen import Screen
from .api import ENDED, BuildState, ClusterApi, JobState

PATIENCE = 120.0
"""Seconds that a cluster may be away, as during an update, while something is followed."""
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.5, 3.0, 1.2

_State = TypeVar("_State", BuildState, JobState)


@final
class ClusterProgress:
    """Shows how far something on the cluster is: a live line, or a line for each change."""

    def __init__(self, screen: Screen) -> None:
        """Prepare the view; nothing is shown yet."""
        self._screen = screen
        self._shown = ""

    def say(self, text: str, style: str = "dim") -> None:
        """Show a line that stays; what is printed next comes after it."""
        self._screen.line("\n".join(f"[cluster] {line}" for line in text.split("\n")), style)
        self._screen.flush()

    def now(self, text: str, percent: float | None = None) -> None:
        """Show what happens now.

        Args:
            text: one line.
            percent: 0 to 100; None if it is not known.
        """
        self._screen.bar(text, percent)
        if not self._screen.has_bar and text != self._shown:
            self.say(text)
        self._shown = text

    def end(self) -> None:
        """Remove the live line; what is printed next takes its place."""
        self._screen.no_bar()
        self._screen.flush()
        self._shown = ""


def follow_build(
    api: ClusterApi,
    build_id: str,
    progress: ClusterProgress,
    pause: Callable[[float], None] = time.sleep,
) -> BuildState:
    """Wait until a build has ended, and show how far it is.

    Raises:
        ClusterError: the cluster knows no such build, or is away for too long.
    """
    return _follow(
        lambda: api.build_state(build_id, PATIENCE),
        lambda state: progress.now(f"build {build_id}: {state.status}", state.percent),
        pause,
    )


def follow_job(
    api: ClusterApi,
    job_id: str,
    progress: ClusterProgress,
    pause: Callable[[float], None] = time.sleep,
) -> JobState:
    """Wait until a job has ended, and show how far it is.

    Raises:
        ClusterError: the cluster knows no such job, or is away for too long.
    """

    def show(state: JobState) -> None:
        details = f" · {' '.join(state.details.split())}" if state.details else ""
        progress.now(f"job {job_id}: {state.status}{details}", state.percent)

    return _follow(lambda: api.job_state(job_id, PATIENCE), show, pause)


def _follow(
    ask: Callable[[], _State], show: Callable[[_State], None], pause: Callable[[float], None]
) -> _State:
    for seconds in _pauses():
        state = ask()
        if state.status in ENDED:
            return state
        show(state)
        pause(seconds)
    raise AssertionError("unreachable")


def _pauses() -> Iterator[float]:
    """Yield growing pauses: a short job is answered at once, a long one costs few requests."""
    seconds = _FIRST_PAUSE
    while True:
        yield seconds
        seconds = min(_LONGEST_PAUSE, seconds * _GROWTH)
