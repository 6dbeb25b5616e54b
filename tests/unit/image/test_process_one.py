"""Process 1: it copies output, forwards signals, reaps children and keeps the exit code."""

from __future__ import annotations

import json
import os
import re
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image import process_one
from image.process_one import LogFile, LogRecords, limit_of
from wrapper.config.settings import Config

SCRIPT = process_one.__file__
LIMIT = 20.0
# Without site, which would start measuring coverage: that uses signals and files.
PYTHON = [sys.executable, "-I", "-S", "-u", "-c"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "stdout.log"


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a test starts; they are killed after it."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait(LIMIT)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def start(log: Path, *command: str, **options: object) -> subprocess.Popen[bytes]:
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-I", "-S", SCRIPT, str(log), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[call-overload]
    )
    return process


def run(log: Path, *command: str, **options: object) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, stdout and stderr."""
    process = start(log, *command, **options)
    try:
        out, err = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
    return process.returncode, out.decode(), err.decode()


def next_line(process: subprocess.Popen[bytes]) -> bytes:
    """Read the next line of output."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], LIMIT)[0], "no output"
    return process.stdout.readline()


# --------------------------------------------------------------------------------- output --
def test_both_streams_are_copied_in_order(log: Path) -> None:
    code = "import os\nfor n in range(20000): os.write(1 + n % 2, b'line %d\\n' % n)"
    expected = "".join(f"line {n}\n" for n in range(20_000))

    assert run(log, *PYTHON, code) == (0, expected, "")
    assert log.read_text() == expected


def test_existing_content_of_the_file_is_kept(log: Path) -> None:
    log.write_text("before\n")
    run(log, "echo", "after")

    assert log.read_text() == "before\nafter\n"


def test_last_line_without_newline_is_copied(log: Path) -> None:
    assert run(log, "printf", "no end")[1] == "no end"
    assert log.read_text() == "no end"


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 3_000_000])
def test_last_bytes_before_a_crash_are_copied(log: Path, size: int) -> None:
    code = f"import os; os.write(1, b'x' * {size}); os.kill(os.getpid(), 9)"

    assert run(log, *PYTHON, code) == (137, "x" * size, "")
    assert log.stat().st_size == size


def test_binary_output_is_copied(log: Path) -> None:
    process = start(log, *PYTHON, "import os; os.write(1, bytes(range(256)))")

    assert process.communicate(timeout=LIMIT)[0] == bytes(range(256))
    assert log.read_bytes() == bytes(range(256))


def test_output_of_a_surviving_child_is_copied(log: Path) -> None:
    code = "echo first; (sleep 60 & echo $! >&2); echo last"
    exit_code, out, _ = run(log, "sh", "-c", code)
    pid = int(out.split()[1])
    os.kill(pid, signal.SIGKILL)

    assert (exit_code, out) == (0, f"first\n{pid}\nlast\n")


def test_command_may_close_its_output(log: Path, running: list[subprocess.Popen[bytes]]) -> None:
    process = start(log, "sh", "-c", "echo open; exec >&- 2>&-; read x; exit 3", stdin=-1)
    running.append(process)
    assert process.stdout is not None
    assert process.stdin is not None
    assert next_line(process) == b"open\n"
    used = cpu_seconds(process.pid)
    assert not select.select([process.stdout], [], [], 0.3)[0]
    assert cpu_seconds(process.pid) - used < 0.1, "busy loop"
    process.stdin.close()

    assert process.wait(LIMIT) == 3


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --------------------------------------------------------------------------------- the end --
@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -11 $$", 139)],
)
def test_exit_code_is_that_of_the_command(log: Path, command: str, code: int) -> None:
    assert run(log, "sh", "-c", command)[0] == code


def test_missing_program(log: Path) -> None:
    assert run(log, "no-such-program") == (
        127,
        "",
        "hkube: program not found: 'no-such-program'\n",
    )


def test_file_that_cannot_be_run(log: Path, tmp_path: Path) -> None:
    code, _, err = run(log, str(tmp_path))

    assert code == 126
    assert err == f"hkube: cannot run {tmp_path} (Permission denied)\n"


