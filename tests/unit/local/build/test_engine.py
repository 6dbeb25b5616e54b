"""Finding and running an engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wrapper.local.build.engine import (
    BuildEngine,
    EngineError,
    build_command,
    find_engine,
    run_build,
)

Programs = Callable[..., Callable[[str], "str | None"]]


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Creates programs from lines of shell, and returns a function that finds them."""

    def make(**lines: str) -> Callable[[str], str | None]:
        for name, line in lines.items():
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{line}\n")
            path.chmod(0o755)

        def which(name: str) -> str | None:
            path = tmp_path / Path(name).name
            return str(path) if path.exists() else None

        return which

    return make


def test_first_working_engine_is_taken(programs: Programs, tmp_path: Path) -> None:
    which = programs(docker="echo no daemon >&2; exit 1", podman="exit 0", buildah="exit 0")
    assert find_engine(None, which) == BuildEngine("podman", str(tmp_path / "podman"))
    assert find_engine("buildah", which) == BuildEngine("buildah", str(tmp_path / "buildah"))
    assert find_engine("/usr/bin/podman", which).name == "podman"


def test_docker_comes_first(programs: Programs) -> None:
    assert find_engine(None, programs(docker="exit 0", podman="exit 0")).name == "docker"


@pytest.mark.parametrize(
    ("lines", "wanted", "text"),
    [
        ({}, None, "docker, podman and buildah are not installed: use --output DIR"),
        (
            {"docker": "echo one >&2; echo No daemon. >&2; exit 1"},
            None,
            r"docker does not answer \(No daemon\): use --output DIR",
        ),
        ({"podman": "exit 3"}, None, r"podman does not answer \(exit code 3\)"),
        ({"docker": "exit 0"}, "podman", "cannot find the engine podman"),
        ({"docker": "exit 1"}, "docker", "the engine docker does not answer: exit code 1"),
        ({"docker": "exit 0"}, "nerdctl", "unknown engine 'nerdctl': use docker, podman or"),
    ],
)
def test_no_working_engine(
    programs: Programs, lines: dict[str, str], wanted: str | None, text: str
) -> None:
    with pytest.raises(EngineError, match=text):
        find_engine(wanted, programs(**lines))


def test_build_command() -> None:
    docker, podman = BuildEngine("docker", "/bin/docker"), BuildEngine("podman", "podman")
    context = Path("/tmp/context")
    assert build_command(docker, context, "alg:1", None, ()) == [
        *("/bin/docker", "build", "--tag", "alg:1", "/tmp/context")
    ]
    assert build_command(podman, context, "alg:1", Path("pip.conf"), ["--pull=never"]) == [
        *("podman", "build", "--tag", "alg:1", "--format=docker"),
        *("--secret", "id=pip-conf,src=pip.conf", "--pull=never", "/tmp/context"),
    ]


def test_running_a_build(programs: Programs, capfd: pytest.CaptureFixture[str]) -> None:
    which = programs(docker='echo "building $*"; exit ${2:-0}')
    command = str(which("docker"))
    run_build([command, "build"])
    assert capfd.readouterr() == ("", "building build\n")
    with pytest.raises(EngineError, match="not built: docker build ended with exit code 5"):
        run_build([command, "build", "5"])
    with pytest.raises(EngineError, match="nowhere cannot be run: No such file"):
        run_build(["/nowhere"])
