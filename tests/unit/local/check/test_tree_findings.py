"""Findings about a folder."""

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


def findings_of(of: Tree, entry: str | None = None) -> list[tuple[FindingStatus, str]]:
    path = FOLDER / entry if entry else None
    return [(finding.status, finding.text) for finding in tree_findings(of, path)]


def test_small_folder() -> None:
    files = tuple(TreeFile(f"{name}.md", 9) for name in "abcde")
    assert findings_of(tree(TreeFile("main.py", 500), left_out=files)) == [
        (
            FindingStatus.FINE,
            "1 file, 500 bytes for the image; left out: a.md, b.md, c.md and 2 more",
        )
    ]


def test_large_file_in_a_small_folder() -> None:
    first, second = findings_of(tree(TreeFile("main.py", 1), TreeFile("data.bin", 20_000_000)))
    assert first == (FindingStatus.FINE, "2 files, 20.0 MB for the image")
    assert second == (FindingStatus.NOTE, "data.bin is 20.0 MB: is it needed?")


def test_large_folder() -> None:
    ((status, text),) = findings_of(tree(TreeFile("main.py", 1), TreeFile("data.bin", 2 * 10**9)))
    assert status is FindingStatus.NOTE
    assert text.startswith("2 files, 2.0 GB for the image, the largest data.bin (2.0 GB), main.py:")
    assert ".dockerignore" in text


def test_large_upload_is_reported() -> None:
    uploaded = (TreeFile(".venv", 5_000_000), TreeFile(".git", 10))
    _, (status, text) = findings_of(tree(TreeFile("main.py", 1), uploaded=uploaded))
    assert (status, text) == (
        FindingStatus.NOTE,
        "hkubectl would still upload .venv (5.0 MB): list it in .hkubeignore",
    )


def test_unpackable_folder_is_reported() -> None:
    problems = list(not_packable(tree(TreeFile("a.py", 1), strays=("data",)), FOLDER / "main.py"))
    assert [problem.status for problem in problems] == [FindingStatus.WRONG, FindingStatus.WRONG]
    assert problems[0].text.startswith("data links outside the folder")
    assert problems[1].text.startswith(
        "the algorithm's module main.py is left out by .dockerignore"
    )
    assert not list(not_packable(tree(TreeFile("main.py", 1)), FOLDER / "main.py"))
