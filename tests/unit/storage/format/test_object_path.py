"""Paths stay inside the storage."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import StorageError
from wrapper.storage.format.object_path import bucket_and_key, check_path, task_path


def test_path_of_a_result() -> None:
    path = task_path("local", "main:p19pa1nk", "oxl03zdv")
    assert path == "local-hkube/main:p19pa1nk/oxl03zdv"
    assert bucket_and_key(path) == ("local-hkube", "main:p19pa1nk/oxl03zdv")


@pytest.mark.parametrize(
    "path, why",
    [
        ("", "bucket"),
        ("bucket", "bucket"),
        ("bucket/", "part that is empty"),
        ("bucket//key", "part that is empty"),
        ("bucket/./key", "part that is empty"),
        ("bucket/../key", "part that is empty"),
        ("../key", "bucket"),
        ("/etc/passwd", "bucket"),
        ("s3://other/key", "URL"),
        ("bucket/file:///etc", "URL"),
        ("bucket/a\\b", "characters"),
        ("bucket/a\0b", "characters"),
        ("bucket/a\nb", "characters"),
        ("bucket/\ud800", "characters"),
        ("bu cket/a", "bucket"),
        ("bucket/" + "a" * 1025, "longer"),
        (None, "NoneType"),
        (5, "int"),
    ],
)
def test_invalid_paths(path: object, why: str) -> None:
    with pytest.raises(StorageError, match=why) as raised:
        check_path(path)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("job, task", [("", "t"), ("j", ""), ("..", "t"), ("j", "../../x")])
def test_ids_that_form_no_valid_path(job: str, task: str) -> None:
    with pytest.raises(StorageError):
        task_path("local", job, task)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b:c", "\\", "\0", "//", "s3:"])))
def test_valid_path_stays_below_its_folder(parts: list[str]) -> None:
    try:
        path = check_path("/".join(parts))
    except StorageError:
        return
    joined = os.path.normpath(os.path.join("/base", *path.split("/")))
    assert joined.startswith("/base/") and joined.count("/") == path.count("/") + 2
