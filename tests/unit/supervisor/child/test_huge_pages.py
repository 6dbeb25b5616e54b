"""When the algorithm process is given huge pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wrapper.supervisor.child.huge_pages import huge_page_environ

GIBIBYTE = 1024**3
GIVEN = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def unknown() -> str:
    raise ValueError("unrecognized configuration name")


@pytest.fixture
def setting(tmp_path: Path) -> Path:
    file = tmp_path / "enabled"
    file.write_text("always [madvise] never\n")
    return file


@pytest.mark.parametrize("limit", [None, GIBIBYTE, 64 * GIBIBYTE])
@pytest.mark.parametrize("libc", ["glibc 2.35", "glibc 2.41", "glibc 3.0"])
def test_given_with_a_new_glibc_and_enough_memory(
    setting: Path, limit: int | None, libc: str
) -> None:
    assert huge_page_environ({}, lambda: limit, lambda: libc, str(setting)) == GIVEN


def test_left_out_in_a_small_container(setting: Path) -> None:
    small = huge_page_environ({}, lambda: GIBIBYTE - 1, lambda: "glibc 2.36", str(setting))
    assert small == {}


@pytest.mark.parametrize(
    "libc", [unknown, lambda: "", lambda: "glibc 2.34", lambda: "musl 9.9", lambda: "glibc x.y"]
)
def test_left_out_with_another_c_library(setting: Path, libc: Callable[[], str]) -> None:
    assert huge_page_environ({}, lambda: None, libc, str(setting)) == {}


@pytest.mark.parametrize("text, is_given", [("[always] madvise never", True), ("[never]", False)])
def test_kernel_decides(setting: Path, text: str, is_given: bool) -> None:
    setting.write_text(text)
    found = huge_page_environ({}, lambda: None, lambda: "glibc 2.36", str(setting))
    assert bool(found) is is_given
    setting.unlink()
    assert huge_page_environ({}, lambda: None, lambda: "glibc 2.36", str(setting)) == {}


@pytest.mark.parametrize("value", ["", "glibc.malloc.arena_max=1", "glibc.malloc.hugetlb=0"])
def test_users_own_tuning_is_kept(setting: Path, value: str) -> None:
    environ = {"GLIBC_TUNABLES": value}
    assert huge_page_environ(environ, lambda: None, lambda: "glibc 2.36", str(setting)) == {}
