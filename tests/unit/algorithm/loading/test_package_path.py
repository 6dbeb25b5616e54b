"""The package made of the algorithm's folder, found by other processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from wrapper.algorithm.loading.package_path import make_findable

SCRIPT = """
import sys
from wrapper.algorithm.loading.package_path import make_findable
before = list(sys.path)
make_findable({name!r}, {base!r})
print([entry for entry in sys.path if entry not in before])
"""


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def imports(statement: str) -> bool:
    """Whether a new process with this one's path can run an import."""
    text = f"import sys; sys.path[:] = {sys.path!r}; {statement}"
    return subprocess.run([sys.executable, "-c", text], check=False, timeout=60).returncode == 0


def test_folder_has_the_packages_name(tmp_path: Path) -> None:
    (tmp_path / "alg_one").mkdir()
    (tmp_path / "alg_one" / "work.py").touch()
    make_findable("alg_one", str(tmp_path / "alg_one"))
    assert sys.path[-1] == str(tmp_path)
    assert imports("import alg_one.work")
    before = list(sys.path)
    make_findable("alg_one", str(tmp_path / "alg_one"))
    assert sys.path == before


def test_folder_has_a_name_that_python_cannot_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-alg").mkdir()
    (tmp_path / "my-alg" / "work.py").touch()
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    make_findable("some_algorithm", str(tmp_path / "my-alg"))
    assert imports("import some_algorithm.work")


def test_link_is_removed_at_exit(tmp_path: Path) -> None:
    (tmp_path / "my-alg").mkdir()
    text = SCRIPT.format(name="some_algorithm", base=str(tmp_path / "my-alg"))
    ran = subprocess.run(
        [sys.executable, "-c", text], check=True, timeout=60, capture_output=True, text=True
    )
    [folder] = eval(ran.stdout)
    assert not Path(folder).exists()


def test_without_a_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    before = list(sys.path)
    make_findable("some_algorithm", str(tmp_path / "my-alg"))
    assert sys.path == before
