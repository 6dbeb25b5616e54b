from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from wrapper.text.scratch_names import is_left_behind, scratch_prefix


def test_a_folder_of_this_process_is_in_use() -> None:
    assert not is_left_behind(f"{scratch_prefix()}abc")


def test_a_folder_of_a_process_that_has_ended_is_left_behind() -> None:
    code = "from wrapper.text.scratch_names import scratch_prefix; print(scratch_prefix() + 'abc')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert is_left_behind(done.stdout.strip())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_of_an_earlier_process_with_the_same_id_is_left_behind() -> None:
    *_, place, _ = scratch_prefix().split("-")
    assert is_left_behind(f"hkube-{os.getpid()}-1-{place}-abc")


def test_a_folder_of_another_machine_or_namespace_is_in_use() -> None:
    assert not is_left_behind("hkube-4194304-1-00000000-abc")


def test_a_folder_of_a_process_outside_a_container_is_in_use() -> None:
    new_namespace = ["unshare", "--pid", "--fork", "--mount-proc"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*new_namespace, "true"], check=False).returncode
    ):
        pytest.skip("a namespace of process ids cannot be made here")
    code = (
        "import sys; from wrapper.text.scratch_names import is_left_behind; "
        "print(is_left_behind(sys.argv[1]))"
    )
    command = [*new_namespace, sys.executable, "-c", code]
    done = subprocess.run(
        [*command, f"{scratch_prefix()}abc"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "name",
    [
        "hkube-abc",
        "hkube-0-1-a",
        "hkube--1-1-a",
        "hkube-99999999999-1-a",
        "other-1-1-a",
        "hkube-1-1-",
    ],
)
def test_other_names_are_nobodys(name: str) -> None:
    assert not is_left_behind(name)


def test_a_folder_of_another_users_process_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert not is_left_behind(f"{scratch_prefix()}abc")
