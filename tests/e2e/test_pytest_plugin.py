"""The pytest plugin in real runs of pytest."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 120.0
IS_INSTALLED = any(
    entry.value == "hkube_python_wrapper._pytest_plugin"
    for entry in importlib.metadata.entry_points(group="pytest11")
)
LOOP_SCOPE = "asyncio_default_fixture_loop_scope=function"
MAIN = "import helper\n\ndef start(args):\n    return helper.double(args['input'][0])\n"


class Project:
    """A user's project with main.py, helper.py and tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("main.py", MAIN)
        self.write("helper.py", "def double(number):\n    return 2 * number\n")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))

    def pytest(self, *arguments: str, code: int = 0, cwd: Path | None = None) -> str:
        """Run pytest in the project and return its output."""
        plugin = [] if IS_INSTALLED else ["-p", "hkube_python_wrapper._pytest_plugin"]
        # It warns if it is not configured, and here each warning is an error.
        plugin += [] if "asyncio_mode=auto" in arguments else ["-p", "no:asyncio"]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", *arguments],
            cwd=cwd or self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose test is in its own folder."""
    project = Project(tmp_path)
    project.write("pytest.ini", "[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n")
    project.write(
        "tests/test_main.py",
        """
        def test_double(hkube):
            assert hkube.run("main.py", input=[2]).result == 4
        """,
    )
    return project


@pytest.mark.parametrize(
    "options",
    [
        ["-n0"],
        ["-n2"],
        ["-n0", "--import-mode=importlib"],
        ["-n0", "-s"],
        ["-n0", "--capture=sys"],
    ],
    ids=str,
)
def test_project_with_one_test(project: Project, options: list[str]) -> None:
    assert "1 passed" in project.pytest(*options)


def test_pytest_may_start_in_any_folder(project: Project, tmp_path: Path) -> None:
    assert "1 passed" in project.pytest("-n0", cwd=tmp_path / "tests")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "1 passed" in project.pytest("-n0", str(tmp_path), cwd=elsewhere)


@pytest.mark.parametrize("isolated", [False, True])
def test_failure_shows_the_traceback_once(project: Project, isolated: bool) -> None:
    project.write("main.py", "def start(args):\n    return 1 / args['input'][0]\n")
    project.write(
        "tests/test_main.py",
        f"""
        def test_it(hkube):
            assert hkube.run("main.py", [0], isolated={isolated}).result == 1
        """,
    )
    shown = project.pytest("-q", code=1)
    report = shown.partition("short test summary")[0]  # which repeats the error's text in CI
    assert report.count("    return 1 / args['input'][0]") == 1
    assert "Captured stderr" not in report


@pytest.mark.parametrize("isolated", [False, True])
def test_timeout_shows_where_the_algorithm_was(project: Project, isolated: bool) -> None:
    project.write(
        "main.py", "import time\n\ndef start(args):\n    while True:\n        time.sleep(0.01)\n"
    )
    project.write(
        "tests/test_main.py",
        f"""
        def test_it(hkube):
            hkube.run("main.py", [0], isolated={isolated}, timeout=1)
        """,
    )
    shown = project.pytest("-q", code=1)
    assert "no result within 1 s (timeout=1); it was at main.py:" in shown
    assert "interruption.py" not in shown, "the wrapper's own frames help nobody"


def test_failure_shows_the_lines_of_the_algorithm_and_the_test(project: Project) -> None:
    project.write(
        "tests/test_main.py",
        """
        def test_double(hkube):
            assert hkube.run("main.py").result == 4

        def test_not_there(hkube):
            hkube.run("mian.py")
        """,
    )
    output = project.pytest("-n0", code=1)
    assert ">   " in output
    assert "return helper.double(args['input'][0])" in output
    assert 'assert hkube.run("main.py").result == 4' in output
    assert (
        "the algorithm failed: IndexError: list index out of range (main.py:4, in start)" in output
    )
    assert "mian.py does not exist: did you mean 'main.py'?" in output
    assert "wrapper/testing/hkube.py" not in output
    assert "wrapper/algorithm" not in output


def test_algorithms_run_in_tests_of_pytest_asyncio(project: Project) -> None:
    project.write(
        "coroutine.py",
        """
        import asyncio

        async def start(args):
            await asyncio.sleep(0)
            return args["input"][0]
        """,
    )
    project.write(
        "tests/test_main.py",
        """
        import asyncio

        import pytest

        @pytest.fixture
        async def number():
            await asyncio.sleep(0)
            return 4

        async def test_function(hkube, number):
            assert hkube.run("main.py", [number]).result == 8
            await asyncio.sleep(0)

        async def test_coroutine(hkube, number):
            loop = asyncio.get_running_loop()
            assert [hkube.run("coroutine.py", [number]).result for _ in range(2)] == [4, 4]
            assert asyncio.get_running_loop() is loop
            await asyncio.sleep(0)

        async def test_isolated(hkube, number):
            run = asyncio.to_thread(hkube.run, "coroutine.py", [number], isolated=True)
            assert (await run).result == 4
        """,
    )
    output = project.pytest("-n0", "-o", "asyncio_mode=auto", "-o", LOOP_SCOPE)
    assert "3 passed" in output


def test_capsys_monkeypatch_and_unittest(project: Project) -> None:
    project.write("main.py", "import helper\n\ndef start(args):\n    print(helper.double(3))\n")
    project.write(
        "test_more.py",
        """
        import sys
        import unittest

        import helper
        import pytest

        def test_patched(hkube, monkeypatch, capsys):
            monkeypatch.setattr(helper, "double", lambda number: "patched")
            hkube.run("main.py")
            assert capsys.readouterr().out == "patched\\n"

        def test_fresh(hkube, capfd):
            hkube.run("main.py")
            assert capfd.readouterr().out == "6\\n"
            assert "main" not in sys.modules

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _hkube(self, hkube):
                self.hkube = hkube

            def test_it(self):
                self.assertEqual(self.hkube.run("main.py").logs, ["6"])
        """,
    )
    assert "3 passed" in project.pytest("-n0", "test_more.py")


def test_user_module_named_wrapper(project: Project) -> None:
    project.write("wrapper.py", "mine = 5\n")
    project.write("main.py", "import wrapper\n\ndef start(args):\n    return wrapper.mine\n")
    project.write(
        "test_main.py",
        """
        import wrapper

        def test_it(hkube):
            assert wrapper.mine == 5
            assert hkube.run("main.py").result == 5
            assert hkube.run("main.py", isolated=True).result == 5
        """,
    )
    assert "1 passed" in project.pytest("-n0", "test_main.py")


def test_type_hint(project: Project) -> None:
    project.write(
        "test_main.py",
        """
        from wrapper.testing import HKube

        def test_it(hkube: HKube) -> None:
            assert type(hkube) is HKube
        """,
    )
    assert "1 passed" in project.pytest("-n0", "test_main.py")


def test_unused_plugin_imports_nothing(project: Project) -> None:
    project.write(
        "tests/test_main.py",
        """
        import sys

        def test_it():
            loaded = {name.partition(".")[0] for name in sys.modules}
            assert not loaded & {"wrapper", "_hkube_wrapper", "websockets", "orjson"}
        """,
    )
    assert "1 passed" in project.pytest("-p", "no:xdist")


@pytest.mark.skipif(not IS_INSTALLED, reason="the package is not installed here")
def test_without_the_plugin(project: Project) -> None:
    assert "fixture 'hkube' not found" in project.pytest("-n0", "-p", "no:hkube", code=1)
    assert "hkube" in project.pytest("--fixtures")


@pytest.mark.parametrize(
    "code, expected",
    [
        (
            "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
            "the algorithm ignores every exception that should stop it",
        ),
        ("sum(iter(int, 1))  # C code that holds the GIL", "Timeout"),
    ],
    ids=["signals blocked", "holds the GIL"],
)
@pytest.mark.parametrize("capture", ["fd", "sys", "no"])
def test_unstoppable_code_ends_pytest(
    project: Project, code: str, expected: str, capture: str
) -> None:
    project.write(
        "main.py",
        f"""
        import signal

        def start(args):
            {code}
            while True:
                pass
        """,
    )
    project.write(
        "tests/test_main.py",
        """
        from wrapper.testing.sessions import watchdog

        def test_it(hkube, monkeypatch):
            for name, seconds in {"LADDER": 0.2, "FORCING": 0.2, "_MARGIN": 3.0}.items():
                monkeypatch.setattr(watchdog, name, seconds)
            hkube.run("main.py", timeout=1.0)
        """,
    )
    output = project.pytest("-n0", f"--capture={capture}", code=1)
    assert expected in output
    assert "main.py" in output
