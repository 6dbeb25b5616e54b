"""A node of a streaming pipeline as a real process, and what its worker tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .process import WrapperProcess
from .worker import ScriptedWorker


class StreamNode:
    """A node of a pipeline: a worker, and the wrapper with the node's algorithm."""

    def __init__(
        self, worker: ScriptedWorker, wrapper: WrapperProcess, name: str, port: int
    ) -> None:
        self.worker, self.wrapper = worker, wrapper
        self.name = name
        self.port = port

    def begin(self, *inputs: Any, **job: Any) -> None:
        """Start the node's task."""
        self.worker.begin(*inputs, nodeName=self.name, kind="stream", **job)

    def know(self, *parents: StreamNode, change: str = "Add") -> None:
        """Send the addresses of parents, as the worker does."""
        changes = [
            {
                "nodeName": parent.name,
                "address": {"host": "127.0.0.1", "port": str(parent.port)},
                "type": change,
            }
            for parent in parents
        ]
        self.worker.send("serviceDiscoveryUpdate", changes)

    def lines(self) -> list[str]:
        """What the algorithm printed."""
        return self.wrapper.stdout.splitlines()

    def wait_for_lines(self, count: int) -> list[str]:
        """Wait until the algorithm has printed so many lines."""
        self.wrapper.wait_until(lambda: len(self.lines()) >= count, f"{count} lines", 20)
        return self.lines()

    def statistics(self, is_enough: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for statistics of the only child."""
        while True:
            message = self.worker.wait_for("streamingStatistics")
            assert isinstance(message.data, list)
            (report,) = message.data
            if is_enough(report):
                return dict(report)


def pipeline(flow: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the data about the pipeline that every node receives."""
    return {"parsedFlow": {"main": flow}, "defaultFlow": "main"}


def stop(each: StreamNode, force: bool) -> None:
    """Stop a node's task and wait until it has ended."""
    each.worker.send("stop", {"forceStop": force})
    each.worker.wait_for("stopped", timeout=30)
