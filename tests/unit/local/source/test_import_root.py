"""The folder that the imports of a user's file start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.local.source.import_root import import_root
from wrapper.local.source.imported_modules import imports_of

FILES = {
    "src/utils.py": "",
    "src/alg/util.py": "",
    "src/alg/data.py": "from src.utils import x\n",
    "common/lib.py": "",
    "yaml/loader.py": "",
    "pytest/main.py": "",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "project"


def root_of(project: Path, name: str, text: str) -> str:
    file = project / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return import_root(file, project).relative_to(project).as_posix()


@pytest.mark.parametrize(
    ("name", "text", "root"),
    [
        ("main.py", "import src.utils", "."),
        ("src/main.py", "import utils", "src"),
        ("src/main.py", "from src.utils import x", "."),
        ("src/main.py", "from src import utils", "."),
        ("src/main.py", "import numpy, os, src.utils", "."),
        ("src/main.py", "def start(args):\n    from src.utils import x", "."),
        ("src/main.py", "if __name__ == '__main__':\n    from src.utils import x", "src"),
        ("src/main.py", "from src import nothing", "src"),
        ("src/main.py", "from .utils import x", "src"),
        ("src/main.py", "from ..common import lib", "."),
        ("src/main.py", "from ...common import lib", "src"),
        ("src/main.py", "from alg import util", "src"),
        ("src/main.py", "import alg.data", "."),
        ("src/main.py", "from .alg.data import x", "."),
        ("src/alg/serve.py", "from alg.util import x", "src"),
        ("src/alg/serve.py", "import util", "src/alg"),
        ("src/alg/serve.py", "from ..utils import x", "src"),
        ("src/alg/serve.py", "import alg.util, src.utils", "."),
        ("src/alg/serve.py", "import data", "."),
        ("yaml/main.py", "import yaml", "yaml"),
        ("pytest/run.py", "from pytest import main", "pytest"),
        ("src/main.py", "from src.utils import (", "src"),
    ],
)
def test_root(project: Path, name: str, text: str, root: str) -> None:
    assert root_of(project, name, text) == root


def test_folders_above_the_working_directory_are_left_alone(project: Path) -> None:
    file = project / "src" / "main.py"
    file.write_text("from src.utils import x\n")
    assert import_root(file, project / "src") == project / "src"
    assert import_root(file, project / "elsewhere") == project / "src"


def test_imports_of_own_folders_are_no_packages(project: Path) -> None:
    file = project / "src" / "main.py"
    file.write_text("import src.utils, source.alg.util, other.thing\n")
    assert [each.name for each in imports_of(file, project / "src")] == ["other.thing"]
