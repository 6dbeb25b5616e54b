"""HKube's worker for one algorithm, on this machine: a real WebSocket server on 127.0.0.1."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
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
from .connection import AlgorithmConnection, AlgorithmServer, accept_connection
from .storage import LocalStorage
from .task import LocalTask
from .waiting import wait_done


@final
class LocalWorker:
    """Serves one algorithm's connection and gives it one task after another.

    Use it as a context manager: the server listens inside. The listener receives every event, one
    at a time, from the worker's threads; it may call `stop` and `exit`, but must not wait.
    """

    def __init__(
        self,
        listener: events.Listener = lambda event: None,
        answers: Answers | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        storage: LocalStorage | None = None,
        token: str = "",
        listening: socket.socket | None = None,
    ) -> None:
        """Prepare a worker.

        Args:
            listener: called with each event.
            answers: replies to the algorithm's calls for other algorithms, pipelines and data.
            port: TCP port on 127.0.0.1; 0 picks a free one.
            clock: seconds for the events' times.
            storage: the storage of mode v3; None: inputs and results are in the messages.
            token: the secret that the algorithm has in its URL; empty to accept any program of
                this machine, but still no web page.
            listening: a socket of 127.0.0.1 that listens already; None: bind the port.
        """
        self._listener = listener
        self._answers: Answers = answers or AnswerTable()
        self._clock = clock
        self._listener_lock = (
            threading.RLock()
        )  # a listener that calls `stop` causes an event itself
        self._lock = threading.Lock()
        self._link: AlgorithmConnection | None = None
        self._task: LocalTask | None = None
        self._gone: str | None = None
        self._exit_code: int | None = None
        self._storage = storage
        self._token = token
        self._server = AlgorithmServer(self._serve_connection, port, self._refuse, listening)

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
        """Send the algorithm a task, immediately or once it is connected.

        Args:
            job: the data of `initialize`.

        Returns:
            A future of the task's outcome. Every task gets an outcome.

        Raises:
            RuntimeError: the previous task has no outcome yet.
        """
        task = LocalTask(job, self._answers, self._report, self._storage)
        with self._lock:
            if self._task is not None and not self._task.outcome.done():
                raise RuntimeError("a task is running on this worker already")
            self._task, link, gone = task, self._link, self._gone
        if gone is not None:
            task.finish(events.Lost(gone))
        elif link is not None:
            task.connected(link)
            if self._link is not link:  # closed meanwhile, before the task could notice
                task.disconnected(link)
        return task.outcome

    def run(self, job: Mapping[str, Any], timeout: float | None = None) -> events.Outcome:
        """Send the algorithm a task and wait for its outcome.

        Raises:
            TimeoutError: there is no outcome after `timeout` seconds.
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

        Without a connection, the task ends immediately.

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

    def discover(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Report parents' pods that came or went to a streaming node.

        Args:
            changes: the data of `serviceDiscoveryUpdate`.
        """
        link = self._link
        if link is not None:
            data = [dict(change) for change in changes]
            link.send({"command": commands.SERVICE_DISCOVERY_UPDATE, "data": data})

    def exit(self, code: int = 0) -> None:
        """Ask the algorithm's process to exit, immediately or once it is connected."""
        with self._lock:
            self._exit_code, link = code, self._link
        if link is not None:
            self._command(link, commands.EXIT, {"exitCode": code})

    def give_up(self, reason: str) -> None:
        """Record that the algorithm will not reconnect: its task and any later one are lost."""
        with self._lock:
            self._gone, task = reason, self._current()
        if task is not None:
            task.finish(events.Lost(reason))

    @property
    def _is_ending(self) -> bool:
        """Whether the algorithm is to exit, so that a late message of it means nothing."""
        return self._exit_code is not None or self._gone is not None

    def _current(self) -> LocalTask | None:
        task = self._task
        return None if task is None or task.over else task

    def _command(self, link: AlgorithmConnection, command: str, data: dict[str, Any]) -> None:
        task = self._current()
        self._report(events.Sent, task.task_id if task else None, command=command)
        link.send({"command": command, "data": data})

    def _refuse(self, request: Request) -> str:
        if self.is_connected:
            return "an algorithm is connected already"
        return refusal(request.path, request.headers, self.port, self._token)

    def _serve_connection(self, connection: ServerConnection) -> None:
        link = accept_connection(connection, "v1" if self._storage is None else "v3")
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
        self._report(events.Connected, task.task_id if task else None, encoding=link.encoding.name)
        if task is not None:
            task.connected(link)
        if exit_code is not None:  # requested before the algorithm connected
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
        self._report(events.Disconnected, task_id, code=code, reason=reason)
        if task is not None:
            task.disconnected(link)

    def _receive(self, link: AlgorithmConnection, frame: bytes) -> None:
        task = self._current()
        task_id = task.task_id if task else None
        try:
            message = link.encoding.decode(frame)
        except WrapperError as error:
            self._report(events.Violation, task_id, text=str(error))
            if task is not None:
                lost = f"it sent a message that would crash HKube's worker: {error}"
                task.finish(events.Lost(lost))
            return
        command = message.get("command") if isinstance(message, dict) else None
        if not isinstance(command, str):
            self._report(events.Violation, task_id, text="a message without a command")
            return
        self._report(events.MessageReceived, task_id, message=message)
        if command == commands.LOG_DATA:
            lines = message.get("data")
            lines = lines if isinstance(lines, list) else [lines]
            self._report(events.LogLines, task_id, lines=tuple(str(line) for line in lines))
        elif task is not None:
            task.handle(link, command, message)
        elif command in (commands.STOPPED, commands.SERVING_STATUS) or self._is_ending:
            self._report(events.Received, None, command=command)
        else:
            self._report(events.Violation, None, text=f"'{command}' with no task running")

    def _report(self, kind: type[events.WorkerEvent], task_id: str | None, **facts: Any) -> None:
        with self._listener_lock:
            try:
                self._listener(kind(at=self._clock(), task_id=task_id, **facts))
            except Exception:  # a failing listener must not harm the task
                logging.getLogger(__name__).exception("a listener of the local worker failed")
