"""The algorithm process crashes: no message, an exit code that says why, a report of the cause."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from .conftest import Serve, Session, both_protocols
from .harness.worker import ScriptedWorker

pytestmark = both_protocols

AT_ONCE = 15.0  # seconds; 1 s is promised, but the machine may be busy


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


# --- user code that breaks what the wrapper builds on -------------------------------------------

GARBAGE = """
import os, time

def start(args, api):
    data = bytes.fromhex(args["input"][0]) * 500
    for fd in range(3, 64):
        try:
            os.write(fd, data)
        except OSError:
            pass
    time.sleep(60)
"""


@pytest.mark.parametrize("junk", ["00ff", "00", "ff", "14", "15000000", "7b7d"])
def test_garbage_to_all_descriptors_is_a_crash_at_once(serve: Serve, junk: str) -> None:
    session = serve({"main.py": GARBAGE})
    assert crash(session, junk) == 128 + signal.SIGKILL
    assert "wrote to the wrapper's pipe" in session.wrapper.stderr
    assert "wrote to the wrapper's pipe" in session.wrapper.termination_text
    assert "out of memory" not in session.wrapper.termination_text


CLAIMS = """
import os, struct, time

def start(args, api):
    head = struct.pack("!BxxxIQ", 20, 0, args["input"][0])
    for fd in range(3, 64):
        try:
            os.write(fd, head)
        except OSError:
            pass
    time.sleep(60)
"""


def test_frame_that_claims_gigabytes_is_refused(serve: Serve) -> None:
    session = serve({"main.py": CLAIMS})
    assert crash(session, 4 * 1024**3) == 128 + signal.SIGKILL
    assert "4,294,967,296 bytes" in session.wrapper.termination_text


def test_claimed_bytes_take_no_memory(serve: Serve) -> None:
    session = serve({"main.py": CLAIMS})
    session.worker.begin(99_000_000)
    time.sleep(0.5)
    assert psutil.Process(session.wrapper.pid).memory_info().rss < 80_000_000


REPLACES = """
import builtins

def nothing(*args, **named):
    return 0

def start(args, api):
    for name in args["input"][1]:
        setattr(builtins, name, nothing)
    api.progress(50)
    if args["input"][0] == "raise":
        raise KeyError("the user's error")
    return {"a": [1, "b"]}
"""


def error_text(worker: ScriptedWorker) -> str:
    error = worker.wait_for("errorMessage").error
    assert isinstance(error, dict)
    return str(error["message"])


REPLACED = ["len", "bytes", "bytearray", "min", "max", "dict", "hasattr", "str", "int", "range"]


@pytest.mark.usefixtures("without_coverage")
@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
def test_replaced_builtins_change_nothing(serve: Serve, encoding: str) -> None:
    worker, _ = serve({"main.py": REPLACES}, env={"WORKER_ALGORITHM_ENCODING": encoding})
    # PyMongo's bson asks isinstance itself.
    names = REPLACED if encoding == "bson" else [*REPLACED, "isinstance", "type"]
    assert worker.run("return", names) == {"a": [1, "b"]}
    worker.begin("raise", names)
    assert "the user's error" in error_text(worker)
    assert worker.run("return", names) == {"a": [1, "b"]}


DESTROYS = """
import builtins, os, sys

def spoil(what):
    if what == "modules":
        sys.modules.clear()
    elif what == "import":
        builtins.__import__ = None
    elif what == "finders":
        sys.meta_path.clear()
        sys.path_hooks.clear()
        sys.path_importer_cache.clear()
    elif what == "descriptors":
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    elif what == "streams":
        sys.stdout = sys.stderr = None

kept = []

def start(args, api):
    spoil(args["input"][0])
    raise KeyError("the user's error")
"""


@pytest.mark.parametrize("what", ["modules", "import", "finders", "descriptors", "streams"])
def test_failure_is_reported_whatever_user_code_destroyed(serve: Serve, what: str) -> None:
    session = serve({"main.py": DESTROYS}, arguments=("-m", "wrapper"))
    session.worker.begin(what)
    text = error_text(session.worker)
    assert ("Too many open files" if what == "descriptors" else "the user's error") in text
    assert "main.py" in text
    assert session.wrapper.is_running


BREAKS_US = """
import sys

def start(args, api):
    for name, module in list(sys.modules.items()):
        if name.endswith("algorithm.host.user_code"):
            module.UserCodeOutcome = None
    return 1
"""


def test_own_failure_is_not_called_os_exit(serve: Serve) -> None:
    session = serve({"main.py": BREAKS_US})
    session.wrapper.may_fail = True
    session.worker.begin()
    assert session.wrapper.wait(AT_ONCE) == 70
    text = session.wrapper.termination_text
    assert "the algorithm process failed in the wrapper's own code" in text
    assert "TypeError" in text and "user_code.py" in text
    assert "os._exit()" not in session.wrapper.stderr
