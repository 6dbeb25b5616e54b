"""A streaming node that runs while a test sends messages to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from ..outcome.outcome import AlgorithmFailed, Outcome
from ..request.wrong_use import WrongUse
from . import recording
from .child_pod import SentMessage
from .node_flows import NodeFlows
from .node_run import NodeRun


class Stream:
    """A streaming node under test; ``HKube.stream`` starts it.

    The test plays the nodes before and after it, over the same connections as in HKube. As a
    context manager, it stops the node at the end of the ``with`` block.
    """

    def __init__(
        self, run: NodeRun, flows: NodeFlows, is_isolated: bool, on_end: Callable[[Stream], None]
    ) -> None:
        self.is_isolated = is_isolated
        self._run = run
        self._flows = flows
        self._neighbours = run.neighbours
        self._on_end = on_end

    # ------------------------------------------------------------------ messages to the node --
    def send(self, message: Any, origin: str | None = None, flow: str | None = None) -> None:
        """Send a message to the node; it is queued until the node asks for it.

        Args:
            message: The value.
            origin: The node that sends it. Not needed if only one node sends to this one.
            flow: The name of the message's flow. By default the default flow, or the only flow
                that leads to the node.

        Raises:
            WrongUse: No flow leads from ``origin`` to the node, or several do.
            WrapperError: The message cannot be sent.
        """
        self._check_runs()
        way = self._flows.way(origin, flow)
        self._neighbours.send(way.origin, way.rest, message)

    def send_undecodable(self, origin: str | None = None, flow: str | None = None) -> None:
        """Send a message that the node cannot decode.

        Args:
            origin: See ``send``.
            flow: See ``send``.
        """
        self._check_runs()
        way = self._flows.way(origin, flow)
        self._neighbours.send_undecodable(way.origin, way.rest)

    def replay(self, path: str | Path) -> None:
        """Send the messages of a recording, in their order.

        Args:
            path: A file of JSON lines with ``message`` and, if needed, ``node`` (the sender) and
                ``flow``: what ``save`` and ``hkube-wrapper pipeline run --json`` write.

        Raises:
            WrongUse: The file cannot be read, or a line is invalid.
        """
        self._check_runs()
        for message in recording.read(Path(path)):
            self.send(message.value, message.node, message.flow)

    # ---------------------------------------------------------------- messages from the node --
    def sent(self, count: int | None = None, node: str | None = None) -> list[SentMessage]:
        """Return the messages that the node has sent since it started.

        First it waits until the node has handled all messages that the test has sent, or, if the
        node is a source, until its ``start`` has returned.

        Args:
            count: Wait only until so many messages have arrived.
            node: Count and return only what this node received.

        Raises:
            AlgorithmFailed: The node failed, or it did not get so far within ``timeout`` seconds.
        """
        __tracebackhide__ = True
        if node is not None:
            self._flows.child(node)
        if self._run.outcome is None:
            if count is None:
                self._wait_until_handled()
            else:
                self._wait_for(count, node)
            self._check_outcome()
        return self._received(node)

    def save(self, path: str | Path) -> None:
        """Write the messages that the node has sent to a file, for ``replay`` in another test.

        Args:
            path: The file; each line is a JSON object.

        Raises:
            WrongUse: A message is not JSON.
        """
        recording.write(Path(path), self._flows.node, self._received(None))

    def statistics(self, node: str | None = None) -> dict[str, Any]:
        """Return what the node reports to HKube about its messages to another node.

        Args:
            node: The receiving node. Not needed if there is only one.

        Returns:
            The report, with ``queueSize``, ``sent``, ``dropped``, ``redelivered`` and others.

        Raises:
            AlgorithmFailed: No report came within ``timeout`` seconds.
        """
        return self._run.statistics_of(self._flows.child(node))

    # ---------------------------------------------------------------------------- failures --
    def pause(self, node: str | None = None) -> None:
        """Let a receiving node fetch nothing until ``resume``: the node's queue grows.

        Args:
            node: The receiving node. Not needed if there is only one.
        """
        self._check_runs()
        self._neighbours.pause(self._flows.child(node), True, self._run.timeout)

    def resume(self, node: str | None = None) -> None:
        """Let a receiving node fetch messages again.

        Args:
            node: See ``pause``.
        """
        self._neighbours.pause(self._flows.child(node), False, self._run.timeout)

    def slow_down(self, seconds: float, node: str | None = None) -> None:
        """Let a receiving node take this long for each message.

        Args:
            seconds: The time for one message; 0 for none.
            node: The receiving node. Not needed if there is only one.
        """
        self._neighbours.slow_down(self._flows.child(node), seconds)

    def lose_pod(self, node: str | None = None, times: int = 1) -> None:
        """Let the pod of a receiving node die with the next message in its hands.

        A new pod takes its place, which gets the message again. A message that three pods have
        died with is dropped.

        Args:
            node: The receiving node. Not needed if there is only one.
            times: How many pods die, one after the other.
        """
        self._neighbours.lose_pod(self._flows.child(node), times)

    # --------------------------------------------------------------------------- the end --
    def stop(self, force: bool = True) -> Outcome:
        """Stop the node and wait for its end.

        Args:
            force: ``True`` as when the pipeline ends: what waits is lost. ``False`` as when HKube
                scales down: the node first hands over its messages.

        Returns:
            The outcome, even if the node has failed. Later calls return the same one.

        Raises:
            AlgorithmFailed: The node did not end in time.
        """
        __tracebackhide__ = True
        if self._run.outcome is not None:
            return self._run.outcome
        self._run.stop(force)
        return self._finish()

    def close(self) -> None:
        """Stop the node, unless that was done. The fixture calls this at the end of a test.

        Raises:
            AlgorithmFailed: The node failed, and the test has not looked at that.
        """
        if not self._run.is_over:
            has_failed = self._run.has_failed
            outcome = self.stop()
            if has_failed:
                outcome.result  # noqa: B018 - raises what has failed

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if error is None:
            self.close()
        elif not self._run.is_over:
            self.stop()  # the test has failed already

    def _received(self, node: str | None) -> list[SentMessage]:
        sent = list(self._neighbours.sent)
        return sent if node is None else [message for message in sent if message.node == node]

    def _wait_for(self, count: int, node: str | None) -> None:
        run, timeout = self._run, self._run.timeout

        def is_final() -> bool:
            return run.has_ended and self._neighbours.have_fetched_all(monotonic(), True)

        def has_come() -> bool:
            return len(self._received(node)) >= count or is_final()

        if self._neighbours.wait(has_come, timeout) and len(self._received(node)) >= count:
            return
        self._check_outcome()
        ended = "before its end" if run.has_ended else f"within {timeout:g} s"
        number = len(self._received(node))
        raise AlgorithmFailed(f"'{run.name}' sent {number} messages {ended}, not {count}")

    def _wait_until_handled(self) -> None:
        run, neighbours = self._run, self._neighbours
        if self._flows.parents:
            run.wait(
                lambda: neighbours.has_handled_all() or run.has_ended,
                lambda: f"handle {neighbours.unhandled} messages; does it listen for messages?",
            )
        else:
            run.wait(lambda: run.has_ended, "end; of a source that runs on, use sent(count=…)")
        mark = monotonic()
        run.wait(
            lambda: neighbours.have_fetched_all(mark, run.has_ended), "hand over what it has sent"
        )

    def _check_runs(self) -> None:
        if self._run.is_over:
            raise WrongUse(f"'{self._run.name}' has ended: start another stream")
        self._check_outcome()

    def _check_outcome(self) -> None:
        """Fail if the node has failed."""
        if self._run.has_failed:
            self._finish().result  # noqa: B018 - raises what has failed

    def _finish(self) -> Outcome:
        try:
            return self._run.finish()
        finally:
            self._on_end(self)
