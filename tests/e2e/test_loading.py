"""Loading the user's module: its place, its imports, and the errors if it does not load."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import Serve

UNIQUE = "algorithm_unique_folder"
FAILURES = {
    "raises_at_import": ("ZeroDivisionError: division by zero", "(main.py:5, in prepare)"),
    "syntax_error": ("main.py:4 is not valid Python", "def start(args, api)"),
    "missing_dependency": ("package_that_is_nowhere", "inner.py"),
    "no_start": ("start", "main.py", "run"),
    "near_miss": ("strat", "start", "did you mean"),
    "start_is_no_function": ("start", "int"),
    "exits_at_import": ("sys.exit(3)", "main.py:5"),
}


@pytest.mark.parametrize("algorithm", FAILURES)
def test_load_error_is_reported_at_every_task(serve: Serve, algorithm: str) -> None:
    worker, wrapper = serve(algorithm)
    errors = []
    for _ in range(2):
        worker.initialize()
        errors.append(worker.expect("errorMessage").error)
    assert errors[0] == errors[1]
    for part in FAILURES[algorithm]:
        assert part in errors[0]["message"]
    assert errors[0]["code"] == "LoadError"
    assert len(errors[0]["message"].splitlines()) == 1
    for ours in ("wrapper/", "importlib", "runpy"):
        assert ours not in errors[0]["details"]
    wrapper.wait_for_log(FAILURES[algorithm][0])
    assert wrapper.is_running


def test_load_error_shows_the_users_frames(serve: Serve) -> None:
    worker, _ = serve("missing_dependency")
    details = worker.fail()["details"]
    places = [details.index(name) for name in ("main.py", "outer.py", "inner.py")]
    assert places == sorted(places)


def test_load_error_answers_an_immediate_start(serve: Serve) -> None:
    worker, _ = serve("near_miss")
    for _ in range(2):
        worker.initialize()
        worker.send("start", {})
        worker.expect("errorMessage")
    worker.expect_silence(0.3)


def test_missing_module_is_named(serve: Serve) -> None:
    worker, _ = serve("echo", env={"ALGORITHM_ENTRY_POINT": "mian.py"})
    message = worker.fail()["message"]
    assert "mian.py" in message
    assert "main.py" in message


def test_missing_folder_is_named(serve: Serve) -> None:
    worker, wrapper = serve("echo", env={"ALGORITHM_PATH": "nowhere"}, connect=False)
    wrapper.wait_until(lambda: not wrapper.is_running or worker.connections == 1, "outcome")
    if wrapper.is_running:
        assert "nowhere" in worker.fail()["message"]
    else:
        assert wrapper.wait() == 78
        assert "nowhere" in wrapper.stderr


@pytest.mark.parametrize("entry", ["src/alg/main.py", "src.alg.main", "src/alg/main"])
@pytest.mark.parametrize("algorithm", ["nested", "plain_folders"])
def test_nested_entry_points(serve: Serve, algorithm: str, entry: str) -> None:
    worker, _ = serve(algorithm, env={"ALGORITHM_ENTRY_POINT": entry}, into=UNIQUE)
    assert worker.run()[0] == "sibling"


@pytest.mark.parametrize("entry", ["main.py", "main", None])
@pytest.mark.parametrize("into", [".", UNIQUE, "elsewhere"])
def test_entry_points_in_folders_that_are_not_packages(
    serve: Serve, into: str, entry: str | None
) -> None:
    path = into if into == "elsewhere" else None
    settings = {"ALGORITHM_ENTRY_POINT": entry, "ALGORITHM_PATH": path}
    worker, wrapper = serve("identity", env=settings, into=into)
    result = worker.run()
    folder = (wrapper.work / into).resolve()
    assert Path(result["folder"]).resolve() == folder
    assert Path(result["cwd"]).resolve() == folder


def test_image_layout_with_the_folder_on_pythonpath(serve: Serve) -> None:
    worker, _ = serve(
        "plain_folders", env={"ALGORITHM_ENTRY_POINT": "src/alg/main.py"}, into=UNIQUE
    )
    assert worker.run() == ["sibling", "alg"]


@pytest.mark.parametrize("into", [".", UNIQUE])
def test_relative_imports(serve: Serve, into: str) -> None:
    assert serve("relative_imports", into=into).worker.run() == 5


def test_relative_imports_without_an_init_file(serve: Serve) -> None:
    files = {
        "main.py": "from .helper import two\n\ndef start(args, api):\n    return two()\n",
        "helper.py": "def two():\n    return 2\n",
    }
    assert serve(files, into=UNIQUE).worker.run() == 2


def test_users_own_wrapper_module_is_imported(serve: Serve) -> None:
    worker, _ = serve("own_wrapper", into=UNIQUE)
    assert worker.run() == "the user's own wrapper"
    assert worker.run() == "the user's own wrapper"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="-P came with 3.11")
def test_users_own_wrapper_module_in_the_working_directory(serve: Serve) -> None:
    """Without -P, Python itself would run the user's module for `-m wrapper`."""
    worker, _ = serve("own_wrapper", arguments=("-P", "-m", "wrapper"))
    assert worker.run() == "the user's own wrapper"


def test_folder_with_an_unusual_name(serve: Serve) -> None:
    folder = "my algorithm's é folder"
    worker, _ = serve("relative_imports", env={"ALGORITHM_PATH": folder}, into=folder)
    assert worker.run() == 5


@pytest.mark.parametrize("name", ["queue", "json", "socket", "logging", "errors", "api", "config"])
def test_user_module_may_have_any_name(serve: Serve, name: str) -> None:
    """The user's modules are not confused with ours or with the standard library's."""
    files = {"main.py": "def start(args, api):\n    return 1\n", f"{name}.py": "mine = True\n"}
    worker, _ = serve(files, into=UNIQUE)
    assert worker.run() == 1
    assert worker.run() == 1


def test_slow_import_happens_while_connected(serve: Serve) -> None:
    worker, wrapper = serve("slow_import")
    wrapper.wait_for_file("importing")
    worker.initialize()
    worker.send("start", {})
    worker.expect_silence(0.3)
    (wrapper.work / "hold").unlink()
    assert worker.finish().data == "imported"
    assert worker.commands() == ["initialized", "started", "done"]


def test_stop_while_importing_is_answered_and_the_import_continues(serve: Serve) -> None:
    worker, wrapper = serve("slow_import")
    wrapper.wait_for_file("importing")
    worker.initialize()
    worker.send("stop", {"forceStop": True})
    worker.wait_for("stopped", timeout=10)
    (wrapper.work / "hold").unlink()
    assert worker.run() == "imported"
    assert worker.commands()[-3:] == ["initialized", "started", "done"]


def test_exit_while_importing(serve: Serve) -> None:
    worker, wrapper = serve("slow_import")
    wrapper.wait_for_file("importing")
    worker.send("exit", {"exitCode": 4})
    assert wrapper.wait(20) == 4
