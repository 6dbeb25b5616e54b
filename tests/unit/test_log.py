"""The wrapper's own log."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.paths import ROOT
from wrapper.log import LEVELS, Log

LIMIT = 20.0
NOON = 1_795_294_323.123  # 2026-11-21T20:52:03.123Z


class Terminal:
    """A pipe in place of stderr."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()

    def text(self) -> str:
        """Read what was written so far; fail if that is nothing."""
        return os.read(self.read_end, 1 << 20).decode()

    def close(self) -> None:
        """Close the ends that are still open."""
        for fd in (self.read_end, self.write_end):
            try:
                os.close(fd)
            except OSError:
                pass


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


MakeLog = Callable[..., Log]


@pytest.fixture
def make_log(terminal: Terminal) -> MakeLog:
    def make(level: str = "debug", form: str = "text") -> Log:
        return Log(level, form, fd=terminal.write_end, clock=lambda: NOON)

    return make


def test_line(make_log: MakeLog, terminal: Terminal) -> None:
    make_log().info("connected")
    assert terminal.text() == "2026-11-21T20:52:03.123Z INFO  connected\n"


def test_ids_of_the_task(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log()
    log.bind_task("main:p19 oxl green")
    log.warning("late")
    assert terminal.text() == (
        "2026-11-21T20:52:03.123Z WARN  [job=main:p19 task=oxl node=green] late\n"
    )
    log.bind_task("- oxm -")
    log.error("broken")
    assert terminal.text().endswith("Z ERROR [task=oxm] broken\n")
    log.bind_task("")
    log.debug("idle")
    assert terminal.text().endswith("Z DEBUG idle\n")


def test_ids_are_read_only_if_a_line_is_written(make_log: MakeLog, terminal: Terminal) -> None:
    reads: list[str] = []

    def read_ids() -> str:
        reads.append("read")
        return "j t n"

    log = make_log("info")
    log.bind_task_later(read_ids)
    log.debug("not written")
    assert reads == []
    log.info("first")
    log.info("second")
    assert terminal.text().count(" [job=j task=t node=n] ") == 2
    assert reads == ["read"]
    log.bind_task_later(read_ids)
    log.bind_task("")
    log.info("idle")
    assert terminal.text().endswith("INFO  idle\n")


def test_json(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log(form="json")
    log.bind_task("j t n")
    log.error("first\nsecond: é\n")
    text = terminal.text()
    assert text.endswith("}\n") and text.count("\n") == 1
    assert json.loads(text) == {
        "time": "2026-11-21T20:52:03.123Z",
        "level": "error",
        "message": "first\nsecond: é",
        "jobId": "j",
        "taskId": "t",
        "nodeName": "n",
    }
    log.bind_task("- - -")
    log.info("")
    assert set(json.loads(terminal.text())) == {"time", "level", "message"}


def test_short_lines(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log(form="short")
    log.bind_task("j t n")
    log.warning("odd\nvery odd\n")
    assert terminal.text() == "[wrapper] warning: odd\n    very odd\n"


def test_further_lines_are_indented(make_log: MakeLog, terminal: Terminal) -> None:
    make_log().error("it died:\n  main.py:3\n\n    x = 1\n")
    first, *rest = terminal.text().splitlines()
    assert first.endswith("ERROR it died:")
    assert rest == ["      main.py:3", "    ", "        x = 1"]


@pytest.mark.parametrize("least", range(len(LEVELS)))
def test_events_below_the_level_are_not_written(
    make_log: MakeLog, terminal: Terminal, least: int
) -> None:
    log = make_log(LEVELS[least])
    for level in LEVELS:
        log.log(level, level)
    words = [line.rpartition(" ")[2] for line in terminal.text().splitlines()]
    assert words == list(LEVELS[least:])


def test_each_level_has_a_method(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log(form="json")
    for level in LEVELS:
        getattr(log, level)("text")
    assert [json.loads(line)["level"] for line in terminal.text().splitlines()] == list(LEVELS)


def test_text_that_is_not_utf8(make_log: MakeLog, terminal: Terminal) -> None:
    make_log().info("a\udcffb")
    assert terminal.text().endswith("a\\udcffb\n")


def test_text_that_is_not_utf8_as_json(make_log: MakeLog, terminal: Terminal) -> None:
    make_log(form="json").info("a\udcffb")
    assert json.loads(terminal.text())["message"] == "a\udcffb"


def test_milliseconds_are_truncated(terminal: Terminal) -> None:
    Log(fd=terminal.write_end, clock=lambda: 0.9999).info("x")
    assert terminal.text().startswith("1970-01-01T00:00:00.999Z ")


def test_stderr_has_no_reader(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log()
    os.close(terminal.read_end)
    log.info("lost")


def test_stderr_is_closed_later(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log()
    os.close(terminal.write_end)
    log.info("lost")


def test_log_never_writes_to_a_file_that_replaces_a_closed_stderr() -> None:
    code = (
        "import os; from wrapper.log import Log; reader, writer = os.pipe(); "
        "os.close(2); log = Log(); os.dup2(writer, 2); log.error('astray'); "
        "os.set_blocking(reader, False); os.write(writer, b'.'); print(os.read(reader, 1000))"
    )
    assert run(code).stdout == "b'.'\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_disk_is_full() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        Log(fd=fd).error("lost")
    finally:
        os.close(fd)


def test_full_pipe_does_not_block(make_log: MakeLog, terminal: Terminal) -> None:
    log = make_log()
    os.set_blocking(terminal.write_end, False)
    log.info("x" * (1 << 20))
    taken = terminal.text()
    assert taken and not taken.endswith("\n")
    log.info("after")
    rest = terminal.text()
    assert rest.startswith("\n") and rest.endswith(" after\n"), (
        "the next line must not continue the torn one"
    )
    log.info("again")
    assert not terminal.text().startswith("\n")


def test_slow_reader_gets_the_whole_line(
    make_log: MakeLog, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the reader may pause for longer than the real limit, which tears the line.
    monkeypatch.setattr("wrapper.log._PATIENCE", LIMIT)
    os.set_blocking(terminal.write_end, False)
    received: list[bytes] = []

    def read_a_line() -> None:
        while not received or not received[-1].endswith(b"\n"):
            if not select.select([terminal.read_end], [], [], LIMIT)[0]:
                break
            received.append(os.read(terminal.read_end, 10_000))

    reader = threading.Thread(target=read_a_line)
    reader.start()
    make_log().info("x" * (1 << 20))
    reader.join(2 * LIMIT)
    assert b"".join(received).endswith(b" " + b"x" * (1 << 20) + b"\n")


def test_line_is_written_before_the_process_dies() -> None:
    code = "import os; from wrapper.log import Log; Log().error('final line'); os.abort()"
    assert run(code).stderr.endswith(" ERROR final line\n")


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a new process."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_lines_to_a_full_pipe_are_dropped_without_waiting_and_counted(
    make_log: MakeLog, terminal: Terminal
) -> None:
    os.set_blocking(terminal.write_end, False)
    log = make_log()
    log.info("x" * (1 << 20))
    begun = time.monotonic()
    for _ in range(1000):
        log.info("lost")
    assert time.monotonic() - begun < LIMIT, "200 s if each of them waits"
    while select.select([terminal.read_end], [], [], 0)[0]:
        terminal.text()
    log.info("after")
    log.info("again")

    torn, missing, after, again = terminal.text().splitlines()
    assert torn == "" and "1,001 lines of this log are missing: stderr was full" in missing
    assert after.endswith(" after") and again.endswith(" again")


@pytest.mark.parametrize("form", ["text", "short"])
def test_control_characters_are_escaped(make_log: MakeLog, terminal: Terminal, form: str) -> None:
    log = make_log(form=form)
    log.bind_task("job\x1b[31m t n")
    log.info("red \x1b[31m bell \x07 c1 \x9b tab \t é\r\nnext")
    text = terminal.text()
    assert "red \\x1b[31m bell \\x07 c1 \\x9b tab \t é\\r\n" in text
    assert "\x1b" not in text
