from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from wrapper.algorithm.loading.entry_point import EntryPoint, find_file, read_source
from wrapper.errors import LoadError


def make(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")


def found(folder: Path, target: str) -> str:
    return os.path.relpath(find_file(EntryPoint(folder, target)), folder).replace(os.sep, "/")


def refusal(folder: Path, target: str) -> str:
    with pytest.raises(LoadError) as caught:
        find_file(EntryPoint(folder, target))
    return str(caught.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize(
    "target",
    [
        "src/alg/main.py",
        "src.alg.main",
        "src/alg/main",
        "./src/alg/main.py",
        "src\\alg\\main.py",
        ".\\src\\alg\\main.py",
        "src/../src/alg/main.py",
        "src//alg/main.py",
        "src.alg.main.py",
        "src/alg.main",
        "  src/alg/main.py\n",
    ],
)
def test_every_form_of_a_nested_target_names_the_same_file(tmp_path: Path, target: str) -> None:
    make(tmp_path, "src/alg/main.py")
    assert found(tmp_path, target) == "src/alg/main.py"


@pytest.mark.parametrize("target", ["main.py", "main", "./main.py", "./main"])
def test_every_form_of_a_top_level_target_names_the_same_file(tmp_path: Path, target: str) -> None:
    make(tmp_path, "main.py")
    assert found(tmp_path, target) == "main.py"


def test_an_absolute_path_inside_the_folder_is_accepted(tmp_path: Path) -> None:
    make(tmp_path, "src/main.py")
    assert found(tmp_path, str(tmp_path / "src/main.py")) == "src/main.py"


def test_an_absolute_path_through_a_link_to_the_folder_is_accepted(tmp_path: Path) -> None:
    make(tmp_path, "real/main.py")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert found(tmp_path / "real", str(tmp_path / "link/main.py")) == "main.py"


def test_a_relative_folder_gives_an_absolute_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "algo/main.py")
    monkeypatch.chdir(tmp_path)
    assert find_file(EntryPoint(Path("algo"), "main")) == str(tmp_path / "algo/main.py")


@pytest.mark.parametrize("target", ["alg", "alg/__init__.py", "alg.__init__", "./alg/"])
def test_a_package_folder_is_accepted(tmp_path: Path, target: str) -> None:
    make(tmp_path, "alg/__init__.py")
    assert found(tmp_path, target) == "alg/__init__.py"


@pytest.mark.parametrize("target", [".", "./", "__init__.py"])
def test_the_folder_itself_can_be_the_package(tmp_path: Path, target: str) -> None:
    make(tmp_path, "__init__.py")
    assert found(tmp_path, target) == "__init__.py"


def test_a_file_takes_precedence_over_a_package_of_its_name(tmp_path: Path) -> None:
    make(tmp_path, "main.py", "main/__init__.py")
    assert found(tmp_path, "main") == "main.py"


def test_a_dotted_file_name_takes_precedence_over_folders(tmp_path: Path) -> None:
    make(tmp_path, "main.v2.py", "main/v2.py")
    assert found(tmp_path, "main.v2.py") == "main.v2.py"


@pytest.mark.parametrize("ending", [".pyc", EXTENSION_SUFFIXES[0]])
@pytest.mark.parametrize("target", ["main", "main.py", "main{}"])
def test_a_compiled_module_is_found(tmp_path: Path, ending: str, target: str) -> None:
    make(tmp_path, f"main{ending}")
    assert found(tmp_path, target.format(ending)) == f"main{ending}"


def test_a_mounted_link_keeps_its_path(tmp_path: Path) -> None:
    make(tmp_path, "data/x.py", "algo/other.py")
    (tmp_path / "algo/main.py").symlink_to(tmp_path / "data/x.py")
    assert found(tmp_path / "algo", "main.py") == "main.py"


def test_a_missing_file_is_reported_with_the_files_found(tmp_path: Path) -> None:
    make(tmp_path, "app.py", "util.py")
    assert refusal(tmp_path, "main.py") == (
        "no file main.py in FOLDER; found: app.py, util.py; did you mean 'app.py'?"
        " (set ALGORITHM_ENTRY_POINT)"
    )


@pytest.mark.parametrize(
    ("there", "target", "guess"),
    [
        ("mian.py", "main", "mian.py"),
        ("Main.py", "main.py", "Main.py"),
        ("src/alg/main.py", "main.py", "src/alg/main.py"),
        ("src/alg/main.py", "src.algo.main", "src/alg/main.py"),
        ("zzz.py", "main.py", "zzz.py"),
        ("main.py", "algorithm_unique_folder/main.py", "main.py"),
    ],
)
def test_a_similar_name_is_suggested(tmp_path: Path, there: str, target: str, guess: str) -> None:
    make(tmp_path, there)
    assert f"did you mean '{guess}'?" in refusal(tmp_path, target)


def test_a_dissimilar_name_is_not_suggested(tmp_path: Path) -> None:
    make(tmp_path, "zzz.py", "qqq.py")
    assert "did you mean" not in refusal(tmp_path, "main.py")


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    make(tmp_path, *(f"m{number:02}.py" for number in range(20)))
    assert "m06.py, m07.py, and 12 more" in refusal(tmp_path, "start.py")


def test_environments_and_hidden_folders_are_not_searched(tmp_path: Path) -> None:
    make(tmp_path, "venv/main.py", ".git/main.py", "lib/site-packages/main.py", "a.py", "b.py")
    text = refusal(tmp_path, "main.py")
    assert "found: a.py, b.py" in text


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    assert "the folder is empty" in refusal(tmp_path, "main.py")


def test_a_folder_without_python_files_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "main.ipynb")
    assert "found no Python file, only: main.ipynb" in refusal(tmp_path, "main.py")


