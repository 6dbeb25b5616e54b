"""HKubeApi's calls while a task runs, and the end of the algorithm process."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.paths import ROOT
from tests.unit.support.driver import LIMIT, Driver, loads
from wrapper.errors import SubPipelineError
from wrapper.ipc.frames import FrameKind

DATA = {"input": [1, 2], "jobId": "job-1", "taskId": "task-1", "nodeName": "green"}


def echo(args: dict[str, Any]) -> Any:
    return args["input"]


# --------------------------------------------------------------------------------- calls --
def test_a_call_waits_for_its_answer(driver: Driver) -> None:
    def start(args: Any, api: Any) -> Any:
        return api.start_stored_subpipeline("simple", {"files": []})

    def script() -> None:
        driver.send(FrameKind.TASK, 1, DATA)
        call = driver.receive(FrameKind.USER_MESSAGE)
        assert call.command == "startStoredSubPipeline"
        driver.answer("subPipelineDone", subPipelineId="nobody's", response=1)
        driver.send(FrameKind.ANSWER, 0, raw=b"{}")
        driver.send(FrameKind.ANSWER, 0, raw=b"5")
        driver.send(FrameKind.ANSWER, 0, raw=b"{junk")
        driver.answer("subPipelineDone", subPipelineId=call.data["subPipelineId"], response=[7])
        assert driver.receive(FrameKind.FINAL_MESSAGE).data == [7]

    driver.serve(script, loads(start))

    assert "ignored an answer of the worker: the message is not valid JSON" in driver.log


def test_a_call_that_failed_raises(driver: Driver) -> None:
    def start(args: Any, api: Any) -> Any:
        with pytest.raises(SubPipelineError, match="no such pipeline"):
            api.start_stored_subpipeline("simple", {})
        return "survived"

    def script() -> None:
        driver.send(FrameKind.TASK, 1, DATA)
        call_id = driver.receive(FrameKind.USER_MESSAGE).data["subPipelineId"]
        driver.answer("subPipelineError", subPipelineId=call_id, error="no such pipeline")
        assert driver.receive(FrameKind.FINAL_MESSAGE).data == "survived"

    driver.serve(script, loads(start))


def test_open_spans_are_finished_before_the_final_message(driver: Driver) -> None:
    def start(args: Any, api: Any) -> None:
        api.start_span("outer")
        api.start_span("inner")
        raise KeyError("x")

    def script() -> None:
        driver.send(FrameKind.TASK, 1, DATA)
        said = [driver.receive(FrameKind.USER_MESSAGE).command for _ in range(4)]
        assert said == ["startSpan", "startSpan", "finishSpan", "finishSpan"]
        assert driver.receive(FrameKind.FINAL_MESSAGE).command == "errorMessage"

    driver.serve(script, loads(start))


def test_an_answer_for_no_task_is_ignored(driver: Driver) -> None:
    def script() -> None:
        driver.answer("subPipelineDone", subPipelineId="1", response=1)
        assert driver.run_task(1, DATA).data == [1, 2]

    driver.serve(script, loads(echo))


# ----------------------------------------------------------------------------------- end --
def test_exit_calls_the_users_exit_and_ends(driver: Driver) -> None:
    data: list[Any] = []
    driver.serve(
        lambda: driver.send(FrameKind.EXIT, 1, {"exitCode": 3}), loads(echo, exit=data.append)
    )

    assert data == [{"exitCode": 3}]


def test_an_error_in_exit_is_logged(driver: Driver) -> None:
    driver.serve(lambda: None, loads(echo, exit=lambda args: args["no"]))

    assert "the algorithm's exit failed: KeyError: 'no'" in driver.log


def test_the_end_of_the_supervisor_ends_an_idle_host(driver: Driver) -> None:
    driver.serve(driver.channel.close, loads(echo))

    assert not driver.gone.is_set()


def test_the_end_of_the_supervisor_ends_running_user_code(driver: Driver) -> None:
    def start(args: Any) -> None:
        Thread(target=driver.channel.close).start()
        assert driver.gone.wait(LIMIT)

    driver.serve(lambda: driver.send(FrameKind.TASK, 1, {}), loads(start))


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forked_child_that_returns_from_start_sends_nothing(tmp_path: Path) -> None:
    """In a new process, because one with threads should not be forked."""
    import subprocess

    code = """
import os
from tests.unit.support.driver import driving, loads
from wrapper.ipc.frames import FrameKind

def start(args):
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return ["parent", os.waitstatus_to_exitcode(status)]
    return "child"

def script():
    assert driver.run_task(1).data == ["parent", 0]
    assert driver.is_silent()

with driving() as driver:
    driver.serve(script, loads(start))
"""
    root = ROOT
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=root, check=False, timeout=60
    )
    assert done.returncode == 0
