"""Which method of `TaskTransitions` responds to which event in which state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .events import (
    Action,
    AlgorithmDied,
    AnswerReceived,
    CodeChanged,
    ConnectionLost,
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
from .transitions import State
from .transitions import TaskTransitions as On

E = TypeVar("E", bound=Event)
Method = Callable[[On, Any, float], list[Action]]


def _row(
    event: type[E], *methods: Callable[[On, E, float], list[Action]]
) -> tuple[type[Any], dict[State, Method]]:
    return event, dict(zip(State, methods, strict=True))


# fmt: off
TABLE: dict[type[Event], dict[State, Method]] = dict((
    # event                   idle                initializing            ready               running             stopping                   exiting                     exited
    _row(InitializeReceived,  On.begin,           On.replace,             On.begin,           On.replace,         On.queue_task,             On.note_unexpected,         On.drop_late),
    _row(StartReceived,       On.note_unexpected, On.hold_start,          On.start,           On.note_unexpected, On.hold_next_start,        On.note_unexpected,         On.drop_late),
    _row(StopReceived,        On.stop_idle,       On.stop_initializing,   On.stop_idle,       On.stop_running,    On.stop_again,             On.stop_while_exiting,      On.drop_late),
    _row(ExitReceived,        On.exit,            On.exit,                On.exit,            On.exit,            On.exit,                   On.exit_again,              On.drop_late),
    _row(AnswerReceived,      On.drop_late,       On.deliver_answer,      On.deliver_answer,  On.deliver_answer,  On.drop_late,              On.drop_late,               On.drop_late),
    _row(ModuleLoaded,        On.remember_module, On.remember_module,     On.remember_module, On.remember_module, On.remember_module,        On.remember_module,         On.drop_late),
    _row(InitializeCompleted, On.drop_late,       On.complete_initialize, On.drop_late,       On.drop_late,       On.drop_late,              On.drop_late,               On.drop_late),
    _row(FinalMessage,        On.drop_late,       On.finish,              On.finish,          On.finish,          On.drop_late,              On.drop_late,               On.drop_late),
    _row(StopCompleted,       On.drop_late,       On.drop_late,           On.drop_late,       On.drop_late,       On.complete_stop,          On.drop_late,               On.drop_late),
    _row(UserMessage,         On.drop_late,       On.forward,             On.forward,         On.forward,         On.forward_while_stopping, On.drop_late,               On.drop_late),
    _row(AlgorithmDied,       On.crash,           On.crash,               On.crash,           On.crash,           On.die_while_stopping,     On.complete_exit,           On.drop_late),
    _row(ConnectionLost,      On.drop_late,       On.lose_task,           On.lose_task,       On.lose_task,       On.lose_stop,              On.lose_stop,               On.drop_late),
    _row(SigtermReceived,     On.terminate,       On.terminate,           On.terminate,       On.terminate,       On.terminate,              On.terminate_while_exiting, On.drop_late),
    _row(CodeChanged,         On.reload_idle,     On.reload_task,         On.reload_task,     On.reload_task,     On.reload_while_stopping,  On.drop_late,               On.drop_late),
))
# fmt: on
