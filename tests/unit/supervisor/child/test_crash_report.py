"""Reports of how the algorithm process died."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import wrapper
from wrapper.log import Log
from wrapper.supervisor.child import crash_report
from wrapper.supervisor.child.crash_report import CrashReporter, MemoryState

PACKAGE = "/opt/python/wrapper"
QUIET = MemoryState(0, None)

STACKS = f"""\
Fatal Python error: Segmentation fault

Thread 0x00007f1 (most recent call first):
  File "{PACKAGE}/algorithm/pipes.py", line 61 in _receive
  File "/usr/lib/python3.11/threading.py", line 982 in run

Current thread 0x00007f2 (most recent call first):
  File "/hkube/main.py", line 12 in inner
  File "/hkube/main.py", line 5 in start
  File "{PACKAGE}/algorithm/host.py", line 213 in _call
  File "<frozen runpy>", line 88 in _run_code

Thread 0x00007f3 (most recent call first):
  File "{PACKAGE}/algorithm/host.py", line 100 in _receive
"""


def exited(code: int) -> int:
    return code << 8


def describe(
    status: int, stacks: str = "", before: MemoryState = QUIET, after: MemoryState = QUIET
) -> str:
    return crash_report.describe_death(status, stacks, before, after, PACKAGE)


# --------------------------------------------------------------------------------- memory --
V2 = {
    "/sys/fs/cgroup/memory.events": "low 0\nhigh 0\nmax 31\noom 3\noom_kill 2\noom_group_kill 0\n",
    "/sys/fs/cgroup/memory.max": "536870912\n",
}
V1 = {
    "/sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
}


@pytest.mark.parametrize(
    ("files", "state"),
    [
        (V2, MemoryState(2, 536870912)),
        (V1, MemoryState(4, 1073741824)),
        ({**V2, "/sys/fs/cgroup/memory.max": "max\n"}, MemoryState(2, None)),
        (
            {**V1, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            MemoryState(4, None),
        ),
        ({"/sys/fs/cgroup/memory.events": "oom_kill many\n"}, MemoryState(0, None)),
        ({}, MemoryState(0, None)),
    ],
)
def test_memory_of_the_cgroup(files: dict[str, str], state: MemoryState) -> None:
    assert crash_report.read_memory_state(lambda path: files.get(path, "")) == state


def test_memory_of_this_machine() -> None:
    state = crash_report.read_memory_state()

    assert state.oom_kills >= 0
    assert state.limit is None or state.limit > 0


# ---------------------------------------------------------------------------------- cause --
@pytest.mark.parametrize(
    ("status", "text"),
    [
        (exited(0), "ended by itself with status 0"),
        (exited(7), "ended by itself with status 7"),
        (int(signal.SIGSEGV), "ended by signal 11 (SIGSEGV): it accessed memory"),
        (int(signal.SIGSEGV) | 0x80, "ended by signal 11 (SIGSEGV)"),  # with a core file
        (int(signal.SIGKILL), "ended by signal 9 (SIGKILL): the kernel (out of memory) or"),
        (int(signal.SIGUSR1), "ended by signal 10 (SIGUSR1)"),
        (50, "ended by signal 50 (a real-time signal)"),
    ],
)
def test_cause_comes_first(status: int, text: str) -> None:
    assert text in describe(status).splitlines()[0]


def test_real_death_is_described() -> None:
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 6)"]
    pid = os.posix_spawn(sys.executable, command, os.environ)
    _, status = os.waitpid(pid, 0)

    assert "signal 6 (SIGABRT): C code called abort()" in describe(status)


def test_only_new_kills_count() -> None:
    text = describe(9, before=MemoryState(3, 1000), after=MemoryState(3, 1000))

    assert "out of memory: the kernel killed" not in text


def test_out_of_memory_kill_names_count_and_limit() -> None:
    text = describe(9, before=MemoryState(3, None), after=MemoryState(5, 536_870_912))

    assert "the kernel killed 2 process(es)" in text
    assert "536,870,912 bytes" in text
    assert "raise the algorithm's memory" in text


def test_out_of_memory_kill_without_a_limit_names_the_node() -> None:
    assert "the node itself ran short" in describe(9, after=MemoryState(1, None))


# --------------------------------------------------------------------------------- stacks --
def test_stack_shows_only_the_users_lines() -> None:
    text = describe(11, STACKS)

    assert "the last Python stack, innermost line first:" in text
    assert '  File "/hkube/main.py", line 12 in inner\n  File "/hkube/main.py", line 5' in text
    assert PACKAGE not in text
    assert "frozen" not in text
    assert "Fatal Python error" not in text


def test_threads_with_only_wrapper_frames_are_left_out() -> None:
    assert "0x00007f3" not in crash_report.user_frames(STACKS, PACKAGE)


def test_folder_with_the_wrappers_folder_as_prefix_belongs_to_the_user() -> None:
    stacks = f'Thread 1:\n  File "{PACKAGE}-examples/main.py", line 3 in start\n'

    assert "main.py" in crash_report.user_frames(stacks, PACKAGE)


@pytest.mark.parametrize("stacks", ["", "\n\n", "Fatal Python error: Aborted\n\n"])
def test_report_without_a_stack_has_no_heading(stacks: str) -> None:
    assert describe(11, stacks).count("\n") == 0


# ------------------------------------------------------------------------ termination log --
def test_report_is_written_for_kubernetes(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"

    crash_report.write_termination_log(str(path), "it died\ud800")

    assert path.read_text() == "it died\\ud800"


def test_long_report_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"

    crash_report.write_termination_log(str(path), "ä" * 10_000)

    assert len(path.read_bytes()) <= 4096
    assert path.read_bytes().startswith("ää".encode())


def test_termination_log_that_is_a_fifo_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    crash_report.write_termination_log(str(tmp_path / "log"), "text")
    assert (tmp_path / "log").is_fifo()


def test_unwritable_file_is_not_an_error(tmp_path: Path) -> None:
    crash_report.write_termination_log(str(tmp_path / "missing" / "log"), "text")


# ------------------------------------------------------------------------------- reporter --
OWN_PACKAGE = os.path.dirname(os.path.abspath(wrapper.__file__))
OWN_STACKS = f"""Current thread 0x1 (most recent call first):
  File "/hkube/main.py", line 12 in inner
  File "{OWN_PACKAGE}/algorithm/host.py", line 213 in _call
