"""A scripted worker: sends what a test asks for, and waits for what the test expects."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable
from typing import Any

from . import rules
from .events import ABSENT, RECEIVED, Message
from .job import new_job
from .server import WAIT, RecordingServer

PASSED_OVER = ("alive", "logData", "servingStatus")


class ExpectedError(AssertionError):
    """A test waited for something that did not happen."""


class ScriptedWorker(RecordingServer):
    """The worker of one test.

    Args:
        listening: False leaves the port closed (connections are refused) until `listen`.
        max_size: bytes; a larger message breaks the link, as the real worker does.
        tls: the server's certificate, for wss.
    """

    def __init__(
        self,
        *,
        listening: bool = True,
        max_size: int = 100_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(listening=listening, max_size=max_size, tls=tls)
        self.is_over: Callable[[], str | None] = lambda: None  # why nothing more can arrive
        self._cursor = 0

    @property
    def received(self) -> list[Message]:
        """All messages from the algorithm, including `alive`, oldest first."""
        return [event for event in list(self.events) if event.kind == RECEIVED]

    def commands(self) -> list[str | None]:
        """The commands received, without `alive`, oldest first."""
        return [event.command for event in self.received if event.command != "alive"]

    def wait_connected(self, number: int = 1, timeout: float = WAIT) -> None:
        """Wait for the connection with this number."""
        self.wait_until(lambda: self.connections >= number, timeout, f"connection {number}")

    def wait_disconnected(self, timeout: float = WAIT) -> None:
        """Wait until no connection is open."""
        self.wait_until(lambda: self._link is None, timeout, "the end of the connection", True)

    def wait_until(
        self, is_true: Callable[[], bool], timeout: float, what: str, even_over: bool = False
    ) -> None:
        """Wait until a condition on the record holds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not is_true():
                left = deadline - time.monotonic()
                over = None if even_over else self.is_over()
                if left <= 0 or (over and not self._changed.wait(0.5)):
                    raise ExpectedError(
                        f"no {what}: {over or f'{timeout:.0f} s are over'}\n{self.story()}"
                    )
                self._changed.wait(min(left, 0.25))

    def wait_for(self, *commands: str, timeout: float = WAIT) -> Message:
        """Return the next message with one of these commands; skip others before it."""
        found: list[Message] = []

        def look() -> bool:
            while self._cursor < len(self.events):
                event = self.events[self._cursor]
                self._cursor += 1
                if event.kind == RECEIVED and event.command in commands:
                    found.append(event)
                    return True
            return False

        self.wait_until(look, timeout, " or ".join(commands))
        return found[0]

    def expect(self, command: str, timeout: float = WAIT) -> Message:
        """Return the next message, which must have this command; skip periodic ones."""
        message = self.next_message(timeout, command)
        if message.command != command:
            raise ExpectedError(f"expected {command}, came {message}\n{self.story()}")
        return message

    def next_message(self, timeout: float = WAIT, what: str = "message") -> Message:
        """Return the next message; skip periodic ones."""
        found: list[Message] = []

        def look() -> bool:
            while self._cursor < len(self.events):
                event = self.events[self._cursor]
                self._cursor += 1
                if event.kind == RECEIVED and event.command not in PASSED_OVER:
                    found.append(event)
                    return True
            return False

        self.wait_until(look, timeout, what)
        return found[0]

    def pass_over(self) -> None:
        """Forget all messages so far: the next wait begins here."""
        self._cursor = len(self.events)

    def expect_silence(self, seconds: float) -> None:
        """Fail if any message except `alive` arrives within this time."""
        with contextlib.suppress(ExpectedError):
            message = self.next_message(seconds, "silence")
            raise AssertionError(f"expected nothing, came {message}\n{self.story()}")

    # --- whole tasks --------------------------------------------------------------------------

    def initialize(self, *inputs: Any, **job: Any) -> None:
        """Send `initialize` for a new task."""
        self.send("initialize", new_job(list(inputs), job))

    def begin(self, *inputs: Any, timeout: float = WAIT, **job: Any) -> None:
        """Start a task and wait until it is `started`."""
        self.initialize(*inputs, **job)
        self.expect("initialized", timeout)
        self.send("start", {"spanId": {}})
        self.expect("started", timeout)

    def finish(self, timeout: float = WAIT) -> Message:
        """Wait for the task's final message: `done` or `errorMessage`."""
        return self.wait_for("done", "errorMessage", timeout=timeout)

    def run(self, *inputs: Any, timeout: float = WAIT, **job: Any) -> Any:
        """Run a whole task and return its result; fail on an `errorMessage`."""
        self.begin(*inputs, timeout=timeout, **job)
        message = self.finish(timeout)
        if message.command != "done":
            raise ExpectedError(f"the task failed: {message.error}\n{self.story()}")
        return None if message.data is ABSENT else message.data

    def fail(self, *inputs: Any, timeout: float = WAIT, **job: Any) -> dict[str, Any]:
        """Run a whole task that must fail, and return its error."""
        self.initialize(*inputs, **job)
        message = self.next_message(timeout)
        if message.command == "initialized":
            self.send("start", {"spanId": {}})
            message = self.finish(timeout)
        if message.command != "errorMessage":
            raise ExpectedError(f"expected errorMessage, came {message}\n{self.story()}")
        assert isinstance(message.error, dict), message
        return message.error

    # --- the rules ----------------------------------------------------------------------------

    def broken_rules(self) -> list[str]:
        """Return the rules of the real worker that this session broke."""
        return self.faults + rules.violations(list(self.events), time.monotonic())
