"""The worker's side of a timed task, on top of the bare server."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import orjson

from tests.recorded_job import recorded_job

from .server import Message, Peer

START = b'{"command":"start","data":{"spanId":{"uber-trace-id":"e4bd:2665:1cac:1"}}}'


class Outcome(NamedTuple):
    """A task that is done.

    Attributes:
        seconds: from just before `initialize` is sent until all of `done` has arrived.
        done: the final message; decoding it is not included in the seconds.
    """

    seconds: float
    done: Message

    def result(self) -> Any:
        """Return the algorithm's result."""
        return orjson.loads(self.done.payload())["data"]


def initialize(value: bytes) -> bytes:
    """Return the message that begins a task with one input, given as JSON."""
    head, tail = orjson.dumps({"command": "initialize", "data": recorded_job()}).split(
        b'"input":[]'
    )
    return head + b'"input":[' + value + b"]" + tail


def run_task(peer: Peer, first: bytes) -> Outcome:
    """Run one task; answer the algorithm's code-API calls at once."""
    begin = time.perf_counter()
    peer.send(first)
    peer.expect("initialized")
    peer.send(START)
    peer.expect("started")
    while True:
        message = peer.receive()
        if message.command == "startAlgorithmExecution":
            call_id = orjson.loads(message.payload())["data"]["execId"]
            answer = {"execId": call_id, "response": 42}
            peer.send(orjson.dumps({"command": "algorithmExecutionDone", "data": answer}))
        elif message.command == "done":
            return Outcome(time.perf_counter() - begin, message)
        elif message.command not in ("alive", "storing", "servingStatus"):
            raise ValueError(f"the task ended badly: {bytes(message.payload()[:2000])!r}")
