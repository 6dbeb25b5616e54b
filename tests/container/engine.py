"""An engine that builds images and runs containers, and one running container."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

LIMIT = 60.0  # seconds; even short steps can take this long on a busy machine
CODE = "/hkube/algorithm-runner/algorithm_unique_folder"


def find_engine(environ: Mapping[str, str]) -> str | None:
    """Return the command of a working engine on this machine, or None."""
    for name in (environ.get("CONTAINER_ENGINE", ""), "docker", "podman"):
        if name and shutil.which(name) and _answers(name):
            return name
    return None


def _answers(name: str) -> bool:
    try:
        subprocess.run([name, "info"], capture_output=True, check=True, timeout=LIMIT)
    except subprocess.SubprocessError:
        return False
    return True


class BuildError(AssertionError):
    """An image cannot be built; the message is the engine's output."""


class Engine:
    """Docker or podman.

    Args:
        command: its name.
        build_command: what comes before the arguments of a build.
        folder: working directory; podman's helpers drop files in it.
    """

    def __init__(self, command: str, build_command: Sequence[str], folder: Path) -> None:
        self.command = command
        self._build_command = list(build_command)
        self._folder = folder

    @property
    def is_podman(self) -> bool:
        """Whether the engine supports pods."""
        return "podman" in self.command

    @property
    def build_options(self) -> list[str]:
        """Options that builds on this machine need."""
        return self._build_command[2:]

    def call(
        self, *arguments: str, check: bool = True, limit: float = LIMIT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the engine to its end; a failure shows its output."""
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{shlex.join(done.args)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def build(self, context: Path, tag: str, *options: str) -> str:
        """Build an image and return the engine's output.

        Args:
            context: folder with a Dockerfile.
            tag: the image's name.
            options: more options of `docker build`.

        Raises:
            BuildError: it cannot be built.
        """
        command = [*self._build_command, "--tag", tag, *options, str(context)]
        done = subprocess.run(
            command,
            cwd=self._folder,
            env={
                **os.environ,
                "BUILDAH_FORMAT": "docker",
            },  # podman's default format has no HEALTHCHECK
            capture_output=True,
            text=True,
            errors="replace",
            timeout=600,
            check=False,
        )
        if done.returncode:
            raise BuildError(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def inspect(self, image: str) -> dict[str, Any]:
        """Return everything that the engine knows about an image."""
        [found] = json.loads(self.call("image", "inspect", image).stdout)
        assert isinstance(found, dict)
        return found

    def has(self, image: str) -> bool:
        """Whether an image exists on this machine."""
        return self.call("image", "inspect", image, check=False).returncode == 0

    def output(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Run a command in a new container, which must succeed, and return its stdout."""
        return self.call(
            "run", "--rm", *_PLAIN, "--network", "none", *options, image, *command
        ).stdout


# Podman runs HEALTHCHECK with systemd timers, which a container or CI may lack.
_PLAIN = ("--no-healthcheck",)


class Container:
    """A container that runs in the foreground of a child process.

    Args:
        engine: what runs it.
        folder: for its output.
        image: its image.
        command: its command.
        options: of `docker run`.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        image: str,
        command: Sequence[str] = (),
        options: Sequence[str] = (),
    ) -> None:
        self.engine = engine
        self.name = f"hkube-test-{uuid.uuid4().hex[:12]}"
        self._out, self._err = folder / f"{self.name}.out", folder / f"{self.name}.err"
        network = [] if "--network" in options else ["--network", "none"]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [
                    *(engine.command, "run", "--rm", "--name", self.name, *_PLAIN),
                    *(*network, *options, image, *command),
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def is_running(self) -> bool:
        """Whether it is still running."""
        return self._process.poll() is None

    @property
    def stdout(self) -> str:
        """Its stdout so far."""
        return self._out.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """Its stderr so far."""
        return self._err.read_text(errors="replace")

    def wait(self, limit: float = LIMIT) -> int:
        """Wait until it ends, and return the exit code."""
        try:
            return self._process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {limit:g} s\n{self.story()}") from None

    def wait_until(self, is_true: Callable[[], bool], what: str, limit: float = LIMIT) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + limit
        while not is_true():
            if time.monotonic() > deadline or not self.is_running:
                raise AssertionError(f"no {what} within {limit:g} s\n{self.story()}")
            time.sleep(0.05)

    def signal(self, name: str) -> None:
        """Send a signal to its process 1."""
        self.engine.call("kill", "--signal", name, self.name)

    def execute(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command inside the container."""
        return self.engine.call("exec", self.name, *command, check=check)

    def remove(self) -> None:
        """End the container by force."""
        if self.is_running:
            self.engine.call("rm", "--force", "--time", "0", self.name, check=False)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LIMIT)
        self._process.kill()
        self._process.wait()

    def story(self) -> str:
        """Describe its state and output for the message of a failing test."""
        state = "running" if self.is_running else f"exit code {self._process.returncode}"
        return (
            f"--- {self.name}: {state}\n--- stdout\n{self.stdout[-3000:]}"
            f"\n--- stderr\n{self.stderr[-3000:]}"
        )


def engine_from(environ: Mapping[str, str], folder: Path) -> Engine | None:
    """Return this machine's engine: CONTAINER_ENGINE, docker or podman; CONTAINER_BUILD builds."""
    command = find_engine(environ)
    if command is None:
        return None
    given = environ.get("CONTAINER_BUILD")
    return Engine(command, shlex.split(given) if given else [command, "build"], folder)


def world_readable(folder: Path) -> Path:
    """Let any uid read a folder; pytest creates it for its own user only."""
    for parent in (folder, *folder.parents):
        if parent.owner() != folder.owner() or parent.stat().st_mode & 0o005 == 0o005:
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    for path in folder.rglob("*"):
        os.chmod(path, path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    return folder
