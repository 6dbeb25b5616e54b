"""Imports found in the user's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.local.source.imported_modules import Imported, imports_of


def found(folder: Path, entry: str = "main.py", **files: str) -> list[Imported]:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path = path.with_name(f"{path.name}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return imports_of(folder / entry, folder)


def names(imports: list[Imported]) -> list[str]:
    return [each.name for each in imports]


def test_standard_library_and_hkube_are_skipped(tmp_path: Path) -> None:
    text = (
        "import os.path, json, numpy\nfrom wrapper import HKubeApi\nimport hkube_python_wrapper\n"
    )
    assert found(tmp_path, main=text) == [Imported("numpy", "main.py:1", False)]


def test_imports_inside_functions_count(tmp_path: Path) -> None:
    text = "def start(a):\n    with a:\n        if a:\n            import pandas.io as p\n"
    assert found(tmp_path, main=text) == [Imported("pandas.io", "main.py:4", False)]


@pytest.mark.parametrize(
    ("text", "optional"),
    [
        ("try:\n    import torch\nexcept ImportError:\n    torch = None\n", {"torch": True}),
        ("try:\n    import torch\nexcept (KeyError, ModuleNotFoundError): pass", {"torch": True}),
        ("try:\n    import torch\nexcept: pass", {"torch": True}),
        ("try:\n    import torch\nexcept KeyError: pass", {"torch": False}),
        ("try:\n    pass\nfinally:\n    import torch", {"torch": False}),
        (
            "try:\n    import ujson\nexcept ImportError:\n    import simplejson",
            {"ujson": True, "simplejson": True},
        ),
        (
            "try:\n    import torch\nexcept ImportError: pass\ndef f():\n    import torch",
            {"torch": False},
        ),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", {}),
        ("if __name__ == '__main__':\n    import torch", {}),
        ("if a:\n    pass\nelse:\n    import torch", {"torch": False}),
        ("match a:\n    case 1:\n        import torch", {"torch": False}),
        ("import sys\nif sys.platform == 'win32':\n    import winapi", {"winapi": True}),
        ("import sys\nif sys.version_info < (3, 11):\n    import tomli", {"tomli": True}),
        ("import typing\nif typing.TYPE_CHECKING:\n    import torch", {}),
        ("this is not Python", {}),
    ],
)
def test_optional_imports(tmp_path: Path, text: str, optional: dict[str, bool]) -> None:
    assert {each.name: each.optional for each in found(tmp_path, main=text)} == optional


def test_user_files_are_followed(tmp_path: Path) -> None:
    imports = found(
        tmp_path,
        main="from helper import x\nfrom pkg import inner\nimport pkg.other\n",
        helper="import numpy\nimport main\n",
        pkg____init__="",
        pkg__inner="from . import deep\nfrom .. import nowhere\n",
        pkg__deep="import pandas\n",
        pkg__other="from algorithm_unique_folder.lone import y\n",
        lone="import scipy\n",
        unused="import torch\n",
    )
    assert set(names(imports)) == {"numpy", "pandas", "scipy"}
    assert imports[0].place == "helper.py:1"


def test_nested_module_finds_its_neighbours_first(tmp_path: Path) -> None:
    imports = found(
        tmp_path,
        "src/alg.py",
        src__alg="import numpy\nimport top\n",
        src__numpy="",
        top="import x1",
    )
    assert names(imports) == ["x1"]


def test_data_folder_hides_no_package(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    assert names(found(tmp_path, main="import datasets")) == ["datasets"]


def test_namespace_package_is_found_by_its_parts(tmp_path: Path) -> None:
    text = (
        "from google.cloud import storage, bigquery\nfrom sklearn import svm\nfrom os import path"
    )
    assert sorted(names(found(tmp_path, main=text))) == [
        "google.cloud.bigquery",
        "google.cloud.storage",
        "sklearn",
    ]


def test_relative_import_beyond_the_folder(tmp_path: Path) -> None:
    assert found(tmp_path, main=f"from {'.' * 60}x import y\n") == []


def test_long_elif(tmp_path: Path) -> None:
    text = "if 0: pass\n" + "".join(f"elif {n}: import m{n}\n" for n in range(500))
    assert len(found(tmp_path, main=text)) == 500
