"""The life of a task: which event, in which state, asks for what.

`TABLE`, in table.py, is the whole of it: a row an event, a column a state, the cell names the
method that answers. Nothing here reads a clock, a socket or the environment: the caller passes the
time (seconds, monotonic), performs the actions, and asks `deadline` when to call `tick`.

Rules that the table keeps (and a Hypothesis test checks):
- one final message a task at the most, and nothing of a task after it: the generation number
  goes up at each initialize, stop and reset, and what carries an older one is dropped, because
  messages to the worker carry no task id;
- `alive` only between `started` and the end of the task: one sent later would arm the worker's
  dead-man timer for nobody;
- every `stop` is answered by `stopped` within KILL_AFTER seconds, whatever the user's code does;
- the exit code is chosen once.
"""

from __future__ import annotations

from ...ipc.frames import FrameKind
from ..messages import commands
from .events import (
    Action,
    AlgorithmDied,
    AnswerReceived,
    CodeChanged,
    Deliver,
    Event,
    ExitContainer,
    ExitReceived,
    FinalMessage,
    ForgetKept,
    InitializeCompleted,
    InitializeReceived,
    KillAlgorithm,
    ModuleLoaded,
    Note,
    PassOn,
    Payload,
    Send,
    SigtermReceived,
    StartReceived,
    StopCompleted,
    StopReceived,
    UserMessage,
)
from .table import TABLE, State
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

# An enum's member is looked up in Python code, too slow for what every message passes.
_RUNNING = State.RUNNING


class _Task:
    """What must be remembered of the task at hand, or of the one that waits for a stop to end.

    Attributes:
        initialize: the worker's message, kept only where it may be needed again.
        is_held: the algorithm process has not had it yet.
        start: the worker's message, if it came already.
        told_initialized: the worker has had its `initialized`.
        told_started: the worker has had its `started`.
    """

    def __init__(self, initialize: Payload | None = None) -> None:
        self.initialize = initialize
        self.is_held = False
        self.start: Payload | None = None
        self.told_initialized = False
        self.told_started = False


