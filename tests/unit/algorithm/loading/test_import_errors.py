from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.algorithm.loading.user_code import failure, library


def test_an_exception_is_reported_with_its_place(folder: Path) -> None:
    error = failure(
        folder,
        {"main.py": "import a\n", "a.py": "def f():\n    return {}['k']\n\nx = f()\n"},
    )
    assert str(error) == "main.py cannot be imported: KeyError: 'k' (a.py:2, in f)"
    assert 'File "main.py", line 1' in error.details
    assert 'File "a.py", line 4' in error.details
    assert "importlib" not in error.details
    assert "loader.py" not in error.details


def test_a_nested_module_is_named_from_the_algorithms_folder(folder: Path) -> None:
    error = failure(folder, {"src/alg/main.py": "{}['x']\n"}, "src.alg.main")
    assert str(error) == "src/alg/main.py cannot be imported: KeyError: 'x' (src/alg/main.py:1)"


def test_an_error_in_a_package_above_is_the_users(folder: Path) -> None:
    error = failure(folder, {"src/main.py": "", "src/__init__.py": "1 / 0\n"}, "src/main.py")
    assert "ZeroDivisionError: division by zero (src/__init__.py:1)" in str(error)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def f(:\n    pass\n", "a.py:1 is not valid Python: invalid syntax: def f(:"),
        ("def f():\nreturn 1\n", "a.py:2 is not valid Python: expected an indented block"),
        ("if 1:\n\tx = 1\n        y = 1\n", "a.py:3 is not valid Python: inconsistent use of tabs"),
        ("# coding: nonsense\n", "a.py is not valid Python: unknown encoding: nonsense"),
        ("x = 1\0\n", "main.py:1 imports a file that holds null bytes"),
    ],
)
def test_a_file_that_is_not_python_is_reported(folder: Path, text: str, sentence: str) -> None:
    error = failure(folder, {"main.py": "import a\n", "a.py": text})
    assert str(error).startswith(sentence)
    assert 'File "main.py", line 1' in error.details


def test_a_syntax_error_in_the_module_itself(folder: Path) -> None:
    error = failure(folder, {"main.py": "x = 1\ndef start(args)\n    return 1\n"})
    assert str(error) == "main.py:2 is not valid Python: expected ':': def start(args)"
    assert error.details == (
        '  File "main.py", line 2\n'
        "    def start(args)\n"
        "                   ^\n"
        "SyntaxError: expected ':'"
    )


def test_a_syntax_error_of_generated_code_is_reported_where_it_is_used(folder: Path) -> None:
    error = failure(folder, {"main.py": "x = 1\neval('1 +')\n"})
    assert str(error).startswith("main.py cannot be imported: SyntaxError: invalid syntax")
    assert str(error).endswith("(main.py:2)")


def test_a_syntax_error_without_a_line_is_reported(folder: Path) -> None:
    error = failure(folder, {"main.py": "raise SyntaxError('own words')\n"})
    assert str(error) == "main.py cannot be imported: SyntaxError: own words (main.py:1)"


def test_another_encoding_is_reported(folder: Path) -> None:
    (folder / "a.py").write_bytes(b"x = '\xe9'\n")
    assert str(failure(folder, {"main.py": "import a\n"})) == (
        "a.py:1 is not UTF-8: save the file as UTF-8, or name its encoding in its first line"
        " (# -*- coding: latin-1 -*-)"
    )


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("sys.exit(3)", "sys.exit(3)"),
        ("sys.exit()", "sys.exit()"),
        ("raise SystemExit", "sys.exit()"),
    ],
)
def test_an_exit_is_reported(folder: Path, line: str, call: str) -> None:
    assert str(failure(folder, {"main.py": f"import sys\n{line}\n"})) == (
        f"main.py ends the process when it is imported: {call} (main.py:2);"
        " put the script's code under if __name__ == '__main__':"
    )


def test_an_exit_from_a_library_is_reported_at_the_users_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import argparse\np = argparse.ArgumentParser()\np.add_argument('x')\np.parse_args([])\n"
    assert "sys.exit(2) (main.py:4);" in str(failure(folder, {"main.py": text}))
    assert "the following arguments are required" in capsys.readouterr().err


def test_an_interrupt_is_reported(folder: Path) -> None:
    error = failure(folder, {"main.py": "def f():\n    raise KeyboardInterrupt\nf()\n"})
    assert str(error) == "the import of main.py was interrupted (main.py:2, in f)"


