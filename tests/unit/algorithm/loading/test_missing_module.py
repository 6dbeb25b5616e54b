from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.algorithm.loading.user_code import failure, library


def sentence(folder: Path, files: dict[str, str], target: str = "main.py") -> str:
    return str(failure(folder, files, target))


# Packages


def test_a_missing_package_is_reported_with_its_distribution(folder: Path) -> None:
    error = failure(folder, {"main.py": "import cv2\n"})
    assert str(error) == (
        "main.py:1 imports 'cv2', which is not installed:"
        " add 'opencv-python-headless' to requirements.txt"
    )
    assert "ModuleNotFoundError: No module named 'cv2'" in error.details


def test_the_place_of_the_import_is_reported(folder: Path) -> None:
    error = failure(
        folder,
        {
            "main.py": "import a\n",
            "a.py": "x = 1\nimport b\n",
            "b.py": "import os\n\n\ndef load():\n    import sklearn.svm\n\nload()\n",
        },
    )
    assert str(error) == (
        "b.py:5 imports 'sklearn', which is not installed: add 'scikit-learn' to requirements.txt"
    )
    for place in ('"main.py", line 1', '"a.py", line 2', '"b.py", line 7', '"b.py", line 5'):
        assert place in error.details


@pytest.mark.parametrize(
    ("line", "distribution"),
    [
        ("import torch_geometric_of_mine", "most likely 'torch-geometric-of-mine'"),
        ("import slugify", "add 'python-slugify'"),
        ("from PIL import Image", "add 'Pillow'"),
        ("import pandas as pd", "add 'pandas'"),
        ("import google.cloud.storage", "add 'google-cloud-storage'"),
        ("from google.cloud import storage", "add 'google-cloud-storage'"),
        ("import importlib; importlib.import_module('cv2')", "add 'opencv-python-headless'"),
    ],
)
def test_the_best_guess_of_the_distribution_is_reported(
    folder: Path, line: str, distribution: str
) -> None:
    text = sentence(folder, {"main.py": f"{line}\n"})
    assert "which is not installed" in text
    assert distribution in text


def test_one_owner_of_a_shared_folder_is_reported(folder: Path) -> None:
    library(folder, {"google/cloud/other.py": ""})
    text = sentence(
        folder, {"main.py": "from google.cloud import other\nimport google.cloud.storage\n"}
    )
    assert text.startswith("main.py:2 imports 'google.cloud.storage', which ")
    assert "google-cloud-storage" in text


def test_a_listed_package_that_is_not_installed_is_reported(folder: Path) -> None:
    text = sentence(
        folder,
        {"main.py": "import slugify\n", "requirements.txt": "# ours\nnumpy\nPython_Slugify >= 6\n"},
    )
    assert text == (
        "main.py:1 imports 'slugify', which is not installed, though requirements.txt lists it:"
        " install it, or rebuild the image"
    )


def test_a_package_that_a_package_needs_is_reported(folder: Path) -> None:
    library(folder, {"frames/__init__.py": "from . import core", "frames/core.py": "import pytz\n"})
    assert sentence(folder, {"main.py": "import frames\n"}) == (
        "main.py:1 imports frames, which needs 'pytz', which is not installed:"
        " add 'pytz' to requirements.txt"
    )


@pytest.mark.parametrize(
    ("line", "guess"),
    [("import nunpy", "numpy"), ("import pandsa", "pandas"), ("import colorsy", "colorsys")],
)
def test_a_misspelt_package_is_reported(folder: Path, line: str, guess: str) -> None:
    assert f"which is not installed: did you mean '{guess}'?" in sentence(
        folder, {"main.py": f"{line}\n"}
    )


def test_a_submodule_that_the_installed_version_lacks_is_reported(folder: Path) -> None:
    import numpy

    assert sentence(folder, {"main.py": "import numpy.linalgg\n"}) == (
        f"main.py:1 imports 'numpy.linalgg', which the installed numpy {numpy.__version__} does not"
        " have: did you mean 'numpy.linalg'?"
    )
    assert sentence(folder, {"main.py": "from numpy.zzzz import x\n# longer\n"}) == (
        f"main.py:1 imports 'numpy.zzzz', which the installed numpy {numpy.__version__} does not"
        " have: name the version that has it in requirements.txt"
    )


