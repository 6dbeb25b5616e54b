"""Imports compared with requirements.txt."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from wrapper.local.check.finding import Finding, FindingStatus
from wrapper.local.check.missing_packages import (
    InstalledPackages,
    compare,
    needed_by,
    read_installed,
    wrapper_conflicts,
    wrapper_needs,
)
from wrapper.local.source.imported_modules import Imported
from wrapper.local.source.requirements import read_requirements

HERE = InstalledPackages(
    modules={"hypothesis": ["hypothesis"], "yaml": ["PyYAML"], "sortedcontainers": ["x"]},
    brought=frozenset({"pyyaml"}),
)


def findings(
    folder: Path, listed: str | None, *modules: str, optional: bool = False
) -> list[Finding]:
    if listed is not None:
        (folder / "requirements.txt").write_text(listed)
    imports = [Imported(module, f"main.py:{n}", optional) for n, module in enumerate(modules, 1)]
    return compare(imports, read_requirements(folder), HERE)[1]


def only(folder: Path, listed: str | None, *modules: str, optional: bool = False) -> Finding:
    (found,) = findings(folder, listed, *modules, optional=optional)
    return found


def test_no_imports(tmp_path: Path) -> None:
    found = only(tmp_path, None)
    assert (found.status, found.text) == (
        FindingStatus.FINE,
        "only standard library modules are imported",
    )


def test_listed_package_is_fine(tmp_path: Path) -> None:
    found = only(tmp_path, "Hypothesis\n", "hypothesis.strategies")
    assert found.status is FindingStatus.FINE
    assert found.text.startswith("in requirements.txt: hypothesis 6")


def test_unlisted_package_is_wrong(tmp_path: Path) -> None:
    found = only(tmp_path, "pytest\n", "hypothesis")
    assert found.status is FindingStatus.WRONG
    assert found.text.startswith(
        "main.py:1 imports hypothesis, but requirements.txt does not list it, so the image will "
        "lack it: add the line hypothesis=="
    )


def test_no_requirements_file(tmp_path: Path) -> None:
    found = only(tmp_path, None, "sklearn.svm")
    assert found.status is FindingStatus.WRONG
    assert found.text == (
        "main.py:1 imports sklearn.svm, which is part of scikit-learn, but there is no "
        "requirements.txt, so the image will lack it: add the line scikit-learn"
    )


def test_each_distribution_is_reported_once(tmp_path: Path) -> None:
    assert len(findings(tmp_path, None, "sklearn.svm", "sklearn.tree")) == 1


def test_optional_import_is_a_note(tmp_path: Path) -> None:
    found = only(tmp_path, "", "torch", optional=True)
    assert (found.status, "but can run without it" in found.text) == (FindingStatus.NOTE, True)


def test_dependency_of_a_listed_package_is_a_note(tmp_path: Path) -> None:
    found = only(tmp_path, "hypothesis\n", "sortedcontainers")
    assert found.status is FindingStatus.WRONG  # HERE says that a distribution named x provides it
    assert "sortedcontainers" in needed_by(["hypothesis"])
    found = compare(
        [Imported("sortedcontainers", "main.py:1", False)],
        read_requirements(tmp_path),
        InstalledPackages({"sortedcontainers": ["sortedcontainers"]}),
    )[1][0]
    assert found.status is FindingStatus.NOTE
    assert "it is a dependency of a listed package" in found.text


def test_dependency_of_the_wrapper_is_a_note(tmp_path: Path) -> None:
    found = only(tmp_path, None, "yaml")
    assert found.status is FindingStatus.NOTE
    assert (
        "which is part of PyYAML; the image has it because the wrapper needs it, but list it too"
        in found.text
    )


def test_listed_package_that_is_not_installed_may_provide_it(tmp_path: Path) -> None:
    missing, unknown = findings(tmp_path, "company-tools==3\n", "odd_module")
    assert unknown.text.endswith("lists company-tools==3, which is not installed here")
    assert missing.status is FindingStatus.NOTE
    assert (
        "company-tools==3 (requirements.txt:1) may provide it, but is not installed" in missing.text
    )


def test_any_distribution_of_a_module_counts(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("opencv-python\n")
    packages, found = compare(
        [Imported("cv2", "main.py:1", False)],
        read_requirements(tmp_path),
        InstalledPackages({"cv2": ["opencv-python"]}),
    )
    assert (packages[0].distribution, packages[0].listed) == ("opencv-python", True)
    assert [each.status for each in found] == [FindingStatus.FINE, FindingStatus.NOTE]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("pytest<1\n", "asks for pytest<1, but"),
        ("no-such-distribution\n", "lists no-such-distribution, which is not installed here"),
    ],
)
def test_installed_version_that_differs_is_a_note(tmp_path: Path, line: str, text: str) -> None:
    found = findings(tmp_path, line)[0]
    assert (found.status, text in found.text) == (FindingStatus.NOTE, True)


def test_constraint_that_is_not_met_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("pytest<1\nno-such-distribution==1\n")
    (found,) = findings(tmp_path, "-c limits.txt\n")
    assert found.text.startswith("limits.txt:1 asks for pytest<1")


def test_invalid_line_is_wrong(tmp_path: Path) -> None:
    found = only(tmp_path, "numpy=2\n")
    assert (found.status, "requirements.txt:1 is not valid" in found.text) == (
        FindingStatus.WRONG,
        True,
    )


def test_line_whose_marker_does_not_apply_is_skipped(tmp_path: Path) -> None:
    assert only(tmp_path, "pywin32; sys_platform == 'never'\n").status is FindingStatus.FINE


def test_reading_what_is_installed() -> None:
    here = read_installed()
    assert "pytest" in here.modules
    assert "hkube-wrapper" not in here.brought
    # Empty if the tests run without installing the wrapper.
    assert set(here.needs) <= here.brought
    assert here.needs.get("orjson", SpecifierSet(">=3")) != SpecifierSet("")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "HKube_Python.Wrapper>=2",
            "would replace the wrapper's own hkube_python_wrapper",
        ),
        ("wrapper", "would replace the wrapper's own wrapper"),
        ("orjson==2.0", "asks for orjson==2.0, but the wrapper needs orjson<4,>=3.10: remove the"),
        ("orjson==3.11", None),
        ("orjson==3.*", None),
        ("orjson>=2", None),
        ("orjson<3", "asks for orjson<3, but the wrapper needs orjson<4,>=3.10: remove the line"),
        ("orjson~=2.1", "asks for orjson~=2.1, but the wrapper needs"),
        ("orjson===2.1", "asks for orjson===2.1, but the wrapper needs"),
        ("orjson===3.11", None),
        ("orjson<=3.9.9", "asks for orjson<=3.9.9, but the wrapper needs"),
        ("orjson>=4", "asks for orjson>=4, but the wrapper needs"),
        ("orjson>3.99", None),
        ("orjson<=3.10", None),
        ("orjson>=3,!=3.10.*", None),
        ("orjson!=3.10", None),
        (f"orjson<{'9' * 5000}", None),
        (f"orjson>3.{'9' * 5000}", None),
        ("orjson==2.0; sys_platform == 'never'", None),
    ],
)
def test_conflicts_with_the_wrapper(tmp_path: Path, line: str, text: str | None) -> None:
    (tmp_path / "requirements.txt").write_text(line)
    needs = {"orjson": SpecifierSet(">=3.10,<4")}
    found = list(wrapper_conflicts(read_requirements(tmp_path), needs))
    assert [text in each for each in found if text] == ([True] if text else [])
    assert bool(found) is bool(text)


def test_version_with_too_many_digits(tmp_path: Path) -> None:
    assert only(tmp_path, f"pytest<{'1' * 5000}\n").status is FindingStatus.FINE


def test_conflict_with_the_wrapper_is_wrong(tmp_path: Path) -> None:
    found = findings(tmp_path, "hkube-python-wrapper\n")[0]
    assert found.status is FindingStatus.WRONG


@pytest.mark.parametrize("line", ["bson", "bson==0.5.10", "websocket", "msgpack-python"])
def test_namesakes_of_what_the_wrapper_imports_are_wrong(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"{line}\n")
    [text] = wrapper_conflicts(read_requirements(tmp_path), wrapper_needs())
    assert f"lists {line}, which would replace the wrapper's own" in text


def test_pin_that_breaks_a_dependency_of_the_wrapper_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("click==1.0\npydantic==1.10.13\n")
    needs = {"pydantic": SpecifierSet(">=2")}
    [text] = wrapper_conflicts(read_requirements(tmp_path), needs)
    assert "asks for pydantic==1.10.13, but the wrapper needs pydantic>=2" in text
    assert wrapper_needs().keys() >= {"websockets", "rich", "pygments"}
