"""`hkube-wrapper build` as a user runs it, with a real engine if one is available."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wrapper import __version__
from wrapper.local.build.engine import EngineError, find_engine
from wrapper.local.source.ignore_rules import read_ignore_rules

LIMIT = 300.0
CODE = "code/algorithm_unique_folder"
ROOT = Path(__file__).parents[2]
PYTHON_BASE = "python:3.11-slim"
WHEEL = "hkube_test_tool-1-py3-none-any.whl"


def build(*arguments: str | Path, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrapper", "build", *map(str, arguments)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env=environ,
    )


@pytest.fixture
def algorithm(tmp_path: Path) -> Path:
    folder = tmp_path / "green"
    (folder / "sub").mkdir(parents=True)
    (folder / "main.py").write_text(
        "from sub.tool import answer\n\ndef start(args, hkubeApi):\n    return answer\n"
    )
    (folder / "sub" / "tool.py").write_text("answer = 42\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    return folder


def engine_that(folder: Path, line: str) -> dict[str, str]:
    """Make a PATH whose only engine is a podman of one line of shell."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "cp", "find", "sort"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "podman").write_text(f'#!/bin/sh\n[ "$1" = version ] || {{ {line}; }}\n')
    (tools / "podman").chmod(0o755)
    return {"PATH": str(tools), "CONTAINER_ENGINE": ""}


def test_print_builds_nothing(algorithm: Path, tmp_path: Path) -> None:
    (algorithm / "requirements.txt").write_text("numpy\n")
    (algorithm / ".env").write_text("PASSWORD=x\n")
    (algorithm / "test_main.py").touch()
    done = build("green", "--print", "--base", "hkube/python-wrapper:1", cwd=tmp_path)
    listed = [line for line in done.stderr.splitlines() if "__pycache__" not in line]
    assert (done.returncode, listed) == (
        0,
        [f"left out: {name}" for name in (".env", ".git", "test_main.py")],
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        *("#", "FROM", "COPY", "RUN", "COPY", "ENV", "LABEL")
    ]
    assert "FROM hkube/python-wrapper:1\n" in done.stdout


def test_build_context(algorithm: Path, tmp_path: Path) -> None:
    (algorithm / "algorithm.yml").write_text("name: eval-alg\nversion: 2\ncode: {path: .}\n")
    arguments = ("green/algorithm.yml", "--output", "out", "--", "--pull=never")
    done = build(*arguments, cwd=tmp_path, CONTAINER_ENGINE="")
    assert done.returncode == 0
    assert done.stderr == "the build context is in out; build it where an engine is installed:\n"
    assert shlex.split(done.stdout) == [
        *("docker", "build", "--tag", "eval-alg:2", "--pull=never", "out")
    ]
    files = sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in Path(tmp_path).rglob("out/**/*.*")
    )
    assert files == [f"{CODE}/algorithm.yml", f"{CODE}/main.py", f"{CODE}/sub/tool.py"]