class TaskMachine:
    """The state machine of the supervisor.

    Args:
        keep_task: keep the task's messages, so that `Reload` can run it again on the new code.
    """

    def __init__(self, keep_task: bool = False) -> None:
        self.state = State.IDLE
        self.generation = 0
        self._keep_task = keep_task
        self._user: ModuleLoaded | None = None  # None: the user's module is not loaded yet
        self._task = _Task()
        self._next: _Task | None = None  # arrived while the one before is being stopped
        self._owes_stopped = False
        self._timers = Timers()
        self._exit_code = 0
        self._terminated = False

    # ------------------------------------------------------------------ the caller's side --
    def handle(self, event: Event, now: float) -> list[Action]:
        """What is to be done about `event`, in this order."""
        method = getattr(self, TABLE[type(event)][self.state])
        actions: list[Action] = method(event, now)
        return actions

    def talks(self, generation: int) -> bool:
        """Whether a `Said` of this generation, or an `Answer`, is just to be passed on.

        Nearly every message of a busy task is one of these: to ask is cheaper than an event, a
        look at the table and an action. A test holds this against the table.
        """
        return self.state is _RUNNING and generation == self.generation

    def deadline(self) -> float | None:
        """When `tick` is to be called next; None: there is nothing to wait for."""
        return self._timers.earliest()

    def tick(self, now: float) -> list[Action]:
        """What is due at `now`."""
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
    def _has_stop(self) -> bool:
        return self._user is not None and self._user.has_stop

    @property
    def busy(self) -> bool:
        """A task is under way: its last word has not been said."""
        return self.state in (State.INITIALIZING, State.READY, State.RUNNING)

    # ------------------------------------------------------------------- a task begins --
    def _begin(self, event: InitializeReceived, now: float) -> list[Action]:
        return self._begin_task(_Task(event.frame))

    def _begin_task(self, task: _Task) -> list[Action]:
        assert task.initialize is not None
        self.generation += 1
        self._task = task
        self._timers = Timers()
        if self._user is not None and not self._user.has_initialize:
            # Nothing is to be waited for. The task goes over whole with its start: one message
            # to another process and back is a third of what a small task costs.
            self.state = State.READY
            task.is_held = task.told_initialized = True
            return [ForgetKept(), Send(commands.INITIALIZED)]
        self.state = State.INITIALIZING
        deliver = Deliver(FrameKind.INITIALIZE, self.generation, task.initialize)
        if not self._keep_task:
            task.initialize = None
        return [ForgetKept(), deliver]

    def _replace(self, event: InitializeReceived, now: float) -> list[Action]:
        """A new task while one is under way: the old one ends first (the debug gateway)."""
        if self._user is None:  # still importing: the old one has not begun
            return self._begin(event, now)
        self._next = _Task(event.frame)
        note = Note("warning", "a new task came before the last one ended: ending the last one")
        return [note, ForgetKept(), *self._begin_stop(b"", now, owes_stopped=False)]

    def _queue_task(self, event: InitializeReceived, now: float) -> list[Action]:
        self._next = _Task(event.frame)
        return [ForgetKept()]

    def _hold_start(self, event: StartReceived, now: float) -> list[Action]:
        """`start` came before `initialized` was said (the debug gateway sends both at once)."""
        self._task.start = event.frame
        return []

    def _hold_next_start(self, event: StartReceived, now: float) -> list[Action]:
        if self._next is None:
            return self._unexpected(event, now)
        self._next.start = event.frame
        return []

    def _initialized(self, event: InitializeCompleted, now: float) -> list[Action]:
        if event.generation != self.generation:
            return []
        self.state = State.READY
        actions: list[Action] = []
        if not self._task.told_initialized:
            self._task.told_initialized = True
            actions.append(Send(commands.INITIALIZED))
        if self._task.start is not None:
            actions += self._run(self._task.start, now)
        return actions

    def _start(self, event: StartReceived, now: float) -> list[Action]:
        return self._run(event.frame, now)

    def _run(self, frame: Payload, now: float) -> list[Action]:
        task = self._task
        self.state = State.RUNNING
        self._timers = Timers(alive=now + ALIVE_EVERY)
        deliver = Deliver(FrameKind.START, self.generation, frame)
        if task.is_held:
            assert task.initialize is not None
            deliver = Deliver(FrameKind.TASK, self.generation, task.initialize)
            task.is_held = False
        task.start = frame if self._keep_task else None
        if not self._keep_task:
            task.initialize = None
        if task.told_started:
            return [deliver]
        task.told_started = True
        return [deliver, Send(commands.STARTED)]

    # ------------------------------------------------------------------ a task goes on --
    def _loaded(self, event: ModuleLoaded, now: float) -> list[Action]:
        self._user = event
        return []

    def _pass_on(self, event: UserMessage, now: float) -> list[Action]:
        if event.generation != self.generation:
            return []
        return [PassOn(event.message, final=False)]

    def _pass_on_stopping(self, event: UserMessage, now: float) -> list[Action]:
        """The last words of a task that is being stopped, unless another has taken its place."""
        if not self._owes_stopped or event.generation < self.generation - 1:
            return []
        return [PassOn(event.message, final=False)]

    def _answer(self, event: AnswerReceived, now: float) -> list[Action]:
        return [Deliver(FrameKind.ANSWER, self.generation, event.frame)]

    def _finished(self, event: FinalMessage, now: float) -> list[Action]:
        # What the algorithm process has not even had, it cannot have ended.
        if event.generation != self.generation or self._task.is_held:
            return []
        self._reset()
        return [PassOn(event.message, final=True)]

    # --------------------------------------------------------------------- a task ends --
    def _stop_idle(self, event: StopReceived, now: float) -> list[Action]:
        """Scale-down, or a stop that crossed the task's last word: the user's `stop` still runs."""
        if not self._has_stop:
            # What the algorithm process may hold of a task, it must drop.
            self._reset()
            return [Deliver(FrameKind.STOP, self.generation, event.frame), Send(commands.STOPPED)]
        return self._begin_stop(event.frame, now, owes_stopped=True)

    def _stop_initializing(self, event: StopReceived, now: float) -> list[Action]:
        if self._user is None:  # still importing: no user code to end, the import goes on
            return self._stop_idle(event, now)
        return self._begin_stop(event.frame, now, owes_stopped=True)

    def _stop(self, event: StopReceived, now: float) -> list[Action]:
        return self._begin_stop(event.frame, now, owes_stopped=True)

    def _begin_stop(self, frame: Payload, now: float, owes_stopped: bool) -> list[Action]:
        self.generation += 1
        self.state = State.STOPPING
        self._owes_stopped = owes_stopped
        self._timers.interrupt = now + (INTERRUPT_AFTER if self._has_stop else 0.0)
        self._timers.kill = now + KILL_AFTER
        self._timers.stopping = now + STOPPING_EVERY if owes_stopped else None
        if not owes_stopped:
            self._timers.alive = None
        return [Deliver(FrameKind.STOP, self.generation, frame), *self._due_now(now)]

    def _due_now(self, now: float) -> list[Action]:
        """An interruption with no delay goes out in the same breath."""
        return self.tick(now)

    def _stop_again(self, event: StopReceived, now: float) -> list[Action]:
        """One `stopped` answers all stops; a task that waits is over before it began."""
        self._next = None
        if not self._owes_stopped:
            self._owes_stopped = True
            self._timers.stopping = now + STOPPING_EVERY
        return []

    def _ended(self, event: StopCompleted, now: float) -> list[Action]:
        if event.generation != self.generation:
            return []
        return self._stop_is_done(now)

    def _stop_is_done(self, now: float) -> list[Action]:
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
        self.state = State.IDLE
        self._task = _Task()
        self._owes_stopped = False
        self._timers = Timers()

    # ---------------------------------------------------------- the algorithm process --
    def _give_up_on_process(self, now: float) -> list[Action]:
        if self.state is State.EXITING:
            return [
                KillAlgorithm("it did not end in time", stuck=True, respawn=False),
                *self._finish(self._exit_code),
            ]
        self._user = None
        reason = f"the task did not end within {KILL_AFTER:.0f} s of being stopped"
        return [KillAlgorithm(reason, stuck=True, respawn=True), *self._stop_is_done(now)]

    def _crashed(self, event: AlgorithmDied, now: float) -> list[Action]:
        """Its end is ours, and no message says so: the worker must see a crash to retry it."""
        self.state = State.EXITED
        self._timers = Timers()
        # Status 0 would tell the operator that all went well.
        return [ExitContainer(event.code or 1, crashed=True)]

    def _died_stopping(self, event: AlgorithmDied, now: float) -> list[Action]:
        self._user = None
        reason = f"it ended with status {event.code} while the task was being stopped"
        return [KillAlgorithm(reason, stuck=False, respawn=True), *self._stop_is_done(now)]

    def _reload_idle(self, event: CodeChanged, now: float) -> list[Action]:
        self._user = None
        self._reset()
        return [KillAlgorithm("its code has changed", stuck=False, respawn=True)]

    def _reload_task(self, event: CodeChanged, now: float) -> list[Action]:
        """Run the same task again on the new code: in DEV_MODE the worker still waits for it."""
        task = self._task
        actions = self._reload_idle(event, now)
        if task.initialize is None:
            return actions
        self.generation += 1
        self.state = State.INITIALIZING
        self._task = task
        task.is_held = False
        return [*actions, Deliver(FrameKind.INITIALIZE, self.generation, task.initialize)]

    def _reload_stopping(self, event: CodeChanged, now: float) -> list[Action]:
        self._user = None
        kill = KillAlgorithm("its code has changed", stuck=False, respawn=True)
        return [kill, *self._stop_is_done(now)]

    # ------------------------------------------------------------------ the end of all --
    def _exit(self, event: ExitReceived, now: float) -> list[Action]:
        self._owes_stopped = self.state is State.STOPPING and self._owes_stopped
        return self._begin_exit(event.code, event.frame, now, EXIT_WITHIN)

    def _terminate(self, event: SigtermReceived, now: float) -> list[Action]:
        self._terminated = True
        self._owes_stopped = self._owes_stopped or self.busy
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
            # An import that ends soon leaves the time to call the user's `exit`.
            patient = self._has_stop or importing
            self._timers.interrupt = now + (INTERRUPT_AFTER if patient else 0.0)
        return [Deliver(FrameKind.EXIT, self.generation, frame), *self._due_now(now)]

    def _exit_sooner(self, event: ExitReceived, now: float) -> list[Action]:
        return [Note("debug", "the worker said exit again: already ending")]

    def _terminate_exiting(self, event: SigtermReceived, now: float) -> list[Action]:
        if not self._terminated:  # the first SIGTERM, after an `exit` of the worker
            self._terminated = True
            self._timers.kill = min(self._timers.kill or now, now + TERMINATE_WITHIN)
            return []
        kill = KillAlgorithm(
            "a second SIGTERM asked for the end at once", stuck=False, respawn=False
        )
        return [kill, *self._finish(self._exit_code)]

    def _exit_is_done(self, event: AlgorithmDied, now: float) -> list[Action]:
        return self._finish(self._exit_code)

    def _finish(self, code: int) -> list[Action]:
        stopped: list[Action] = [Send(commands.STOPPED)] if self._owes_stopped else []
        self.state = State.EXITED
        self._owes_stopped = False
        self._timers = Timers()
        return [*stopped, ExitContainer(code)]

    def _stop_exiting(self, event: StopReceived, now: float) -> list[Action]:
        self._owes_stopped = False
        self._timers.alive = None
        return [Send(commands.STOPPED)]

    # ---------------------------------------------------------------- nothing to be done --
    def _drop(self, event: Event, now: float) -> list[Action]:
        """It belongs to a task that is over."""
        return []

    def _unexpected(self, event: Event, now: float) -> list[Action]:
        name = type(event).__name__.lower()
        return [Note("debug", f"ignored: {name} came while {self.state.value}")]
