"""Loading an algorithm in a separate process."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from wrapper.local.check.probe import Probed, ProbedFunction, probe
from wrapper.local.source.source import AlgorithmSource


def probed(folder: Path, text: str, timeout: float = 60, **others: str) -> Probed:
    folder = folder.resolve()
    (folder / "main.py").write_text(text)
    for name, content in others.items():
        (folder / f"{name}.py").write_text(content)
    source = AlgorithmSource("alg", folder, environ={"FROM_THE_DESCRIPTION": "yes"})
    return probe(source, folder / "main.py", os.environ, timeout)


def only(found: Probed) -> ProbedFunction:
    assert not found.problem, found
    (function,) = found.functions
    return function


def test_each_function_is_described(tmp_path: Path) -> None:
    found = probed(
        tmp_path,
        "def start(args, hkubeApi): pass\nasync def init(): pass\n"
        "def stop(args: dict): pass\ndef exit(): pass\n",
    )
    assert (found.problem, found.remarks) == ("", ())
    assert [
        (each.role, each.name, each.line, each.signature, each.call, each.is_async)
        for each in found.functions
    ] == [
        ("start", "start", 1, "(args, hkubeApi)", "start(args, hkubeApi)", False),
        ("initialize", "init", 2, "()", "init()", True),
        ("stop", "stop", 3, "(args: dict)", "stop(args)", False),
        ("exit", "exit", 4, "()", "exit()", False),
    ]
    assert {each.file for each in found.functions} == {"main.py"}


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("def start(args): pass", "start(args)"),
        ("def start(args, *, api=None): pass", "start(args, api=hkubeApi)"),
        ("class A:\n    def go(self, args, api): pass\nstart = A().go", "start(args, hkubeApi)"),
        ("start = len", "start(args)"),
    ],
)
def test_how_start_is_called(tmp_path: Path, text: str, call: str) -> None:
    assert only(probed(tmp_path, text)).call == call


def test_decorated_function_shows_its_own_line(tmp_path: Path) -> None:
    text = "from helper import timed\n\n@timed\ndef start(args, api): pass\n"
    helper = (
        "import functools\ndef timed(function):\n    @functools.wraps(function)\n"
        "    def call(*args):\n        return function(*args)\n    return call\n"
    )
    found = only(probed(tmp_path, text, helper=helper))
    assert (found.file, found.line, found.signature) == ("main.py", 3, "(args, api)")


def test_uncallable_function_is_remarked(tmp_path: Path) -> None:
    found = probed(tmp_path, "def start(args): pass\ndef stop(a, b): pass\n")
    assert found.remarks == (
        "stop(a, b) in main.py is not called by HKube: expected stop() or stop(args)",
    )


def test_odd_entries_in_sys_modules_do_no_harm(tmp_path: Path) -> None:
    text = """
import sys, types

class Lazy(types.ModuleType):
    def __getattr__(self, name):
        raise ImportError("it cannot be loaded after all")

