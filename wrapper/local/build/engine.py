"""The program that builds images: docker, podman or buildah."""

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
    """There is nothing to build with, or it has failed."""

    code = "EngineError"


@dataclass(frozen=True)
class BuildEngine:
    """A program that builds images.

    Attributes:
        name: one of `ENGINES`.
        path: of the program.
    """

    name: str
    path: str


def find_engine(
    wanted: str | None, which: Callable[[str], str | None] = shutil.which
) -> BuildEngine:
    """Find a program that builds images, and that works.

    Args:
        wanted: its name or path; None: whatever is there, docker first.
        which: finds a program in PATH.

    Raises:
        EngineError: there is none; the text says what was found instead.
    """
    if wanted:
        return _wanted(wanted, which)
    silent: list[str] = []
    for name in ENGINES:
        path = which(name)
        if path is None:
            continue
        reason = _why_silent(path)
        if reason is None:
            return BuildEngine(name, path)
        silent.append(f"{name} does not answer ({reason})")
    found = f"{'; '.join(silent)}" if silent else "none of docker, podman and buildah is here"
    raise EngineError(
        f"{found}: give --output DIR, and build the image from there on another machine"
    )


def engine_name(wanted: str) -> str:
    """Tell which engine a name or a path means.

    Raises:
        EngineError: none of those that are known.
    """
    name = Path(wanted).name
    if name not in ENGINES:
        known = f"{', '.join(ENGINES[:-1])} or {ENGINES[-1]}"
        raise EngineError(f"the engine {wanted!r} is not known: it must be {known}")
    return name


def build_command(
    engine: BuildEngine, context: Path, tag: str, pip_conf: Path | None, more: Sequence[str]
) -> list[str]:
    """Return the command that builds an image.

    Args:
        engine: what builds.
        context: the build context.
        tag: the image's name.
        pip_conf: a pip.conf, which is there while pip runs and in no layer.
        more: arguments for the engine.
    """
    command = [engine.path, "build", "--tag", tag]
    if engine.name != "docker":
        command.append("--format=docker")  # OCI's has no HEALTHCHECK, which the base has
    if pip_conf is not None:
        command += ["--secret", f"id={SECRET},src={pip_conf}"]
    return [*command, *more, str(context)]


def run_build(command: Sequence[str], hint: str = "") -> None:
    """Build; what the engine says goes to stderr.

    Args:
        command: what to run.
        hint: what to try if it fails, as the end of a sentence.

    Raises:
        EngineError: it failed.
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
            f"the image was not built: {name} build ended with exit code {code}{hint}"
        )


def _wanted(wanted: str, which: Callable[[str], str | None]) -> BuildEngine:
    name = engine_name(wanted)
    path = which(wanted)
    if path is None:
        raise EngineError(f"the engine {wanted} is not here: there is no such program")
    reason = _why_silent(path)
    if reason is not None:
        raise EngineError(f"the engine {wanted} does not answer: {reason}")
    return BuildEngine(name, path)


def _why_silent(path: str) -> str | None:
    """Tell why a program cannot build; None: it can. A docker without its daemon cannot."""
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
        return f"nothing came in {_ANSWER_TIMEOUT:g} s"
    except OSError as error:
        return str(error.strerror)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1].strip().rstrip(".")[:_MAX_REASON]
