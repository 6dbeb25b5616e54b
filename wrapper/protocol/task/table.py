"""Which event, in which state of a task, is answered by which method of `task.TaskMachine`."""

from __future__ import annotations

from enum import Enum

from .events import (
    Answer,
    Died,
    Ended,
    Event,
    Exit,
    Finished,
    Initialize,
    Initialized,
    Loaded,
    Reload,
    Said,
    Start,
    Stop,
    Terminate,
)


class State(Enum):
    """Where the task is."""

    IDLE = "idle"
    INITIALIZING = "initializing"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    EXITING = "exiting"
    EXITED = "exited"


def _row(*names: str) -> dict[State, str]:
    return dict(zip(State, names, strict=True))


# fmt: off
TABLE: dict[type[Event], dict[State, str]] = {
    # event            idle            initializing          ready           running         stopping             exiting             exited
    Initialize:  _row("_begin",       "_replace",           "_begin",       "_replace",     "_queue_task",       "_unexpected",      "_drop"),
    Start:       _row("_unexpected",  "_hold_start",        "_start",       "_unexpected",  "_hold_next_start",  "_unexpected",      "_drop"),
    Stop:        _row("_stop_idle",   "_stop_initializing", "_stop_idle",   "_stop",        "_stop_again",       "_stop_exiting",    "_drop"),
    Exit:        _row("_exit",        "_exit",              "_exit",        "_exit",        "_exit",             "_exit_sooner",     "_drop"),
    Answer:      _row("_drop",        "_answer",            "_answer",      "_answer",      "_drop",             "_drop",            "_drop"),
    Loaded:      _row("_loaded",      "_loaded",            "_loaded",      "_loaded",      "_loaded",           "_loaded",          "_drop"),
    Initialized: _row("_drop",        "_initialized",       "_drop",        "_drop",        "_drop",             "_drop",            "_drop"),
    Finished:    _row("_drop",        "_finished",          "_finished",    "_finished",    "_drop",             "_drop",            "_drop"),
    Ended:       _row("_drop",        "_drop",              "_drop",        "_drop",        "_ended",            "_drop",            "_drop"),
    Said:        _row("_drop",        "_pass_on",           "_pass_on",     "_pass_on",     "_pass_on_stopping", "_drop",            "_drop"),
    Died:        _row("_crashed",     "_crashed",           "_crashed",     "_crashed",     "_died_stopping",    "_exit_is_done",    "_drop"),
    Terminate:   _row("_terminate",   "_terminate",         "_terminate",   "_terminate",   "_terminate",        "_terminate_exiting", "_drop"),
    Reload:      _row("_reload_idle", "_reload_task",       "_reload_task", "_reload_task", "_reload_stopping",  "_drop",            "_drop"),
}
# fmt: on
