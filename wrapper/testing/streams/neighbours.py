"""The nodes before and after the node under test, in a thread: their sockets are real."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any

from ...local.worker.waiting import wait_done
from ...protocol.encoding.encoding import get_encoding
from ...storage.format.encoded import encode_value
from ...storage.format.header import make_header
from ...streaming import wire
from ...streaming.flows import Hops
from ...supervisor.loop.burst import Burst
from ...supervisor.loop.poller import Poller
from ...supervisor.loop.wakeup import Wakeup
from ...supervisor.streams.notices import Notices
from ...supervisor.streams.producer import Producer
from .child_pod import ChildPod, SentMessage

_NO_LIMIT = 1 << 50
_UNDECODABLE = b"\xc1"  # a byte that MessagePack never uses


class Neighbours:
    """A pod for each parent and each child of the node under test.

    Args:
        node: the name of the node under test.
        parents: the names of the nodes before it.
        children: the names of the nodes after it.
        port: what the node under test listens on.
        encoding: the name of the encoding between nodes.
    """

    def __init__(
        self, node: str, parents: Sequence[str], children: Sequence[str], port: int, encoding: str
    ) -> None:
        self._node = node
        self._encoding = get_encoding(encoding)
        self._poller = Poller()
        self._wakeup = Wakeup()
        self._poller.watch(self._wakeup, self._read_wakeup)
        self.sent: list[SentMessage] = []
        self.notices: list[str] = []
        notices = Notices(self.notices.append)
        self._parents = {
            name: Producer(
                *(0, [node], _NO_LIMIT, self._encoding, self._poller, notices, Burst()),
                host="127.0.0.1",
            )
            for name in parents
        }
        self._children = {
            name: ChildPod(name, port, self._encoding, self._poller, self.sent.append)
            for name in children
        }
        self._awaited: list[tuple[Callable[[], bool], Future[None]]] = []
        self._is_closed = False
        self._thread = Thread(target=self._run, name="hkube-neighbours", daemon=True)

    def start(self) -> None:
        """Open the sockets."""
        for parent in self._parents.values():
            parent.start()
        self._thread.start()

    def close(self) -> None:
        """Close all sockets."""
        self._is_closed = True
        self.wake()
        self._thread.join()
        self._wakeup.close()

    @property
    def discovery(self) -> list[dict[str, Any]]:
        """The parents' addresses, as the data of `serviceDiscoveryUpdate`."""
        return [
            {
                "nodeName": name,
                "address": {"host": "127.0.0.1", "port": str(parent.port)},
                "type": "Add",
            }
            for name, parent in self._parents.items()
        ]

    def send(self, origin: str, rest: Hops, value: Any) -> None:
        """Queue a message for the node under test.

        Raises:
            EncodingError: the value cannot be sent.
        """
        encoded = encode_value(value, self._encoding.name, "message")
        header = encoded.header or make_header(False, self._encoding.name)
        self._queue(origin, rest, header, bytes(encoded.payload))

    def send_undecodable(self, origin: str, rest: Hops) -> None:
        """Queue a message that the node under test cannot decode."""
        self._queue(origin, rest, make_header(False, self._encoding.name), _UNDECODABLE)

    def pause(self, child: str, paused: bool, timeout: float | None) -> bool:
        """Let a child ask for nothing, or go on; False if its last message is not here in time."""
        pod = self._children[child]
        self._wakeup.post(lambda: pod.pause(paused))
        return self.wait(lambda: pod.is_resting or not paused or not pod.is_connected, timeout)

    def slow_down(self, child: str, seconds: float) -> None:
        """Let a child take so long for each message."""
        self._children[child].seconds_each = seconds

    def lose_pod(self, child: str, times: int) -> None:
        """Let a child's pod die with its next messages, each time one."""
        self._children[child].dies_with = times

    @property
    def unhandled(self) -> int:
        """How many messages the node under test has not handled yet."""
        return sum(
            parent.queue.waiting + parent.deliveries.in_flight(self._node)
            for parent in list(self._parents.values())
        )

    def has_handled_all(self) -> bool:
        """Whether the node under test has handled all messages; call it from a wait."""
        return all(parent.is_drained for parent in self._parents.values())

    def have_fetched_all(self, mark: float, is_over: bool) -> bool:
        """Whether the children have everything that the node had sent by then.

        Args:
            mark: a time on the monotonic clock.
            is_over: the node's task has ended, so a child without a connection gets nothing more.
        """
        return all(
            pod.has_found_nothing_since(mark)
            or pod.is_resting
            or (is_over and not pod.is_connected)
            for pod in self._children.values()
        )

    def wait(self, is_true: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until something is true; False if it is not after `timeout` seconds.

        Args:
            is_true: called in the thread of the sockets, after everything that happens there.
        """
        happened: Future[None] = Future()
        self._wakeup.post(lambda: self._awaited.append((is_true, happened)))
        return wait_done(happened, timeout)

    def wake(self) -> None:
        """Have all waits look again; safe from any thread."""
        self._wakeup.post(lambda: None)

    def _queue(self, origin: str, rest: Hops, header: bytes, payload: bytes) -> None:
        flow = wire.encode_plain(rest, self._encoding)
        parent = self._parents[origin]
        self._wakeup.post(
            lambda: parent.append(flow, header, payload, [self._node], time.monotonic())
        )

    def _read_wakeup(self) -> None:
        self._wakeup.read()

    @property
    def _pods(self) -> list[Producer | ChildPod]:
        return [*self._parents.values(), *self._children.values()]

    def _run(self) -> None:
        while not self._is_closed:
            self._poller.wait(self._seconds_to_wait())
            now = time.monotonic()
            for pod in self._pods:
                pod.tick(now)
            self._answer_waits()
        for pod in self._pods:
            pod.close()

    def _seconds_to_wait(self) -> float | None:
        due = [at for pod in self._pods if (at := pod.deadline()) is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _answer_waits(self) -> None:
        waiting, self._awaited = self._awaited, []
        for is_true, happened in waiting:
            if is_true():
                happened.set_result(None)
            else:
                self._awaited.append((is_true, happened))
