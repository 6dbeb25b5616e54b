"""Running tasks in the algorithm process: a supervisor driven by hand, over real pipes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.support.driver import Driver, driving, loads
from wrapper.errors import LoadError
from wrapper.ipc.frames import FrameKind, OptionalFunctions

DATA = {"input": [1, 2], "jobId": "job-1", "taskId": "task-1", "nodeName": "green"}


def echo(args: dict[str, Any]) -> Any:
    return args["input"]


# ------------------------------------------------------------------------------- loading --
@pytest.mark.parametrize(
    ("functions", "bits"),
    [
        ({}, 0),
        ({"stop": lambda args: None}, OptionalFunctions.STOP),
        ({"initialize": lambda args: None}, OptionalFunctions.INITIALIZE),
        (
            {"stop": lambda args: None, "initialize": lambda args: None},
            OptionalFunctions.STOP | OptionalFunctions.INITIALIZE,
        ),
        ({"exit": lambda args: None}, 0),
    ],
)
def test_the_supervisor_receives_the_optional_functions(
    driver: Driver, functions: dict[str, Any], bits: int
) -> None:
    driver.serve(lambda: None, loads(echo, **functions))

    assert driver.functions == bits


def test_a_module_that_does_not_load_fails_every_task(driver: Driver) -> None:
    def load() -> Any:
        raise LoadError("main.py has no function start", "File main.py, line 1")

    def script() -> None:
        for generation, kind in (
            (1, FrameKind.INITIALIZE),
            (3, FrameKind.TASK),
            (5, FrameKind.INITIALIZE),
        ):
            driver.send(kind, generation, DATA)
            received = driver.receive(FrameKind.FINAL_MESSAGE)
            assert received.generation == generation
            assert received.command == "errorMessage"
            assert received.error["code"] == "LoadError"
            assert received.error["message"] == "main.py has no function start"
            assert received.error["details"] == "File main.py, line 1"

    driver.serve(script, load)

    assert driver.functions & OptionalFunctions.INITIALIZE, "the failure is reported there"
    assert driver.log.count("File main.py, line 1") == 1, "the details are logged once"


def test_a_task_after_a_stop_still_reports_the_load_error(driver: Driver) -> None:
    def load() -> Any:
        raise LoadError("broken")

    def script() -> None:
        driver.send(FrameKind.STOP, 2, {"forceStop": True})
        assert driver.receive(FrameKind.STOP_COMPLETED).generation == 2
        assert driver.run_task(3).error["message"] == "broken"

    driver.serve(script, load)


# --------------------------------------------------------------------------------- tasks --
def test_a_task_in_two_steps(driver: Driver) -> None:
    steps: list[Any] = []

    def script() -> None:
        driver.send(FrameKind.INITIALIZE, 1, DATA)
        assert driver.receive(FrameKind.INITIALIZE_COMPLETED).generation == 1
        steps.append("initialized")
        driver.send(FrameKind.START, 1)
        received = driver.receive(FrameKind.FINAL_MESSAGE)
        assert (received.generation, received.message) == (1, {"command": "done", "data": [1, 2]})

    driver.serve(script, loads(echo, initialize=steps.append))

    assert steps == [DATA, "initialized"]


def test_a_task_in_one_step(driver: Driver) -> None:
    def script() -> None:
        assert driver.run_task(1, DATA).data == [1, 2]

    driver.serve(script, loads(echo, initialize=lambda args: args["input"]))


def test_task_after_task(driver: Driver) -> None:
    def script() -> None:
        for generation in range(1, 100, 2):
            received = driver.run_task(generation, {"input": generation})
            assert (received.generation, received.data) == (generation, generation)

    driver.serve(script, loads(echo))


def test_the_api_and_the_log_know_the_jobs_ids(driver: Driver) -> None:
    def start(args: Any, api: Any) -> Any:
        return [api.job.job_id, api.job.task_id, api.job.node_name]

    def script() -> None:
        assert driver.run_task(1, DATA).data == ["job-1", "task-1", "green"]
        driver.run_task(3, {"jobId": "job-2"})
        driver.answer("dataSourceResponse")
        driver.send(FrameKind.ANSWER, 0, raw=b"junk")

    driver.serve(script, loads(start, exit=lambda args: 1 / 0))

    assert "job=job-2] the algorithm's exit failed: ZeroDivisionError" in driver.log


@pytest.mark.parametrize("data", [b"", b',"data":null', b',"data":{}'])
def test_a_task_without_data_gets_an_empty_dict(driver: Driver, data: bytes) -> None:
    raw = b'{"command":"initialize"' + data + b"}"

    def script() -> None:
        driver.send(FrameKind.TASK, 1, raw=raw)
        assert driver.receive(FrameKind.FINAL_MESSAGE).data == {}

    driver.serve(script, loads(lambda args: args))


@pytest.mark.parametrize("raw", [b"", b"{", b'{"command":"initialize","data":[1]}'])
def test_an_unreadable_task_is_answered_with_an_error(driver: Driver, raw: bytes) -> None:
    def script() -> None:
        driver.send(FrameKind.TASK, 1, raw=raw)
        received = driver.receive(FrameKind.FINAL_MESSAGE)
        assert received.error["code"] == "DecodingError"
        assert "initialize message cannot be read" in received.error["message"]
        assert driver.run_task(3, {"input": 5}).data == 5

    driver.serve(script, loads(echo))


def test_an_async_algorithm(driver: Driver) -> None:
    async def start(args: Any) -> Any:
        await asyncio.sleep(0)
        return args["input"]

    def script() -> None:
        assert driver.run_task(1, DATA).data == [1, 2]
        assert driver.run_task(3, DATA).data == [1, 2]

    driver.serve(script, loads(start))
    loop = driver.user._coroutines._loop
    assert loop is not None
    loop.close()
    asyncio.set_event_loop(None)


# -------------------------------------------------------------------------------- errors --
def test_an_error_in_start_is_reported_with_the_users_lines(driver: Driver) -> None:
    def start(args: Any) -> None:
        raise KeyError("x")

    def script() -> None:
        received = driver.run_task(1)
        assert received.command == "errorMessage"
        assert received.error["code"] == "AlgorithmError"
        assert "KeyError: 'x' (" in received.error["message"]
        assert "raise KeyError" in received.error["details"]
        assert "wrapper/algorithm" not in received.error["details"]
        assert driver.run_task(3).command == "errorMessage"

    driver.serve(script, loads(start))

    assert driver.log.count("the task failed: KeyError: 'x'") == 2


@pytest.mark.parametrize("kind", [FrameKind.INITIALIZE, FrameKind.TASK])
def test_an_error_in_initialize_fails_the_task(driver: Driver, kind: FrameKind) -> None:
    started: list[Any] = []

    def script() -> None:
        driver.send(kind, 1, DATA)
        assert "ZeroDivisionError" in driver.receive(FrameKind.FINAL_MESSAGE).error["message"]
        driver.send(FrameKind.STOP, 2, {})
        driver.receive(FrameKind.STOP_COMPLETED)

    driver.serve(script, loads(started.append, initialize=lambda args: 1 / 0))

    assert started == []


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_an_exception_that_would_end_the_process_ends_the_task(
    driver: Driver, error: BaseException
) -> None:
    def start(args: Any) -> None:
        raise error

    def script() -> None:
        assert type(error).__name__ in driver.run_task(1).error["message"]
        assert type(error).__name__ in driver.run_task(3).error["message"]

    driver.serve(script, loads(start))


# ------------------------------------------------------------------------------- results --
def test_a_result_that_cannot_be_sent_is_an_error(driver: Driver) -> None:
    def script() -> None:
        received = driver.run_task(1)
        assert received.error["code"] == "EncodingError"
        assert "result.items[1]" in received.error["message"]

    driver.serve(script, loads(lambda args: {"items": [1, b"x"]}))


def test_a_nan_that_becomes_null_is_reported(driver: Driver) -> None:
    def script() -> None:
        assert driver.run_task(1).data == {"x": [None]}
        assert "the result holds NaN at result.x[0], which JSON does not have" in driver.log
        assert driver.run_task(3).data == [None]
        assert driver.log.count("which JSON does not have") == 1

    results = [{"x": [float("nan")]}, [None]]
    driver.serve(script, loads(lambda args: results.pop(0)))


@pytest.mark.parametrize("logged", [True, False])
def test_failures_are_logged_unless_shown_elsewhere(logged: bool) -> None:
    with driving(log_failures=logged) as driver:

        def start(args: Any) -> None:
            raise ValueError("broken")

        def script() -> None:
            assert driver.run_task(1).error["message"].startswith("ValueError: broken")
            assert ("ValueError: broken" in driver.log) is logged

        driver.serve(script, loads(start))


def test_a_result_that_is_too_large_is_an_error() -> None:
    with driving(max_payload=5000) as driver:

        def script() -> None:
            received = driver.run_task(1)
            assert received.error["code"] == "PayloadTooLarge"
            assert "10,0" in received.error["message"]
            assert "5,000" in received.error["message"]

        driver.serve(script, loads(lambda args: "x" * 10_000))


def test_an_error_that_is_too_large_is_shortened() -> None:
    with driving(max_payload=3000) as driver:

        def start(args: Any) -> None:
            raise ValueError("x" * 9000)

        def script() -> None:
            assert driver.run_task(1).error["code"] == "PayloadTooLarge"

        driver.serve(script, loads(start))


def test_a_result_whose_code_raises_is_an_error(driver: Driver) -> None:
    class Odd:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    def script() -> None:
        assert driver.run_task(1).command == "errorMessage"
        assert driver.run_task(3).command == "errorMessage"

    driver.serve(script, loads(lambda args: Odd()))
