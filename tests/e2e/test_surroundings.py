"""User code that changes the process it runs in: the wrapper goes on."""

from __future__ import annotations

import pytest

from .conftest import Serve


@pytest.mark.parametrize("algorithm", ["forks", "fork_raises"])
def test_the_child_of_a_fork_that_returns_from_start_says_nothing(
    serve: Serve, algorithm: str
) -> None:
    worker, _ = serve(algorithm)
    for _ in range(3):
        assert worker.run() == "from the parent"
    assert worker.commands().count("done") == 3
    assert "errorMessage" not in worker.commands()


def test_the_child_of_a_fork_has_no_link(serve: Serve) -> None:
    worker, _ = serve("fork_calls_api")
    assert worker.run() == "from the parent"
    assert "startAlgorithmExecution" not in worker.commands()
    assert worker.run() == "from the parent"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_pool_of_processes(serve: Serve, method: str) -> None:
    worker, wrapper = serve("pools")
    assert worker.run(method) == [0, 1, 4, 9, 16]
    assert worker.run(method) == [0, 1, 4, 9, 16]
    worker.send("exit")
    assert wrapper.wait(20) == 0
    assert wrapper.survivors() == []


def test_user_code_that_closes_every_descriptor(serve: Serve) -> None:
    """The pipe is gone: a crash that says so, at once, and never a task that hangs."""
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


def test_user_code_that_changes_its_folder(serve: Serve) -> None:
    worker, wrapper = serve("changes_folder")
    before, after = worker.run()
    assert after == str(wrapper.work.resolve() / "elsewhere")
    again, _ = worker.run()
    assert again in (before, after)


def test_user_code_that_installs_signal_handlers(serve: Serve) -> None:
    worker, wrapper = serve("own_signal_handlers")
    assert worker.run("plain") == "installed"
    assert worker.run("plain") == "installed"
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(20) == 3


def test_the_environment_is_the_users(serve: Serve) -> None:
    code = "import os\n\ndef start(args, api):\n    return dict(os.environ)\n"
    worker, wrapper = serve({"main.py": code}, env={"MY_SETTING": "mine"})
    seen = worker.run()
    assert seen["MY_SETTING"] == "mine"
    assert seen["WORKER_SOCKET_PORT"] == wrapper.environment["WORKER_SOCKET_PORT"]


def test_standard_input_is_empty(serve: Serve) -> None:
    code = "import sys\n\ndef start(args, api):\n    return sys.stdin.read()\n"
    assert serve({"main.py": code}).worker.run() == ""


def test_user_code_sees_a_plain_interpreter(serve: Serve) -> None:
    code = (
        "import signal, sys, threading, gc\n\ndef start(args, api):\n"
        "    return [sys.getrecursionlimit(), gc.isenabled(),\n"
        "            signal.getsignal(signal.SIGINT) is signal.SIG_IGN,\n"
        "            signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL, sys.flags.dev_mode]\n"
    )
    assert serve({"main.py": code}).worker.run() == [1000, True, False, True, False]
