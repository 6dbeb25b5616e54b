"""The user's files with the names of standard modules; HKube's builder sets PYTHONPATH to them."""

from __future__ import annotations

import json

import pytest

from .conftest import IMAGE, Serve
from .engine import CODE, Engine

MAIN = (
    "def start(args):\n    if args['input']:\n        raise ValueError('as asked')\n    return 1\n"
)
LOCAL_LIST = (
    "import json, sys\n"
    "from importlib.util import find_spec\n"
    "before = {name.partition('.')[0] for name in sys.modules}\n"
    "names = [name for name in sys.stdlib_module_names if find_spec(name)]\n"
    "print(json.dumps([names, [name for name in names if name in before]]))\n"
)


@pytest.fixture(scope="module")
def standard(engine: Engine, image: str) -> tuple[set[str], set[str]]:
    """The image's standard modules, and those that any Python program imports to start."""
    options = ["--entrypoint", "python", "--env", "PYTHONPATH="]
    listed = engine.output(image, "-c", LOCAL_LIST, options=options)
    names, at_start = json.loads(listed)
    return set(names), set(at_start)


def namesakes(names: set[str]) -> dict[str, str]:
    text = "raise ImportError('your file was imported')\n"
    return {**{f"{name}.py": text for name in sorted(names)}, "main.py": MAIN}


@pytest.mark.parametrize("options", [[], ["--read-only"]], ids=["with a log", "without"])
def test_serving(serve: Serve, standard: tuple[set[str], set[str]], options: list[str]) -> None:
    """Python's own start is safe too: it would import the user's encodings.py."""
    names, _ = standard
    assert {"encodings", "json", "logging", "queue", "types", "typing"} <= names
    env = {"PYTHONPATH": f":{CODE}"}
    session = serve(namesakes(names), options=options, env=env)

    assert session.worker.run() == 1
    assert "ValueError: as asked" in str(session.worker.fail("x"))
    assert session.container.execute("hkube-wrapper", "health").stdout == "healthy\n"
    session.worker.send("exit", {})
    assert session.container.wait() == 0
    assert "was imported" not in session.container.stdout + session.container.stderr


def test_command_of_hkubes_builder(serve: Serve, standard: tuple[set[str], set[str]]) -> None:
    names, at_start = standard
    # The builder loses the image's value and adds its own.
    session = serve(
        namesakes(names - at_start),
        *("python", "-u", "app.py"),
        env={"PYTHONPATH": f":{CODE}"},
    )

    assert session.worker.run() == 1
    assert "ValueError: as asked" in str(session.worker.fail("x"))


@pytest.mark.parametrize("command", [["run"], ["check"], ["build", ".", "--print", "--tag=x"]])
def test_local_tool(
    engine: Engine, serve: Serve, standard: tuple[set[str], set[str]], command: list[str]
) -> None:
    names, at_start = standard
    code = serve(namesakes(names - at_start)).code

    options = ["--volume", f"{code}:{CODE}:ro", f"--env=PYTHONPATH={CODE}"]
    engine.output(IMAGE, *command, options=options)