def test_stuck_reader_does_not_delay_the_exit_code_forever(
    log: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    process = start(log, *PYTHON, "import os; os.write(1, b'x' * 65536 * 2); os._exit(7)")
    running.append(process)

    assert process.wait(LIMIT) == 7


def test_closed_reader_does_not_stop_the_copy(
    log: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    code = "import os\nfor _ in range(100): os.write(1, b'x' * 10000)"
    process = start(log, *PYTHON, code)
    running.append(process)
    assert process.stdout is not None
    process.stdout.close()

    assert process.wait(LIMIT) == 0
    assert log.stat().st_size == 1_000_000


# --------------------------------------------------------------------------------- signals --
@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_forwarded(
    log: Path, running: list[subprocess.Popen[bytes]], name: str
) -> None:
    process = start(log, "sh", "-c", f"trap 'echo got it; exit 9' {name}; echo ready; {WAIT}")
    running.append(process)
    assert next_line(process) == b"ready\n"
    process.send_signal(signal.Signals["SIG" + name])

    assert process.wait(LIMIT) == 9
    assert log.read_text() == "ready\ngot it\n"


WAIT = "while :; do sleep 0.02; done"


def test_exit_code_names_the_signal_that_ended_the_command(
    log: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    process = start(log, "sh", "-c", "echo ready; exec sleep 60")
    running.append(process)
    assert next_line(process) == b"ready\n"
    process.send_signal(signal.SIGTERM)

    assert process.wait(LIMIT) == 143


def test_command_starts_with_default_signal_handling(log: Path) -> None:
    code = (
        "import signal; print(int(signal.getsignal(signal.SIGTERM)), signal.pthread_sigmask(0, []))"
    )

    assert run(log, *PYTHON, code)[1] == "0 set()\n"
    [mask] = re.findall(r"SigIgn:\t(\w+)", run(log, "cat", "/proc/self/status")[1])
    ignored = {number for number in range(1, 32) if int(mask, 16) >> (number - 1) & 1}
    assert not ignored & {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGCHLD}


# ----------------------------------------------------------------------------------- the log --
def test_without_a_writable_log_process_becomes_the_command(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "stdout.log"
    process = start(path, "sh", "-c", "echo $$; echo err >&2; exit 5")
    out, err = process.communicate(timeout=LIMIT)

    assert process.returncode == 5
    assert int(out) == process.pid
    assert err.decode() == f"hkube: cannot write to {path} (No such file or directory)\nerr\n"


def test_log_is_a_fifo_without_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "stdout.log")

    assert run(tmp_path / "stdout.log", "echo", "on")[:2] == (0, "on\n")


def test_log_that_is_a_link_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine\n")
    (tmp_path / "stdout.log").symlink_to("other")

    code, out, err = run(tmp_path / "stdout.log", "echo", "on")[:3]
    assert (code, out) == (0, "on\n")
    assert "cannot write to" in err
    assert (tmp_path / "other").read_text() == "mine\n"


def test_full_log_does_not_stop_the_command(log: Path) -> None:
    limited = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    code = "import os\nfor n in range(1000): os.write(1, b'%9d\\n' % n)"
    done = subprocess.run(
        [*PYTHON, limited, "-I", "-S", SCRIPT, str(log), *PYTHON, code],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    exit_code, out = done.returncode, done.stdout

    notes = [line for line in out.splitlines() if "hkube" in line]
    assert exit_code == 0
    assert [int(line) for line in out.splitlines() if "hkube" not in line] == list(range(1000))
    assert len(notes) == 1
    assert "cannot write to the log file (File too large)" in notes[0]
    assert log.stat().st_size == 1000


def test_writing_resumes_with_a_note_about_the_gap(log: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    file = LogFile(str(log))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        file.write(b"12345\n")
        file.write(b"6789 and more\n")
        file.write(b"lost\n")
        assert file.trouble == "File too large"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    file.write(b"again\n")
    file.write(b"and again\n")

    assert file.trouble == ""
    assert log.read_text() == (
        "12345\n6789\n[15 bytes of output are missing here]\nagain\nand again\n"
    )


def test_log_at_its_limit_is_reported_once_and_command_continues(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HKUBE_LOG_FILE_LIMIT", "1")
    code = "import os\nfor n in range(20000): os.write(1, b'%99d\\n' % n)"
    exit_code, out, _ = run(log, *PYTHON, code)

    notes = [line for line in out.splitlines() if "hkube" in line]
    assert exit_code == 0
    assert [int(line) for line in out.splitlines() if "hkube" not in line] == list(range(20_000))
    assert len(notes) == 1
    assert "the log file (it has reached HKUBE_LOG_FILE_LIMIT, 1 MB)" in notes[0]
    kept = log.read_text()
    assert kept[:1_000_000] == "".join(f"{n:99}\n" for n in range(10_000))
    assert kept[1_000_000:] == (
        "\n[end of file: HKUBE_LOG_FILE_LIMIT, 1 MB; the container's own log has the rest]\n"
    )


@pytest.mark.parametrize("sizes", [[10], [7, 3], [7, 4], [10, 1], [11], [100], [9, 100]])
def test_limit_is_exact(log: Path, sizes: list[int]) -> None:
    file = LogFile(str(log), limit=10)
    for size in [*sizes, 0, 0] if sum(sizes) == 10 else [*sizes, 5, 5]:
        file.write(b"x" * size)

    kept, _, note = log.read_text().partition("\n")
    assert kept == "x" * 10
    assert note.count("end of file") == (sum(sizes) > 10)
    assert bool(file.trouble) == (sum(sizes) > 10)


def test_limit_counts_existing_content_and_is_not_noted_twice(log: Path) -> None:
    LogFile(str(log), limit=10).write(b"x" * 11)
    before = log.read_bytes()
    file = LogFile(str(log), limit=10)
    file.write(b"more\n")

    assert log.read_bytes() == before
    assert file.trouble == "it has reached HKUBE_LOG_FILE_LIMIT, 0 MB"


@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_log_at_its_limit_resumes_once_deleted_or_emptied(log: Path, how: str) -> None:
    file = LogFile(str(log), limit=100)
    file.write(b"x" * 120)
    file.write(b"lost\n")
    if how == "deleted":
        log.unlink()
    else:
        log.write_bytes(b"")
    file.write(b"again\n")

    assert file.trouble == ""
    assert log.read_text() == "\n[25 bytes of output are missing here]\nagain\n"


@pytest.mark.parametrize("value", ["", " ", "none", "-1", "0", "1.5", "²", "9" * 20])
def test_invalid_limit_means_the_default(value: str) -> None:
    """The wrapper, not this script, rejects an invalid limit: see `Config`."""
    usual = Config.from_environ({}, "/").log_file_limit * 1_000_000

    assert limit_of(value) == usual
    assert limit_of(" 7 ") == 7_000_000


def test_deleted_log_is_created_again(log: Path) -> None:
    file = LogFile(str(log))
    file.write(b"old\n")
    log.unlink()
    file.write(b"new\n")

    assert log.read_text() == "new\n"


def test_repeatedly_deleted_log_leaks_no_descriptors(log: Path) -> None:
    file = LogFile(str(log))
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(20):
        log.unlink()
        file.write(b"new\n")

    assert log.read_text() == "new\n"
    assert set(os.listdir("/proc/self/fd")) == before
    assert not os.get_inheritable(file._fd), "the command must not inherit it"


def test_deleted_folder_is_reported_but_not_raised(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = LogFile(str(folder / "stdout.log"))
    (folder / "stdout.log").unlink()
    folder.rmdir()
    file.write(b"lost\n")
    assert file.trouble == "No such file or directory"
    folder.mkdir()
    file.write(b"again\n")

    text = (folder / "stdout.log").read_text()
    assert text == "\n[5 bytes of output are missing here]\nagain\n"


# ---------------------------------------------------------------------------- log records --
def records(*pieces: bytes) -> tuple[bytes, bytes]:
    """Return what is shown and what is in the file."""
    log = LogRecords()
    outputs = [log.add(piece) for piece in pieces]
    rest = log.rest()
    return b"".join(each[0] for each in outputs) + rest, b"".join(
        each[1] for each in outputs
    ) + rest


def test_an_event_of_several_lines_is_one_record() -> None:
    event = '2026 ERROR ValueError: "no" ü\n    File "main.py", line 3\n    \tx = 1 \\ 2'
    shown, logged = records(b"before\n\x1e" + event.encode() + b"\x1f\nafter\n")

    assert shown.decode() == f"before\n{event}\nafter\n"
    before, record, *after = logged.split(b"\n")
    assert before == b"before"
    assert json.loads(record) == {"log": event}
    assert after == [b"after", b""]


@pytest.mark.parametrize("pieces", [[b"torn\x1e2\n  x\x1f\n"], [b"torn", b"\x1e2\n", b"  x\x1f\n"]])
def test_a_record_has_a_line_of_its_own(pieces: list[bytes]) -> None:
    shown, logged = records(*pieces)

    assert shown == b"torn2\n  x\n"
    assert logged == b'torn\n{"log": "2\\u000a  x"}\n'


@given(st.lists(st.sampled_from([b"2", b"a", b"\n", b"\n  ", b"\x1e", b"\x1f", b'"', b"\xff"])))
def test_records_do_not_depend_on_how_the_output_arrives(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    shown, logged = records(*parts)

    assert (shown, logged) == records(whole)
    if b'{"log"' not in logged:
        assert shown == logged == whole


@pytest.mark.parametrize(
    "mine", [b"\x1e mine", b"\x1emine\n", b"\x1e2\nmine\n", b"\x1e2" + b"x" * 1_000_000]
)
def test_a_mark_of_user_code_holds_nothing_back(mine: bytes) -> None:
    assert LogRecords().add(mine) == (mine, mine)


def test_what_is_held_is_written_at_the_end(log: Path) -> None:
    assert run(log, *PYTHON, r"import os; os.write(1, b'\x1e2 and')")[:2] == (0, "\x1e2 and")
    assert log.read_text() == "\x1e2 and"


def test_marks_are_not_shown(log: Path) -> None:
    code = r"import os; os.write(1, b'\x1e2 one\n    two\x1f\n')"
    assert run(log, *PYTHON, code)[:2] == (0, "2 one\n    two\n")
    assert json.loads(log.read_text()) == {"log": "2 one\n    two"}
