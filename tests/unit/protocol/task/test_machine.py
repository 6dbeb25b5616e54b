"""The state machine: the cells of its table, its timers, and its rules under any history."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wrapper.ipc.frames import FrameKind
from wrapper.protocol.task import events as ev
from wrapper.protocol.task.machine import TaskMachine
from wrapper.protocol.task.table import TABLE
from wrapper.protocol.task.timers import (
    ALIVE_EVERY,
    EXIT_WITHIN,
    INTERRUPT_AFTER,
    KILL_AFTER,
    STOPPING_EVERY,
    TERMINATE_WITHIN,
)
from wrapper.protocol.task.transitions import State


def sent(actions: Iterable[ev.Action]) -> list[str]:
    return [action.command for action in actions if isinstance(action, ev.Send)]


def delivered(actions: Iterable[ev.Action]) -> list[FrameKind]:
    return [FrameKind(action.kind) for action in actions if isinstance(action, ev.Deliver)]


def of(kind: type, actions: Iterable[ev.Action]) -> list[ev.Action]:
    return [action for action in actions if isinstance(action, kind)]


def machine_in(state: State, has_stop: bool = False, keep_task: bool = False) -> TaskMachine:
    """Return a machine in `state` at time 0, brought there by events."""
    machine = TaskMachine(keep_task)
    machine.handle(ev.ModuleLoaded(has_stop, True), 0.0)
    if state is State.IDLE:
        return machine
    if state is State.EXITING:
        machine.handle(ev.ExitReceived(3, b"exit"), 0.0)
        return machine
    if state is State.EXITED:
        machine.handle(ev.AlgorithmDied(7), 0.0)
        return machine
    machine.handle(ev.InitializeReceived(b"init"), 0.0)
    if state is State.INITIALIZING:
        return machine
    machine.handle(ev.InitializeCompleted(machine.generation), 0.0)
    if state is State.READY:
        return machine
    machine.handle(ev.StartReceived(b"start"), 0.0)
    if state is State.STOPPING:
        machine.handle(ev.StopReceived(b"stop"), 0.0)
    assert machine.state is state
    return machine


class TestTable:
    def test_every_event_has_a_cell_for_every_state(self) -> None:
        for event, row in TABLE.items():
            assert set(row) == set(State), event
            assert all(map(callable, row.values()))
        assert set(TABLE) == set(ev.Event.__args__)

    @pytest.mark.parametrize("state", list(State))
    def test_every_event_is_ignored_once_exited(self, state: State) -> None:
        machine = machine_in(State.EXITED)
        for event in some_events(machine.generation):
            assert machine.handle(event, 1.0) == []
            assert machine.state is State.EXITED


def some_events(generation: int) -> list[ev.Event]:
    return [
        ev.InitializeReceived(b"i"),
        ev.StartReceived(b"s"),
        ev.StopReceived(b"p"),
        ev.ExitReceived(0, b"e"),
        ev.AnswerReceived(b"a"),
        ev.ModuleLoaded(True, True),
        ev.InitializeCompleted(generation),
        ev.FinalMessage(generation, b"f"),
        ev.StopCompleted(generation),
        ev.UserMessage(generation, b"x"),
        ev.AlgorithmDied(1),
        ev.ConnectionLost(worker_waits=False),
        ev.SigtermReceived(),
        ev.CodeChanged(),
    ]


class TestTask:
    def test_task_from_initialize_to_done(self) -> None:
        machine = TaskMachine()
        actions = machine.handle(ev.InitializeReceived(b"init"), 0.0)
        assert actions == [ev.DropKeptMessages(), ev.Deliver(FrameKind.INITIALIZE, 1, b"init")]
        assert sent(machine.handle(ev.InitializeCompleted(1), 0.1)) == ["initialized"]
        actions = machine.handle(ev.StartReceived(b"start"), 0.2)
        assert actions == [ev.Deliver(FrameKind.START, 1, b"start"), ev.Send("started")]
        assert machine.handle(ev.FinalMessage(1, b"done"), 0.3) == [ev.Forward(b"done", final=True)]
        assert machine.state is State.IDLE
        assert machine.deadline() is None

    def test_without_initialize_function_the_task_is_delivered_whole(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.ModuleLoaded(False, False), 0.0)
        actions = machine.handle(ev.InitializeReceived(b"init"), 0.0)
        assert actions == [ev.DropKeptMessages(), ev.Send("initialized")]
        actions = machine.handle(ev.StartReceived(b"start"), 0.2)
        assert actions == [
            ev.Deliver(FrameKind.TASK, machine.generation, b"init"),
            ev.Send("started"),
        ]
        assert machine.state is State.RUNNING

    def test_final_message_before_delivery_is_dropped(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.ModuleLoaded(False, False), 0.0)
        machine.handle(ev.InitializeReceived(b"init"), 0.0)
        assert machine.handle(ev.FinalMessage(machine.generation, b"done"), 0.1) == []
        assert machine.state is State.READY

    def test_whole_task_begins_after_the_stop_that_it_waited_for(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.ModuleLoaded(False, False), 0.0)
        for event in (
            ev.InitializeReceived(b"old"),
            ev.StartReceived(b"s"),
            ev.InitializeReceived(b"new"),
            ev.StartReceived(b"s"),
        ):
            machine.handle(event, 0.0)
        actions = machine.handle(ev.StopCompleted(machine.generation), 1.0)
        assert sent(actions) == ["initialized", "started"]
        assert of(ev.Deliver, actions) == [ev.Deliver(FrameKind.TASK, machine.generation, b"new")]

    def test_start_before_initialized_waits_for_it(self) -> None:
        machine = machine_in(State.INITIALIZING)
        assert machine.handle(ev.StartReceived(b"start"), 0.0) == []
        actions = machine.handle(ev.InitializeCompleted(machine.generation), 1.0)
        assert sent(actions) == ["initialized", "started"]
        assert delivered(actions) == [FrameKind.START]
        assert machine.state is State.RUNNING

    @pytest.mark.parametrize("state", [State.INITIALIZING, State.READY, State.RUNNING])
    def test_error_ends_the_task_in_any_state(self, state: State) -> None:
        machine = machine_in(state)
        actions = machine.handle(ev.FinalMessage(machine.generation, b"error"), 1.0)
        assert actions == [ev.Forward(b"error", final=True)]
        assert machine.state is State.IDLE

    def test_events_of_an_older_task_are_dropped(self) -> None:
        machine = machine_in(State.RUNNING)
        old = machine.generation
        machine.handle(ev.FinalMessage(old, b"done"), 1.0)
        machine.handle(ev.InitializeReceived(b"next"), 1.0)
        for event in (
            ev.InitializeCompleted(old),
            ev.FinalMessage(old, b"late"),
            ev.UserMessage(old, b"late"),
        ):
            assert machine.handle(event, 1.0) == []
        assert machine.state is State.INITIALIZING

    def test_user_message_is_forwarded_only_during_its_task(self) -> None:
        machine = machine_in(State.RUNNING)
        generation = machine.generation
        assert machine.handle(ev.UserMessage(generation, b"x"), 0.0) == [
            ev.Forward(b"x", final=False)
        ]
        machine.handle(ev.FinalMessage(generation, b"done"), 1.0)
        assert machine.handle(ev.UserMessage(generation, b"x"), 1.0) == []

    @pytest.mark.parametrize("state", list(State))
    @pytest.mark.parametrize("age", [0, 1])
    def test_is_running_agrees_with_the_table(self, state: State, age: int) -> None:
        machine = machine_in(state)
        generation = machine.generation - age
        is_current = machine.is_running and generation == machine.generation
        if is_current:
            assert machine.handle(ev.UserMessage(generation, b"x"), 0.0) == [
                ev.Forward(b"x", final=False)
            ]
            answered = machine.handle(ev.AnswerReceived(b"a"), 0.0)
            assert answered == [ev.Deliver(FrameKind.ANSWER, generation, b"a")]
        assert is_current == (state is State.RUNNING and age == 0)

    def test_answer_is_delivered_only_to_its_task(self) -> None:
        machine = machine_in(State.RUNNING)
        assert delivered(machine.handle(ev.AnswerReceived(b"a"), 0.0)) == [FrameKind.ANSWER]
        machine.handle(ev.FinalMessage(machine.generation, b"done"), 1.0)
        assert machine.handle(ev.AnswerReceived(b"a"), 1.0) == []

    def test_start_without_a_task_is_ignored(self) -> None:
        machine = machine_in(State.IDLE)
        assert of(ev.Note, machine.handle(ev.StartReceived(b"s"), 0.0))
        assert machine.state is State.IDLE

    def test_a_new_task_ends_the_old_one_first_and_says_no_word_of_it(self) -> None:
        machine = machine_in(State.RUNNING)
        old = machine.generation
        actions = machine.handle(ev.InitializeReceived(b"new"), 1.0)
        assert delivered(actions) == [FrameKind.STOP, FrameKind.INTERRUPT]
        assert sent(actions) == []
        assert machine.handle(ev.StartReceived(b"new start"), 1.0) == []
        assert machine.handle(ev.UserMessage(old, b"late"), 1.0) == []
        actions = machine.handle(ev.StopCompleted(machine.generation), 2.0)
        assert actions[-1] == ev.Deliver(FrameKind.INITIALIZE, machine.generation, b"new")
        assert sent(actions) == []
        actions = machine.handle(ev.InitializeCompleted(machine.generation), 2.0)
        assert sent(actions) == ["initialized", "started"]

    def test_the_newest_of_several_waiting_tasks_counts(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.InitializeReceived(b"second"), 1.0)
        machine.handle(ev.StartReceived(b"second"), 1.0)
        machine.handle(ev.InitializeReceived(b"third"), 1.0)
        actions = machine.handle(ev.StopCompleted(machine.generation), 2.0)
        assert of(ev.Deliver, actions) == [
            ev.Deliver(FrameKind.INITIALIZE, machine.generation, b"third")
        ]
        assert sent(machine.handle(ev.InitializeCompleted(machine.generation), 2.0)) == [
            "initialized"
        ]

    def test_a_new_task_while_importing_needs_no_ladder(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.InitializeReceived(b"first"), 0.0)
        actions = machine.handle(ev.InitializeReceived(b"second"), 1.0)
        assert delivered(actions) == [FrameKind.INITIALIZE]
        assert machine.state is State.INITIALIZING


class TestAlive:
    def test_alive_is_sent_only_while_the_task_runs(self) -> None:
        machine = machine_in(State.RUNNING)
        assert machine.deadline() == ALIVE_EVERY
        assert sent(machine.tick(ALIVE_EVERY)) == ["alive"]
        assert machine.deadline() == 2 * ALIVE_EVERY
        machine.handle(ev.FinalMessage(machine.generation, b"done"), 3.0)
        assert machine.tick(1000.0) == []

    @pytest.mark.parametrize("state", [State.IDLE, State.INITIALIZING, State.READY])
    def test_alive_is_not_sent_before_started(self, state: State) -> None:
        assert machine_in(state).tick(1000.0) == []

    def test_alive_continues_while_the_task_is_being_stopped(self) -> None:
        machine = machine_in(State.STOPPING, has_stop=True)
        assert "alive" in sent(machine.tick(ALIVE_EVERY))


class TestStop:
    @pytest.mark.parametrize("state", [State.IDLE, State.READY])
    def test_without_stop_function_a_stop_is_answered_at_once(self, state: State) -> None:
        machine = machine_in(state)
        assert sent(machine.handle(ev.StopReceived(b""), 0.0)) == ["stopped"]
        assert machine.state is State.IDLE

    @pytest.mark.parametrize("state", [State.IDLE, State.READY, State.INITIALIZING, State.RUNNING])
    def test_stop_is_answered_after_the_users_stop_function(self, state: State) -> None:
        machine = machine_in(state, has_stop=True)
        actions = machine.handle(ev.StopReceived(b"data"), 0.0)
        assert actions == [ev.Deliver(FrameKind.STOP, machine.generation, b"data")]
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 1.0)) == ["stopped"]
        assert machine.state is State.IDLE

    def test_stop_ladder_with_a_stop_function(self) -> None:
        machine = machine_in(State.RUNNING, has_stop=True)
        machine.handle(ev.StopReceived(b""), 0.0)
        assert delivered(machine.tick(INTERRUPT_AFTER - 0.01)) == []
        assert delivered(machine.tick(INTERRUPT_AFTER)) == [FrameKind.INTERRUPT]
        actions = machine.tick(KILL_AFTER)
        (kill,) = of(ev.KillAlgorithm, actions)
        assert isinstance(kill, ev.KillAlgorithm)
        assert kill.stuck
        assert kill.respawn
        assert sent(actions)[-1] == "stopped"
        assert machine.state is State.IDLE

    def test_without_stop_function_the_task_is_interrupted_at_once_and_only_once(self) -> None:
        machine = machine_in(State.RUNNING)
        actions = machine.handle(ev.StopReceived(b""), 0.0)
        assert delivered(actions) == [FrameKind.STOP, FrameKind.INTERRUPT]
        assert delivered(machine.tick(INTERRUPT_AFTER)) == []

    def test_drain_of_a_streaming_node_leaves_time_without_a_stop_function(self) -> None:
        machine = machine_in(State.RUNNING)
        actions = machine.handle(ev.StopReceived(b"", is_drain=True), 0.0)
        assert delivered(actions) == [FrameKind.STOP]
        assert delivered(machine.tick(INTERRUPT_AFTER)) == [FrameKind.INTERRUPT]

    def test_stopping_is_sent_each_second(self) -> None:
        machine = machine_in(State.STOPPING, has_stop=True)
        assert sent(machine.tick(STOPPING_EVERY)) == ["stopping"]
        assert "stopping" in sent(machine.tick(2 * STOPPING_EVERY))

    def test_result_that_crosses_the_stop_is_dropped_and_stopped_is_sent(self) -> None:
        machine = machine_in(State.RUNNING)
        generation = machine.generation
        machine.handle(ev.StopReceived(b""), 0.0)
        assert machine.handle(ev.FinalMessage(generation, b"done"), 0.0) == []
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 0.1)) == ["stopped"]

    def test_stop_that_crosses_the_result_is_answered(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.FinalMessage(machine.generation, b"done"), 0.0)
        assert sent(machine.handle(ev.StopReceived(b""), 0.0)) == ["stopped"]

    def test_two_stops_get_one_answer(self) -> None:
        machine = machine_in(State.STOPPING)
        assert sent(machine.handle(ev.StopReceived(b""), 0.5)) == []
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 1.0)) == ["stopped"]
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 1.0)) == []

    def test_stop_while_importing_does_not_end_the_import(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.InitializeReceived(b"i"), 0.0)
        actions = machine.handle(ev.StopReceived(b""), 1.0)
        assert sent(actions) == ["stopped"]
        assert of(ev.KillAlgorithm, actions) == []
        assert machine.deadline() is None

    def test_messages_of_the_stopped_task_are_forwarded(self) -> None:
        machine = machine_in(State.RUNNING)
        generation = machine.generation
        machine.handle(ev.StopReceived(b""), 0.0)
        assert machine.handle(ev.UserMessage(generation, b"x"), 0.1) == [
            ev.Forward(b"x", final=False)
        ]
        assert machine.handle(ev.UserMessage(generation - 1, b"x"), 0.1) == []

    def test_stop_also_cancels_a_waiting_task(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.InitializeReceived(b"new"), 0.0)
        machine.handle(ev.StopReceived(b""), 0.5)
        actions = machine.handle(ev.StopCompleted(machine.generation), 1.0)
        assert sent(actions) == ["stopped"]
        assert delivered(actions) == []
        assert machine.state is State.IDLE

    def test_process_dies_while_stopping(self) -> None:
        machine = machine_in(State.STOPPING)
        actions = machine.handle(ev.AlgorithmDied(1), 1.0)
        assert of(ev.KillAlgorithm, actions)
        assert of(ev.ExitContainer, actions) == []
        assert sent(actions) == ["stopped"]


class TestCrash:
    @pytest.mark.parametrize("state", [State.IDLE, State.INITIALIZING, State.READY, State.RUNNING])
    def test_crash_ends_the_container_and_sends_nothing(self, state: State) -> None:
        machine = machine_in(state)
        assert machine.handle(ev.AlgorithmDied(139), 1.0) == [ev.ExitContainer(139, crashed=True)]
        assert machine.state is State.EXITED

    def test_crash_with_status_0_is_not_success(self) -> None:
        machine = machine_in(State.RUNNING)
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [ev.ExitContainer(1, crashed=True)]


class TestExit:
    def test_container_exits_after_the_users_exit_function(self) -> None:
        machine = machine_in(State.IDLE)
        assert delivered(machine.handle(ev.ExitReceived(5, b"e"), 0.0)) == [FrameKind.EXIT]
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [ev.ExitContainer(5)]

    def test_exit_interrupts_a_long_import(self) -> None:
        machine = TaskMachine()
        assert delivered(machine.handle(ev.ExitReceived(5, b"e"), 0.0)) == [FrameKind.EXIT]
        assert delivered(machine.tick(INTERRUPT_AFTER)) == [FrameKind.INTERRUPT]

    def test_stuck_process_is_killed(self) -> None:
        machine = machine_in(State.RUNNING)
        assert delivered(machine.handle(ev.ExitReceived(5, b"e"), 0.0)) == [
            FrameKind.EXIT,
            FrameKind.INTERRUPT,
        ]
        actions = machine.tick(EXIT_WITHIN)
        assert of(ev.KillAlgorithm, actions)
        assert actions[-1] == ev.ExitContainer(5)

    @pytest.mark.parametrize("state", [State.IDLE, State.INITIALIZING, State.READY, State.RUNNING])
    def test_sigterm_ends_a_task_without_a_final_message(self, state: State) -> None:
        """The worker would take `stopped` as success, and a crash is what it retries."""
        machine = machine_in(state)
        generation = machine.generation
        machine.handle(ev.SigtermReceived(), 0.0)
        assert machine.handle(ev.FinalMessage(generation, b"done"), 0.5) == []
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [ev.ExitContainer(143)]

    def test_sigterm_after_a_stop_still_answers_it(self) -> None:
        machine = machine_in(State.STOPPING)
        machine.handle(ev.SigtermReceived(), 0.0)
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [
            ev.Send("stopped"),
            ev.ExitContainer(143),
        ]

    def test_sigterm_while_a_new_task_replaces_the_old_one_sends_nothing(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.InitializeReceived(b"new"), 0.0)
        machine.handle(ev.SigtermReceived(), 0.1)
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [ev.ExitContainer(143)]

    def test_sigterm_kills_a_stuck_process(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.SigtermReceived(), 0.0)
        actions = machine.tick(TERMINATE_WITHIN)
        assert of(ev.KillAlgorithm, actions)
        assert actions[-1] == ev.ExitContainer(143)

    def test_second_sigterm_ends_at_once(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.SigtermReceived(), 0.0)
        assert machine.handle(ev.SigtermReceived(), 0.1)[-1] == ev.ExitContainer(143)

    def test_sigterm_after_exit_shortens_the_wait_and_keeps_the_code(self) -> None:
        machine = machine_in(State.EXITING)
        assert machine.handle(ev.SigtermReceived(), 1.0) == []
        assert machine.deadline() == 1.0 + TERMINATE_WITHIN
        assert machine.tick(1.0 + TERMINATE_WITHIN)[-1] == ev.ExitContainer(3)

    def test_stop_while_exiting_is_answered(self) -> None:
        machine = machine_in(State.EXITING)
        assert sent(machine.handle(ev.StopReceived(b""), 0.1)) == ["stopped"]
        assert machine.handle(ev.AlgorithmDied(0), 1.0) == [ev.ExitContainer(3)]


class TestConnectionLost:
    @pytest.mark.parametrize("state", [State.INITIALIZING, State.RUNNING])
    def test_task_is_stopped_and_the_next_worker_receives_nothing_of_it(self, state: State) -> None:
        machine = machine_in(state)
        generation = machine.generation
        actions = machine.handle(ev.ConnectionLost(worker_waits=False), 1.0)
        assert delivered(actions) == [FrameKind.STOP, FrameKind.INTERRUPT]
        assert machine.handle(ev.FinalMessage(generation, b"done"), 1.1) == []
        assert machine.handle(ev.UserMessage(generation, b"x"), 1.1) == []
        assert sent(machine.tick(1.0 + KILL_AFTER - 0.1)) == []
        assert machine.handle(ev.StopCompleted(machine.generation), 2.0) == []
        assert machine.state is State.IDLE

    def test_initialized_task_is_dropped(self) -> None:
        machine = machine_in(State.READY)
        actions = machine.handle(ev.ConnectionLost(worker_waits=False), 1.0)
        assert delivered(actions) == [FrameKind.STOP]
        assert machine.state is State.IDLE

    def test_task_of_a_module_that_is_still_importing_is_dropped(self) -> None:
        machine = TaskMachine()
        machine.handle(ev.InitializeReceived(b"init"), 0.0)
        actions = machine.handle(ev.ConnectionLost(worker_waits=False), 1.0)
        assert delivered(actions) == [FrameKind.STOP]
        assert machine.state is State.IDLE

    @pytest.mark.parametrize("state", [State.INITIALIZING, State.READY, State.RUNNING])
    def test_task_continues_for_a_worker_that_waits(self, state: State) -> None:
        machine = machine_in(state)
        assert machine.handle(ev.ConnectionLost(worker_waits=True), 1.0) == []
        assert machine.state is state
        actions = machine.handle(ev.FinalMessage(machine.generation, b"done"), 2.0)
        assert actions == [ev.Forward(b"done", final=True)]

    def test_stop_of_a_worker_that_is_gone_is_not_answered(self) -> None:
        machine = machine_in(State.STOPPING, has_stop=True)
        machine.handle(ev.ConnectionLost(worker_waits=False), 0.5)
        assert sent(machine.tick(3.0)) == []
        machine.handle(ev.InitializeReceived(b"new"), 3.0)
        actions = machine.handle(ev.StopCompleted(machine.generation), 3.5)
        assert sent(actions) == []
        assert delivered(actions) == [FrameKind.INITIALIZE]

    def test_old_stop_is_answered_unless_the_worker_begins_another_task(self) -> None:
        machine = machine_in(State.STOPPING)
        machine.handle(ev.ConnectionLost(worker_waits=True), 0.5)
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 1.0)) == ["stopped"]

        machine = machine_in(State.STOPPING)
        machine.handle(ev.ConnectionLost(worker_waits=True), 0.5)
        machine.handle(ev.InitializeReceived(b"new"), 0.6)
        assert sent(machine.tick(3.0)) == []
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 3.5)) == []

    def test_stop_of_the_new_connection_is_answered(self) -> None:
        machine = machine_in(State.RUNNING)
        machine.handle(ev.ConnectionLost(worker_waits=False), 0.5)
        machine.handle(ev.StopReceived(b""), 0.6)
        assert sent(machine.handle(ev.StopCompleted(machine.generation), 1.0)) == ["stopped"]


class TestReload:
    def test_code_change_while_idle(self) -> None:
        machine = machine_in(State.IDLE, keep_task=True)
        (kill,) = machine.handle(ev.CodeChanged(), 0.0)
        assert isinstance(kill, ev.KillAlgorithm)
        assert kill.respawn

    def test_running_task_runs_again_and_is_answered_once(self) -> None:
        machine = machine_in(State.RUNNING, keep_task=True)
        actions = machine.handle(ev.CodeChanged(), 1.0)
        assert actions[-1] == ev.Deliver(FrameKind.INITIALIZE, machine.generation, b"init")
        actions = machine.handle(ev.InitializeCompleted(machine.generation), 2.0)
        assert sent(actions) == []
        assert actions == [ev.Deliver(FrameKind.START, machine.generation, b"start")]
        assert machine.state is State.RUNNING
        assert machine.deadline() == 2.0 + ALIVE_EVERY

    def test_code_change_while_stopping_completes_the_stop(self) -> None:
        machine = machine_in(State.STOPPING, keep_task=True)
        assert sent(machine.handle(ev.CodeChanged(), 1.0)) == ["stopped"]
        assert machine.state is State.IDLE

    def test_outside_dev_mode_the_task_is_not_kept(self) -> None:
        machine = machine_in(State.RUNNING)
        assert delivered(machine.handle(ev.CodeChanged(), 1.0)) == []
        assert machine.state is State.IDLE


class TaskHistory(RuleBasedStateMachine):
    """Any history of events keeps the rules at the top of machine.py."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = TaskMachine(keep_task=False)
        self.now = 0.0
        self.stop_asked_at: float | None = None
        self.in_task = False  # between `started` and the final message
        self.finals_allowed = 0
        self.stop_is_old = False  # it came over a connection that is lost
        self.returned = False  # the user's code has returned a result or raised an error
        self.terminated = False
        self.finished: list[ev.ExitContainer] = []

    def perform(self, actions: list[ev.Action], reload: bool = False) -> None:
        for action in actions:
            if isinstance(action, ev.Forward) and action.final:
                assert self.finals_allowed == 1, "a second final message"
                assert self.returned, "a final message of a task that has not returned"
                assert not self.terminated, "a final message after SIGTERM"
                self.finals_allowed = 0
                self.in_task = False
            elif isinstance(action, ev.Forward):
                assert action.message == b"now", "a message of an older task was sent"
            elif isinstance(action, ev.Send):
                self.check_send(action.command)
            elif isinstance(action, ev.Deliver) and action.kind in (
                FrameKind.INITIALIZE,
                FrameKind.TASK,
            ):
                self.finals_allowed = 1
            elif isinstance(action, ev.ExitContainer):
                self.finished.append(action)

    def check_send(self, command: str) -> None:
        if command == "started":
            self.in_task = True
        elif command == "alive":
            assert self.in_task, "alive outside a task"
        elif command == "stopped":
            # The worker would take it as the end of the task, with success.
            assert self.stop_asked_at is not None, "stopped that answers no stop"
            self.stop_asked_at = None
            self.in_task = False
            self.finals_allowed = 0

    def handle(self, event: ev.Event) -> None:
        self.perform(self.machine.handle(event, self.now))

    @rule()
    def initialize(self) -> None:
        if self.stop_is_old:  # whoever begins a task does not wait for `stopped` any more
            self.stop_asked_at = None
            self.stop_is_old = False
        self.handle(ev.InitializeReceived(b"i"))

    @rule()
    def start(self) -> None:
        self.handle(ev.StartReceived(b"s"))

    @rule()
    def stop(self) -> None:
        if self.machine.state is not State.EXITED and self.stop_asked_at is None:
            self.stop_asked_at = self.now
        self.stop_is_old = False
        self.handle(ev.StopReceived(b"p"))

    @rule(has_stop=st.booleans(), has_initialize=st.booleans())
    def loaded(self, has_stop: bool, has_initialize: bool) -> None:
        self.handle(ev.ModuleLoaded(has_stop, has_initialize))

    @rule(age=st.integers(0, 2))
    def initialized(self, age: int) -> None:
        self.handle(ev.InitializeCompleted(self.machine.generation - age))

    @rule(age=st.integers(0, 2))
    def done(self, age: int) -> None:
        before = self.machine.state
        self.returned = True
        self.handle(ev.FinalMessage(self.machine.generation - age, b"done"))
        self.returned = False
        if age:
            assert self.machine.state is before

    @rule(age=st.integers(0, 3))
    def user_message(self, age: int) -> None:
        # While stopping, the task's messages have the generation before that of the stop.
        current = 1 if self.machine.state is State.STOPPING else 0
        text = b"now" if age <= current else b"old"
        self.handle(ev.UserMessage(self.machine.generation - age, text))

    @rule(age=st.integers(0, 2))
    def ended(self, age: int) -> None:
        self.handle(ev.StopCompleted(self.machine.generation - age))

    @rule()
    def answer(self) -> None:
        self.handle(ev.AnswerReceived(b"a"))

    @rule(seconds=st.floats(0.0, 30.0))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.machine.deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.perform(self.machine.tick(self.now))
        self.now = end

    @rule(code=st.integers(0, 255))
    def died(self, code: int) -> None:
        self.handle(ev.AlgorithmDied(code))

    @rule(code=st.integers(0, 255))
    @precondition(lambda self: self.now > 20)
    def exit(self, code: int) -> None:
        self.handle(ev.ExitReceived(code, b"e"))

    @rule()
    @precondition(lambda self: self.now > 20)
    def terminate(self) -> None:
        self.terminated = True
        self.handle(ev.SigtermReceived())

    @rule()
    def lose_worker(self) -> None:
        """The next worker knows nothing of a stop, or of the task."""
        self.handle(ev.ConnectionLost(worker_waits=False))
        self.stop_asked_at = None
        self.in_task = False
        self.finals_allowed = 0

    @rule()
    def lose_connection(self) -> None:
        self.handle(ev.ConnectionLost(worker_waits=True))
        self.stop_is_old = self.stop_asked_at is not None

    @rule()
    def reload(self) -> None:
        self.handle(ev.CodeChanged())

    @invariant()
    def every_stop_is_answered_in_time(self) -> None:
        if self.stop_asked_at is not None and self.machine.state is not State.EXITED:
            limit = KILL_AFTER + (EXIT_WITHIN if self.machine.state is State.EXITING else 0)
            assert self.now - self.stop_asked_at <= limit

    @invariant()
    def the_exit_code_is_chosen_once(self) -> None:
        assert len(self.finished) <= 1

    @invariant()
    def a_deadline_is_always_set(self) -> None:
        if self.machine.state in (State.STOPPING, State.EXITING, State.RUNNING):
            assert self.machine.deadline() is not None


TaskHistory.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestTaskHistory = TaskHistory.TestCase