def test_engine_gets_the_context_and_its_options(algorithm: Path, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").touch()
    environ = engine_that(tmp_path, 'echo "$@"; for last; do :; done; cp -r "$last" seen')
    done = build(
        *("green", "--tag", "team/green:1", "--pip-conf", "pip.conf", "--", "--network", "host"),
        cwd=tmp_path,
        **environ,
    )
    assert (done.returncode, done.stdout) == (0, "team/green:1\n")
    said, hint = done.stderr.splitlines()
    assert said.startswith(
        "build --tag team/green:1 --format=docker --secret id=pip-conf,src=pip.conf --network host "
    )
    assert hint == "try it: podman run --rm team/green:1 run --input '[]'"
    assert (tmp_path / "seen" / CODE / "sub" / "tool.py").is_file()
    assert not (tmp_path / "seen" / CODE / ".git").exists()
    assert not Path(said.split()[-1]).exists()


def test_failing_engine(algorithm: Path, tmp_path: Path) -> None:
    done = build("green", cwd=tmp_path, **engine_that(tmp_path, "exit 125"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the image was not built: podman build ended with exit code 125; its output above "
        f"says which step failed. The base hkube/python-wrapper:{__version__} is not on this "
        "machine: build it (make image), or name its registry: "
        f"--base docker.io/hkube/python-wrapper:{__version__}\n"
    )


def test_registry_is_not_blamed_if_the_base_is_here(algorithm: Path, tmp_path: Path) -> None:
    line = '[ "$1" = image ] && { echo "[]"; exit; }; exit 1'
    done = build("green", cwd=tmp_path, **engine_that(tmp_path, line))
    assert done.stderr == (
        "error: the image was not built: podman build ended with exit code 1; its output above "
        "says which step failed\n"
    )


@pytest.mark.parametrize(
    ("version", "note"),
    [(__version__, False), ("0.0.9", True)],
)
def test_other_version_in_the_image_is_reported(
    algorithm: Path, tmp_path: Path, version: str, note: bool
) -> None:
    labels = json.dumps([{"Config": {"Labels": {"io.hkube.python-wrapper.version": version}}}])
    environ = engine_that(tmp_path, f"[ $1 != image ] || echo '{labels}'")
    done = build("green", "--base", f"hkube/python-wrapper:{version}", cwd=tmp_path, **environ)
    assert done.returncode == 0
    expected = f"the image contains the wrapper 0.0.9, and this command line is {__version__}"
    assert (expected in done.stderr) is note


def test_no_engine(algorithm: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = build("green", cwd=tmp_path, PATH=str(tmp_path / "empty"), CONTAINER_ENGINE="")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: docker, podman and buildah are not installed: use --output DIR, and build the "
        "image from it on another machine\n"
    )


@pytest.mark.parametrize(
    ("files", "arguments", "text"),
    [
        ({}, [], "Missing argument 'PATH'"),
        ({}, ["nowhere"], "error: nowhere does not exist\n"),
        ({"green/main.py": "def go(): pass"}, ["green"], "main.py has no function 'start'"),
        ({"green/main.py": "def"}, ["green"], "error: main.py:1 is not valid Python"),
        ({"green/algorithm.yml": "a: ["}, ["green"], "algorithm.yml is not valid YAML"),
        ({}, ["green", "--tag", "A:b"], "error: 'A:b' is not a valid image name"),
        ({}, ["green", "--base", "a\nRUN x"], "error: the base 'a\\nRUN x' is not a valid image"),
        ({}, ["green", "--output", "green/out"], "is inside the algorithm's folder"),
        ({"out/x": ""}, ["green", "--output", "out"], "error: out is not an empty folder"),
        ({}, ["green", "--print", "--output", "out"], "--print and --output cannot be combined"),
        ({}, ["green", "--print", "--engine", "nano"], "error: unknown engine 'nano'"),
        ({}, ["green", "--pip-conf", "none"], "error: the --pip-conf file none does not exist"),
        (
            {"green/algorithm.yml": 'code: {entryPoint: "a\\nb"}'},
            ["green"],
            "error: algorithm.yml: no file ",
        ),
    ],
)
def test_wrong_usage(
    algorithm: Path, tmp_path: Path, files: dict[str, str], arguments: list[str], text: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    done = build(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_engine_is_wrong_usage(algorithm: Path, tmp_path: Path) -> None:
    done = build("green", cwd=tmp_path, CONTAINER_ENGINE="nano")
    assert done.returncode == 2
    assert "error: unknown engine 'nano': use docker, podman or buildah" in (done.stderr)


def test_users_dockerfile_is_not_used(algorithm: Path, tmp_path: Path) -> None:
    (algorithm / "Dockerfile").write_text("FROM scratch\n")
    done = build("green", "--print", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("note: the folder's Dockerfile is not used")
    assert "scratch" not in done.stdout


def test_help_names_every_option(tmp_path: Path) -> None:
    done = build("--help", cwd=tmp_path)
    options = ("PATH", "--tag", "--base", "--print", "--output", "--engine", "--pip-conf")
    assert done.returncode == 0
    assert all(option in done.stdout for option in options)
    assert "Exit codes: 0 built" in done.stdout


@pytest.fixture(scope="module")
def engine() -> str:
    """The engine of this machine that can also run images: docker or podman."""
    try:
        found = find_engine(os.environ.get("CONTAINER_ENGINE"))
    except EngineError as error:
        pytest.skip(f"no engine: {error}")
    if found.name == "buildah":
        pytest.skip("no engine: buildah builds, but does not run")
    return found.path


@contextmanager
def alone() -> Iterator[None]:
    """Run one test at a time: podman loses cached layers while others remove images."""
    with (Path(tempfile.gettempdir()) / "hkube-engine-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        yield


@pytest.fixture
def undisturbed() -> Iterator[None]:
    """No other test uses the engine at the same time."""
    with alone():
        yield


def run_engine(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
        stdin=subprocess.DEVNULL,
    )


def write_wheel(folder: Path) -> None:
    """Write a wheel of the distribution hkube-test-tool, with one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = "hkube_test_tool-1.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("hkube_test_tool.py", "answer = 42\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: hkube-test-tool\nVersion: 1\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="module")
def base(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image like HKube's (this package, its folders, a user in group 0), plus a wheel."""
    if run_engine(engine, "image", "inspect", PYTHON_BASE).returncode:
        pytest.skip(f"no image {PYTHON_BASE} on this machine, and tests do not pull images")
    folder = tmp_path_factory.mktemp("base")
    shutil.copytree(ROOT / "wrapper", folder / "wrapper")
    write_wheel(folder / "wheels")
    (folder / "Dockerfile").write_text(
        f"FROM {PYTHON_BASE}\nCOPY wrapper/ /opt/wrapper/\nCOPY wheels/ /opt/wheels/\n"
        "ENV PYTHONPATH=/opt:/hkube/algorithm-runner/algorithm_unique_folder "
        "PYTHONUSERBASE=/tmp/python\nWORKDIR /hkube/algorithm-runner\nUSER 10001:0\n"
    )
    tag = f"localhost/hkube-test-base:{os.getpid()}"
    with alone():
        done = run_engine(engine, "build", "--pull=never", "--tag", tag, str(folder))
    assert done.returncode == 0, done.stderr
    yield tag
    with alone():
        run_engine(engine, "rmi", "--force", tag)


@pytest.fixture
def tag(engine: str, undisturbed: None) -> Iterator[str]:
    """The name of an image to build; the image is removed afterwards."""
    name = f"localhost/hkube-test-alg:{os.getpid()}"
    yield name
    run_engine(engine, "rmi", "--force", name)


LOOK = """
import json, main, os
folder = "/hkube/algorithm-runner/algorithm_unique_folder"
open(f"{folder}/new", "w").write("group 0 may write")
print(json.dumps({
    "result": main.start({}, None),
    "variables": [os.environ["GREETING"], os.environ["ALGORITHM_ENTRY_POINT"]],
    "files": sorted(os.listdir(folder)),
    "secret": os.path.exists("/etc/pip.conf") and os.path.getsize("/etc/pip.conf"),
}))
"""


def in_image(engine: str, tag: str, user: str) -> dict[str, Any]:
    done = run_engine(
        *(
            engine,
            "run",
            "--rm",
            "--network=none",
            f"--user={user}",
            tag,
            "python",
            "-B",
            "-c",
            LOOK,
        )
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_real_image(algorithm: Path, tmp_path: Path, engine: str, base: str, tag: str) -> None:
    (algorithm / "main.py").write_text(
        "from hkube_test_tool import answer\ndef start(a, b): return answer\n"
    )
    (algorithm / "main.py").chmod(0o600)
    (algorithm / "requirements.txt").write_text("hkube-test-tool==1\n")
    (algorithm / "algorithm.yml").write_text(
        "name: eval-alg\nalgorithmEnv: {GREETING: 'say \"hi\" for $5'}\ncode: {entryPoint: main}\n"
    )
    (tmp_path / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /opt/wheels\n")
    arguments = ["green", "--engine", engine, "--base", base, "--tag", tag]
    arguments += ["--pip-conf", "pip.conf", "--", "--pull=never", "--network=none"]
    done = build(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{tag}\n"), done.stderr
    assert "Successfully installed hkube-test-tool-1" in done.stderr
    for user in ("10001:0", "1000730000:0"):
        assert in_image(engine, tag, user) == {
            "result": 42,
            "variables": ['say "hi" for $5', "main"],
            "files": ["algorithm.yml", "main.py", "new", "requirements.txt", "sub"],
            "secret": False,
        }

    (algorithm / "main.py").write_text("def start(a, b): return 43\n")
    done = build(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Successfully installed" not in done.stderr  # that layer comes before the code
    assert in_image(engine, tag, "10001:0")["result"] == 43


def test_real_image_with_a_wheel_in_the_folder(
    algorithm: Path, tmp_path: Path, engine: str, base: str, tag: str
) -> None:
    write_wheel(algorithm / "wheels")
    (algorithm / "requirements.txt").write_text(f"--no-index\n./wheels/{WHEEL}\n")
    done = build(
        *("green", "--engine", engine, "--base", base, "--tag", tag),
        *("--", "--pull=never", "--network=none"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "note: requirements.txt lists files from the folder" in done.stderr
    assert "Successfully installed hkube-test-tool-1" in done.stderr


def test_real_base_without_the_wrapper(
    algorithm: Path, tmp_path: Path, engine: str, base: str, undisturbed: None
) -> None:
    done = build(
        *("green", "--engine", engine, "--base", PYTHON_BASE, "--tag", "localhost/hkube-test-none"),
        *("--", "--pull=never", "--network=none"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {PYTHON_BASE} does not contain the wrapper" in done.stderr


@pytest.mark.parametrize(
    "patterns",
    [
        "*\n!a\na/b/*\n!a/b/keep\n",
        "**/*.py\n!main.py\n",
        "/a/\n./c\n",
        "a/*/x.py\nkee?\n",
        "[ac]\n# comment\n",
        "**/b\n!a/b/keep\n",
        "a/**\n!a/b\n",
    ],
)
def test_dockerignore_matches_as_in_an_engine(
    tmp_path: Path, engine: str, undisturbed: None, patterns: str
) -> None:
    context = tmp_path / "context"
    for name in ("main.py", "keep", "a/x.py", "a/b/x.py", "a/b/keep", "c/x.py", "c/keep"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    (context / ".dockerignore").write_text(f".dockerignore\n{patterns}")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    done = subprocess.run(
        [
            *(engine, "build", "--no-cache", "--file", str(tmp_path / "Dockerfile")),
            *("--iidfile", str(tmp_path / "image")),
            *("--output", f"type=local,dest={tmp_path / 'out'}", str(context)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr
    run_engine(engine, "rmi", "--force", (tmp_path / "image").read_text())
    rules = read_ignore_rules(context)
    ours = {name for name in names_below(context) if not rules.leaves_out(name)}
    assert ours == names_below(tmp_path / "out")


def names_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
