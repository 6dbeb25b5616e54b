"""The user's output: alone on stdout, complete and in order; the wrapper's log is on stderr."""

from __future__ import annotations

import pytest

from .conftest import Serve
from .harness.process import json_lines


def test_stdout_holds_only_the_users_output(serve: Serve) -> None:
    worker, wrapper = serve("prints_to_both")
    worker.run()
    worker.send("exit")
    assert wrapper.wait() == 0
    assert wrapper.stdout == "to stdout: ☃ é\nno end of line"
    assert "to stderr: ☃ é\n" in wrapper.stderr


def test_output_is_complete_when_the_task_is_done(serve: Serve) -> None:
    worker, wrapper = serve("prints_to_both")
    worker.run()
    wrapper.wait_until(lambda: wrapper.stdout == "to stdout: ☃ é\nno end of line", "output", 1)


def test_prints_from_python_and_c_are_in_order(serve: Serve) -> None:
    worker, wrapper = serve("prints")
    worker.run(50)
    expected = []
    for number in range(50):
        expected += [f"python {number}", f"c {number}", f"printf {number}", f"write {number}"]
        expected += [f"fd {number}"] if number % 10 == 0 else []
    wrapper.wait_until(lambda: wrapper.stdout.splitlines() == expected, "lines in order", 2)


def test_twenty_thousand_lines_are_complete(serve: Serve) -> None:
    worker, wrapper = serve("many_lines")
    worker.run(20_000)
    worker.send("exit")
    assert wrapper.wait() == 0
    lines = wrapper.stdout.splitlines()
    assert lines == [f"line {number}" for number in range(20_000)] + ["the last line"]


@pytest.mark.parametrize("encoding", ["C", "POSIX", "en_US.UTF-8"])
def test_output_does_not_depend_on_the_locale(serve: Serve, encoding: str) -> None:
    settings = {"LC_ALL": encoding, "LANG": encoding, "PYTHONIOENCODING": None}
    worker, wrapper = serve("prints_to_both", env=settings)
    assert worker.run() is None
    wrapper.wait_until(lambda: "☃ é" in wrapper.stdout, "text that is not ASCII", 2)


@pytest.mark.parametrize("how", ["redirect", "close", "none"])
def test_user_code_may_replace_stdout(serve: Serve, how: str) -> None:
    worker, wrapper = serve("redirects_stdout")
    worker.run(how)
    assert worker.run("none") == "served"
    worker.send("exit", {"exitCode": 6})
    assert wrapper.wait(20) == 6


def test_user_code_may_configure_logging(serve: Serve) -> None:
    worker, wrapper = serve("configures_logging")
    assert worker.run() == "logged"
    assert worker.run() == "logged"
    wrapper.wait_for_log("user hello from logging")
    worker.send("exit")
    assert wrapper.wait() == 0
    assert wrapper.stderr.count("user hello from logging") == 2


def test_plain_task_logs_few_lines(serve: Serve) -> None:
    """The published wrapper logs a line for every message, which costs more than the task."""
    worker, wrapper = serve("one_argument")
    worker.run(1)
    before = len(wrapper.stderr.splitlines())
    for number in range(20):
        worker.run(number)
    assert len(wrapper.stderr.splitlines()) - before <= 40


def test_log_as_json(serve: Serve) -> None:
    settings = {"HKUBE_LOG_FORMAT": "json", "HKUBE_LOG_LEVEL": "debug"}
    worker, wrapper = serve("raises", env=settings)
    worker.run("fine", taskId="task-in-the-log")
    worker.fail("key", taskId="another-task")
    wrapper.wait_for_log("KeyError")
    worker.send("exit")
    assert wrapper.wait() == 0
    records = json_lines(wrapper.stderr)
    assert records
    assert "another-task" in wrapper.stderr


def test_log_level_is_a_setting(serve: Serve) -> None:
    worker, wrapper = serve("one_argument", env={"HKUBE_LOG_LEVEL": "error"})
    worker.run(1)
    worker.send("exit")
    assert wrapper.wait() == 0
    assert wrapper.stderr == ""


def test_redirected_logs_reach_the_worker_in_order(serve: Serve) -> None:
    settings = {
        "WORKER_SOCKET_URL": "ws://127.0.0.1:{port}/hkube/debug/a?x=1",
        "REDIRECT_LOGS": "true",
    }
    worker, wrapper = serve("many_lines", env=settings)
    worker.run(2_000)

    def lines() -> list[str]:
        return [line for m in worker.received if m.command == "logData" for line in m.data]

    worker.wait_until(lambda: "the last line" in "".join(lines()[-1:]), 10, "last line")
    texts = [line.rstrip("\n") for line in lines()]
    assert texts == [f"line {number}" for number in range(2_000)] + ["the last line"]
    assert wrapper.stdout.splitlines()[:2] == ["line 0", "line 1"], "here too"


def test_redirected_logs_hold_errors_and_c_output(serve: Serve) -> None:
    settings = {"WORKER_SOCKET_URL": "ws://127.0.0.1:{port}/", "REDIRECT_LOGS": "true"}
    worker, _ = serve("prints", env=settings)
    worker.run(3)

    def text() -> str:
        return "\n".join(line for m in worker.received if m.command == "logData" for line in m.data)

    worker.wait_until(lambda: "printf 2" in text() and "write 2" in text(), 10, "all lines")
    places = [text().index(part) for part in ("python 1", "c 1", "printf 1", "write 1")]
    assert places == sorted(places)
