from __future__ import annotations

import os
from types import TracebackType
from typing import Any

import pytest

from wrapper.algorithm.errors.user_frames import (
    STANDARD_LIBRARY,
    WRAPPER_FOLDER,
    Files,
    Owner,
    UserFrame,
    cause,
    is_inside,
    worth_showing,
)

FOLDER = "/algo"


def traceback_of(path: str, names: dict[str, Any] | None = None) -> TracebackType | None:
    names = {} if names is None else names
    exec(compile("def f():\n    1 / 0\n", path, "exec"), names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["f"]()
    assert caught.value.__traceback__ is not None
    return caught.value.__traceback__.tb_next


def only_frame(path: str, names: dict[str, Any] | None = None) -> UserFrame:
    (frame,) = Files(FOLDER).frames(traceback_of(path, names))
    return frame


def frame(shown: str, owner: Owner, line: int = 1) -> UserFrame:
    return UserFrame(owner, shown, shown, line, "f", frame.__code__, 0)


def own(line: int) -> UserFrame:
    return frame("main.py", Owner.ALGORITHM, line)


def foreign(line: int, package: str = "json") -> UserFrame:
    return frame(f"{package}/x.py", Owner.LIBRARY, line)


@pytest.mark.parametrize(
    ("path", "owner", "shown"),
    [
        ("/algo/main.py", Owner.ALGORITHM, "main.py"),
        ("/algo/src/main.py", Owner.ALGORITHM, "src/main.py"),
        ("/algo/venv/lib/site-packages/a/b.py", Owner.LIBRARY, "venv/lib/site-packages/a/b.py"),
        ("/algorithm/main.py", Owner.OUTSIDE, "/algorithm/main.py"),
        ("/x/site-packages/a/b.py", Owner.LIBRARY, "a/b.py"),
        ("/usr/lib/python3/dist-packages/a.py", Owner.LIBRARY, "a.py"),
        (f"{STANDARD_LIBRARY}/json/decoder.py", Owner.LIBRARY, "json/decoder.py"),
        (f"{STANDARD_LIBRARY}/site-packages/a.py", Owner.LIBRARY, "a.py"),
        ("<string>", Owner.LIBRARY, "<string>"),
        ("<frozen os>", Owner.LIBRARY, "<frozen os>"),
    ],
)
def test_files_have_an_owner_and_a_short_name(path: str, owner: Owner, shown: str) -> None:
    found = only_frame(path)
    assert (found.owner, found.shown, found.line, found.function) == (owner, shown, 2, "f")


@pytest.mark.parametrize(
    "path",
    [
        f"{WRAPPER_FOLDER}/algorithm/host/host.py",
        f"{os.path.dirname(WRAPPER_FOLDER)}/hkube_python_wrapper/__init__.py",
        "<frozen importlib._bootstrap>",
        "<frozen importlib._bootstrap_external>",
        "<frozen runpy>",
        f"{STANDARD_LIBRARY}/runpy.py",
        f"{STANDARD_LIBRARY}/importlib/__init__.py",
    ],
)
def test_the_wrappers_and_the_import_systems_frames_are_hidden(path: str) -> None:
    assert Files(FOLDER).frames(traceback_of(path)) == []


def test_an_algorithm_inside_the_package_is_shown() -> None:
    folder = f"{WRAPPER_FOLDER}/local/example"
    (shown,) = Files(folder).frames(traceback_of(f"{folder}/main.py"))
    assert shown.shown == "main.py"
    assert Files(folder).frames(traceback_of(f"{WRAPPER_FOLDER}/algorithm/host/host.py")) == []


def test_an_algorithm_beside_the_package_is_shown() -> None:
    folder = os.path.dirname(WRAPPER_FOLDER)
    (shown,) = Files(folder).frames(traceback_of(f"{folder}/main.py"))
    assert shown.shown == "main.py"


def test_with_the_root_as_folder_libraries_are_still_libraries() -> None:
    files = Files("/")
    assert files.owner(f"{STANDARD_LIBRARY}/json/decoder.py") is Owner.LIBRARY
    assert files.owner("/main.py") is Owner.ALGORITHM


def test_code_compiled_elsewhere_is_found_by_its_module() -> None:
    library = only_frame(
        "numpy/random/mtrand.pyx", {"__file__": "/x/site-packages/numpy/random/mtrand.so"}
    )
    assert (library.owner, library.shown) == (Owner.LIBRARY, "numpy/random/mtrand.pyx")
    users = only_frame("/build/machine/src/main.py", {"__file__": "/algo/src/main.pyc"})
    assert (users.owner, users.shown) == (Owner.ALGORITHM, "src/main.py")


@pytest.mark.parametrize("value", [None, 5, ""])
def test_an_odd_module_file_is_ignored(value: object) -> None:
    assert only_frame("/gone/main.py", {"__file__": value}).line == 2


def test_the_place() -> None:
    assert own(3).place == "main.py:3, in f"
    assert own(3).spot == "main.py:3"
    top = UserFrame(Owner.ALGORITHM, "", "main.py", 3, "<module>", frame.__code__, 0)
    assert top.place == "main.py:3"


def test_the_deepest_of_the_users_own_frames_is_blamed() -> None:
    outside = frame("/shared/x.py", Owner.OUTSIDE)
    assert cause([own(1), own(2), outside, foreign(3)]) == own(2)
    assert cause([foreign(1), outside, foreign(3)]) == outside
    assert cause([foreign(1), foreign(2)]) == foreign(2)
    assert cause([]) is None


def test_library_frames_before_the_users_are_dropped() -> None:
    assert worth_showing([foreign(1), foreign(2), own(1)]) == [own(1)]


def test_library_frames_between_the_users_are_summarized() -> None:
    between = [foreign(1), foreign(2), foreign(3, "numpy"), foreign(4, "a"), foreign(5, "b")]
    assert worth_showing([own(1), *between, own(2)]) == [
        own(1),
        "... 5 frames of json, numpy, a left out",
        own(2),
    ]


def test_only_the_last_library_frames_after_the_users_are_kept() -> None:
    after = [foreign(line) for line in range(1, 6)]
    assert worth_showing([own(1), *after]) == [
        own(1),
        "... 3 frames of json left out",
        foreign(4),
        foreign(5),
    ]


def test_only_the_last_frames_are_kept_of_libraries_alone() -> None:
    assert worth_showing([foreign(line) for line in range(5)]) == [foreign(3), foreign(4)]
    assert worth_showing([]) == []


def test_repeats_are_counted() -> None:
    assert worth_showing([own(1), *[own(2)] * 10, own(3)]) == [
        own(1),
        *[own(2)] * 3,
        "... the same line 7 more times",
        own(3),
    ]
    assert worth_showing([own(2)] * 3) == [own(2)] * 3


def test_a_long_list_loses_its_middle() -> None:
    frames = [own(line) for line in range(100)]
    assert worth_showing(frames) == [*frames[:10], "... 80 frames left out", *frames[-10:]]


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
        ("/a", "/", True),
    ],
)
def test_is_inside(path: str, folder: str, inside: bool) -> None:
    assert is_inside(path, folder) is inside
