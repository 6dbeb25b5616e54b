from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wrapper.algorithm.errors.failure import FailureReport
from wrapper.algorithm.errors.report import MAX_DETAILS, MAX_MESSAGE, report_exception
from wrapper.errors import AlgorithmStopped

from .conftest import User


def test_a_whole_report(user: User) -> None:
    report = user.report(
        "import json\n"
        "\n"
        "def start(args):\n"
        "    value = 1\n"
        "    return look(args, 'x') + value\n"
        "\n"
        "def look(args, name):\n"
        "    found = args[name]\n"
        "    return found\n"
        "\n"
    )
    underline = "       |             ^^^^^^^^^^\n" if sys.version_info >= (3, 11) else ""
    assert report == FailureReport(
        "AlgorithmError",
        "KeyError: 'x' (main.py:8, in look)",
        "Traceback (most recent call last):\n"
        '  File "main.py", line 5, in start\n'
        "        return look(args, 'x') + value\n"
        '  File "main.py", line 8, in look\n'
        "       6 |\n"
        "       7 | def look(args, name):\n"
        "    >  8 |     found = args[name]\n"
        f"{underline.replace('       |', '         |')}"
        "       9 |     return found\n"
        "      10 |\n"
        "KeyError: 'x'",
    )


def test_the_code_is_kept(user: User) -> None:
    assert user.report("def start(a): 1 / 0", code="LoadError").code == "LoadError"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("raise ValueError('bad value')", "ValueError: bad value (main.py:2, in start)"),
        ("raise ValueError", "ValueError (main.py:2, in start)"),
        ("raise ValueError('')", "ValueError (main.py:2, in start)"),
        ("{}['x']", "KeyError: 'x' (main.py:2, in start)"),
        ("raise SystemExit(3)", "SystemExit: 3 (main.py:2, in start)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (main.py:2, in start)"),
        ("raise MemoryError", "MemoryError (main.py:2, in start)"),
        ("raise GeneratorExit", "GeneratorExit (main.py:2, in start)"),
        ("1 / 0", "ZeroDivisionError: division by zero (main.py:2, in start)"),
        ("assert False", "AssertionError (main.py:2, in start)"),
        ("open('/no/such')", "FileNotFoundError: [Errno 2] No such file or directory: '/no/such'"),
        ("raise ValueError('two\\nlines')", "ValueError: two\nlines (main.py:2, in start)"),
        ("raise ValueError(1, 2)", "ValueError: (1, 2) (main.py:2, in start)"),
    ],
)
def test_the_message_says_type_text_and_place(user: User, statement: str, message: str) -> None:
    assert user.report(f"def start(args):\n    {statement}\n").message.startswith(message)


def test_the_users_own_exception_is_named_briefly_and_in_full(user: User) -> None:
    report = user.report("class Bad(Exception): pass\ndef start(args):\n    raise Bad('x')\n")
    assert report.message == "Bad: x (main.py:3, in start)"
    assert report.details.endswith("\nmain.Bad: x")


def test_a_method_is_named_without_the_enclosing_function(user: User) -> None:
    report = user.report(
        "def start(args):\n    class A:\n        def go(self):\n            1 / 0\n    A().go()\n"
    )
    name = "A.go" if sys.version_info >= (3, 11) else "go"
    assert report.message == f"ZeroDivisionError: division by zero (main.py:4, in {name})"


def test_the_users_line_is_blamed_for_a_librarys_exception(user: User) -> None:
    report = user.report("import json\ndef start(args):\n    json.loads('{')\n")
    assert report.message.endswith("(main.py:3, in start)")
    assert 'File "json/decoder.py"' in report.details
    assert "    > 3 |     json.loads('{')" in report.details
    assert report.details.index('"main.py"') < report.details.index('"json/decoder.py"')


def test_the_last_two_frames_of_a_library_are_shown(user: User) -> None:
    report = user.report("import json\ndef start(args):\n    json.loads('{')\n")
    assert report.details.count('File "json/') == 2
    assert "  ... 1 frame of json left out\n" in report.details


def test_a_librarys_frames_between_the_users_are_left_out(user: User) -> None:
    report = user.report(
        "import json\n"
        "def hook(found):\n"
        "    return found['x']\n"
        "def start(args):\n"
        "    return json.loads('{}', object_hook=hook)\n"
    )
    assert report.message == "KeyError: 'x' (main.py:3, in hook)"
    assert "frames of json left out" in report.details
    assert 'File "json/' not in report.details


def test_frames_of_the_wrapper_are_not_shown(user: User) -> None:
    report = user.report("def start(args):\n    1 / 0\n")
    assert "signature.py" not in report.details
    assert report.details.count("File ") == 1


def test_a_start_from_a_library_is_shown_itself(user: User) -> None:
    report = user.report("import json\nstart = lambda args: None\nstart = json.loads\n")
    assert report.message.startswith("TypeError: the JSON object must be str")
    assert "(json/__init__.py:" in report.message
    assert "Traceback" in report.details


def test_an_async_start_shows_no_frames_of_asyncio(user: User) -> None:
    error = user.error(
        "import asyncio\n"
        "async def inner():\n    1 / 0\n"
        "async def main():\n    await inner()\n"
        "def start(args):\n    asyncio.run(main())\n"
    )
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_next is not None
    # The first two frames are the wrapper's and the user's start: as if the wrapper ran the loop.
    error.with_traceback(error.__traceback__.tb_next.tb_next)
    report = report_exception(error, folder=str(user.folder))
    assert report.message == "ZeroDivisionError: division by zero (main.py:3, in inner)"
    assert "asyncio" not in report.details.replace("import asyncio", "")
    assert report.details.count("File ") == 2


