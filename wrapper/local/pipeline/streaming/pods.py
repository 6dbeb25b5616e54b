"""The processes of a streaming pipeline's pods.

Everything in this module is called in the loop's thread.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from ....text.exit_codes import exit_code_text
from ...run.usage import ResourceUsage
from ...worker import events
from ...worker.answers import Answers
from ...worker.connection import CONNECTION_LOST
from ...worker.storage import LocalStorage
from ...worker.timeouts import CRASH_TIMEOUT
from ..engine.loop import Loop
from ..engine.process import PooledAlgorithm, ProcessEvent, ProcessExited
from .stream_plan import StreamPlan

PodEnded = Callable[[int, events.Outcome], None]
"""Called with a pod's number and the outcome of its task."""
PodReported = Callable[[int, events.WorkerEvent], None]
"""Called with a pod's number and an event of its worker."""


@dataclass
class _RunningPod:
    """A pod: its node, its process, its port, and why its task was lost."""

    node: str
    process: PooledAlgorithm
    port: int
    lost: str | None = None


@final
class Pods:
    """Starts the processes of pods, and reports how their tasks end."""

    def __init__(
        self,
        loop: Loop,
        plan: StreamPlan,
        answers: Answers,
        environ: Mapping[str, str],
        storage: LocalStorage,
        on_line: Callable[[str, str], None],
        on_event: PodReported,
        on_end: PodEnded,
    ) -> None:
        """Create it without pods.

        Args:
            loop: the loop that calls it.
            plan: the algorithms and jobs of the nodes.
            answers: replies to calls of algorithms.
            environ: the base environment of the processes.
            storage: the storage of mode v3.
            on_line: called in any thread with the name of a node and a line of its output.
            on_event: called in the loop's thread.
            on_end: called in the loop's thread.
        """
        self._loop = loop
        self._plan = plan
        self._answers = answers
        self._environ = environ
        self._storage = storage
        self._on_line = on_line
        self._on_event = on_event
        self._on_end = on_end
        self._pods: dict[int, _RunningPod] = {}
        self._processes: dict[PooledAlgorithm, threading.Thread | None] = {}
        self._is_closed = threading.Event()

    def start(self, number: int, node: str, batch_index: int) -> None:
        """Start a pod and its task."""
        port = _free_port()
        try:
            process = PooledAlgorithm(
                self._plan.pod_source(node, port),
                self._answers,
                self._environ,
                self._storage,
                on_process_event=partial(self._loop.post, self._process_event, number),
                on_worker_event=partial(self._worker_event, number),
                on_lines=partial(self._report_lines, node),
            )
        except OSError as error:
            reason = f"cannot start a process: {error.strerror or error}"
            self._loop.post(self._on_end, number, events.Lost(reason))
            return
        self._pods[number] = _RunningPod(node, process, port)
        self._processes[process] = None
        if self._is_closed.is_set():  # kill() ran before this process was listed
            process.kill()
            return
        process.begin(self._plan.job(node, batch_index, str(number)))

    def _report_lines(self, node: str, lines: list[str]) -> None:
        for line in lines:
            self._on_line(node, line)

    def stop(self, number: int, force: bool) -> None:
        """Stop the task of a pod."""
        pod = self._pods.get(number)
        if pod is not None:
            pod.process.stop(force)

    def usages(self) -> dict[int, ResourceUsage]:
        """Return what each pod uses, by its number."""
        return {number: pod.process.usage() for number, pod in self._pods.items()}

    def kill_pod(self, number: int) -> None:
        """End the processes of a pod at once."""
        pod = self._pods.get(number)
        if pod is not None:
            self._in_thread(pod.process.kill, pod.process)

    def discover(self, number: int, changes: tuple[tuple[int, bool], ...]) -> None:
        """Report parents' pods that came or went to a pod."""
        pod = self._pods.get(number)
        if pod is not None:
            pod.process.discover([self._address(*change) for change in changes])

    def close(self) -> None:
        """Wait until all processes have ended; from any other thread."""
        for thread in list(self._processes.values()):
            if thread is not None:
                thread.join()

    def kill(self) -> None:
        """Start nothing more and end all processes at once; safe from any thread."""
        self._is_closed.set()
        threads = [
            threading.Thread(target=process.kill, daemon=True) for process in list(self._processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _address(self, number: int, has_come: bool) -> dict[str, Any]:
        pod = self._pods[number]
        return {
            "nodeName": pod.node,
            "address": {"host": "127.0.0.1", "port": str(pod.port)},
            "type": "Add" if has_come else "Del",
        }

    def _worker_event(self, number: int, event: events.WorkerEvent) -> None:
        if isinstance(event, (events.Received, events.StatisticsCame, events.Violation)):
            self._loop.post(self._on_event, number, event)

    def _process_event(self, number: int, event: ProcessEvent) -> None:
        pod = self._pods.get(number)
        if pod is None:
            return
        if isinstance(event, ProcessExited):
            text = f"its process ended with {exit_code_text(event.code)}"
            known = pod.lost not in (None, CONNECTION_LOST)
            self._ended(number, events.Lost(str(pod.lost) if known else text))
        elif isinstance(event.outcome, events.Lost):
            # A crashed process exits soon, and its exit code says more; others must be killed.
            lost = event.outcome.reason
            pod.lost = None if lost.startswith("its process ended") else lost
            self._loop.after(CRASH_TIMEOUT, self.kill_pod, number)
        else:
            self._ended(number, event.outcome)

    def _ended(self, number: int, outcome: events.Outcome) -> None:
        pod = self._pods[number]
        # First, because `close` waits for these threads once the last pod has ended.
        self._in_thread(pod.process.end, pod.process)
        self._on_end(number, outcome)  # needs the pod's address
        del self._pods[number]

    def _in_thread(self, call: Callable[[], None], process: PooledAlgorithm) -> None:
        def run() -> None:
            call()
            self._loop.post(self._processes.pop, process, None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._processes[process] = thread  # started: `close` may join it at any time


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
