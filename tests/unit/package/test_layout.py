"""The unit tests mirror the package, so that a module and its tests are in the same folder."""

from __future__ import annotations

from tests.paths import ROOT

UNIT = ROOT / "tests" / "unit"
# Tests of the repository's other files, and code that tests share.
NOT_IN_THE_PACKAGE = {"package", "image", "support"}


def test_each_unit_test_has_a_folder_of_the_package() -> None:
    tests = [path.relative_to(UNIT) for path in sorted(UNIT.rglob("test_*.py"))]
    assert len(tests) > 100
    strays = [
        str(test)
        for test in tests
        if test.parts[0] not in NOT_IN_THE_PACKAGE and not (ROOT / "wrapper" / test.parent).is_dir()
    ]
    assert not strays, "move these to the folder of the module that they test"
