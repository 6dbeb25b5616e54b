"""Finding the algorithm at a PATH."""

from __future__ import annotations

import sysconfig
import zipfile
from pathlib import Path

import pytest

from wrapper.errors import LoadError, WrapperError
from wrapper.local.source.source import (
    AlgorithmSource,
    SourceError,
    find_module,
    is_shared_folder,
    open_algorithm,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "green"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def found(path: str | Path) -> AlgorithmSource:
    with open_algorithm(path) as source:
        return source


def test_file(folder: Path) -> None:
    (folder / "alg.py").touch()
    expected = AlgorithmSource("alg", folder, "alg.py")
    assert found("alg.py") == found(folder / "alg.py") == expected


def test_folder_with_a_main(folder: Path) -> None:
    (folder / "main.py").touch()
    assert found(".") == found(folder) == AlgorithmSource("green", folder, "main.py")


def test_folder_with_a_description(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "alg.py").touch()
    (folder / "algorithm.yml").write_text(
        "name: blue\nresources: {mem: 1Ki}\nalgorithmEnv: {A: b}\ncode: {entryPoint: src.alg}\n"
    )
    expected = AlgorithmSource(
        "blue", folder, "src.alg", {"A": "b"}, 1024, folder / "algorithm.yml"
    )
    assert found(".") == found("algorithm.yml") == expected


def test_module_in_the_working_directory(folder: Path) -> None:
    (folder / "src" / "alg").mkdir(parents=True)
    (folder / "src" / "alg" / "main.py").touch()
    assert found("src.alg.main") == AlgorithmSource("main", folder, "src.alg.main")
    (folder / "src" / "alg" / "__init__.py").touch()
    assert found("src.alg") == AlgorithmSource("alg", folder, "src.alg")


def test_installed_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "hkube_test_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (package / "alg.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    expected = AlgorithmSource("alg", tmp_path / "site", "hkube_test_package.alg")
    assert found("hkube_test_package.alg") == expected


def test_archive_is_unpacked_inside_the_context(folder: Path) -> None:
    with zipfile.ZipFile("code.zip", "w") as opened:
        opened.writestr("main.py", "")
    with open_algorithm("code.zip") as source:
        assert (source.name, source.entry_point) == ("code", "main.py")
        assert (source.folder / "main.py").is_file()
    assert not source.folder.exists()


def zipped(name: str, **files: str) -> None:
    with zipfile.ZipFile(name, "w") as opened:
        for path, text in files.items():
            opened.writestr(path.replace("__", "/").replace("_", "."), text)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"b_py": ""},
            "code.zip has no main.py and no algorithm.yml; it holds b.py",
        ),
        (
            {},
            "code.zip has no main.py and no algorithm.yml; it is empty",
        ),
        (
            {"alg__algorithm_yml": "code: {path: src}"},
            "code.zip/algorithm.yml: code.path is src, but code.zip/src does not exist",
        ),
        (
            {"algorithm_yml": "code: {path: src}", "src__a_py": ""},
            "algorithm.yml: no file main.py in code.zip; found: a.py; did you mean 'a.py'?",
        ),
    ],
)
def test_errors_name_the_archive(files: dict[str, str], said: str) -> None:
    zipped("code.zip", **files)
    with pytest.raises(WrapperError) as caught:
        found("code.zip")
    assert str(caught.value).removesuffix(" (set code.entryPoint)") == said


def test_errors_name_the_archive_of_a_description(folder: Path) -> None:
    zipped("code.zip", a_py="")
    Path("a.yml").write_text("name: red\ncode: {path: code.zip}\n")
    with pytest.raises(LoadError) as caught:
        found("a.yml")
    archive = folder / "code.zip"
    assert str(caught.value) == (
        f"a.yml: no file main.py in {archive}; found: a.py; did you mean 'a.py'? "
        "(set code.entryPoint)"
    )


def test_description_with_a_wrong_module(folder: Path) -> None:
    Path("main.py").touch()
    for name, said in (
        ("mian.py", r"^algorithm.yml: no file .*did you mean 'main.py'\? \(set code.entryPoint\)$"),
        ("../x.py", "outside the algorithm's folder .* or code.path to another"),
    ):
        Path("algorithm.yml").write_text(f"name: red\ncode: {{entryPoint: {name}}}\n")
        with pytest.raises(LoadError, match=said):
            found(".")
        with open_algorithm(".", whole=False) as source:
            assert source.entry_point == name
            with pytest.raises(LoadError, match=said):
                find_module(source)


@pytest.mark.parametrize("path", ["..", "/etc", "code/../.."])
def test_code_path_outside_the_archive_is_refused(path: str) -> None:
    with zipfile.ZipFile("code.zip", "w") as opened:
        opened.writestr("algorithm.yml", f"name: red\ncode: {{path: {path}}}\n")
        opened.writestr("code/main.py", "")
    with pytest.raises(
        SourceError, match=r"algorithm.yml in the archive: code.path points outside"
    ):
        found("code.zip")


def test_description_of_an_archive(folder: Path) -> None:
    with zipfile.ZipFile("code.zip", "w") as opened:
        opened.writestr("alg/go.py", "")
    Path("a.yml").write_text("name: red\ncode: {path: code.zip, entryPoint: go.py}\n")
    with open_algorithm("a.yml") as source:
        assert (source.name, source.entry_point) == ("red", "go.py")
        assert (source.folder / "go.py").is_file()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("none.py", "none.py does not exist"),
        ("a", r"^a does not exist: did you mean 'a\.py'\?$"),
        ("note.txt", "below .* or installed; did you mean 'notes.txt'"),
        ("gone/x", "^gone/x does not exist$"),
        ("no.such.module", "no.such.module does not exist: there is no such file, and no module"),
        ("notes.txt", "notes.txt is neither a folder, a .py file"),
        (".", r"\. has no main.py: pass the file that has `start`; found a.py, b.py"),
        ("empty", "empty has no main.py or any other Python file: pass the folder"),
        ("odd.yml", "code.path must be a folder or an archive"),
        ("a\0b", "null byte"),
        ("broken.zip", "cannot unpack broken.zip"),
        (f"{'a' * 300}.py", "cannot read a+.py: File name too long"),
    ],
)
def test_not_an_algorithm(folder: Path, path: str, text: str) -> None:
    for name in ("a.py", "b.py", "notes.txt", "broken.zip"):
        (folder / name).touch()
    (folder / "empty").mkdir()
    (folder / "odd.yml").write_text("code: {path: notes.txt}")
    with pytest.raises(WrapperError, match=text):
        found(path)


def test_long_lists_are_cut(folder: Path) -> None:
    for number in range(9):
        (folder / f"a{number}.py").touch()
    with pytest.raises(SourceError, match="found a0.py, .*, a5.py and 3 more"):
        found(".")


def test_shared_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert is_shared_folder(Path("/"))
    assert is_shared_folder(tmp_path)
    assert is_shared_folder(Path(sysconfig.get_path("purelib")).resolve())
    assert not is_shared_folder(tmp_path / "alg")
