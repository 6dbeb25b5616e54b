"""A node under test while it runs: its session, the nodes around it, and its end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from ...config.storage_settings import DiscoverySettings
from ...local.scratch import ScratchFolder
from ...local.worker import events
from ...local.worker.storage import LocalStorage
from ...local.worker.worker import LocalWorker
from ...protocol.messages import commands
from ..outcome.outcome import AlgorithmFailed, Outcome
from ..sessions.stream_wiring import StreamWiring
from .neighbours import Neighbours
from .node_flows import NodeFlows

_STATISTICS_INTERVAL = 0.1  # seconds; HKube's is 2


class StreamSession(Protocol):
    """Runs the node: in a thread, or in processes of its own.

    Attributes:
        worker: Gives it its task.
        discovery: The settings of its connections to other nodes.
    """

    worker: LocalWorker
    discovery: DiscoverySettings

    def begin(self, job: Mapping[str, Any]) -> Future[events.Outcome]:
        """Begin the task."""

    def finish(self, ended: Future[events.Outcome], timeout: float | None) -> Outcome:
        """Wait for the end of the task."""

    def stop(self, force: bool = True) -> None:
        """Stop the task."""

    def close(self) -> None:
        """End the node."""


class NodeRun:
    """One run of the node under test.

    Attributes:
        name: The node's name.
        neighbours: The nodes before and after it.
        outcome: How it ended, after `finish`.
        is_over: Whether `finish` was called.
    """

    def __init__(
        self,
        flows: NodeFlows,
        make_session: Callable[[StreamWiring], StreamSession],
        timeout: float | None,
        buffer_mb: int | None = None,
    ) -> None:
        """Prepare the node without starting its task.

        Args:
            flows: The pipeline around it.
            make_session: Starts what runs it.
            timeout: Seconds for each wait; None for no limit.
            buffer_mb: The size of its queue, in MB; None for the default.
        """
        self.name = flows.node
        self.outcome: Outcome | None = None
        self.is_over = False
        self.timeout = timeout
        self._has_parents = bool(flows.parents)
        self._statistics: tuple[Mapping[str, Any], ...] = ()
        self._reports = 0
        self._ended: Future[events.Outcome] = Future()
        with ExitStack() as stack:
            folder = stack.enter_context(ScratchFolder())
            wiring = StreamWiring(LocalStorage(Path(folder)), _environ(buffer_mb), self._take_event)
            self._session = make_session(wiring)
            stack.callback(self._session.close)
            discovery = self._session.discovery
            self.neighbours = Neighbours(
                *(flows.node, flows.parents, flows.children),
                *(discovery.streaming_port, discovery.encoding),
            )
            self.neighbours.start()
            stack.callback(self.neighbours.close)
            self._stack = stack.pop_all()

    def begin(self, job: Mapping[str, Any]) -> None:
        """Start the node's task.

        Args:
            job: The data of its `initialize` message.
        """
        self._ended = self._session.begin(job)
        self._ended.add_done_callback(lambda _: self.neighbours.wake())

    @property
    def has_ended(self) -> bool:
        """Whether the task has an outcome."""
        return self._ended.done()

    @property
    def has_failed(self) -> bool:
        """Whether the task has failed."""
        return self.has_ended and isinstance(self._ended.result(), (events.Failed, events.Lost))

    def wait(self, is_true: Callable[[], bool], what: str | Callable[[], str]) -> None:
        """Wait until something is true.

        Args:
            is_true: Called after each event.
            what: What the node has to do, in words.

        Raises:
            AlgorithmFailed: It is not true in time.
        """
        if self.neighbours.wait(is_true, self.timeout):
            return
        text = what if isinstance(what, str) else what()
        raise AlgorithmFailed(f"'{self.name}' did not {text} within {self.timeout:g} s")

    def statistics_of(self, child: str) -> dict[str, Any]:
        """Return a report about a child that was made after this call, or the last one.

        Raises:
            AlgorithmFailed: None comes.
        """
        if not self.is_over:
            wanted = self._reports + 2  # the next one may have been under way already
            self.wait(lambda: self._reports >= wanted or self.has_ended, "report statistics")
        for report in self._statistics:
            if report["nodeName"] == child:
                return dict(report)
        raise AlgorithmFailed(f"'{self.name}' has ended without statistics about '{child}'")

    def stop(self, force: bool) -> None:
        """Stop the task, unless it has ended."""
        if not self.has_ended:
            self._session.stop(force)

    def finish(self) -> Outcome:
        """Wait for the end of the task, and close everything.

        Raises:
            AlgorithmFailed: The node did not end.
        """
        try:
            self.outcome = self._session.finish(self._ended, self.timeout)
        finally:
            self.is_over = True
            self._stack.close()
        return self.outcome

    def _take_event(self, event: events.WorkerEvent) -> None:
        if isinstance(event, events.Received) and event.command == commands.INITIALIZED:
            if self._has_parents:
                self._session.worker.discover(self.neighbours.discovery)
        elif isinstance(event, events.StatisticsCame):
            self._statistics = event.reports
            self._reports += 1
            self.neighbours.wake()


def _environ(buffer_mb: int | None) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "STREAMING_DISCOVERY_PORT": str(port),
        "STREAMING_STATISTICS_INTERVAL": str(_STATISTICS_INTERVAL),
    }
    return environ if buffer_mb is None else {**environ, "STREAMING_MAX_BUFFER_MB": str(buffer_mb)}
