from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.algorithm.loading.distributions import (
    DISTRIBUTIONS,
    SAME_NAME,
    guess_distribution,
    installed_distributions,
    is_certain,
    is_listed,
    known_names,
    version_of,
)


def test_the_tables_do_not_overlap() -> None:
    assert not SAME_NAME & set(DISTRIBUTIONS)


@pytest.mark.parametrize(
    ("name", "distribution", "certain"),
    [
        ("cv2", "opencv-python-headless", True),
        ("sklearn.svm", "scikit-learn", True),
        ("google.cloud.storage.blob", "google-cloud-storage", True),
        ("torch", "torch", True),
        ("mine", "Mine-Of-Ours", True),
        ("foo_bar.baz", "foo-bar", False),
    ],
)
def test_distribution_of(name: str, distribution: str, certain: bool) -> None:
    installed = {"mine": ["Mine-Of-Ours"]}
    assert guess_distribution(name, installed) == distribution
    assert is_certain(name, installed) is certain


def test_installed_modules_are_known() -> None:
    installed = installed_distributions()
    assert "pytest" in installed["pytest"]
    assert version_of("pytest") == pytest.__version__
    assert version_of("no-such-distribution") == ""
    assert {"pytest", "json", "sklearn", "google", "torch"} <= known_names(installed)
    assert "_json" not in known_names({})


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("scikit_learn>=1\n", True),
        ("  Scikit.Learn[extra] ; python_version > '3'\n", True),
        ("# scikit-learn\n", False),
        ("scikit-learn-extra\n", False),
        ("", False),
    ],
)
def test_is_listed(tmp_path: Path, text: str, listed: bool) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    assert is_listed("scikit-learn", [str(tmp_path / "none"), str(tmp_path)]) is listed


def test_an_unreadable_list_lists_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfe")
    assert is_listed("numpy", [str(tmp_path)]) is False
