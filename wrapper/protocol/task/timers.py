"""The timeouts and intervals of a task, and when each is next due."""

from __future__ import annotations

# Seconds. The worker gives up on us after 10 s of silence, or 10 s without `stopped`.
ALIVE_EVERY = 2.0
STOPPING_EVERY = 1.0
INTERRUPT_AFTER = 4.0
KILL_AFTER = 7.0
# After `exit` the worker waits 20 s. After SIGTERM Kubernetes waits 30 s; people wait less.
EXIT_WITHIN = 15.0
TERMINATE_WITHIN = 8.0


class Timers:
    """When each thing is due, in seconds on the caller's clock; None: never."""

    def __init__(self, alive: float | None = None, kill: float | None = None) -> None:
        self.alive = alive
        self.stopping: float | None = None
        self.interrupt: float | None = None
        self.kill = kill

    def earliest(self) -> float | None:
        """Return when the next thing is due."""
        earliest = self.alive
        if self.kill is None and self.stopping is None and self.interrupt is None:
            return earliest  # nearly always
        for at in (self.stopping, self.interrupt, self.kill):
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest
