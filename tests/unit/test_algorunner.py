"""`Algorunner.Run`: which command a user's script executes, in new interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT
from wrapper.ipc.frames import CHANNEL_VARIABLE

LAUNCH = str(ROOT / "hkube_python_wrapper" / "_launch.py")

# Replaces the interpreter, and prints its arguments.
STAND_IN = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
BAD_CONFIGURATION = 78  # shows that the wrapper started in this process

SCRIPT = """\
import os, sys
from hkube_python_wrapper import Algorunner
sys.executable = os.environ["STAND_IN"]

def start(args):
    return args

if __name__ == "__main__":
    {before}
    Algorunner.{call}
    print("continued")
"""


class Script:
    """A user's script in a new folder."""

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
        """Return the command that the script executes, without its interpreter."""
        done = self.run(call, *command, before=before)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def test_script_becomes_its_own_supervisor(script: Script) -> None:
    assert script.lines("Run(start=start)") == [
        "-Iu",
        LAUNCH,
        "--algorithm-command",
        str(script.stand_in),
        str(script.folder / "main.py"),
    ]


def test_arguments_of_script_and_python_are_kept(script: Script) -> None:
    lines = script.lines("Run(start)", "-X", "dev", "-u", "main.py", "--size", "3")

    assert lines[4:] == ["-X", "dev", "-u", str(script.folder / "main.py"), "--size", "3"]


def test_module_is_started_as_a_module(script: Script) -> None:
    lines = script.lines("Run(start)", "-m", "main", "argument")

    assert lines[4:] == ["-m", "main", "argument"]


def test_script_may_change_the_working_directory(script: Script) -> None:
    lines = script.lines("Run(start)", before="os.chdir('/')")

    assert lines[4:] == [str(script.folder / "main.py")]


def test_earlier_output_is_not_lost(script: Script) -> None:
    assert script.lines("Run(start)", before="print('first')")[:2] == ["first", "-Iu"]


def test_without_a_function_the_configured_module_is_served(script: Script) -> None:
    assert script.lines("Run()") == ["-Iu", LAUNCH]


def test_debug_sets_the_url(script: Script) -> None:
    script.stand_in.write_text("#!/bin/sh\necho $WORKER_SOCKET_URL $REDIRECT_LOGS\n")

    assert script.lines("Debug('ws://gate/debug', start, logs=True)") == ["ws://gate/debug true"]
    assert script.lines("Debug('ws://gate/debug', start)") == ["ws://gate/debug"]


def test_without_a_script_everything_stays_in_one_process(script: Script) -> None:
    code = SCRIPT.format(call="Run(start=start)", before="pass")
    done = script.run("Run()", "-c", code)

    assert done.returncode == BAD_CONFIGURATION
    assert "WORKER_SOCKET_PORT" in done.stderr


def test_under_a_debugger_everything_stays_in_one_process(script: Script) -> None:
    done = script.run("Run(start=start)", before="import bdb; bdb.Bdb().set_trace()")

    assert done.returncode == BAD_CONFIGURATION


def test_module_that_is_already_served_continues(script: Script) -> None:
    done = script.run("Run(start=start)", before="import wrapper.algorithm.serve")

    assert done.stdout == "continued\n"
    assert "is ignored" in done.stderr


def test_missing_function_in_the_algorithm_process_is_reported(script: Script) -> None:
    done = script.run("Run()", **{CHANNEL_VARIABLE: "3,4,5"})

    assert done.returncode == 1
    assert "start is None now" in done.stderr
