"""The floor: a hand-written loop on websocket-client and orjson, without the wrapper.

One thread, the library's best public settings, no error handling, no ``alive``, no stop: nothing
that a real wrapper must do. Run as a script by the benchmarks: ``floor.py PORT ALGORITHM``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
import websocket


def main() -> None:
    """Connect and serve until the process ends."""
    connection = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=True)
    url = f"ws://127.0.0.1:{sys.argv[1]}/?storage=v1&encoding=json"
    connection.connect(url)  # type: ignore[no-untyped-call]
    serve(connection, ALGORITHMS[sys.argv[2]])


def serve(connection: websocket.WebSocket, algorithm: Callable[..., Any]) -> None:
    """initialize → initialized, start → started … done, until the worker closes."""
    job: Any = None
    while True:
        opcode, frame = connection.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return
        message = orjson.loads(frame)
        del frame
        command = message["command"]
        if command == "initialize":
            job = message["data"]
            del message
            connection.send(orjson.dumps({"command": "initialized"}))
        elif command == "start":
            connection.send(orjson.dumps({"command": "started"}))
            result = algorithm(job, connection)
            job = None
            frame = orjson.dumps({"command": "done", "data": result})
            del result
            connection.send(frame)
            del frame


def echo(job: dict[str, Any], connection: websocket.WebSocket) -> Any:
    """Return the first input."""
    return job["input"][0]


def calls(job: dict[str, Any], connection: websocket.WebSocket) -> list[float]:
    """Make a number of code-API calls in sequence; return the seconds that each took."""
    durations = []
    for number in range(job["input"][0]):
        begin = time.perf_counter()
        send_call(connection, number)
        receive_answer(connection)
        durations.append(time.perf_counter() - begin)
    return durations


def crowd(job: dict[str, Any], connection: websocket.WebSocket) -> float:
    """Make rounds of 100 calls in flight; return the total seconds per call."""
    rounds: int = job["input"][0]
    begin = time.perf_counter()
    for _ in range(rounds):
        for number in range(100):
            send_call(connection, number)
        for _ in range(100):
            receive_answer(connection)
    return (time.perf_counter() - begin) / (100 * rounds)


def send_call(connection: websocket.WebSocket, number: int) -> None:
    """Send startAlgorithmExecution, as HKubeApi.start_algorithm does."""
    data = {
        "execId": str(number),
        "algorithmName": "green-alg",
        "input": [1],
        "includeResult": True,
    }
    connection.send(orjson.dumps({"command": "startAlgorithmExecution", "data": data}))


def receive_answer(connection: websocket.WebSocket) -> Any:
    """Return the response in the next message."""
    return orjson.loads(connection.recv_data()[1])["data"]["response"]


ALGORITHMS = {"echo": echo, "prepared": echo, "calls": calls, "crowd": crowd}

if __name__ == "__main__":
    try:
        main()
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
