"""Finds and runs the program that builds images: docker, podman or buildah."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import WrapperError
from .dockerfile import SECRET

ENGINES = ("docker", "podman", "buildah")

STDERR = 2
_ANSWER_TIMEOUT = 20.0  # seconds for `version`
_MAX_REASON = 200  # characters


class EngineError(WrapperError):
    """No engine is available, or a build has failed."""

    code = "EngineError"


@dataclass(frozen=True)
class BuildEngine:
    """A program that builds images.

    Attributes:
        name: one of `ENGINES`.
        path: path of the program.
    """

    name: str
    path: str


def find_engine(
    wanted: str | None, which: Callable[[str], str | None] = shutil.which
) -> BuildEngine:
    """Find an engine that works.

    Args:
        wanted: its name or path; None to take the first of `ENGINES` that works.
        which: finds a program in PATH.

    Raises:
        EngineError: no engine works; the message says what was found.
    """
    if wanted:
        return _wanted(wanted, which)
    silent: list[str] = []
    for name in ENGINES:
        path = which(name)
        if path is None:
            continue
        reason = _why_not_working(path)
        if reason is None:
            return BuildEngine(name, path)
        silent.append(f"{name} does not answer ({reason})")
    found = f"{'; '.join(silent)}" if silent else "docker, podman and buildah are not installed"
    raise EngineError(f"{found}: use --output DIR, and build the image from it on another machine")


def engine_name(wanted: str) -> str:
    """Return which of `ENGINES` a name or a path means.

    Raises:
        EngineError: the engine is unknown.
    """
    name = Path(wanted).name
    if name not in ENGINES:
        known = f"{', '.join(ENGINES[:-1])} or {ENGINES[-1]}"
        raise EngineError(f"unknown engine {wanted!r}: use {known}")
    return name


def build_command(
    engine: BuildEngine, context: Path, tag: str, pip_conf: Path | None, more: Sequence[str]
) -> list[str]:
    """Return the command that builds an image.

    Args:
        engine: the engine.
        context: the build context.
        tag: the image's name.
        pip_conf: a pip.conf that is mounted while pip runs and stored in no layer.
        more: further arguments for the engine.
    """
    command = [engine.path, "build", "--tag", tag]
    if engine.name != "docker":
        command.append("--format=docker")  # the OCI format would drop the base's HEALTHCHECK
    if pip_conf is not None:
        command += ["--secret", f"id={SECRET},src={pip_conf}"]
    return [*command, *more, str(context)]


def run_build(command: Sequence[str], hint: Callable[[], str] = str) -> None:
    """Build an image; the engine's output goes to stderr.

    Args:
        command: the command to run.
        hint: after a failure, returns what to add to the message.

    Raises:
        EngineError: the build failed.
    """
    try:
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=STDERR, check=False
        ).returncode
    except OSError as error:
        raise EngineError(f"{command[0]} cannot be run: {error.strerror}") from error
    if code:
        name = Path(command[0]).name
        raise EngineError(
            f"the image was not built: {name} build ended with exit code {code}; its output above "
            f"says which step failed{hint()}"
        )


def _wanted(wanted: str, which: Callable[[str], str | None]) -> BuildEngine:
    name = engine_name(wanted)
    path = which(wanted)
    if path is None:
        raise EngineError(f"cannot find the engine {wanted}")
    reason = _why_not_working(path)
    if reason is not None:
        raise EngineError(f"the engine {wanted} does not answer: {reason}")
    return BuildEngine(name, path)


def _why_not_working(path: str) -> str | None:
    """Say why an engine does not work, such as docker without its daemon; None if it does."""
    try:
        done = subprocess.run(
            [path, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {_ANSWER_TIMEOUT:g} s"
    except OSError as error:
        return str(error.strerror)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1].strip().rstrip(".")[:_MAX_REASON]
