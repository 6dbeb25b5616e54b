"""Imports that name a folder of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.algorithm.loading.own_folder import (
    is_installed_elsewhere,
    module_without_folder,
    own_folder,
)


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """The file src/alg/main.py, in a project with src/utils.py and src/alg/util.py."""
    folder = tmp_path / "src" / "alg"
    folder.mkdir(parents=True)
    for file in (folder / "main.py", folder / "util.py", tmp_path / "src" / "utils.py"):
        file.touch()
    return folder / "main.py"


@pytest.mark.parametrize(
    ("modules", "folder"),
    [
        (["alg.util"], "src/alg"),
        (["alg", "alg.util"], "src/alg"),
        (["src.utils"], "src"),
        (["src.alg.util.name"], "src"),
        (["src"], None),
        (["alg.numpy"], None),
        (["utils"], None),
    ],
)
def test_folder_around_the_file(main: Path, modules: list[str], folder: str | None) -> None:
    expected = None if folder is None else str(main.parents[2] / folder)
    assert own_folder(modules, str(main)) == expected


def test_package_is_its_own_module(main: Path) -> None:
    (main.parent / "__init__.py").touch()
    assert own_folder(["alg", "alg.VERSION"], str(main)) == str(main.parent)


@pytest.mark.parametrize(
    ("modules", "module"),
    [
        (["source.utils"], "utils"),
        (["source.alg.util.name"], "alg.util"),
        (["source.nowhere"], None),
        (["source"], None),
        (["json.utils"], None),
        (["yaml.utils"], None),
        (["pytest.utils"], None),
    ],
)
def test_module_whose_folder_was_left_out(
    main: Path, modules: list[str], module: str | None
) -> None:
    assert module_without_folder(modules, [str(main.parents[1])]) == module


def test_installed_package_with_the_name_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_installed_elsewhere(str(tmp_path / "pytest"))
    assert not is_installed_elsewhere(str(tmp_path / "nobody_has_this_name"))
    (tmp_path / "mine_alone").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed_elsewhere(str(tmp_path / "mine_alone"))