def test_a_submodule_that_python_lacks_is_reported(folder: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert sentence(folder, {"main.py": "import json.decoderr\n"}) == (
        f"main.py:1 imports 'json.decoderr', which Python {version} does not have"
    )


def test_a_module_that_is_not_a_package_is_reported(folder: Path) -> None:
    assert sentence(folder, {"main.py": "import os.nothing\n"}) == (
        "main.py:1 imports 'os.nothing', but 'os' is a module, not a package"
    )


# The user's own files


@pytest.mark.parametrize(
    ("line", "file", "guess"),
    [
        ("import hlper", "helper.py", "helper"),
        ("import Helper", "helper.py", "helper"),
        ("import utlis", "utils/__init__.py", "utils"),
        ("from src.hlper import x", "src/helper.py", "src.helper"),
        ("import src.lib.Helper", "src/lib/helper.py", "src.lib.helper"),
        ("from .hlper import x", "helper.py", "helper"),
        ("from .src.hlper import x", "src/helper.py", "src.helper"),
    ],
)
def test_a_file_under_another_name_is_reported(
    folder: Path, line: str, file: str, guess: str
) -> None:
    text = sentence(folder, {"main.py": f"{line}\n", file: ""})
    assert text.endswith(f"', which does not exist in your code: did you mean '{guess}'?")


def test_a_neighbour_of_a_nested_module_is_reported(folder: Path) -> None:
    text = sentence(folder, {"src/main.py": "import hlper\n", "src/helper.py": ""}, "src/main.py")
    problem = "src/main.py:1 imports 'hlper', which does not exist in your code"
    assert text == f"{problem}: did you mean 'helper'?"


def test_a_folder_of_the_users_without_the_file_is_reported(folder: Path) -> None:
    text = sentence(folder, {"main.py": "import src.zzz\n", "src/a.py": "", "src/b/c.py": ""})
    assert text == "main.py:1 imports 'src.zzz', but src has no zzz.py; it has: a, b"


def test_a_file_further_down_is_reported(folder: Path) -> None:
    assert sentence(folder, {"main.py": "import helper\n", "lib/deep/helper.py": ""}) == (
        "main.py:1 imports 'helper', which is not found there; there is lib/deep/helper.py:"
        " did you mean 'lib.deep.helper'?"
    )


@pytest.mark.parametrize("listed", ["", "requesst\n"])
def test_a_known_package_is_not_taken_for_a_misspelt_file(folder: Path, listed: str) -> None:
    name = "requesst" if listed else "slugify"
    files = {"main.py": f"import {name}\n", f"{name}s.py": "", "requirements.txt": listed}
    assert "no file of yours" not in sentence(folder, files)


def test_a_file_that_hides_a_package_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "slugify", raising=False)
    text = sentence(folder, {"main.py": "import slugify.slugify\n", "slugify.py": ""})
    assert text == (
        "main.py:1 imports 'slugify.slugify', but slugify.py hides the package 'slugify': rename it"
    )


def test_a_file_in_place_of_a_folder_is_reported(folder: Path) -> None:
    assert sentence(folder, {"main.py": "import src.a\n", "src.py": ""}) == (
        "main.py:1 imports 'src.a', but 'src' is the file src.py, not a folder"
    )


# Names


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("from helper import lod", "which has no such name: did you mean 'load'?"),
        ("from helper import zzz", "which has no such name"),
        ("from .helper import lod", "which has no such name: did you mean 'load'?"),
    ],
)
def test_a_missing_name_is_reported(folder: Path, line: str, end: str) -> None:
    name = line.rsplit(maxsplit=1)[-1]
    text = sentence(folder, {"main.py": f"{line}\n", "helper.py": "def load(): pass\n"})
    assert text == f"main.py:1 imports '{name}' from 'helper', {end}"


# Imports by the name of a folder of the user's


def test_import_by_the_name_of_the_own_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    files = {"main.py": "from algo.utils import x\n", "utils.py": ""}
    assert sentence(folder, files) == (
        f"main.py:1 imports 'algo.utils', but 'algo' is your own folder {folder}, and the folder "
        "above it is not on Python's path: import 'utils', or run the algorithm from there "
        f"(cd {folder.parent} && hkube-wrapper run algo/main.py)"
    )


def test_import_in_another_file_by_the_name_of_the_own_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    files = {"main.py": "import a\n", "a.py": "from algo import (\n    b,\n)\n", "b.py": ""}
    assert sentence(folder, files).startswith("a.py:1 imports 'algo', but 'algo' is your own")


def test_import_of_a_neighbour_by_the_name_of_its_folder(folder: Path) -> None:
    files = {"src/alg/serve.py": "from alg.util import x\n", "src/alg/util.py": ""}
    assert sentence(folder, files, "src/alg/serve.py") == (
        f"src/alg/serve.py:1 imports 'alg.util', but 'alg' is your own folder {folder}/src/alg, "
        "and the folder above it is not on Python's path: import 'util', or run the algorithm from "
        f"there (cd {folder}/src && hkube-wrapper run alg/serve.py)"
    )


def test_import_of_a_folder_between_the_module_and_the_algorithms_folder(folder: Path) -> None:
    files = {"src/lib/alg/serve.py": "from lib.util import x\n", "src/lib/util.py": ""}
    assert "import 'src.lib.util', or run" in sentence(folder, files, "src/lib/alg/serve.py")


def test_contents_of_a_folder_were_packaged_without_it(folder: Path) -> None:
    files = {"main.py": "from src.utils import x\n", "utils.py": ""}
    assert sentence(folder, files) == (
        "main.py:1 imports 'src.utils', but there is no folder 'src' in the algorithm's folder, "
        "which has 'utils' itself: import 'utils', or package the folder that holds 'src'"
    )


def test_listed_package_with_a_module_of_the_users_name(folder: Path) -> None:
    files = {
        "main.py": "from company_tools.utils import x\n",
        "utils.py": "",
        "requirements.txt": "company-tools\n",
    }
    assert "though requirements.txt lists it" in sentence(folder, files)
