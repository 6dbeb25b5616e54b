"""User code that changes the process it runs in: the wrapper continues."""

from __future__ import annotations

import pytest

from wrapper.supervisor.child.huge_pages import huge_page_environ

from .conftest import Serve


@pytest.mark.parametrize("algorithm", ["forks", "fork_raises"])
def test_forked_child_that_returns_from_start_sends_nothing(serve: Serve, algorithm: str) -> None:
    worker, _ = serve(algorithm)
    for _ in range(3):
        assert worker.run() == "from the parent"
    assert worker.commands().count("done") == 3
    assert "errorMessage" not in worker.commands()


def test_forked_child_has_no_connection(serve: Serve) -> None:
    worker, _ = serve("fork_calls_api")
    assert worker.run() == "from the parent"
    assert "startAlgorithmExecution" not in worker.commands()
    assert worker.run() == "from the parent"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_process_pool(serve: Serve, method: str) -> None:
    worker, wrapper = serve("pools")
    assert worker.run(method) == [0, 1, 4, 9, 16]
    assert worker.run(method) == [0, 1, 4, 9, 16]
    worker.send("exit")
    assert wrapper.wait(20) == 0
    assert wrapper.survivors() == []


def test_user_code_closes_all_descriptors(serve: Serve) -> None:
    """Without its pipe the process crashes immediately, with a message; the task never hangs."""
    worker, wrapper = serve("closes_everything")
    worker.begin()
    wrapper.wait_until(
        lambda: not wrapper.is_running or "done" in worker.commands(), "an outcome", 10
    )
    if wrapper.is_running:
        assert worker.run() == "closed"
    else:
        assert wrapper.wait() not in (0, 70)
        assert wrapper.stderr


def test_user_code_changes_the_working_directory(serve: Serve) -> None:
    worker, wrapper = serve("changes_folder")
    before, after = worker.run()
    assert after == str(wrapper.work.resolve() / "elsewhere")
    again, _ = worker.run()
    assert again in (before, after)


def test_user_code_installs_signal_handlers(serve: Serve) -> None:
    worker, wrapper = serve("own_signal_handlers")
    assert worker.run("plain") == "installed"
    assert worker.run("plain") == "installed"
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(20) == 3


def test_huge_pages_are_asked_for_only_in_the_algorithm_process(serve: Serve) -> None:
    code = (
        "import os, subprocess\n\n"
        "def start(args, api):\n"
        "    inherited = subprocess.run(['env'], capture_output=True, text=True).stdout\n"
        "    own = open('/proc/self/environ').read().split('\\0')\n"
        "    return own, inherited\n"
    )
    worker, _ = serve({"main.py": code}, env={"GLIBC_TUNABLES": None})
    own, inherited = worker.run()
    expected = [f"{name}={value}" for name, value in huge_page_environ({}).items()]
    assert [each for each in own if each.startswith("GLIBC_TUNABLES=")] == expected
    assert "GLIBC_TUNABLES" not in inherited


def test_environment_of_user_code(serve: Serve) -> None:
    code = "import os\n\ndef start(args, api):\n    return dict(os.environ)\n"
    worker, wrapper = serve({"main.py": code}, env={"MY_SETTING": "mine"})
    seen = worker.run()
    assert seen["MY_SETTING"] == "mine"
    assert seen["WORKER_SOCKET_PORT"] == wrapper.environment["WORKER_SOCKET_PORT"]


def test_stdin_is_empty(serve: Serve) -> None:
    code = "import sys\n\ndef start(args, api):\n    return sys.stdin.read()\n"
    assert serve({"main.py": code}).worker.run() == ""


def test_user_code_sees_an_ordinary_interpreter(serve: Serve) -> None:
    code = (
        "import signal, sys, threading, gc\n\ndef start(args, api):\n"
        "    return [sys.getrecursionlimit(), gc.isenabled(),\n"
        "            signal.getsignal(signal.SIGINT) is signal.SIG_IGN,\n"
        "            signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL, sys.flags.dev_mode]\n"
    )
    assert serve({"main.py": code}).worker.run() == [1000, True, False, True, False]
