"""The life of a task as a state machine: what each event asks for in each state.

`TABLE`, in table.py, is the overview: a row for each event, a column for each state; each cell is
the method of `TaskTransitions` that responds. Nothing here reads a clock, a socket or the
environment: the caller passes the time (seconds, monotonic), performs the actions, and asks
`deadline` when to call `tick`.

Rules that the table keeps (a Hypothesis test checks them):
- A task sends at most one final message, and nothing after it. Each initialize, stop and reset
  increases the generation number, and what carries an older one is dropped: messages to the
  worker carry no task id, so the worker cannot tell.
- `alive` goes out only between `started` and the end of the task. A later one would arm the
  worker's dead-man timer with nobody to reset it.
- Every `stop` is answered by `stopped` within KILL_AFTER seconds, whatever the user's code does.
- The exit code is chosen once.
"""

from __future__ import annotations

from .events import Action, Event
from .table import TABLE
from .transitions import State, TaskTransitions

# Looking up an enum's member runs Python code: too slow for something done for every message.
_RUNNING = State.RUNNING


class TaskMachine(TaskTransitions):
    """The supervisor's state machine.

    Args:
        keep_task: keep the task's messages, so that `CodeChanged` can run it again.
    """

    def handle(self, event: Event, now: float) -> list[Action]:
        """Return what to do about `event`, in this order."""
        return TABLE[type(event)][self.state](self, event, now)

    @property
    def is_running(self) -> bool:
        """Whether the current task's messages and answers can be passed on without an event.

        Nearly every message of a busy task is one of these: checking this is cheaper than an
        event, a look into the table and an action. A test checks that it agrees with the table.
        """
        return self.state is _RUNNING

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: nothing is due."""
        return self._timers.earliest()
