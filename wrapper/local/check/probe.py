"""Loads an algorithm in a separate process, as its container would, and reads what it found."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...supervisor.child.crash_report import MemoryState, describe_death, user_frames
from ..scratch import ScratchFolder
from ..source.source import AlgorithmSource

STDERR = 2

_SCRIPT = Path(__file__).with_name("probe_process.py")
_PACKAGE = Path(__file__).resolve().parents[2]
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$')
_DUMP_PATIENCE = 2.0  # seconds to write the stacks
_END_PATIENCE = 5.0  # seconds to end what the module has started


@dataclass(frozen=True)
class ProbedFunction:
    """One of the algorithm's functions.

    Attributes:
        role: start, initialize, stop or exit.
        name: its name in the module; initialize may be named `init`.
        file: relative to the algorithm's folder if it is inside; empty if unknown.
        line: its first line; 0 if unknown.
        signature: its parameters as written.
        call: how HKube will call it.
        is_async: whether it is an `async def`.
    """

    role: str
    name: str
    file: str
    line: int
    signature: str
    call: str
    is_async: bool


@dataclass(frozen=True)
class Probed:
    """The result of loading an algorithm.

    Attributes:
        seconds: how long it took.
        problem: why it cannot be loaded, in one sentence; empty if it can.
        details: lines of code or a stack that explain the problem.
        functions: the algorithm's functions.
        remarks: one sentence for each function that has the right name but will not be called.
    """

    seconds: float
    problem: str = ""
    details: str = ""
    functions: tuple[ProbedFunction, ...] = ()
    remarks: tuple[str, ...] = ()


def probe(
    source: AlgorithmSource, file: Path, environ: Mapping[str, str], timeout: float
) -> Probed:
    """Load an algorithm and end all processes that it has started.

    What its module prints goes to stderr.

    Args:
        source: the algorithm.
        file: absolute path of its module.
        environ: the environment; the algorithm's own variables are added.
        timeout: seconds to wait for the module.
    """
    began = time.monotonic()
    with ScratchFolder() as scratch:
        answer, stacks = Path(scratch, "answer.json"), Path(scratch, "stacks.txt")
        child = subprocess.Popen(
            [sys.executable, _SCRIPT, answer, stacks, source.folder, source.entry_point, file],
            cwd=source.folder,
            env={
                **environ,
                **source.environ,
                "ALGORITHM_PATH": str(source.folder),
                "ALGORITHM_ENTRY_POINT": source.entry_point,
                "TMPDIR": scratch,  # the script ends without clean-up
            },
            stdin=subprocess.DEVNULL,
            stdout=STDERR,
            start_new_session=True,
        )
        try:
            ended = _wait(child, timeout)
            seconds = time.monotonic() - began
            if not ended:
                return _stuck(child, stacks, seconds, timeout, file, source.folder)
        finally:
            _end(child)
        try:
            answered = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return _died(child.returncode, stacks, seconds, file, source.folder)
    return _read(answered, seconds)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the script, which ends everything that the module has started."""
    child.terminate()
    if not _wait(child, _END_PATIENCE):
        child.kill()
        child.wait()


def _wait(child: subprocess.Popen[bytes], timeout: float) -> bool:
    try:
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        return False
    return True


def _read(answered: Mapping[str, Any], seconds: float) -> Probed:
    return Probed(
        seconds=seconds,
        problem=answered["problem"],
        details=answered["details"],
        functions=tuple(ProbedFunction(**each) for each in answered["functions"]),
        remarks=tuple(answered["remarks"]),
    )


def _stuck(
    child: subprocess.Popen[bytes],
    stacks: Path,
    seconds: float,
    timeout: float,
    file: Path,
    folder: Path,
) -> Probed:
    child.send_signal(signal.SIGABRT)  # faulthandler writes the stacks even while C code runs
    _wait(child, _DUMP_PATIENCE)
    frames = user_frames(_text(stacks), str(_PACKAGE))
    place = _innermost(frames, folder)
    problem = (
        f"{file.relative_to(folder)} is still being imported after {timeout:g} s{place}: move "
        "slow work into start or initialize, or allow more time with --timeout"
    )
    return Probed(seconds, problem, frames)


def _died(code: int, stacks: Path, seconds: float, file: Path, folder: Path) -> Probed:
    status = -code if code < 0 else code << 8
    nothing = MemoryState(0, None)
    report = describe_death(status, _text(stacks), nothing, nothing, str(_PACKAGE))
    sentence, _, details = report.partition("\n")
    place = _innermost(details, folder)
    name = file.relative_to(folder)
    return Probed(seconds, f"while {name} was imported{place}, {sentence}", details)


def _innermost(frames: str, folder: Path) -> str:
    """Name the innermost frame of the user's code, or else of any code, to end a sentence."""
    found = [match for line in frames.splitlines() if (match := _FRAME.match(line))]
    own = [match for match in found if Path(match["file"]).is_relative_to(folder)]
    for match in own or found:
        path = Path(match["file"])
        shown = path.relative_to(folder) if own else path
        return f" ({shown}:{match['line']}, in {match['function']})"
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
