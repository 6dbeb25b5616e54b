"""The build context."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wrapper.local.build.context import ContextError, write_context
from wrapper.local.build.dockerfile import Image
from wrapper.local.source.file_tree import read_tree
from wrapper.local.source.requirements import read_requirements

CODE = "code/algorithm_unique_folder"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "alg"
    (folder / "sub" / "deep").mkdir(parents=True)
    for name in ("main.py", "sub/deep/x.py", "run.sh"):
        (folder / name).write_text(name)
    (folder / "main.py").chmod(0o600)
    (folder / "run.sh").chmod(0o700)
    (folder / "link").symlink_to("sub/deep/x.py")
    (folder / "requirements.txt").write_text("-r sub/base.txt\n")
    (folder / "sub" / "base.txt").write_text("numpy\n")
    (folder / ".dockerignore").write_text("sub/base.txt\n")
    return folder


def write(source: Path, target: Path, image: Image | None = None) -> Path:
    image = image or Image("alg", "base", "main.py", installs=True)
    write_context(target, image, read_tree(source), read_requirements(source))
    return target


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def test_everything_that_the_dockerfile_copies_is_written(source: Path, tmp_path: Path) -> None:
    context = write(source, tmp_path / "new" / "context")
    assert files(context) == [
        "Dockerfile",
        *(
            f"{CODE}/link",
            f"{CODE}/main.py",
            f"{CODE}/requirements.txt",
            f"{CODE}/run.sh",
            f"{CODE}/sub/deep/x.py",
        ),
        *("requirements/requirements.txt", "requirements/sub/base.txt"),
    ]
    assert (context / "Dockerfile").read_text().count("FROM base\n") == 1
    assert (context / CODE / "link").readlink() == Path("sub/deep/x.py")


def test_pip_finds_a_linked_requirements_file(source: Path, tmp_path: Path) -> None:
    (source / "reqs").mkdir()
    (source / "reqs" / "prod.txt").write_text("-r common.txt\n-r sub/../more.txt\n")
    (source / "common.txt").symlink_to("sub/base.txt")
    (source / "more.txt").write_text("pandas\n")
    (source / "requirements.txt").unlink()
    (source / "requirements.txt").symlink_to("reqs/prod.txt")
    context = write(source, tmp_path / "context")
    own = context / "requirements"
    assert files(own) == ["common.txt", "more.txt", "requirements.txt"]
    assert not any(path.is_symlink() for path in own.rglob("*"))
    assert (own / "common.txt").read_text() == "numpy\n"
    assert (own / "sub" / ".." / "more.txt").read_text() == "pandas\n"
    assert (context / CODE / "requirements.txt").readlink() == Path("reqs/prod.txt")


def test_any_user_may_read_and_group_0_may_write(source: Path, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        code = write(source, tmp_path / "context") / CODE
    finally:
        os.umask(old)
    modes = {name: (code / name).stat().st_mode & 0o777 for name in ("main.py", "run.sh", "sub")}
    assert modes == {"main.py": 0o664, "run.sh": 0o775, "sub": 0o775}
    assert (source / "main.py").stat().st_mode & 0o777 == 0o600


def test_requirements_are_not_copied_twice(source: Path, tmp_path: Path) -> None:
    image = Image("alg", "base", "main.py", installs=True, installs_own_files=True)
    assert not (write(source, tmp_path / "context", image) / "requirements").exists()


def test_empty_folder_is_accepted(source: Path, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    assert (write(source, tmp_path / "context") / "Dockerfile").is_file()


def test_unusable_folders(source: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    (tmp_path / "file").touch()
    for target, text in (
        (tmp_path / "full", "full is not an empty folder: choose another"),
        (tmp_path / "file", "file is not an empty folder"),
        (source / "context", "is inside the algorithm's folder"),
        (tmp_path / "file" / "x", "cannot write the build context: .*file"),
    ):
        with pytest.raises(ContextError, match=text):
            write(source, target)
    assert files(tmp_path / "full") == ["precious"]


def test_nothing_is_written_for_an_invalid_image(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="line break"):
        write(source, tmp_path / "context", Image("alg", "base", "main\n"))
    assert not (tmp_path / "context").exists()


def test_file_that_was_deleted_meanwhile(source: Path, tmp_path: Path) -> None:
    tree = read_tree(source)
    (source / "main.py").unlink()
    image = Image("alg", "base", "main.py")
    with pytest.raises(
        ContextError, match="cannot write the build context: .*main.py: No such file"
    ):
        write_context(tmp_path / "context", image, tree, read_requirements(source))
