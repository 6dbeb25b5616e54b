"""The files of an algorithm's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wrapper.local.source import file_tree as tree_module
from wrapper.local.source.file_tree import Tree, TreeError, TreeFile, read_tree, shown_size


def fill(folder: Path, **files: int) -> None:
    for name, size in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)


def paths(files: tuple[TreeFile, ...]) -> list[str]:
    return [file.path for file in files]


def test_files_are_kept_or_left_out(tmp_path: Path) -> None:
    fill(tmp_path, **{"main.py": 3, "src/a.py": 4, ".git/objects/1": 50, "__pycache__/m.pyc": 7})
    (tmp_path / ".hkubeignore").write_text("__pycache__/\n")
    tree = read_tree(tmp_path)
    assert tree.files == (TreeFile("main.py", 3), TreeFile("src/a.py", 4))
    assert tree.size == 7
    assert paths(tree.left_out) == [".git", ".hkubeignore", "__pycache__"]
    assert tree.left_out[0].size == 50
    assert paths(tree.uploaded) == [".git", ".hkubeignore"]
    assert tree.largest(1) == [TreeFile("src/a.py", 4)]


def test_file_in_a_left_out_folder_can_be_included_again(tmp_path: Path) -> None:
    fill(tmp_path, **{"main.py": 1, "data/keep": 2, "data/big": 3})
    (tmp_path / ".dockerignore").write_text("data\n!data/keep\n")
    assert paths(read_tree(tmp_path).files) == ["data/keep", "main.py"]


def test_virtual_environment_is_left_out_whatever_its_name(tmp_path: Path) -> None:
    fill(tmp_path, **{"main.py": 1, "python3/pyvenv.cfg": 1, "python3/lib/x.py": 9})
    tree = read_tree(tmp_path)
    assert paths(tree.files) == ["main.py"]
    assert TreeFile("python3", 10) in tree.left_out


def test_links(tmp_path: Path) -> None:
    folder = tmp_path / "alg"
    fill(folder, **{"main.py": 1, "sub/x": 1})
    (tmp_path / "outside").touch()
    (folder / "inside").symlink_to("sub/x")
    (folder / "relative").symlink_to("../outside")
    (folder / "absolute").symlink_to(folder / "main.py")
    (folder / "folder").symlink_to("..")
    (folder / "broken").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    tree = read_tree(folder)
    assert tree.stray_links == ("absolute", "folder", "relative")
    assert "inside" in paths(tree.files)
    (folder / ".dockerignore").write_text("absolute\nfolder\nrelative\n")
    assert read_tree(folder).stray_links == ()


def test_special_files_are_skipped(tmp_path: Path) -> None:
    fill(tmp_path, **{"main.py": 1})
    os.mkfifo(tmp_path / "pipe")
    assert paths(read_tree(tmp_path).files) == ["main.py"]


def test_folder_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, a=1, b=1, c=1)
    monkeypatch.setattr(tree_module, "MAX_FILES", 2)
    with pytest.raises(TreeError, match="more than 2 files: pass the folder of one algorithm"):
        read_tree(tmp_path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="cannot read .*gone"):
        read_tree(tmp_path / "gone")


def test_empty_folder(tmp_path: Path) -> None:
    assert read_tree(tmp_path) == Tree(tmp_path, (), (), (), ())


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (5 * 10**12, "5.0 TB"),
        (5 * 10**16, "50000.0 TB"),
    ],
)
def test_sizes_are_shown_for_people(size: int, text: str) -> None:
    assert shown_size(size) == text
