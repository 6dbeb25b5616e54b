"""The rows of the local tools; the floor is the algorithm's work without the wrapper."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .figures import Figure, at_most, ratio_at_most

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "examples" / "hello"
BARE = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from main import start
print(json.dumps(start({"input": ["world"]}, None)))
"""

PRINTS = ROOT / "benchmarks" / "algorithms" / "prints.py"
PRINTING = """\
import sys
sys.path.insert(0, sys.argv[1])
from prints import start
print(start({}))
"""

# A batch of naps for four processes, with a wrapper around each, and without.
NAP = ROOT / "benchmarks" / "algorithms" / "nap.py"
ITEMS, PROCESSES = 1000, 4
NAPPING = """\
import sys
sys.path.insert(0, sys.argv[1])
from nap import start
for number in range(int(sys.argv[2])):
    start({"input": [number]}, None)
"""


def local(repetitions: int) -> list[Figure]:
    """Measure `hkube-wrapper run` of the hello example, from Enter to exit."""
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
    return [Figure("`run` of the hello example: Enter to exit", "s", seconds, at_most(0.27))]


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


def printing(repetitions: int) -> list[Figure]:
    """20,000 `print`s in `start`, under `run` on a terminal; the floor prints to a file."""
    seconds: dict[str, list[float]] = {"floor": [], "wrapper": []}
    for _ in range(repetitions):
        floor = [sys.executable, "-c", PRINTING, str(PRINTS.parent)]
        done = subprocess.run(floor, capture_output=True, text=True, check=True)
        seconds["floor"].append(float(done.stdout.splitlines()[-1]))
        seconds["wrapper"].append(_printing_on_a_terminal())
    return [Figure("20,000 `print`s on a terminal", "s", seconds, at_most(0.3))]


def _printing_on_a_terminal() -> float:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "wrapper", "run", str(PRINTS)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=terminal, text=True
    ) as process:
        os.close(terminal)
        try:
            while os.read(controller, 65536):
                pass
        except OSError:  # Linux: nobody holds the other side any more
            pass
        os.close(controller)
        result, _ = process.communicate()
    assert process.returncode == 0, result
    return float(result)


def batch(repetitions: int) -> list[Figure]:
    """Measure `pipeline run` of a batch of 1,000 tasks of 20 ms, over four processes."""
    seconds: dict[str, list[float]] = {"floor": [], "wrapper": []}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for _ in range(repetitions):
            seconds["floor"].append(_naps_alone())
            seconds["wrapper"].append(_naps_in_a_pipeline(Path(folder)))
    title = f"`pipeline run`: a batch of {ITEMS:,} × 20 ms over {PROCESSES} processes"
    return [Figure(title, "s", seconds, ratio_at_most(1.3))]


def _naps_alone() -> float:
    command = [sys.executable, "-c", NAPPING, str(NAP.parent), str(ITEMS // PROCESSES)]
    begun = time.perf_counter()
    running = [subprocess.Popen(command) for _ in range(PROCESSES)]
    codes = [process.wait() for process in running]
    taken = time.perf_counter() - begun
    assert codes == [0] * PROCESSES, codes
    return taken


def _naps_in_a_pipeline(folder: Path) -> float:
    node = {"nodeName": "naps", "algorithmName": "nap", "input": [f"#[1...{ITEMS}]"]}
    (folder / "pipeline.json").write_text(json.dumps({"name": "naps", "nodes": [node]}))
    (folder / "map.yml").write_text(json.dumps({"nap": str(NAP)}))
    command = [
        *(sys.executable, "-m", "wrapper", "pipeline", "run", "pipeline.json"),
        *("--algorithms", "map.yml", "--processes", str(PROCESSES)),
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    taken = time.perf_counter() - begun
    assert [entry["result"] for entry in json.loads(done.stdout)] == list(range(1, ITEMS + 1))
    return taken
