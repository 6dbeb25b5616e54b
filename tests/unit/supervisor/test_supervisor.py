"""The supervisor's loop: the messages it passes on, the junk it survives, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from websockets.frames import Opcode

from tests.unit.support.peer import LIMIT
from tests.unit.support.stage import Stage
from wrapper.ipc.frames import FrameKind, OptionalFunctions


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_task_messages_pass_through(stage: Stage) -> None:
    generation = stage.begin_task()
    stage.side.send(
        FrameKind.USER_MESSAGE, generation, {"command": "progress", "data": {"progress": 5}}
    )
    assert stage.next_message()["command"] == "progress"
    stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 7})

    assert stage.next_message() == {"command": "done", "data": 7}


def test_messages_of_an_old_task_are_dropped(stage: Stage) -> None:
    generation = stage.begin_task()
    for data in (1, 2):
        stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": data})
    stage.side.send(FrameKind.USER_MESSAGE, generation, {"command": "progress", "data": {}})
    assert stage.next_message()["data"] == 1
    generation = stage.begin_task()
    stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 3})

    assert stage.next_message()["data"] == 3


def test_burst_of_answers_stays_in_order(stage: Stage) -> None:
    stage.begin_task()
    answers = [
        json.dumps({"command": "subPipelineDone", "data": {"subPipelineId": str(number)}})
        for number in range(50)
    ]
    stage.worker.send(*answers)

    received = [bytes(stage.side.receive(FrameKind.ANSWER).payload).decode() for _ in answers]
    assert received == answers


def test_junk_from_the_worker_is_survived(stage: Stage) -> None:
    stage.worker.send("", "{", "[]", b"\xff", '{"command":5}', '{"command":"dance"}', "{" * 5000)
    generation = stage.begin_task()
    stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 1})

    assert stage.next_message()["data"] == 1


def test_process_that_ignores_a_stop_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrapper.protocol.task.transitions.KILL_AFTER", 0.05)
    stage = Stage(tmp_path)
    stage.begin_task()
    stage.send_command("stop", {"forceStop": True})

    assert stage.next_message() == {"command": "stopped"}
    assert stage.side.killed.wait(LIMIT)
    stage.side = stage.sides.get(timeout=LIMIT)
    stage.side.send(FrameKind.MODULE_LOADED, 0, raw=bytes([OptionalFunctions.INITIALIZE]))
    generation = stage.begin_task()
    stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 1})
    assert stage.next_message()["data"] == 1
    stage.close()


def test_algorithm_waits_while_too_much_waits_to_be_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrapper.supervisor.back_pressure.MAX_WAITING_BYTES", 1_000_000)
    generation = stage.begin_task()
    message = json.dumps({"command": "startSpan", "data": "x" * 500_000}).encode()

    def flood() -> None:
        for _ in range(60):
            stage.side.send(FrameKind.USER_MESSAGE, generation, raw=message)
        stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 1})

    flooding = Thread(target=flood)
    flooding.start()
    flooding.join(0.3)
    assert flooding.is_alive(), "30 MB do not fit into the buffers"
    received = [stage.next_message()["command"] for _ in range(61)]
    flooding.join(LIMIT)

    assert received == ["startSpan"] * 60 + ["done"]


# --------------------------------------------------------------------------------- ending --
def test_exit_message_ends_the_container_with_its_code(stage: Stage) -> None:
    stage.send_command("exit", {"exitCode": 9})
    stage.side.receive(FrameKind.EXIT)
    stage.side.end()

    assert stage.ended() == 9


def test_terminate_ends_the_container_with_143(stage: Stage) -> None:
    stage.begin_task()
    stage.supervisor.terminate()
    stage.side.receive(FrameKind.EXIT)
    stage.side.end()

    assert stage.ended() == 143
    [goodbye] = stage.worker.receive()
    assert goodbye.opcode == Opcode.CLOSE, "nothing that the worker would take for success"


def test_death_of_the_algorithm_ends_the_container_without_a_message(stage: Stage) -> None:
    stage.begin_task()
    stage.side.end()

    assert stage.ended() == 1
    [goodbye] = stage.worker.receive()
    assert goodbye.opcode == Opcode.CLOSE


def test_messages_sent_before_a_death_arrive(stage: Stage) -> None:
    generation = stage.begin_task()
    stage.side.send(FrameKind.FINAL_MESSAGE, generation, {"command": "done", "data": 1})
    stage.side.end()

    assert stage.next_message()["data"] == 1
    assert stage.ended() == 1


def test_debug_connection_that_is_in_use_ends_the_container(stage: Stage) -> None:
    stage.send_command("alreadyConnectedError", {"hostname": "laptop"})
    stage.side.receive(FrameKind.EXIT)
    stage.side.end()

    assert stage.ended() == 69
    assert "the debug connection is in use by laptop" in stage.log


def test_lost_worker_is_reported_once_while_the_users_exit_runs(tmp_path: Path) -> None:
    stage = Stage(tmp_path, WORKER_RECONNECT_TIMEOUT="0.05")
    stage.gateway.close()
    stage.side.receive(FrameKind.EXIT)
    Thread(target=stage.side.end).start()

    assert stage.ended() == 75
    assert stage.log.count("exiting with code 75") == 1
    stage.close()
