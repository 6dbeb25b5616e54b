"""The rows of the local tools; the floor is the algorithm's own work, with no wrapper around it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .figures import Figure, at_most

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "examples" / "hello"
BARE = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from main import start
print(json.dumps(start({"input": ["world"]}, None)))
"""


def local(repetitions: int) -> list[Figure]:
    """`hkube-wrapper run` of the hello example, from Enter to exit."""
    commands = {
        "floor": [sys.executable, "-c", BARE, str(HELLO)],
        "wrapper": [sys.executable, "-m", "wrapper", "run", str(HELLO), '--input=["world"]'],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for number in range(repetitions + 1):
            for name, command in commands.items():
                taken = _time_to_exit(command, folder)
                if number:  # the first start compiled the bytecode
                    seconds[name].append(taken)
    return [Figure("`run` of the hello example: Enter to exit", "s", seconds, at_most(0.8))]


def _time_to_exit(command: list[str], folder: str) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    taken = time.perf_counter() - begun
    assert done.stdout == '{"greeting": "Hello, world!"}\n', done.stdout
    return taken
