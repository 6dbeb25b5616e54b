"""Messages that cross on the wire: every message sent belongs to the current task.

Messages carry no task id, so a late `done` would be credited to whatever task is current.
"""

from __future__ import annotations

import random
import time

import pytest

from .conftest import Serve
from .harness.events import RECEIVED, SENT, Message
from .harness.worker import ScriptedWorker

SECONDS = 4.0


def talk(worker: ScriptedWorker, chance: random.Random, number: int) -> None:
    """Run one task, with random events at random times."""

    def pause() -> None:
        time.sleep(chance.choice([0, 0, 0.0005, 0.002, 0.01]))

    work = chance.choice([0, 0, 0.001, 0.01, 5])
    worker.initialize(work, taskId=f"task-{number}")
    pause()
    worker.send("start", {})
    pause()
    if work == 5 or chance.random() < 0.5:
        worker.send("stop", {"forceStop": True})
        worker.wait_until(lambda: no_stop_waits(worker), 12, "stopped")
    elif chance.random() < 0.7:  # otherwise the next task interrupts this one
        worker.wait_until(lambda: worker.received[-1].data == f"task-{number}", 12, "done")


def no_stop_waits(worker: ScriptedWorker) -> bool:
    """Whether each stop has been answered."""
    sent = sum(event.kind == SENT and event.command == "stop" for event in worker.events)
    return worker.commands().count("stopped") == sent


def strangers(events: list[Message]) -> list[str]:
    """Return results and progress of tasks that the algorithm side must have dropped."""
    found: list[str] = []
    possible: list[str] = []  # tasks that may send: the newest one, and those that it crossed
    stopped = ""  # the task of the newest stop
    for event in events:
        if event.kind == SENT and event.command == "initialize":
            possible.append(event.data["taskId"])
        elif event.kind == SENT and event.command == "stop":
            stopped = possible[-1] if possible else ""
        elif event.kind == RECEIVED and event.command == "stopped":
            if stopped in possible:
                del possible[: possible.index(stopped) + 1]
        elif event.kind == RECEIVED and event.command in ("done", "progress"):
            is_final = event.command == "done"
            name = event.data if is_final else event.data["progress"]
            if name in possible:
                del possible[: possible.index(name) + is_final]
            else:
                found.append(f"{event} though it is over; possible: {possible}")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_crossing_messages(serve: Serve, seed: int) -> None:
    worker, wrapper = serve("names_its_task")
    pid = wrapper.algorithm().pid
    chance = random.Random(seed)
    end = time.monotonic() + SECONDS
    number = 0
    while time.monotonic() < end:
        number += 1
        talk(worker, chance, number)
    worker.send("stop")
    worker.wait_until(lambda: no_stop_waits(worker), 12, "last stopped")
    worker.pass_over()
    assert worker.run(0, taskId="the-last") == "the-last"
    assert strangers(worker.events) == []
    assert worker.connections == 1
    assert wrapper.algorithm().pid == pid


def test_connection_breaks_at_any_moment(serve: Serve) -> None:
    worker, wrapper = serve("names_its_task")
    chance = random.Random("links")
    for number in range(1, 9):
        worker.wait_connected(number)
        worker.initialize(chance.choice([0, 0.01, 5]), taskId=f"task-{number}")
        time.sleep(chance.choice([0, 0.001, 0.005]))
        worker.send("start", {})
        time.sleep(chance.choice([0, 0.001, 0.02]))
        if chance.random() < 0.5:
            worker.send("stop")
        worker.drop()
    worker.wait_connected(9)
    worker.pass_over()
    worker.initialize(0, taskId="the-last")
    worker.wait_for("initialized")
    worker.send("start", {})
    assert worker.wait_for("done").data == "the-last"
    assert strangers(worker.events) == []
    assert wrapper.is_running
