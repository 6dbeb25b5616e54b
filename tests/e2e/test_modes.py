"""Other ways to serve: a debug connection, DEV_MODE, one process, the user's own script."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from .conftest import Serve, Session

DEBUG_URL = "ws://127.0.0.1:{port}/hkube/debug/green-alg?token=a%20b"


def code(value: str) -> str:
    """Return a module whose tasks return this value."""
    return f"def start(args, api):\n    return {value!r}\n"


def rewrite(session: Session, text: str, name: str = "main.py") -> None:
    """Save a file as an editor does: under another name, then renamed."""
    path = session.wrapper.work / name
    draft = Path(f"{path}.draft")
    draft.write_text(text)
    draft.replace(path)


def wait_for_watch(session: Session) -> None:
    """Wait until the folder is watched (which takes a moment after the start)."""
    folder = Path(f"/proc/{session.wrapper.pid}/fdinfo")

    def watched() -> bool:
        return any("inotify wd:" in file.read_text() for file in folder.iterdir())

    if folder.exists():
        session.wrapper.wait_until(watched, "watch on the folder")


def run_until(session: Session, value: object) -> None:
    """Run tasks until one returns the value (a change of the code takes a moment to be noticed)."""

    def runs() -> bool:
        session.worker.initialize()
        session.worker.send("start", {})
        return bool(session.worker.finish().data == value)

    session.wrapper.wait_until(runs, f"task that gives {value!r}", 15)


def test_debug_url_keeps_its_path_and_query(serve: Serve) -> None:
    worker, _ = serve(
        "one_argument", env={"WORKER_SOCKET_URL": DEBUG_URL, "WORKER_SOCKET_PORT": None}
    )
    assert worker.paths[0].startswith("/hkube/debug/green-alg?")
    assert worker.queries[0]["token"] == "a b"
    assert worker.queries[0]["storage"] == "v1"
    assert worker.queries[0]["encoding"] == "json"
    assert worker.run(1) == 1


def test_redirected_logs_name_the_host(serve: Serve) -> None:
    settings = {"WORKER_SOCKET_URL": DEBUG_URL, "REDIRECT_LOGS": "true"}
    worker, _ = serve("one_argument", env=settings)
    assert worker.queries[0]["hostname"]


def test_dev_mode_reloads_changed_code_and_keeps_the_connection(serve: Serve) -> None:
    session = serve({"main.py": code("old")}, env={"DEV_MODE": "true"})
    assert session.worker.run() == "old"
    wait_for_watch(session)
    rewrite(session, code("new"))
    run_until(session, "new")
    rewrite(session, "import helper\n\ndef start(args, api):\n    return helper.value\n")
    rewrite(session, "value = 'from a helper'\n", "helper.py")
    run_until(session, "from a helper")
    rewrite(session, "value = 'changed helper'\n", "helper.py")
    run_until(session, "changed helper")
    assert session.worker.connections == 1


def test_dev_mode_sees_an_edit_made_while_it_starts(serve: Serve) -> None:
    """The edit comes after the code is loaded and before its folder is watched."""
    for number in range(3):
        session = serve({"main.py": code("old")}, env={"DEV_MODE": "true"})
        assert session.worker.run() == "old"
        rewrite(session, code(f"new {number}"))
        run_until(session, f"new {number}")


def test_dev_mode_reports_a_syntax_error_and_the_next_edit_fixes_it(serve: Serve) -> None:
    session = serve({"main.py": code("old")}, env={"DEV_MODE": "true"})
    assert session.worker.run() == "old"
    wait_for_watch(session)
    rewrite(session, "def start(args, api)\n    return 1\n")
    session.wrapper.wait_for_log("not valid Python")
    error = session.worker.fail()
    assert "not valid Python" in error["message"]
    rewrite(session, code("fixed"))
    run_until(session, "fixed")
    assert session.worker.connections == 1


def test_dev_mode_runs_the_current_task_again_on_the_new_code(serve: Serve) -> None:
    waits = "import time\n\ndef start(args, api):\n    time.sleep(600)\n"
    session = serve({"main.py": waits}, env={"DEV_MODE": "true"})
    session.worker.begin("kept")
    wait_for_watch(session)
    rewrite(session, "def start(args, api):\n    return ['new', args['input']]\n")
    message = session.worker.finish()
    assert message.data == ["new", ["kept"]]
    session.worker.expect_silence(0.3)
    assert session.worker.commands() == ["initialized", "started", "done"]
    assert session.worker.run("next") == ["new", ["next"]]


def test_dev_mode_survives_a_crash_or_ends(serve: Serve) -> None:
    """Edited code may crash; the container may then end as usual, but must not hang."""
    session = serve("hard_exit", env={"DEV_MODE": "true"})
    session.worker.begin(7)
    session.wrapper.wait_until(
        lambda: not session.wrapper.is_running or "7" in session.wrapper.stderr, "outcome"
    )


def test_dev_mode_lets_the_algorithm_write_into_its_own_folder(serve: Serve) -> None:
    """Otherwise each task would reload the code and run again, without end."""
    session = serve("writes_beside_itself", env={"DEV_MODE": "true"})
    wait_for_watch(session)
    pids = {session.worker.run() for _ in range(3)}
    session.worker.expect_silence(1.0)
    pids.add(session.worker.run())
    assert len(pids) == 1


def test_without_dev_mode_a_change_is_ignored(serve: Serve) -> None:
    session = serve({"main.py": code("old")})
    assert session.worker.run() == "old"
    rewrite(session, code("new"))
    session.worker.expect_silence(0.5)
    assert session.worker.run() == "old"


def test_one_process_serves_tasks(serve: Serve) -> None:
    worker, wrapper = serve("identity", arguments=("-m", "wrapper", "--in-process"))
    result = worker.run()
    assert result["pid"] == wrapper.pid
    assert result["main_thread"] is True
    assert worker.run()["tasks"] == 2
    worker.send("stop", {"forceStop": False})
    worker.expect("stopped")
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait() == 3


def test_one_process_reports_errors_and_makes_calls(serve: Serve) -> None:
    worker, _ = serve("calls_then_raises", arguments=("-m", "wrapper", "--in-process"))
    worker.answers["startStoredSubPipeline"] = lambda message: (
        "subPipelineError",
        {"subPipelineId": message.data["subPipelineId"], "error": "broke"},
    )
    assert worker.fail()["message"].startswith("SubPipelineError: broke (main.py:")


def test_one_process_receives_a_signal_that_interrupts_no_wait(serve: Serve) -> None:
    code = """
