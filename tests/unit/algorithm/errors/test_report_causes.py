from __future__ import annotations

import sys

import pytest

from .conftest import User

# Causes, notes, groups


def test_a_cause_is_summarized(user: User) -> None:
    report = user.report(
        "def start(args):\n    try:\n        {}['x']\n    except KeyError as e:\n"
        "        raise RuntimeError('no x') from e\n"
    )
    assert report.message == "RuntimeError: no x (main.py:5, in start)"
    assert report.details.endswith(
        "RuntimeError: no x\n\ncaused by KeyError: 'x' (main.py:3, in start)\n        {}['x']"
    )


def test_a_failure_in_a_handler_is_reported(user: User) -> None:
    report = user.report(
        "def start(args):\n    try:\n        {}['x']\n    except KeyError:\n        1 / 0\n"
    )
    assert "\nwhile handling KeyError: 'x' (main.py:3, in start)" in report.details


def test_a_suppressed_cause_is_not_reported(user: User) -> None:
    report = user.report(
        "def start(args):\n    try:\n        {}['x']\n    except KeyError:\n"
        "        raise RuntimeError('no x') from None\n"
    )
    assert report.details.endswith("RuntimeError: no x")


def test_a_circle_of_causes_ends(user: User) -> None:
    report = user.report(
        "def start(args):\n    a, b = ValueError('a'), ValueError('b')\n"
        "    a.__cause__, b.__cause__ = b, a\n    raise a\n"
    )
    assert report.details.count("caused by") == 1


def test_a_long_chain_ends(user: User) -> None:
    report = user.report(
        "def start(args):\n    e = None\n    for n in range(50):\n"
        "        new = ValueError(n)\n        new.__cause__ = e\n        e = new\n    raise e\n"
    )
    assert report.details.count("caused by") == 5


def test_notes_are_reported(user: User) -> None:
    report = user.report(
        "def start(args):\n    e = ValueError('x')\n"
        "    e.__notes__ = ['look here', 5]\n    raise e\n"
    )
    assert report.details.endswith("ValueError: x\nlook here")


GROUP = (
    "class MyGroup(Exception):\n"
    "    def __init__(self, text, members):\n"
    "        super().__init__(text)\n"
    "        self.exceptions = members\n"
)


def grouped(members: str) -> str:
    return (
        f"{GROUP}def made(error):\n    try:\n        raise error\n    except Exception as e:\n"
        f"        return e\ndef start(args):\n    raise MyGroup('some failed', {members})\n"
    )


def test_a_group_is_reported_with_its_first_member(user: User) -> None:
    report = user.report(grouped("[made(ValueError('one')), made(KeyError('two'))]"))
    assert report.message == (
        "MyGroup: some failed (main.py:11, in start); first: ValueError: one (main.py:7, in made)"
    )
    assert "\n  [1] ValueError: one (main.py:7, in made)\n          raise error\n" in report.details
    assert "\n  [2] KeyError: 'two' (main.py:7, in made)" in report.details


def test_a_group_in_a_group_is_reported(user: User) -> None:
    report = user.report(grouped("[MyGroup('inner', [made(ValueError('one'))])]"))
    assert report.message.endswith("; first: ValueError: one (main.py:7, in made)")
    assert "\n  [1] MyGroup: inner\n    [1] ValueError: one" in report.details


def test_a_big_group_is_cut(user: User) -> None:
    report = user.report(grouped("[ValueError(n) for n in range(100)]"))
    assert report.details.count("] ValueError") == 10
    assert "  ... 90 more" in report.details


def test_a_group_that_holds_itself_ends(user: User) -> None:
    report = user.report(
        f"{GROUP}def start(args):\n    g = MyGroup('x', [])\n    g.exceptions = [g]\n    raise g\n"
    )
    assert report.message.startswith("MyGroup: x")


@pytest.mark.parametrize("members", ["5", "'text'", "[5]"])
def test_a_class_that_is_only_named_group_is_not_a_group(user: User, members: str) -> None:
    assert "first:" not in user.report(grouped(members)).message


@pytest.mark.skipif(sys.version_info < (3, 11), reason="ExceptionGroup came with Python 3.11")
def test_a_real_group_is_reported(user: User) -> None:
    report = user.report(
        "def start(args):\n    raise ExceptionGroup('some failed', [ValueError('one')])\n"
    )
    assert report.message == (
        "ExceptionGroup: some failed (1 sub-exception) (main.py:2, in start);"
        " first: ValueError: one"
    )


# Syntax errors


def test_a_syntax_error_in_a_file_is_reported_at_its_own_line(user: User) -> None:
    user.folder.mkdir()
    (user.folder / "late.py").write_text("x = 1\ndef f(:\n")
    report = user.report(
        "import sys\ndef start(args):\n"
        f"    sys.path.insert(0, {str(user.folder)!r})\n"
        "    try:\n        import late\n    finally:\n        sys.path.pop(0)\n"
    )
    assert report.message == "SyntaxError: invalid syntax (late.py:2)"
    assert '  File "late.py", line 2\n    def f(:\n          ^\nSyntaxError' in report.details
    assert "importlib" not in report.details


def test_a_syntax_error_in_a_string_is_reported_at_the_users_line(user: User) -> None:
    report = user.report("def start(args):\n    eval('1 +')\n")
    assert report.message == (
        "SyntaxError: invalid syntax in line 1 of <string>: 1 + (main.py:2, in start)"
    )


def test_a_syntax_error_that_the_user_raises(user: User) -> None:
    report = user.report("def start(args):\n    raise SyntaxError('mine')\n")
    assert report.message == "SyntaxError: mine (main.py:2, in start)"


@pytest.mark.parametrize(
    "arguments",
    [
        "'x', (None, 3, None, None)",
        "'x', ('<nowhere>', 3, 500, 'short')",
        "'x', ('main.py', 3, -5, 'short')",
        "'x', ('main.py', 0, 0, '')",
    ],
)
def test_odd_syntax_errors_are_reported(user: User, arguments: str) -> None:
    report = user.report(f"def start(args):\n    raise SyntaxError({arguments})\n")
    assert report.message.startswith("SyntaxError: x")
    assert report.details


def test_a_circle_of_imports_in_a_function_is_drawn(user: User) -> None:
    (user.folder / "first.py").parent.mkdir(parents=True)
    (user.folder / "first.py").write_text("import second\n")
    (user.folder / "second.py").write_text("from first import name\n")
    path = f"    sys.path.insert(0, {str(user.folder)!r})\n"
    report = user.report(f"import sys\ndef start(args):\n{path}    import first\n")
    sys.path.remove(str(user.folder))
    assert "the imports form a circle, first.py:1 → second.py:1 → first.py." in report.message
