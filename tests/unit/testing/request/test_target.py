"""What is meant by the first argument of `hkube.run`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from wrapper.errors import LoadError
from wrapper.local.source.source import AlgorithmSource, SourceError
from wrapper.testing.request.target import AlgorithmTarget, find_target
from wrapper.testing.request.wrong_use import WrongUse

START = "def start(args):\n    return 1\n"


def source_of(target: AlgorithmTarget) -> AlgorithmSource:
    with target.opened() as source:
        return source


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """The folder of a test's file, and the one above it."""
    inner = tmp_path / "tests"
    inner.mkdir()
    return [inner, tmp_path]


def test_first_folder_with_the_path_is_used(folders: list[Path]) -> None:
    (folders[1] / "main.py").write_text(START)
    assert source_of(find_target("main.py", folders)).folder == folders[1].resolve()
    (folders[0] / "main.py").write_text(START)
    for given in ("main.py", Path("main.py")):
        assert source_of(find_target(given, folders)).folder == folders[0].resolve()
    above = source_of(find_target("../main.py", folders))
    assert (above.folder, above.entry_point) == (folders[1].resolve(), "main.py")


def test_every_kind_of_path(folders: list[Path]) -> None:
    package = folders[1] / "pkg"
    package.mkdir()
    (package / "alg.py").write_text(START)
    (package / "main.py").write_text(START)
    (package / "algorithm.yml").write_text("name: green\nalgorithmEnv: {A: b}\ncode: {path: .}\n")
    assert source_of(find_target(package / "alg.py", [])).entry_point == "alg.py"
    assert source_of(find_target("pkg", folders)).environ == {"A": "b"}
    assert source_of(find_target("pkg/algorithm.yml", folders)).name == "green"
    dotted = find_target("pkg.alg", folders)
    assert dotted.name == "alg"
    assert source_of(dotted) == AlgorithmSource("alg", folders[1].resolve(), "pkg.alg")
    installed = source_of(find_target("json.decoder", folders))
    assert installed.entry_point == "json.decoder"


def test_same_path_is_the_same_algorithm(folders: list[Path]) -> None:
    (folders[1] / "main.py").write_text(START)
    one, same = find_target("main.py", folders), find_target("../main.py", folders)
    assert one.key == same.key


def test_missing_path(folders: list[Path]) -> None:
    (folders[1] / "main.py").write_text(START)
    with pytest.raises(SourceError) as caught:
        find_target("mian.py", folders)
    assert str(caught.value) == (
        f"mian.py does not exist: did you mean 'main.py'? (looked in {folders[0]}, {folders[1]})"
    )
    with pytest.raises(SourceError) as caught:
        find_target(folders[1] / "mian.py", folders)
    assert str(caught.value) == (
        f"{folders[1]}/mian.py does not exist: did you mean '{folders[1]}/main.py'?"
    )
    with pytest.raises(SourceError, match=r"^no.such_module does not exist \(looked in "):
        find_target("no.such_module", folders)
    with pytest.raises(SourceError, match="does not exist"):
        find_target("no/such/folder/main.py", folders)


@pytest.mark.parametrize("given", ["\0", "x" * 5000, "~", "..."])
def test_invalid_paths(given: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        find_target(given, [tmp_path])


def test_imported_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_the_test.py").write_text(f"{START}\ndef stop(args):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "of_the_test", raising=False)
    module = importlib.import_module("of_the_test")
    target = find_target(module, [])
    assert source_of(target) == AlgorithmSource("of_the_test", tmp_path, "of_the_test.py")
    assert target.load is not None
    algorithm = target.load()
    assert algorithm.start({}, None) == 1
    assert algorithm.stop is not None
    module.start = None  # type: ignore[attr-defined]
    with pytest.raises(LoadError, match="'start' in of_the_test.py is None"):
        target.load()


def test_start_function() -> None:
    def start(args: object, api: object) -> object:
        return args

    target = find_target(start, [])
    assert target.name == "start"
    assert target.in_process_only
    assert target.load is not None
    assert target.load().start(5, None) == 5


def test_other_types_are_rejected() -> None:
    with pytest.raises(WrongUse, match="takes the path of an algorithm, its module .* not int"):
        find_target(5, [])
    with pytest.raises(WrongUse, match="^empty has no file: pass the module"):
        find_target(ModuleType("empty"), [])
