"""Supervisor and algorithm in one process: threads that the user leaves behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wrapper.in_process import serve

ROOT = Path(serve.__file__).parents[2]


@pytest.mark.parametrize("daemon", [True, False])
def test_user_threads_do_not_delay_the_end(daemon: bool) -> None:
    code = (
        f"import sys, threading; sys.path.insert(0, {str(ROOT)!r})\n"
        "from wrapper.in_process.serve import leave_threads\n"
        f"threading.Thread(target=threading.Event().wait, daemon={daemon}).start()\n"
        "print('printed')\n"
        "code = leave_threads(5)\n"
        "print('returned')\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 5
    assert done.stdout == ("printed\nreturned\n" if daemon else "printed\n")
