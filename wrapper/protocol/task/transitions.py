"""What a task does about each event: one method for each cell of the table in `table.py`."""

from __future__ import annotations

from enum import Enum

from ...ipc.frames import FrameKind
from ..messages import commands
from .events import (
    Action,
    AlgorithmDied,
    AnswerReceived,
    CodeChanged,
    ConnectionLost,
    Deliver,
    DropKeptMessages,
    Event,
    ExitContainer,
    ExitReceived,
    FinalMessage,
    Forward,
    InitializeCompleted,
    InitializeReceived,
    KillAlgorithm,
    ModuleLoaded,
    Note,
    Payload,
    Send,
    SigtermReceived,
    StartReceived,
    StopCompleted,
    StopReceived,
    UserMessage,
)
from .timers import (
    ALIVE_EVERY,
    EXIT_WITHIN,
    INTERRUPT_AFTER,
    KILL_AFTER,
    STOPPING_EVERY,
    TERMINATE_WITHIN,
    Timers,
)

TERMINATED_CODE = 143
_BY_SIGNAL = 128  # exit codes from here on name the signal that ended a process


class State(str, Enum):
    """The states of a task; texts, because the hash of other members is computed in Python."""

    IDLE = "idle"
    INITIALIZING = "initializing"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    EXITING = "exiting"
    EXITED = "exited"


# Before Python 3.12, looking up an enum's member runs Python code: too slow for each message.
_IDLE, _READY = State.IDLE, State.READY
_INITIALIZING, _RUNNING = State.INITIALIZING, State.RUNNING
_UNFINISHED = frozenset((_INITIALIZING, _READY, _RUNNING))
_INITIALIZE, _START, _TASK = FrameKind.INITIALIZE, FrameKind.START, FrameKind.TASK
_ANSWER = FrameKind.ANSWER
# The actions without data, made once.
_DROP_KEPT = DropKeptMessages()
_SEND_INITIALIZED, _SEND_STARTED = Send(commands.INITIALIZED), Send(commands.STARTED)


class _Task:
    """The messages of a task: of the current one, or of one that waits for a stop to complete.

    Attributes:
        initialize: the worker's message, kept only while it may be needed again.
        is_held: the algorithm process has not received the task yet.
        start: the worker's message, if it has arrived.
        sent_initialized: `initialized` was sent to the worker.
        sent_started: `started` was sent to the worker.
    """

    def __init__(self, initialize: Payload | None = None) -> None:
        self.initialize = initialize
        self.is_held = False
        self.start: Payload | None = None
        self.sent_initialized = False
        self.sent_started = False


