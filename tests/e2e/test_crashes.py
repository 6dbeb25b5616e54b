"""The algorithm process crashes: no message, an exit code that says why, a report of the cause."""

from __future__ import annotations

import signal
import time

import pytest

from .conftest import Serve, Session

AT_ONCE = 5.0  # seconds; 1 s is promised, but the machine may be busy


def crash(session: Session, *inputs: object) -> int:
    """Start a task that crashes; return the wrapper's exit code."""
    worker, wrapper = session.worker, session.wrapper
    worker.begin(*inputs)
    begun = time.monotonic()
    code = wrapper.wait(AT_ONCE)
    assert time.monotonic() - begun < AT_ONCE
    assert worker.commands() == ["initialized", "started"]
    return code


@pytest.mark.parametrize(("status", "code"), [(7, 7), (255, 255), (0, 1)])
def test_hard_exit_in_user_code(serve: Serve, status: int, code: int) -> None:
    session = serve("hard_exit")
    assert crash(session, status) == code
    assert session.wrapper.stdout.startswith("before the hard exit\n")
    assert str(status) in session.wrapper.termination_text
    assert session.wrapper.termination_text.strip() in session.wrapper.stderr


def test_hard_exit_loses_no_output(serve: Serve) -> None:
    session = serve("hard_exit")
    crash(session, 7)
    assert session.wrapper.stdout == "before the hard exit\nthe final words"


def test_segmentation_fault_is_reported_with_the_stack(serve: Serve) -> None:
    session = serve("segfault")
    assert crash(session) == 128 + signal.SIGSEGV
    wrapper = session.wrapper
    for text in (wrapper.stderr, wrapper.termination_text):
        assert "SIGSEGV" in text
        assert "reads_address_zero" in text
        assert "main.py" in text
    assert wrapper.stdout == "the final words"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGBUS", "SIGFPE", "SIGILL"])
def test_death_by_signal(serve: Serve, name: str) -> None:
    session = serve("signals_itself")
    number = signal.Signals[name].value
    assert crash(session, number) == 128 + number
    assert name in session.wrapper.stderr
    assert name in session.wrapper.termination_text


def test_abort(serve: Serve) -> None:
    session = serve("aborts")
    assert crash(session) == 128 + signal.SIGABRT
    assert "SIGABRT" in session.wrapper.termination_text
    assert "start" in session.wrapper.termination_text


def test_killed_from_outside_while_idle(serve: Serve) -> None:
    worker, wrapper = serve("echo")
    worker.run(1)
    wrapper.algorithm().kill()
    assert wrapper.wait(AT_ONCE) == 137


def test_crash_while_the_module_is_imported(serve: Serve) -> None:
    worker, wrapper = serve("crashes_at_import", connect=False)
    assert wrapper.wait() == 9
    assert "9" in wrapper.termination_text
    assert worker.commands() == []


def test_report_names_the_task(serve: Serve) -> None:
    worker, wrapper = serve("hard_exit")
    worker.initialize(7, taskId="the-task-that-crashed")
    worker.expect("initialized")
    worker.send("start", {})
    assert wrapper.wait(AT_ONCE) == 7
    assert "the-task-that-crashed" in wrapper.stderr


def test_report_without_a_termination_log(serve: Serve) -> None:
    session = serve("hard_exit", env={"TERMINATION_LOG": "/nowhere/at/all"})
    assert crash(session, 7) == 7
    assert "7" in session.wrapper.stderr


def test_children_of_a_crashed_algorithm_end_too(serve: Serve) -> None:
    session = serve("leaves_children")
    assert crash(session, "crash") == 5
    wrapper = session.wrapper
    wrapper.wait_until(lambda: not wrapper.survivors(), "end of all children", 2)


def test_algorithm_does_not_outlive_a_killed_supervisor(serve: Serve) -> None:
    worker, wrapper = serve("endless")
    worker.begin("loop")
    wrapper.wait_until(lambda: "waiting" in wrapper.stdout, "start")
    wrapper.signal(signal.SIGKILL)
    wrapper.wait()
    wrapper.wait_until(lambda: not wrapper.survivors(), "end of the algorithm process", 5)