"""


class Logged:
    """A log and its text."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self.log = Log("debug", fd=self._file.fileno())

    @property
    def text(self) -> str:
        return os.pread(self._file.fileno(), 100_000, 0).decode()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def logged() -> Iterator[Logged]:
    logged = Logged()
    yield logged
    logged.close()


def test_crash_is_logged_and_reported_to_kubernetes(logged: Logged, tmp_path: Path) -> None:
    path = tmp_path / "termination-log"

    CrashReporter(logged.log, str(path)).report_crash(int(signal.SIGSEGV), OWN_STACKS)

    for text in (logged.text, path.read_text()):
        assert "the algorithm process was ended by signal 11 (SIGSEGV)" in text
        assert 'File "/hkube/main.py", line 12 in inner' in text
        assert "host.py" not in text
    assert "ERROR" in logged.text


def test_no_file_is_created_in_dev(logged: Logged) -> None:
    path = "/dev/hkube-wrapper-test-termination-log"

    CrashReporter(logged.log, path).report_crash(9, "")

    assert not os.path.exists(path)
    assert "SIGKILL" in logged.text


def test_log_shows_where_a_stuck_algorithm_is(logged: Logged) -> None:
    CrashReporter(logged.log, "/dev/null").report_stuck(OWN_STACKS)

    assert "where the algorithm is stuck" in logged.text
    assert 'File "/hkube/main.py", line 12 in inner' in logged.text
    assert "host.py" not in logged.text


def test_stuck_algorithm_without_a_stack(logged: Logged) -> None:
    CrashReporter(logged.log, "/dev/null").report_stuck("")

    assert "has no Python stack" in logged.text