def test_a_huge_tree_is_not_searched_through(tmp_path: Path) -> None:
    make(tmp_path, *(f"data/{number}.txt" for number in range(2100)), "deep/er/mine.py")
    assert "mine.py" not in refusal(tmp_path, "main.py")


@pytest.mark.parametrize("target", ["../x.py", "/etc/x.py", "a/../../x.py"])
def test_a_target_outside_the_folder_is_refused(tmp_path: Path, target: str) -> None:
    make(tmp_path, "x.py", "algo/main.py")
    text = refusal(tmp_path / "algo", target)
    assert text.startswith(f"the entry point {target} is outside the algorithm's folder FOLDER")
    assert "ALGORITHM_PATH" in text


@pytest.mark.parametrize("target", ["", "  ", "\n"])
def test_an_empty_target_is_refused(tmp_path: Path, target: str) -> None:
    assert refusal(tmp_path, target).startswith("the entry point is empty")


def test_a_null_byte_in_the_target_is_refused(tmp_path: Path) -> None:
    assert "null byte" in refusal(tmp_path, "ma\0in.py")


@pytest.mark.parametrize("target", ["..x", ".x", "a..b"])
def test_odd_dots_do_not_lead_out_of_the_folder(tmp_path: Path, target: str) -> None:
    assert "no file" in refusal(tmp_path, target)


@pytest.mark.parametrize("target", ["src", "src/", "src.py"])
def test_a_folder_that_is_not_a_package_is_reported(tmp_path: Path, target: str) -> None:
    make(tmp_path, "src/main.py")
    (tmp_path / "src.py").mkdir()
    text = refusal(tmp_path, target)
    assert "is a folder" in text
    if target != "src.py":
        assert "for example src/main.py" in text


def test_the_folder_itself_without_init_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "main.py")
    text = refusal(tmp_path, ".")
    assert "which has no __init__.py; found: main.py" in text


def test_a_broken_link_is_reported(tmp_path: Path) -> None:
    (tmp_path / "main.py").symlink_to("gone.py")
    assert refusal(tmp_path, "main.py") == (
        "main.py in FOLDER is a link to gone.py, which does not exist"
    )


def test_a_pipe_is_refused_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "main.py")
    assert "main.py in FOLDER is not a regular file" in refusal(tmp_path, "main.py")


def test_another_kind_of_file_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "main.txt", "main.py")
    text = refusal(tmp_path, "main.txt")
    assert "main.txt in FOLDER is not a Python file" in text
    assert "did you mean 'main.py'?" in text


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none", "main.py") == (
        "the algorithm's folder FOLDER does not exist (set ALGORITHM_PATH)"
    )


def test_a_file_as_the_folder_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "main.py")
    assert "is a file (set ALGORITHM_PATH)" in refusal(tmp_path / "main.py", "main.py")


@contextmanager
def without_privileges() -> Iterator[None]:
    """Tests may run as root, who may read everything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    make(tmp_path, "main.py")
    (tmp_path / "main.py").chmod(0)
    with without_privileges(), pytest.raises(LoadError) as caught:
        read_source(str(tmp_path / "main.py"), str(tmp_path))
    assert str(caught.value) == f"main.py in {tmp_path} cannot be read: Permission denied"


def test_a_null_byte_in_the_source_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(b"x = 1\ny = 2\0\n")
    with pytest.raises(LoadError, match=r"^main\.py:2 holds a null byte"):
        read_source(str(tmp_path / "main.py"), str(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_reported(tmp_path: Path, encoding: str) -> None:
    text = "\ufeffx = 1\n" if encoding.endswith("be") else "x = 1\n"
    (tmp_path / "main.py").write_bytes(text.encode(encoding))
    with pytest.raises(LoadError, match=r"^main\.py is saved as UTF-16: save it as UTF-8"):
        read_source(str(tmp_path / "main.py"), str(tmp_path))


def test_a_compiled_file_has_no_source(tmp_path: Path) -> None:
    (tmp_path / "main.so").write_bytes(b"\0\0")
    assert read_source(str(tmp_path / "main.so"), str(tmp_path)) == b""