CIRCLE_ADVICE = (
    "Move what both files need to a third one, or import it in the function that uses it"
)


def test_an_import_circle_is_drawn(folder: Path) -> None:
    error = failure(
        folder,
        {
            "main.py": "import a\n",
            "a.py": "from b import x\ny = 1\n",
            "b.py": "import os\nfrom a import y\n",
        },
    )
    assert str(error) == (
        "b.py:2: cannot import name 'y' from 'a': the imports form a circle, "
        f"a.py:1 → b.py:2 → a.py. {CIRCLE_ADVICE}"
    )


def test_a_circle_by_an_attribute_is_drawn(folder: Path) -> None:
    error = failure(
        folder,
        {"main.py": "import a\n", "a.py": "import b\ny = 1\n", "b.py": "import a\nx = a.y\n"},
    )
    assert str(error) == (
        "main.py cannot be imported: AttributeError: module 'a' has no 'y' yet: the imports form a "
        f"circle, a.py:1 → b.py:2 → a.py. {CIRCLE_ADVICE} (b.py:2)"
    )


def test_a_module_that_imports_from_itself_is_a_circle(folder: Path) -> None:
    error = failure(folder, {"main.py": "import a\n", "a.py": "from a import y\ny = 1\n"})
    assert "the imports form a circle, a.py:1 → a.py." in str(error)


def test_a_relative_import_in_a_plain_module_is_reported(folder: Path) -> None:
    error = failure(folder, {"main.py": "import a\n", "a.py": "from . import b\n", "b.py": ""})
    assert str(error).startswith("a.py:1: a relative import (from . import ...) leads outside")


def test_a_relative_import_out_of_the_folder_is_reported(folder: Path) -> None:
    error = failure(folder, {"main.py": "from ... import b\n"})
    assert str(error).startswith("main.py:1: a relative import (from . import ...) leads outside")


def test_other_import_errors_keep_their_text(folder: Path) -> None:
    error = failure(folder, {"main.py": "raise ImportError('please install it')\n"})
    assert str(error) == "main.py cannot be imported: ImportError: please install it (main.py:1)"


def test_the_library_that_opencv_needs_is_reported(folder: Path) -> None:
    library(
        folder, {"cv2x/__init__.py": "raise ImportError('libGL.so.1: cannot open shared object')"}
    )
    error = failure(folder, {"main.py": "import cv2x\n"})
    assert "(main.py:1); use opencv-python-headless in requirements.txt" in str(error)


HIDES = "colorsys.py hides Python's own module 'colorsys': rename it"


@pytest.mark.parametrize(
    "line", ["import colorsys\ncolorsys.hsv_to_rgb(1, 1, 1)", "from colorsys import hsv_to_rgb"]
)
def test_a_file_that_hides_a_standard_module_is_reported(
    folder: Path, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    error = failure(folder, {"main.py": f"{line}\n", "colorsys.py": "x = 1\n"})
    assert str(error).endswith(f"; {HIDES}")


def test_a_file_that_a_library_imports_instead_of_a_standard_module_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    library(folder, {"paints/__init__.py": "import colorsys\n"})
    error = failure(folder, {"main.py": "import paints\n", "colorsys.py": "1 / 0\n"})
    assert str(error).endswith(f"; {HIDES}")


def test_other_attribute_errors_hide_nothing(folder: Path) -> None:
    error = failure(folder, {"main.py": "import helper\nhelper.y\n", "helper.py": "x = 1\n"})
    assert str(error).startswith(
        "main.py cannot be imported: AttributeError: module 'helper' has no"
    )
    assert "hides" not in str(error)


@pytest.mark.parametrize(
    "line",
    [
        "class Odd(ImportError):\n    name = property(int)\nraise Odd('cannot import name')",
        "class Odd(ImportError):\n    path = 5\nraise Odd('x')",
        "class Odd(SyntaxError):\n    filename = 5\n    lineno = 1\nraise Odd('x')",
    ],
)
def test_unusual_exceptions_are_reported(folder: Path, line: str) -> None:
    error = failure(folder, {"main.py": f"{line}\n"})
    assert str(error).startswith("main.py cannot be imported: Odd")


def test_an_undecodable_name_can_be_sent(folder: Path) -> None:
    error = failure(folder, {"main.py": "raise OSError('caf\\udce9')\n"})
    assert "caf\\udce9" in str(error)
    str(error).encode()
