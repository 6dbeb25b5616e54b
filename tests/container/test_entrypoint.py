"""The arguments of `docker run IMAGE ARGUMENTS`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import IMAGE, Run, Serve
from .engine import CODE, Engine

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello"
WITH_HELLO = ["--volume", f"{HELLO}:{CODE}:ro"]


@pytest.fixture(scope="module", autouse=True)
def _image(image: str) -> None:
    """All tests here run the image."""


def test_command_runs_the_local_tool(engine: Engine) -> None:
    shown = engine.output(IMAGE, "run", "--input", '["world"]', options=WITH_HELLO)

    assert shown == '{"greeting": "Hello, world!"}\n'


def test_option_is_passed_to_the_local_tool(engine: Engine) -> None:
    assert engine.output(IMAGE, "--version").count(".") == 2
    assert "run" in engine.output(IMAGE, "--help")


def test_own_working_directory_is_kept(engine: Engine) -> None:
    options = ["--volume", f"{HELLO}:/data:ro", "--workdir", "/data"]

    assert engine.output(IMAGE, "run", "--input", '["you"]', options=options) == (
        '{"greeting": "Hello, you!"}\n'
    )


@pytest.mark.parametrize(
    "command", [["python", "-c", "print('ran')"], ["sh", "-c", "echo ran"], ["/bin/echo", "ran"]]
)
def test_program_is_run(engine: Engine, command: list[str]) -> None:
    assert engine.output(IMAGE, *command) == "ran\n"


def test_exit_code_of_a_program_is_the_containers(run: Run) -> None:
    assert run("sh", "-c", "exit 7").wait() == 7


@pytest.mark.parametrize("word", ["chekc", "seve", "cd"])  # cd is a command of the shell
def test_unknown_word_is_reported(run: Run, word: str) -> None:
    container = run(word)

    assert container.wait() == 2
    assert word in container.stderr
    assert "Traceback" not in container.stderr


def test_bad_settings_are_reported(run: Run) -> None:
    container = run(options=["--env", "WORKER_SOCKET_PORT=none"])

    assert container.wait() == 78
    assert "WORKER_SOCKET_PORT is 'none'" in container.stdout + container.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["python", "-u", "app.py"],
        ["python3", "app.py"],
        ["/bin/sh", "-c", "python -u app.py 2>&1 |tee /hkube-logs/stdout.log"],
    ],
)
def test_commands_of_hkubes_builder_serve(serve: Serve, logs: Path, command: list[str]) -> None:
    session = serve("prints_to_both", *command, options=["--volume", f"{logs}:/hkube-logs"])
    session.worker.run()
    session.worker.send("exit", {})

    assert session.container.wait() == 0
    kept = (logs / "stdout.log").read_text()
    assert kept.count("to stdout: ☃ é\n") == 1, "once, whoever writes the file"
    assert kept.count("to stderr: ☃ é\n") == 1
    assert "no end of line" in kept


def test_user_module_named_wrapper_does_no_harm(serve: Serve) -> None:
    session = serve("own_wrapper")

    assert session.worker.run() is not None
    assert session.container.execute("hkube-wrapper", "health").stdout == "healthy\n"
