"""Which event, in which state of a task, is answered by which method of `task.TaskMachine`."""

from __future__ import annotations

from enum import Enum

from .events import (
    AlgorithmDied,
    AnswerReceived,
    CodeChanged,
    Event,
    ExitReceived,
    FinalMessage,
    InitializeCompleted,
    InitializeReceived,
    ModuleLoaded,
    SigtermReceived,
    StartReceived,
    StopCompleted,
    StopReceived,
    UserMessage,
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
    InitializeReceived:  _row("_begin",       "_replace",           "_begin",       "_replace",     "_queue_task",       "_unexpected",      "_drop"),
    StartReceived:       _row("_unexpected",  "_hold_start",        "_start",       "_unexpected",  "_hold_next_start",  "_unexpected",      "_drop"),
    StopReceived:        _row("_stop_idle",   "_stop_initializing", "_stop_idle",   "_stop",        "_stop_again",       "_stop_exiting",    "_drop"),
    ExitReceived:        _row("_exit",        "_exit",              "_exit",        "_exit",        "_exit",             "_exit_sooner",     "_drop"),
    AnswerReceived:      _row("_drop",        "_answer",            "_answer",      "_answer",      "_drop",             "_drop",            "_drop"),
    ModuleLoaded:      _row("_loaded",      "_loaded",            "_loaded",      "_loaded",      "_loaded",           "_loaded",          "_drop"),
    InitializeCompleted: _row("_drop",        "_initialized",       "_drop",        "_drop",        "_drop",             "_drop",            "_drop"),
    FinalMessage:    _row("_drop",        "_finished",          "_finished",    "_finished",    "_drop",             "_drop",            "_drop"),
    StopCompleted:       _row("_drop",        "_drop",              "_drop",        "_drop",        "_ended",            "_drop",            "_drop"),
    UserMessage:        _row("_drop",        "_pass_on",           "_pass_on",     "_pass_on",     "_pass_on_stopping", "_drop",            "_drop"),
    AlgorithmDied:        _row("_crashed",     "_crashed",           "_crashed",     "_crashed",     "_died_stopping",    "_exit_is_done",    "_drop"),
    SigtermReceived:   _row("_terminate",   "_terminate",         "_terminate",   "_terminate",   "_terminate",        "_terminate_exiting", "_drop"),
    CodeChanged:      _row("_reload_idle", "_reload_task",       "_reload_task", "_reload_task", "_reload_stopping",  "_drop",            "_drop"),
}
# fmt: on
