"""`Algorunner.Run`: what a user's own script turns into, in fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from wrapper.ipc.frames import CHANNEL_VARIABLE

LAUNCH = str(ROOT / "hkube_python_wrapper" / "_launch.py")

# Takes the interpreter's place, and prints what it would have been asked to run.
STAND_IN = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
BAD_CONFIGURATION = 78  # tells that the wrapper was set up in this very process

SCRIPT = """\
import os, sys
from hkube_python_wrapper import Algorunner
sys.executable = os.environ["STAND_IN"]

def start(args):
    return args

if __name__ == "__main__":
    {before}
    Algorunner.{call}
    print("went on")
"""


class Script:
    """A user's script in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stand_in = folder / "stand-in"
        self.stand_in.write_text(STAND_IN)
        self.stand_in.chmod(0o755)

    def run(
        self, call: str, *command: str, before: str = "pass", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        (self.folder / "main.py").write_text(SCRIPT.format(call=call, before=before))
        return subprocess.run(
            [sys.executable, *(command or ("main.py",))],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "STAND_IN": str(self.stand_in),
                "WORKER_SOCKET_PORT": "none",
                **environ,
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def lines(self, call: str, *command: str, before: str = "pass") -> list[str]:
        """The command that the script turns into, its interpreter apart."""
        done = self.run(call, *command, before=before)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_the_script_becomes_the_supervisor_of_itself(script: Script) -> None:
    assert script.lines("Run(start=start)") == [
        "-u",
        LAUNCH,
        "--algorithm-command",
        str(script.stand_in),
        str(script.folder / "main.py"),
    ]


def test_its_arguments_and_those_of_python_are_kept(script: Script) -> None:
    lines = script.lines("Run(start)", "-X", "dev", "-u", "main.py", "--size", "3")

    assert lines[4:] == ["-X", "dev", "-u", str(script.folder / "main.py"), "--size", "3"]


def test_a_module_is_started_as_a_module(script: Script) -> None:
    lines = script.lines("Run(start)", "-m", "main", "argument")

    assert lines[4:] == ["-m", "main", "argument"]


def test_the_working_directory_may_have_changed(script: Script) -> None:
    lines = script.lines("Run(start)", before="os.chdir('/')")

    assert lines[4:] == [str(script.folder / "main.py")]


def test_what_was_printed_before_is_not_lost(script: Script) -> None:
    assert script.lines("Run(start)", before="print('first')")[:2] == ["first", "-u"]


def test_without_a_function_the_module_of_the_environment_is_served(script: Script) -> None:
    assert script.lines("Run()") == ["-u", LAUNCH]


def test_debug_sets_the_url(script: Script) -> None:
    script.stand_in.write_text("#!/bin/sh\necho $WORKER_SOCKET_URL $REDIRECT_LOGS\n")

    assert script.lines("Debug('ws://gate/debug', start, logs=True)") == ["ws://gate/debug true"]
    assert script.lines("Debug('ws://gate/debug', start)") == ["ws://gate/debug"]


def test_where_there_is_no_script_all_stays_in_one_process(script: Script) -> None:
    code = SCRIPT.format(call="Run(start=start)", before="pass")
    done = script.run("Run()", "-c", code)

    assert done.returncode == BAD_CONFIGURATION
    assert "WORKER_SOCKET_PORT" in done.stderr


def test_under_a_debugger_all_stays_in_one_process(script: Script) -> None:
    done = script.run("Run(start=start)", before="import bdb; bdb.Bdb().set_trace()")

    assert done.returncode == BAD_CONFIGURATION


def test_a_module_that_is_being_served_goes_on(script: Script) -> None:
    done = script.run("Run(start=start)", before="import wrapper.algorithm.serve")

    assert done.stdout == "went on\n"
    assert "is ignored" in done.stderr


def test_a_script_that_forgets_its_function_is_told_so(script: Script) -> None:
    done = script.run("Run()", **{CHANNEL_VARIABLE: "3,4,5"})

    assert done.returncode == 1
    assert "start is None now" in done.stderr