def test_files_in_subfolders_are_named_from_the_algorithms_folder(user: User) -> None:
    report = user.report("def start(args):\n    1 / 0\n", file="src/alg/main.py")
    assert report.message.endswith("(src/alg/main.py:2, in start)")


def test_without_a_folder_the_working_directory_is_used(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = user.error("def start(args):\n    1 / 0\n")
    monkeypatch.chdir(user.folder)
    assert report_exception(error).message.endswith("(main.py:2, in start)")


def test_a_file_elsewhere_is_named_in_full(user: User, tmp_path: Path) -> None:
    other = User(tmp_path / "other")
    error = other.error("def start(args):\n    1 / 0\n")
    report = report_exception(error, folder=str(user.folder))
    assert report.message.endswith(f"({tmp_path}/other/main.py:2, in start)")


def test_an_exception_that_was_not_raised_has_no_place() -> None:
    assert report_exception(ValueError("x")) == FailureReport(
        "AlgorithmError", "ValueError: x", "ValueError: x"
    )


# Recursion


def test_recursion_is_shown_once(user: User) -> None:
    report = user.report("def f(n):\n    return f(n + 1)\ndef start(args):\n    return f(0)\n")
    assert report.message.startswith("RecursionError: maximum recursion depth exceeded")
    assert report.message.endswith("(main.py:2, in f)")
    assert "more times\n" in report.details
    assert report.details.count("File ") == 4


def test_mutual_recursion_is_cut(user: User) -> None:
    report = user.report(
        "def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\ndef start(args):\n    f(0)\n"
    )
    assert "frames left out\n" in report.details
    assert report.details.count("File ") == 20


def test_a_very_deep_recursion_is_reported(user: User) -> None:
    source = "\ndef f(n):\n    return f(n - 1) if n else 1 / 0\ndef start(args):\n    f(15_000)\n"
    reports: list[FailureReport] = []
    limit = sys.getrecursionlimit()
    size = threading.stack_size(256 * 1024 * 1024)
    sys.setrecursionlimit(20_000)
    try:
        thread = threading.Thread(target=lambda: reports.append(user.report(source)))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    assert reports[0].message == "ZeroDivisionError: division by zero (main.py:3, in f)"


# Hostile exceptions


@pytest.mark.parametrize("raised", ["ValueError", "SystemExit", "KeyboardInterrupt"])
def test_an_exception_whose_str_raises(user: User, raised: str) -> None:
    report = user.report(
        f"class Bad(Exception):\n    def __str__(self): raise {raised}\n"
        "def start(args):\n    raise Bad\n"
    )
    text = f"<no text: __str__ raised {raised}>"
    assert report.message == f"Bad: {text} (main.py:4, in start)"
    assert report.details.endswith(f"main.Bad: {text}")


def test_an_exception_whose_str_returns_no_string(user: User) -> None:
    report = user.report(
        "class Bad(Exception):\n    def __str__(self): return 5\ndef start(args):\n    raise Bad\n"
    )
    assert report.message.startswith("Bad: <no text: __str__ raised TypeError>")


def test_an_exception_whose_str_recurses_for_ever(user: User) -> None:
    report = user.report(
        "class Bad(Exception):\n    def __str__(self): return str(self)\n"
        "def start(args):\n    raise Bad\n"
    )
    assert "__str__ raised RecursionError" in report.message


def test_being_stopped_while_reporting_passes_through(user: User) -> None:
    error = user.error(
        "from wrapper.errors import AlgorithmStopped\n"
        "class Bad(Exception):\n    def __str__(self): raise AlgorithmStopped\n"
        "def start(args):\n    raise Bad\n"
    )
    with pytest.raises(AlgorithmStopped):
        report_exception(error)


def test_an_exception_that_breaks_the_report_is_named() -> None:
    class BadError(Exception):
        def __getattribute__(self, name: str) -> Any:
            raise ValueError(name)

    assert report_exception(BadError()) == FailureReport("AlgorithmError", "BadError", "")


def test_a_huge_text_is_cut_and_the_place_is_kept(user: User) -> None:
    report = user.report("def start(args):\n    raise ValueError('x' * 10_000_000 + 'end')\n")
    assert len(report.message) <= MAX_MESSAGE
    assert report.message.startswith("ValueError: xxx")
    assert report.message.endswith("xend (main.py:2, in start)")
    assert len(report.details.encode()) <= MAX_DETAILS


@pytest.mark.parametrize("character", ["\udce9", "é", "\x00", "🐍"])
def test_any_text_can_be_sent_and_is_in_bounds(user: User, character: str) -> None:
    report = user.report(
        f"def start(args):\n    error = ValueError({character!a} * 100_000)\n"
        f"    error.__notes__ = [{character!a} * 100_000] * 50\n    raise error\n"
    )
    assert len(report.message) <= MAX_MESSAGE
    assert 0 < len(report.details.encode()) <= MAX_DETAILS
    json.dumps(report.details).encode()


def test_long_lines_of_source_are_cut(user: User) -> None:
    report = user.report(f"def start(args):\n    return 1 / 0 # {'x' * 5000}\n")
    assert max(len(line) for line in report.details.splitlines()) < 250


def test_the_working_directory_may_be_gone(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = user.error("def start(args):\n    1 / 0\n")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert report_exception(error).message.startswith("ZeroDivisionError: division by zero (")
    assert "(main.py:2" in report_exception(error, folder=str(user.folder)).message


def test_reports_do_not_keep_the_error_alive(user: User) -> None:
    import gc
    import weakref

    class Big:
        pass

    def start(args: Any) -> None:
        big = Big()
        seen.append(weakref.ref(big))
        raise ValueError("x")

    seen: list[Callable[[], Any]] = []
    try:
        start({})
    except ValueError as error:
        report_exception(error)
    gc.collect()
    assert seen[0]() is None
