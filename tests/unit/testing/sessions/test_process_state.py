"""Process-wide state: applied for an algorithm, restored for the test."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wrapper.testing.sessions.process_state import ProcessState, environment

OWN = ("of_the_algorithm", "entry_point", "beside", "a_library_of_the_test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An algorithm's folder."""
    folder = tmp_path / "alg"
    folder.mkdir()
    for name in ("of_the_algorithm", "entry_point", "beside"):
        (folder / f"{name}.py").write_text("")
    return folder


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    """Check that each test leaves the process as it found it."""
    before = state()
    yield
    assert state() == before


def state() -> dict[str, object]:
    return {
        "cwd": os.getcwd(),
        "path": list(sys.path),
        "environ": environment() | {"PYTEST_CURRENT_TEST": ""},
        "modules": [name for name in sys.modules if name in OWN],
        "handler": signal.getsignal(signal.SIGUSR2),
    }


def test_changes_are_kept_for_the_next_run(folder: Path) -> None:
    process_state = ProcessState(folder, {}, "")
    before = os.getcwd()
    with process_state.applied():
        assert os.getcwd() == before
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["HKUBE_TEST_A"] = "1"
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        module = importlib.import_module("of_the_algorithm")
    assert "of_the_algorithm" not in sys.modules
    assert "HKUBE_TEST_A" not in os.environ
    with process_state.applied():
        assert os.getcwd() == str(folder)
        assert sys.path[0] == str(folder)
        assert os.environ["HKUBE_TEST_A"] == "1"
        assert signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN
        assert importlib.import_module("of_the_algorithm") is module
        del os.environ["HKUBE_TEST_A"]
    with process_state.applied():
        assert "HKUBE_TEST_A" not in os.environ


def test_variables_of_the_algorithm_and_of_the_test_are_merged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HKUBE_TEST_A", "of the test")
    process_state = ProcessState(folder, {"HKUBE_TEST_A": "of algorithm.yml"}, "")
    monkeypatch.setenv("HKUBE_TEST_B", "set later")
    with process_state.applied():
        assert os.environ["HKUBE_TEST_A"] == "of algorithm.yml"
        assert os.environ["HKUBE_TEST_B"] == "set later"
    assert os.environ["HKUBE_TEST_A"] == "of the test"


def test_state_is_restored_after_an_error(folder: Path) -> None:
    before = state()
    with (
        pytest.raises(FileNotFoundError),
        ProcessState(folder, {"HKUBE_TEST_A": "1"}, "").applied(),
    ):
        os.chdir(folder / "no such folder")
    assert state() == before


def test_removed_working_directory(folder: Path, tmp_path: Path) -> None:
    process_state = ProcessState(folder, {}, "")
    with process_state.applied():
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
    with process_state.applied():
        pass


def test_entry_point_is_imported_anew_and_other_modules_are_shared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    own = {name: importlib.import_module(name) for name in ("entry_point", "beside")}
    try:
        with ProcessState(folder, {}, "entry_point").applied():
            assert importlib.import_module("beside") is own["beside"]
            fresh = importlib.import_module("entry_point")
            assert fresh is not own["entry_point"]
        assert sys.modules["entry_point"] is own["entry_point"]
    finally:
        for name in own:
            del sys.modules[name]


def test_imported_libraries_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = folder / ".venv" / "site-packages"
    library.mkdir(parents=True)
    (library / "a_library_of_the_test.py").write_text("")
    monkeypatch.syspath_prepend(library)
    with ProcessState(folder, {}, "").applied():
        importlib.import_module("a_library_of_the_test")
    assert sys.modules.pop("a_library_of_the_test")


@pytest.mark.parametrize("name", ["random", "__main__", "json"])
def test_standard_library_is_not_imported_anew(name: str, folder: Path) -> None:
    importlib.import_module(name)
    with ProcessState(folder, {}, name).applied():
        assert name in sys.modules