import _thread, signal, threading

def start(args):
    # Only the flag, as if a signal came just before the main thread waits again.
    threading.Timer(0.5, _thread.interrupt_main, (signal.SIGTERM,)).start()
"""
    worker, wrapper = serve({"main.py": code}, arguments=("-m", "wrapper", "--in-process"))
    worker.run()
    assert wrapper.wait() == 143


def test_one_process_does_not_wait_for_threads(serve: Serve) -> None:
    code = """
import atexit, threading

def start(args):
    threading.Thread(target=threading.Event().wait).start()
    atexit.register(print, "left")
"""
    worker, wrapper = serve({"main.py": code}, arguments=("-m", "wrapper", "--in-process"))
    worker.run()
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait() == 3
    assert "left" in wrapper.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_process_ends_on_a_signal(serve: Serve, number: signal.Signals) -> None:
    worker, wrapper = serve("endless", arguments=("-m", "wrapper", "--in-process"))
    worker.begin("sleep")
    wrapper.wait_until(lambda: "waiting" in wrapper.stdout, "the user's code")
    wrapper.signal(number)
    assert wrapper.wait() == 143


def test_one_process_is_stopped(serve: Serve) -> None:
    worker, wrapper = serve("endless", arguments=("-m", "wrapper", "--in-process"))
    worker.begin("sleep")
    wrapper.wait_until(lambda: "waiting" in wrapper.stdout, "the user's code")
    worker.send("stop", {"forceStop": True})
    worker.wait_for("stopped", timeout=10)
    assert worker.run("return") == "not stopped"


SCRIPT = """
import os
import sys

from hkube_python_wrapper import Algorunner, HKubeApi

seen = []


def start(args, hkube_api: HKubeApi):
    return [args["input"], seen, os.getpid(), __name__, sys.argv[1:]]


def init(args):
    seen.append("init")


def stop(args):
    pass


def exit(args):
    print("exit was called", flush=True)


if __name__ == "__main__":
    RUN
    print("never printed twice", flush=True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "Algorunner.Run(start=start, init=init, stop=stop, exit=exit)",
        "Algorunner.Run(start, init, stop, exit)",
        "Algorunner.Debug(os.environ['DEBUG_URL'], start, init=init, stop=stop, exit=exit)",
    ],
    ids=["Run with names", "Run", "Debug"],
)
def test_users_own_script(serve: Serve, call: str) -> None:
    settings: dict[str, str | None] = {"DEBUG_URL": DEBUG_URL}
    if "Debug" in call:
        settings["WORKER_SOCKET_PORT"] = "1"
    files = {"main.py": SCRIPT.replace("RUN", call)}
    worker, wrapper = serve(files, env=settings, arguments=("main.py", "argument"))
    if "Debug" in call:
        assert worker.paths[0].startswith("/hkube/debug/green-alg?")
    inputs, seen, pid, _, arguments = worker.run("x")
    assert (inputs, seen, arguments) == (["x"], ["init"], ["argument"])
    assert pid != wrapper.pid
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait() == 3
    assert "exit was called" in wrapper.stdout


def test_script_that_runs_the_configured_algorithm(serve: Serve) -> None:
    files = {
        "app.py": "from hkube_python_wrapper import Algorunner\n\n"
        "if __name__ == '__main__':\n    Algorunner.Run()\n",
        "main.py": code("from main.py"),
    }
    assert serve(files, arguments=("app.py",)).worker.run() == "from main.py"


def test_script_without_a_main_guard(serve: Serve) -> None:
    files = {
        "main.py": "from hkube_python_wrapper import Algorunner\n\n"
        "def start(args, api):\n    return 'unguarded'\n\nAlgorunner.Run(start=start)\n"
    }
    assert serve(files, arguments=("main.py",)).worker.run() == "unguarded"


def test_api_can_be_imported_under_both_names(serve: Serve) -> None:
    files = {
        "main.py": "from hkube_python_wrapper import HKubeApi as Old\n"
        "from wrapper import HKubeApi\n\n"
        "def start(args, api: HKubeApi):\n    return [Old is HKubeApi, isinstance(api, HKubeApi)]\n"
    }
    assert serve(files).worker.run() == [True, True]
