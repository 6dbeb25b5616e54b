"""Installs what checks the page: TypeScript and axe-core, from npm, at the versions of the lock."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
_INSTALLATION = 240.0  # seconds


def node_modules() -> Path:
    """Return the folder of the packages; skip the test if they cannot be installed."""
    npm = shutil.which("npm")
    if npm is None:
        _missing("npm is not installed")
    assert npm is not None
    lock, done = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed"
    # One process of pytest-xdist installs; the others wait.
    with (FOLDER / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != lock.read_text():
            installed = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=FOLDER,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_INSTALLATION,
                check=False,
            )
            if installed.returncode:
                _missing(f"npm ci failed: {installed.stderr[-500:]}")
            done.write_text(lock.read_text())
    return FOLDER / "node_modules"


def _missing(reason: str) -> None:
    if os.environ.get("HKUBE_BROWSER_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