sys.modules["lazy"] = Lazy("lazy")
sys.modules["odd"] = object()
def start(args): pass
"""
    assert only(probed(tmp_path, text)).line == 10


def test_user_can_have_a_module_named_wrapper(tmp_path: Path) -> None:
    text = "import wrapper\nassert wrapper.MINE\ndef start(args): pass\n"
    assert only(probed(tmp_path, text, wrapper="MINE = True\n"))


@pytest.mark.parametrize("name", ["resource", "shelve"])
def test_probe_hides_no_user_module(tmp_path: Path, name: str) -> None:
    text = f"import {name}\nassert {name}.MINE\ndef start(args): pass\n"
    assert only(probed(tmp_path, text, 60, **{name: "MINE = True\n"}))


def test_module_that_the_algorithm_process_has_loaded_is_hidden_as_there(tmp_path: Path) -> None:
    text = "import ctypes\nassert ctypes.MINE\ndef start(args): pass\n"
    problem = probed(tmp_path, text, 60, ctypes="MINE = True\n").problem
    assert "module 'ctypes' has no attribute 'MINE'" in problem


def test_environment_matches_the_container(tmp_path: Path) -> None:
    text = (
        "import os, sys\n"
        "assert os.environ['FROM_THE_DESCRIPTION'] == 'yes'\n"
        "assert os.path.samefile(os.getcwd(), os.path.dirname(__file__))\n"
        "assert __name__ == 'main' and len(sys.argv) == 1\n"
        "assert 'probe' not in ' '.join(sys.path) and sys.stdin.read() == ''\n"
        "def start(args): pass\n"
    )
    assert only(probed(tmp_path, text))


def test_module_output_goes_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    probed(tmp_path, "print('loading')\ndef start(args): pass\n")
    assert capfd.readouterr() == ("", "loading\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def strat(args): pass", "it has 'strat': did you mean 'start'?"),
        ("import sys; sys.exit(3)", "main.py ends the process when it is imported: sys.exit(3)"),
        ("1 / 0", "ZeroDivisionError: division by zero (main.py:1)"),
        ("input()", "EOFError: EOF when reading a line (main.py:1)"),
        ("def start(:", "main.py:1 is not valid Python"),
        ("import os; os._exit(0)", "while main.py was imported, the algorithm process ended by "),
        ("import os; os._exit(7)", "ended by itself with status 7: os._exit()"),
        ("import os; os.abort()", "imported (main.py:1, in <module>), the algorithm process was "),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9 (SIGKILL)"),
    ],
)
def test_load_failure_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    found = probed(tmp_path, text)
    assert problem in found.problem
    assert "\n" not in found.problem
    assert not found.functions


def test_crash_shows_its_place(tmp_path: Path) -> None:
    found = probed(tmp_path, "import ctypes\ndef f():\n    ctypes.string_at(0)\nf()\n")
    assert found.problem.startswith("while main.py was imported (main.py:3, in f), ")
    assert "was ended by signal 11 (SIGSEGV)" in found.problem
    assert 'main.py", line 3 in f' in found.details


@pytest.mark.parametrize(
    "text",
    [
        "import time\nwhile True: time.sleep(60)\n",
        "def f():\n    return sum(iter(int, 1))\nf()\n",  # holds the GIL
        "import signal\nsignal.signal(signal.SIGABRT, signal.SIG_IGN)\nwhile True: pass\n",
    ],
)
def test_endless_import_is_reported(tmp_path: Path, text: str) -> None:
    found = probed(tmp_path, text, timeout=1)
    assert found.problem.startswith("main.py is still being imported after 1 s")
    assert "--timeout" in found.problem
    if "SIG_IGN" not in text:
        assert " (main.py:2, in " in found.problem


@pytest.mark.parametrize("end", ["", "os._exit(3)", "os.abort()", "while True: pass", "daemon()"])
def test_nothing_is_left_behind(tmp_path: Path, end: str) -> None:
    os.mkfifo(tmp_path / "held")
    held = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    text = (
        "import os, subprocess, sys, threading, time\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "subprocess.Popen(sleep, stdout=open('held', 'w'))\n"
        "subprocess.Popen(sleep, stdout=open('held', 'w'), start_new_session=True)\n"
        "threading.Thread(target=time.sleep, args=[600]).start()\n"
        "def daemon():\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        subprocess.Popen(sleep, stdout=open('held', 'w'), start_new_session=True)\n"
        "        os._exit(0)\n"
        "def start(args): pass\n"
        f"{end}\n"
    )
    probed(tmp_path, text, timeout=1 if "while" in end else 60)
    # The file ends when no process holds it open any more.
    assert select.select([held], [], [], 10) == ([held], [], [])
    assert os.read(held, 1) == b""
    os.close(held)


def test_unguarded_run_is_ignored_as_when_it_is_served(tmp_path: Path) -> None:
    text = (
        "from hkube_python_wrapper import Algorunner\n"
        "def start(args, api): pass\n"
        "Algorunner.Run(start=start)\n"
    )
    found = probed(tmp_path, text, timeout=60)
    assert (found.problem, [each.name for each in found.functions]) == ("", ["start"])