class TaskTransitions:
    """The state of the current task, and the methods that change it.

    Args:
        keep_task: keep the task's messages, so that `CodeChanged` can run it again.
    """

    def __init__(self, keep_task: bool = False) -> None:
        self.state = State.IDLE
        self.generation = 0
        self._keep_task = keep_task
        self._user: ModuleLoaded | None = None  # None: the user's module is not loaded yet
        self._task = _Task()
        self._next: _Task | None = None  # arrived while the previous one is being stopped
        self._owes_stopped = False
        self._stop_is_old = False  # the stop came over a connection that is lost
        self._timers = Timers()
        self._exit_code = 0
        self._terminated = False

    def tick(self, now: float) -> list[Action]:
        """Return what is due at `now`."""
        timers = self._timers
        actions: list[Action] = []
        if timers.alive is not None and now >= timers.alive:
            timers.alive = now + ALIVE_EVERY
            actions.append(Send(commands.ALIVE))
        if timers.stopping is not None and now >= timers.stopping:
            timers.stopping = now + STOPPING_EVERY
            actions.append(Send(commands.STOPPING))
        if timers.interrupt is not None and now >= timers.interrupt:
            timers.interrupt = None
            actions.append(Deliver(FrameKind.INTERRUPT, self.generation, b""))
        if timers.kill is not None and now >= timers.kill:
            timers.kill = None
            actions += self._give_up_on_process(now)
        return actions

    @property
    def has_task(self) -> bool:
        """Whether a task is in progress: its final message has not been sent."""
        return self.state in _UNFINISHED

    @property
    def _has_stop(self) -> bool:
        return self._user is not None and self._user.has_stop

    # ------------------------------------------------------------------- a task begins --
    def begin(self, event: InitializeReceived, now: float) -> list[Action]:
        return self._begin_task(_Task(event.frame))

    def _begin_task(self, task: _Task) -> list[Action]:
        assert task.initialize is not None
        self.generation += 1
        self._task = task
        self._timers = Timers()
        if self._user is not None and not self._user.has_initialize:
            # There is no `initialize` to wait for. Deliver the whole task together with its
            # start: a round trip between the processes is a third of the cost of a small task.
            self.state = _READY
            task.is_held = task.sent_initialized = True
            return [_DROP_KEPT, _SEND_INITIALIZED]
        self.state = _INITIALIZING
        deliver = Deliver(_INITIALIZE, self.generation, task.initialize)
        if not self._keep_task:
            task.initialize = None
        return [_DROP_KEPT, deliver]

    def replace(self, event: InitializeReceived, now: float) -> list[Action]:
        """Stop the current task, then begin the new one (only the debug gateway does this)."""
        if self._user is None:  # still importing: the current task has not begun
            return self.begin(event, now)
        self._next = _Task(event.frame)
        note = Note("warning", "a new task arrived before the current one ended: stopping it")
        return [note, _DROP_KEPT, *self._begin_stop(b"", now, owes_stopped=False)]

    def queue_task(self, event: InitializeReceived, now: float) -> list[Action]:
        if self._stop_is_old:  # whoever begins a task does not wait for `stopped` any more
            self._owe_nothing()
        self._next = _Task(event.frame)
        return [_DROP_KEPT]

    def hold_start(self, event: StartReceived, now: float) -> list[Action]:
        """Keep a `start` that came before `initialized` (the debug gateway sends both at once)."""
        self._task.start = event.frame
        return []

    def hold_next_start(self, event: StartReceived, now: float) -> list[Action]:
        if self._next is None:
            return self.note_unexpected(event, now)
        self._next.start = event.frame
        return []

    def complete_initialize(self, event: InitializeCompleted, now: float) -> list[Action]:
        if self._is_late(event.generation):
            return []
        self.state = _READY
        actions: list[Action] = []
        if not self._task.sent_initialized:
            self._task.sent_initialized = True
            actions.append(_SEND_INITIALIZED)
        if self._task.start is not None:
            actions += self._run(self._task.start, now)
        return actions

    def start(self, event: StartReceived, now: float) -> list[Action]:
        return self._run(event.frame, now)

    def _run(self, frame: Payload, now: float) -> list[Action]:
        task = self._task
        self.state = _RUNNING
        self._timers = Timers(alive=now + ALIVE_EVERY)
        deliver = Deliver(_START, self.generation, frame)
        if task.is_held:
            assert task.initialize is not None
            deliver = Deliver(_TASK, self.generation, task.initialize)
            task.is_held = False
        task.start = frame if self._keep_task else None
        if not self._keep_task:
            task.initialize = None
        if task.sent_started:
            return [deliver]
        task.sent_started = True
        return [deliver, _SEND_STARTED]

    # ---------------------------------------------------------- while a task is running --
    def remember_module(self, event: ModuleLoaded, now: float) -> list[Action]:
        self._user = event
        return []

    def forward(self, event: UserMessage, now: float) -> list[Action]:
        if self._is_late(event.generation):
            return []
        return [Forward(event.message, final=False)]

    def forward_while_stopping(self, event: UserMessage, now: float) -> list[Action]:
        """Forward what the stopped task still sends, unless a new task has replaced it."""
        if not self._owes_stopped or event.generation < self.generation - 1:
            return []
        return [Forward(event.message, final=False)]

    def deliver_answer(self, event: AnswerReceived, now: float) -> list[Action]:
        return [Deliver(_ANSWER, self.generation, event.frame)]

    def finish(self, event: FinalMessage, now: float) -> list[Action]:
        # A held task has not reached the algorithm process, which so cannot have finished it.
        if self._is_late(event.generation) or self._task.is_held:
            return []
        self._reset()
        return [Forward(event.message, final=True)]

    # --------------------------------------------------------------------- a task ends --
    def stop_idle(self, event: StopReceived, now: float) -> list[Action]:
        """Call the user's `stop` before a scale-down, or if `stop` crossed the final message."""
        if not self._has_stop:
            # The algorithm process must drop any task that it still holds.
            self._reset()
            return [Deliver(FrameKind.STOP, self.generation, event.frame), Send(commands.STOPPED)]
        return self._begin_stop(event.frame, now, owes_stopped=True)

    def stop_initializing(self, event: StopReceived, now: float) -> list[Action]:
        if self._user is None:  # still importing: let the import go on, no user code runs yet
            return self.stop_idle(event, now)
        return self._begin_stop(event.frame, now, owes_stopped=True)

    def stop_running(self, event: StopReceived, now: float) -> list[Action]:
        is_patient = self._has_stop or event.is_drain
        return self._begin_stop(event.frame, now, owes_stopped=True, is_patient=is_patient)

    def _begin_stop(
        self, frame: Payload, now: float, owes_stopped: bool, is_patient: bool | None = None
    ) -> list[Action]:
        self.generation += 1
        self.state = State.STOPPING
        self._owes_stopped = owes_stopped
        if is_patient is None:
            is_patient = self._has_stop
        self._timers.interrupt = now + (INTERRUPT_AFTER if is_patient else 0.0)
        self._timers.kill = now + KILL_AFTER
        self._timers.stopping = now + STOPPING_EVERY if owes_stopped else None
        if not owes_stopped:
            self._timers.alive = None
        # `tick`: without a `stop` function the interruption is due at once.
        return [Deliver(FrameKind.STOP, self.generation, frame), *self.tick(now)]

    def stop_again(self, event: StopReceived, now: float) -> list[Action]:
        """Answer all stops with one `stopped`, and cancel a task that waits to begin."""
        self._next = None
        self._stop_is_old = False
        if not self._owes_stopped:
            self._owes_stopped = True
            self._timers.stopping = now + STOPPING_EVERY
        return []

    def complete_stop(self, event: StopCompleted, now: float) -> list[Action]:
        if self._is_late(event.generation):
            return []
        return self._finish_stop(now)

    def _finish_stop(self, now: float) -> list[Action]:
        actions: list[Action] = [Send(commands.STOPPED)] if self._owes_stopped else []
        following, self._next = self._next, None
        self._reset()
        if following is not None:
            actions += self._begin_task(following)
            if following.is_held and following.start is not None:
                actions += self._run(following.start, now)
        return actions

    def _reset(self) -> None:
        self.generation += 1
        self.state = _IDLE
        self._task = _Task()
        self._owes_stopped = self._stop_is_old = False
        self._timers = Timers()

    # ------------------------------------------------------------ the connection is lost --
    def lose_task(self, event: ConnectionLost, now: float) -> list[Action]:
        """End a task that HKube counts as crashed, and say nothing of it to the next worker."""
        if event.worker_waits:
            return []
        note = Note("warning", "the connection was lost during a task, which HKube runs again")
        if self._user is not None and (self._has_stop or self.state is not State.READY):
            return [note, *self._begin_stop(b"", now, owes_stopped=False)]
        self._reset()
        return [note, Deliver(FrameKind.STOP, self.generation, b"")]

    def lose_stop(self, event: ConnectionLost, now: float) -> list[Action]:
        """Owe no answer to a worker that is gone; one that waits may still begin another task."""
        if event.worker_waits:
            self._stop_is_old = self._owes_stopped
        else:
            self._owe_nothing()
        return []

    def _owe_nothing(self) -> None:
        self._owes_stopped = self._stop_is_old = False
        self._timers.stopping = self._timers.alive = None

    # ---------------------------------------------------------- the algorithm process --
    def _give_up_on_process(self, now: float) -> list[Action]:
        if self.state is State.EXITING:
            return [
                KillAlgorithm("it did not end in time", stuck=True, respawn=False),
                *self._finish_exit(),
            ]
        self._user = None
        reason = f"the task did not end within {KILL_AFTER:.0f} s of being stopped"
        return [KillAlgorithm(reason, stuck=True, respawn=True), *self._finish_stop(now)]

    def crash(self, event: AlgorithmDied, now: float) -> list[Action]:
        """End the container and send nothing: the worker retries a task only if it sees a crash."""
        self.state = State.EXITED
        self._timers = Timers()
        # The operator would take exit code 0 for success.
        return [ExitContainer(event.code or 1, crashed=True)]

    def die_while_stopping(self, event: AlgorithmDied, now: float) -> list[Action]:
        self._user = None
        reason = f"it ended with status {event.code} while the task was being stopped"
        return [KillAlgorithm(reason, stuck=False, respawn=True), *self._finish_stop(now)]

    def reload_idle(self, event: CodeChanged, now: float) -> list[Action]:
        self._user = None
        self._reset()
        return [KillAlgorithm("its code has changed", stuck=False, respawn=True)]

    def reload_task(self, event: CodeChanged, now: float) -> list[Action]:
        """Run the task again on the new code: in DEV_MODE the worker still waits for it."""
        task = self._task
        actions = self.reload_idle(event, now)
        if task.initialize is None:
            return actions
        self.generation += 1
        self.state = _INITIALIZING
        self._task = task
        task.is_held = False
        return [*actions, Deliver(_INITIALIZE, self.generation, task.initialize)]

    def reload_while_stopping(self, event: CodeChanged, now: float) -> list[Action]:
        self._user = None
        kill = KillAlgorithm("its code has changed", stuck=False, respawn=True)
        return [kill, *self._finish_stop(now)]

    # -------------------------------------------------------------- the container ends --
    def exit(self, event: ExitReceived, now: float) -> list[Action]:
        self._owes_stopped = self.state is State.STOPPING and self._owes_stopped
        return self._begin_exit(event.code, event.frame, now, EXIT_WITHIN)

    def terminate(self, event: SigtermReceived, now: float) -> list[Action]:
        """End without a final message: the closed connection tells HKube to run the task again."""
        self._terminated = True
        # The worker takes a `stopped` that it did not ask for as success without a result.
        self._owes_stopped = self.state is State.STOPPING and self._owes_stopped
        return self._begin_exit(TERMINATED_CODE, b"", now, TERMINATE_WITHIN)

    def _begin_exit(self, code: int, frame: Payload, now: float, within: float) -> list[Action]:
        importing = self._user is None
        in_user_code = importing or self.state not in (State.IDLE, State.READY)
        alive = self._timers.alive
        self.generation += 1
        self.state = State.EXITING
        self._next = None
        self._exit_code = code
        self._timers = Timers(alive=alive, kill=now + within)
        if in_user_code:
            # If the import ends soon, there is still time to call the user's `exit`.
            patient = self._has_stop or importing
            self._timers.interrupt = now + (INTERRUPT_AFTER if patient else 0.0)
        return [Deliver(FrameKind.EXIT, self.generation, frame), *self.tick(now)]

    def exit_again(self, event: ExitReceived, now: float) -> list[Action]:
        return [Note("debug", "the worker sent exit again: already exiting")]

    def terminate_while_exiting(self, event: SigtermReceived, now: float) -> list[Action]:
        if not self._terminated:  # the first SIGTERM, after the worker's `exit`
            self._terminated = True
            self._timers.kill = min(self._timers.kill or now, now + TERMINATE_WITHIN)
            return []
        reason = "a second SIGTERM asked to end at once"
        kill = KillAlgorithm(reason, stuck=False, respawn=False)
        return [kill, *self._finish_exit()]

    def complete_exit(self, event: AlgorithmDied, now: float) -> list[Action]:
        # The user's `exit` may have called sys.exit(code). After SIGTERM the code says so, whatever
        # user code wants: HKube has to see that the task did not end by itself.
        if 0 < event.code < _BY_SIGNAL and not self._terminated:
            self._exit_code = event.code
        return self._finish_exit()

    def _finish_exit(self) -> list[Action]:
        stopped: list[Action] = [Send(commands.STOPPED)] if self._owes_stopped else []
        self.state = State.EXITED
        self._owes_stopped = False
        self._timers = Timers()
        return [*stopped, ExitContainer(self._exit_code)]

    def stop_while_exiting(self, event: StopReceived, now: float) -> list[Action]:
        self._owes_stopped = False
        self._timers.alive = None
        return [Send(commands.STOPPED)]

    # ------------------------------------------------------------------- nothing to do --
    def drop_late(self, event: Event, now: float) -> list[Action]:
        """Drop an event of a task that is over."""
        return []

    def _is_late(self, generation: int) -> bool:
        return generation != self.generation

    def note_unexpected(self, event: Event, now: float) -> list[Action]:
        name = type(event).__name__
        return [Note("debug", f"ignored: {name} while {self.state.value}")]
