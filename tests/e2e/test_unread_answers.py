"""Answers to calls, while user code holds the GIL: they wait in the supervisor, up to a limit."""

from __future__ import annotations

from threading import Thread

import psutil

from .conftest import Serve

MOST = 256 * 1024 * 1024  # bytes that may wait
ANSWER = 60_000_000


def test_unread_answers_are_bounded_and_alive_goes_on(serve: Serve) -> None:
    worker, wrapper = serve("holds_gil")
    supervisor = psutil.Process(wrapper.pid)
    worker.begin(25)  # seconds that the GIL is held

    def send_many() -> None:
        for _ in range(10):
            answer = {"execId": "nobody", "response": "x" * ANSWER}
            worker.send("algorithmExecutionDone", answer)

    def signs_of_life() -> int:
        return sum(message.command == "alive" for message in worker.received)

    sending = Thread(target=send_many)
    sending.start()
    most, enough = 0, None
    while sending.is_alive() and (enough is None or signs_of_life() < enough):
        most = max(most, supervisor.memory_info().rss)
        if enough is None and most > MOST:
            enough = signs_of_life() + 2
    waits = sending.is_alive()
    sending.join()
    assert waits, "the worker has to wait"
    assert most < MOST + 3 * ANSWER
    assert worker.finish(timeout=60).data == 0
