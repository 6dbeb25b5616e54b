"""Files of the user with the names of the modules that the wrapper imports do it no harm.

PYTHONPATH holds the user's folder, as HKube's builder sets it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import MEASURED

from .conftest import Serve

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = "hkube_python_wrapper/_launch.py"
PACKAGES = (
    *("bson", "msgpack", "msgspec", "obstore", "ormsgpack", "orjson", "pathspec", "pydantic"),
    *("rich", "typer", "watchfiles", "websocket", "websockets", "yaml"),
)
MAIN = """\
def start(args, hkubeApi):
    what = args["input"][0]
    if what == "fail":
        raise ValueError("as asked")
    while what == "wait":
        pass
    return what
"""
SCRIPT = f"""\
from hkube_python_wrapper import Algorunner

{MAIN}
Algorunner.Run(start=start)
"""
APP = "from hkube_python_wrapper import Algorunner\n\nAlgorunner.Run()\n"


# Coverage imports modules before the wrapper does.
pytestmark = pytest.mark.usefixtures("without_coverage")


@pytest.fixture(scope="session")
def before_the_wrapper(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What Python imports before the first line of a program: these names stop any program."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "first.py").write_text("import sys\nprint(*sys.modules)\n")
    environment = {name: value for name, value in os.environ.items() if name not in MEASURED}
    done = subprocess.run(
        [sys.executable, "-m", "first"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def exists(name: str) -> bool:
    """Return whether this Python has the module: some are for other systems, such as msvcrt."""
    return importlib.util.find_spec(name) is not None


@pytest.fixture
def namesakes(before_the_wrapper: set[str]) -> dict[str, str]:
    """A file for each module of the standard library and each package that the wrapper uses."""
    here = {name for name in sys.stdlib_module_names if exists(name)}
    names = {*here, *PACKAGES} - before_the_wrapper - {"__main__"}
    assert {"json", "logging", "queue", "traceback", "socket", "yaml"} <= names
    return {f"{name}.py": f"raise ImportError('your {name}.py was imported')\n" for name in names}


def settings(folder: str, **more: str) -> Mapping[str, str]:
    return {"PYTHONPATH": os.pathsep.join([folder, "", str(ROOT)]), **more}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"WORKER_ALGORITHM_ENCODING": "msgpack", "REDIRECT_LOGS": "true"},
        {"WORKER_ALGORITHM_ENCODING": "bson", "HKUBE_LOG_FORMAT": "json"},
        {"DEV_MODE": "true"},
    ],
    ids=lambda env: next(iter(env), "plain"),
)
@pytest.mark.parametrize("arguments", [["-m", "wrapper"], [str(ROOT / LAUNCH)], ["app.py"]])
def test_serving(
    serve: Serve,
    tmp_path: Path,
    namesakes: dict[str, str],
    env: dict[str, str],
    arguments: list[str],
) -> None:
    folder = str(tmp_path / "session-0" / "work")
    files = {**namesakes, "main.py": MAIN, "app.py": APP}
    worker, wrapper = serve(files, env=settings(folder, **env), arguments=arguments)
    assert worker.run("done") == "done"
    error = worker.fail("fail")
    assert "ValueError: as asked" in str(error)
    assert 'raise ValueError("as asked")' in str(error)
    worker.begin("wait")
    worker.send("stop", {})
    worker.wait_for("stopped")
    assert "was imported" not in wrapper.stderr


def test_serving_a_script(serve: Serve, tmp_path: Path, namesakes: dict[str, str]) -> None:
    folder = str(tmp_path / "session-0" / "work")
    files = {**namesakes, "script.py": SCRIPT}
    worker, wrapper = serve(files, env=settings(folder), arguments=["script.py"])
    assert worker.run("done") == "done"
    assert "ValueError: as asked" in str(worker.fail("fail"))
    assert "was imported" not in wrapper.stderr


def test_mode_v3(serve: Serve, tmp_path: Path, namesakes: dict[str, str]) -> None:
    folder = str(tmp_path / "session-0" / "work")
    env = settings(
        folder,
        STORAGE_PROTOCOL="v3",
        WORKER_ALGORITHM_ENCODING="msgpack",
        DEFAULT_STORAGE="fs",
        BASE_FS_ADAPTER_DIRECTORY=str(tmp_path / "storage"),
    )
    worker, wrapper = serve({**namesakes, "main.py": MAIN}, env=env)
    worker.run("done")
    assert "ValueError: as asked" in str(worker.fail("fail"))
    assert "was imported" not in wrapper.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "wrapper", "run", "--input", '["done"]'],
        [str(ROOT / LAUNCH), "run", "--input", '["done"]', "--in-process"],
        ["-m", "hkube_python_wrapper", "check"],
        ["-m", "hkube_python_wrapper", "build", ".", "--print", "--tag=alg"],
    ],
    ids=lambda command: f"{command[-3]} {command[-1]}",
)
def test_local_tools(tmp_path: Path, namesakes: dict[str, str], command: list[str]) -> None:
    for name, text in {**namesakes, "main.py": MAIN}.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        env={**os.environ, **settings(str(tmp_path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "was imported" not in done.stderr


def test_health(serve: Serve, tmp_path: Path, namesakes: dict[str, str]) -> None:
    folder = str(tmp_path / "session-0" / "work")
    env = settings(folder, HKUBE_HEALTH_SOCKET="namesakes-{port}")
    session = serve({**namesakes, "main.py": MAIN}, env=env)
    for command in (["-m", "wrapper", "health"], [str(ROOT / LAUNCH), "health"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=session.wrapper.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("healthy\n", "")


def test_algorithm_finds_its_own_files_as_without_pythonpath(serve: Serve) -> None:
    """In PYTHONPATH or not, the order of its folders is the same, and PYTHONPATH is there."""
    main = "import os, sys\ndef start(args):\n    return [sys.path, os.environ['PYTHONPATH']]\n"
    plain = serve({"main.py": main})
    path, variable = plain.worker.run()
    folder = str(plain.wrapper.work)
    assert (path[0], variable) == (folder, str(ROOT))

    held = os.pathsep.join(["{work}", "/elsewhere", str(ROOT)])
    other_folder = folder.replace("session-0", "session-1")
    other = serve({"main.py": main}, env={"PYTHONPATH": held.replace("{work}", other_folder)})
    found, variable = other.worker.run()
    assert variable == held.replace("{work}", other_folder)
    found.remove("/elsewhere")
    assert [entry.replace("session-1", "session-0") for entry in found] == path
