"""What a worker says in a task, on top of the bare server, timed."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import orjson

from .server import Message, Peer

START = b'{"command":"start","data":{"spanId":{"uber-trace-id":"e4bd:2665:1cac:1"}}}'
# Recorded from HKube's worker, but for the input.
JOB: dict[str, Any] = {
    "useCache": False,
    "flatInput": None,
    "jobId": "main:p19pa1nk",
    "nodeName": "green",
    "metrics": {"tensorboard": True},
    "ttl": 0,
    "retry": {"policy": "OnCrash", "limit": 3},
    "pipelineName": "simple",
    "priority": 3,
    "kind": "batch",
    "algorithmName": "green-alg",
    "parents": [],
    "childs": [],
    "info": {
        "savePaths": ["green"],
        "extraData": {},
        "lastRunResult": None,
        "rootJobId": None,
    },
    "spanId": {"uber-trace-id": "e4bd:2665:1cac:1"},
    "taskId": "oxl03zdv",
    "status": "creating",
    "input": [],
    "storage": {},
    "entranceTime": 1795290578603,
    "attempts": 0,
    "batchIndex": 0,
}


class Outcome(NamedTuple):
    """A task that is done.

    Attributes:
        seconds: from just before `initialize` is sent to `done` having come, whole.
        done: the last message; its decoding is not in the seconds.
    """

    seconds: float
    done: Message

    def result(self) -> Any:
        """What the algorithm returned."""
        return orjson.loads(self.done.payload())["data"]


def initialize(value: bytes) -> bytes:
    """The message that begins a task with one input, JSON already."""
    head, tail = orjson.dumps({"command": "initialize", "data": JOB}).split(b'"input":[]')
    return head + b'"input":[' + value + b"]" + tail


def run_task(peer: Peer, first: bytes) -> Outcome:
    """One task; code-API calls of the algorithm are answered at once."""
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
