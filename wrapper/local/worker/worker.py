"""HKube's worker for one algorithm, on this machine: a real WebSocket server on 127.0.0.1."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, final

from websockets.frames import CloseCode
from websockets.http11 import Request
from websockets.sync.server import ServerConnection

from ...errors import WrapperError
from ...protocol.messages import commands
from . import events
from .admission import refusal
from .answers import Answers, AnswerTable
from .connection import AlgorithmConnection, Listening, open_link
from .storage import LocalStorage
from .task import LocalTask
from .waiting import wait_done


@final
class LocalWorker:
    """Serves one algorithm's connection and gives it one task after another.

    Use it as a context manager: the server listens inside. The listener hears every event, one at
    a time, from the worker's threads; it may call `stop` and `exit`, but not wait.
    """

    def __init__(
        self,
        listener: events.Listener = lambda event: None,
        answers: Answers | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        storage: LocalStorage | None = None,
        token: str = "",
    ) -> None:
        """Prepare a worker.

        Args:
            listener: called with each event.
            answers: replies to the algorithm's calls for other algorithms, pipelines and data.
            port: TCP port on 127.0.0.1; 0 takes a free one.
            clock: seconds for the events' times.
            storage: of mode v3; None: inputs and results are in the messages.
            token: the secret that the algorithm has in its URL; empty to accept any program of
                this machine, but still no web page.
        """
        self._listener = listener
        self._answers: Answers = answers or AnswerTable()
        self._clock = clock
        self._telling = threading.RLock()  # a listener that calls `stop` makes the next event
        self._lock = threading.Lock()
        self._link: AlgorithmConnection | None = None
        self._task: LocalTask | None = None
        self._gone: str | None = None
        self._exit_code: int | None = None
        self._storage = storage
        self._token = token
        self._server = Listening(self._serve_connection, port, self._refuse)

    @property
    def port(self) -> int:
        """The TCP port that the worker listens on."""
        return self._server.port

    @property
    def is_connected(self) -> bool:
        """Whether the algorithm's connection is open."""
        return self._link is not None

    def __enter__(self) -> LocalWorker:
        self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.give_up("the worker was closed")
        link = self._link
        if link is not None:
            link.close()
        self._server.close()

    def begin(self, job: Mapping[str, Any]) -> Future[events.Outcome]:
        """Give the algorithm a task, at once or as soon as it is connected.

        Args:
            job: the data of `initialize`.

        Returns:
            The task's outcome, to come. Every task has one.

        Raises:
            RuntimeError: the task before has no outcome yet.
        """
        task = LocalTask(job, self._answers, self._tell, self._storage)
        with self._lock:
            if self._task is not None and not self._task.outcome.done():
                raise RuntimeError("a task is running on this worker already")
            self._task, link, gone = task, self._link, self._gone
        if gone is not None:
            task.finish(events.Lost(gone))
        elif link is not None:
            task.connected(link)
            if self._link is not link:  # it went meanwhile, and nobody told the task of it
                task.disconnected(link)
        return task.outcome

    def run(self, job: Mapping[str, Any], timeout: float | None = None) -> events.Outcome:
        """Give the algorithm a task and wait for its outcome.

        Raises:
            TimeoutError: `timeout` seconds went by.
        """
        outcome = self.begin(job)
        if not self.wait_idle(timeout):
            raise TimeoutError(f"the task has no outcome after {timeout} s")
        return outcome.result()

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until no task runs; False if one still does after `timeout` seconds."""
        task = self._task
        return task is None or wait_done(task.outcome, timeout)

    def stop(self, force: bool = True) -> None:
        """Ask the algorithm to stop; the current task's outcome is then Stopped.

        Without a connection there is nobody to ask, and the task is over at once.

        Args:
            force: True as for a user's stop, False as for a scale-down.
        """
        task, link = self._current(), self._link
        if task is not None:
            task.stopping()
            if link is None:
                task.finish(events.Stopped())
        if link is not None:
            self._command(link, commands.STOP, {"forceStop": force})

    def exit(self, code: int = 0) -> None:
        """Ask the algorithm's process to end with an exit code, at once or when it is connected."""
        with self._lock:
            self._exit_code, link = code, self._link
        if link is not None:
            self._command(link, commands.EXIT, {"exitCode": code})

    def give_up(self, reason: str) -> None:
        """Hear that the algorithm will not come back: its task, and any after it, is lost."""
        with self._lock:
            self._gone, task = reason, self._current()
        if task is not None:
            task.finish(events.Lost(reason))

    def _current(self) -> LocalTask | None:
        task = self._task
        return None if task is None or task.over else task

    def _command(self, link: AlgorithmConnection, command: str, data: dict[str, Any]) -> None:
        task = self._current()
        self._tell(events.Sent, task.task_id if task else None, command=command)
        link.send({"command": command, "data": data})

    def _refuse(self, request: Request) -> str:
        if self.is_connected:
            return "an algorithm is connected already"
        return refusal(request.path, request.headers, self.port, self._token)

    def _serve_connection(self, connection: ServerConnection) -> None:
        link = open_link(connection, "v1" if self._storage is None else "v3")
        if link is None:
            return
        with self._lock:
            is_second = self._link is not None
            if not is_second:
                self._link = link
            task, exit_code = self._current(), self._exit_code
        if is_second:  # both were accepted before one was open
            connection.close(CloseCode.POLICY_VIOLATION, "an algorithm is connected already")
            return
        self._tell(events.Connected, task.task_id if task else None, encoding=link.encoding.name)
        if task is not None:
            task.connected(link)
        if exit_code is not None:  # it was asked before anybody was there to hear it
            self._command(link, commands.EXIT, {"exitCode": exit_code})
        try:
            while (frame := link.receive()) is not None:
                self._receive(link, frame)
        finally:
            self._disconnected(link)

    def _disconnected(self, link: AlgorithmConnection) -> None:
        with self._lock:
            if self._link is link:
                self._link = None
            task = self._current()
        code = link.connection.close_code or 1006
        reason = link.connection.close_reason or ""
        task_id = task.task_id if task else None
        self._tell(events.Disconnected, task_id, code=code, reason=reason)
        if task is not None:
            task.disconnected(link)

    def _receive(self, link: AlgorithmConnection, frame: bytes) -> None:
        task = self._current()
        task_id = task.task_id if task else None
        try:
            message = link.encoding.decode(frame)
        except WrapperError as error:
            self._tell(events.Violation, task_id, text=str(error))
            if task is not None:
                lost = f"it sent a message that would crash HKube's worker: {error}"
                task.finish(events.Lost(lost))
            return
        command = message.get("command") if isinstance(message, dict) else None
        if not isinstance(command, str):
            self._tell(events.Violation, task_id, text="a message without a command")
            return
        self._tell(events.MessageCame, task_id, message=message)
        if command == commands.LOG_DATA:
            lines = message.get("data")
            lines = lines if isinstance(lines, list) else [lines]
            self._tell(events.LogLines, task_id, lines=tuple(str(line) for line in lines))
        elif task is not None:
            task.handle(link, command, message)
        elif command in (commands.STOPPED, commands.SERVING_STATUS):
            self._tell(events.Received, None, command=command)
        else:
            self._tell(events.Violation, None, text=f"'{command}' with no task running")

    def _tell(self, kind: type[events.WorkerEvent], task_id: str | None, **facts: Any) -> None:
        with self._telling:
            try:
                self._listener(kind(at=self._clock(), task_id=task_id, **facts))
            except Exception:  # whoever shows the events must not harm the task
                logging.getLogger(__name__).exception("a listener of the local worker failed")
