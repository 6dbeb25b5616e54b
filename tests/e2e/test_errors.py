"""Errors of user code: one sentence, the user's own frames, and the next task runs."""

from __future__ import annotations

import sys

import pytest

from .conftest import Serve, both_protocols

pytestmark = both_protocols

MESSAGES = {
    "key": "KeyError: 'the-key' (main.py:",
    "empty": "ValueError",
    "chained": "LookupError: no such number (main.py:",
    "silent": "SilentError",
    "huge": "ValueError: xxxxx",
    "interrupt": "KeyboardInterrupt",
    "memory": "MemoryError",
    "exit-class": "GeneratorExit: odd",
    "unicode": "ValueError: na",
    "import": "ModuleNotFoundError: No module named 'package_that_is_nowhere'",
}


def test_exception_in_start(serve: Serve) -> None:
    worker, wrapper = serve("raises")
    for kind, text in MESSAGES.items():
        error = worker.fail(kind)
        assert error["message"].startswith(text)
        assert "in deeper)" in error["message"]
        assert len(error["message"]) <= 10_000
        assert len(error["details"].encode()) <= 64 * 1024
        assert "main.py" in error["details"]
        assert "deeper" in error["details"]
        for ours in ("wrapper/", "importlib", "runpy"):
            assert ours not in error["details"]
        assert worker.commands()[-3:] == ["initialized", "started", "errorMessage"]
    assert worker.run("fine") == "fine"
    assert wrapper.is_running


def test_chained_exception_shows_its_cause(serve: Serve) -> None:
    details = serve("raises").worker.fail("chained")["details"]
    assert "invalid literal for int() with base 10: 'seven'" in details


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_exception_group_shows_its_members(serve: Serve) -> None:
    error = serve("raises").worker.fail("group")
    assert "ExceptionGroup: several" in error["message"]
    for member in ("ValueError: one", "TypeError: two"):
        assert member in error["message"] + error["details"]


def test_users_alarm_works(serve: Serve) -> None:
    message = serve("sets_an_alarm").worker.fail()["message"]
    assert message.startswith("TimeoutError: the user's own alarm (main.py:")


def test_exception_is_logged_with_the_tasks_ids(serve: Serve) -> None:
    worker, wrapper = serve("raises")
    worker.fail("key", taskId="task-for-the-log")
    wrapper.wait_for_log("KeyError: 'the-key'")
    assert "task-for-the-log" in wrapper.stderr


def test_sys_exit_in_start_fails_only_the_task(serve: Serve) -> None:
    worker, wrapper = serve("exits_in_start")
    for status in (0, 1, "a text", None):
        error = worker.fail(status)
        assert error["message"].startswith("SystemExit")
        assert "main.py" in error["message"]
        if isinstance(status, str):
            assert status in error["message"]
    assert worker.run("work") == "worked"
    assert wrapper.is_running


def test_exception_in_initialize_replaces_initialized(serve: Serve) -> None:
    worker, _ = serve("raises_in_initialize")
    worker.initialize("bad")
    error = worker.expect("errorMessage").error
    assert error["message"].startswith("ValueError: not initialized today (main.py:")
    assert worker.run("good") == "fine"


def test_start_right_after_a_failing_initialize_is_ignored(serve: Serve) -> None:
    worker, _ = serve("raises_in_initialize")
    worker.initialize("bad")
    worker.send("start", {})
    worker.expect("errorMessage")
    worker.expect_silence(0.3)
    assert worker.run("good") == "fine"


def test_deep_recursion(serve: Serve) -> None:
    worker, _ = serve("deep_recursion")
    error = worker.fail("dive")
    assert error["message"].startswith("RecursionError")
    assert len(error["details"]) < 20_000
    assert worker.run("swim") == "dry"


def test_exception_in_a_thread_does_not_fail_the_task(serve: Serve) -> None:
    worker, wrapper = serve("thread_raises")
    assert worker.run() == "fine"
    wrapper.wait_for_log("ValueError: in a thread")


def test_open_spans_are_finished_before_the_error(serve: Serve) -> None:
    worker, _ = serve("tells_progress")
    worker.fail("raise")
    story = [m for m in worker.received if m.command not in ("alive", "initialized", "started")]
    assert [message.command for message in story] == [
        "startSpan",
        "progress",
        "startSpan",
        "progress",
        "finishSpan",
        "startSpan",
        "finishSpan",
        "finishSpan",
        "errorMessage",
    ]
    assert [story[0].data["name"], story[2].data["name"], story[5].data["name"]] == [
        "outer",
        "inner",
        "left open",
    ]
    assert "with two spans open" in story[6].data["error"]
    assert "with two spans open" in story[7].data["error"]
    assert not story[4].data.get("error")


def test_uncaught_call_error_fails_the_task_with_its_text(serve: Serve) -> None:
    worker, _ = serve("calls_then_raises")
    worker.answers["startStoredSubPipeline"] = lambda message: (
        "subPipelineError",
        {"subPipelineId": message.data["subPipelineId"], "error": "no pipeline sub"},
    )
    error = worker.fail()
    assert error["message"].startswith("SubPipelineError: no pipeline sub (main.py:")
    assert "wrapper/" not in error["details"]
