"""What is said of a folder."""

from __future__ import annotations

from pathlib import Path

from wrapper.local.check.finding import FindingStatus
from wrapper.local.check.tree_findings import not_packable, tree_findings
from wrapper.local.source.file_tree import Tree, TreeFile

FOLDER = Path("/alg")


def tree(
    *files: TreeFile,
    left_out: tuple[TreeFile, ...] = (),
    uploaded: tuple[TreeFile, ...] = (),
    strays: tuple[str, ...] = (),
) -> Tree:
    return Tree(FOLDER, files, left_out, uploaded, strays)


def said(of: Tree, entry: str | None = None) -> list[tuple[FindingStatus, str]]:
    path = FOLDER / entry if entry else None
    return [(finding.status, finding.text) for finding in tree_findings(of, path)]


def test_a_small_folder() -> None:
    files = tuple(TreeFile(f"{name}.md", 9) for name in "abcde")
    assert said(tree(TreeFile("main.py", 500), left_out=files)) == [
        (
            FindingStatus.FINE,
            "1 file, 500 bytes for the image; left out: a.md, b.md, c.md and 2 more",
        )
    ]


def test_a_large_file_in_a_small_folder() -> None:
    first, second = said(tree(TreeFile("main.py", 1), TreeFile("data.bin", 20_000_000)))
    assert first == (FindingStatus.FINE, "2 files, 20.0 MB for the image")
    assert second == (FindingStatus.NOTE, "data.bin has 20.0 MB: is it needed?")


def test_a_large_folder() -> None:
    ((status, text),) = said(tree(TreeFile("main.py", 1), TreeFile("data.bin", 2 * 10**9)))
    assert status is FindingStatus.NOTE
    assert text.startswith("2 files, 2.0 GB for the image, the largest data.bin (2.0 GB), main.py:")
    assert ".dockerignore" in text


def test_what_hkubectl_would_upload() -> None:
    uploaded = (TreeFile(".venv", 5_000_000), TreeFile(".git", 10))
    _, (status, text) = said(tree(TreeFile("main.py", 1), uploaded=uploaded))
    assert (status, text) == (
        FindingStatus.NOTE,
        "hkubectl would upload .venv (5.0 MB) all the same: list it in .hkubeignore",
    )


def test_what_cannot_be_packed() -> None:
    faults = list(not_packable(tree(TreeFile("a.py", 1), strays=("data",)), FOLDER / "main.py"))
    assert [fault.status for fault in faults] == [FindingStatus.WRONG, FindingStatus.WRONG]
    assert faults[0].text.startswith("data is a link out of the folder")
    assert faults[1].text.startswith("the algorithm's module main.py is left out by .dockerignore")
    assert not list(not_packable(tree(TreeFile("main.py", 1)), FOLDER / "main.py"))
