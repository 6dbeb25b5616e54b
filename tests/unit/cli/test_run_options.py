"""Reading the options of `run` without Typer: the same as Typer reads, or nothing."""

from __future__ import annotations

import enum
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from wrapper.cli.app import app
from wrapper.cli.run_options import RunOptions, read_usual_options

WORDS = st.sampled_from(
    [
        *(
            "main.py",
            "folder",
            ".",
            "[1]",
            '{"a": 1}',
            "@file",
            "-",
            "fs",
            "1",
            "0",
            "2.5",
            "70000",
        ),
        *("-1", "--json", "", "s3", "nan", "1e3", "١", " 1", "--", "-h", "a=b"),
    ]
)
OPTIONS = st.sampled_from(
    [
        *("--input", "--message", "--feed", "--flow-input", "--extra-data", "--algorithms"),
        *(
            "--pipelines",
            "--answers",
            "--watch",
            "--watch-also",
            "--output",
            "-o",
            "--repeat",
            "--timeout",
            "--json",
        ),
        *("--storage", "--in-process", "--port", "--help", "--unknown"),
    ]
)
ARGUMENTS = st.one_of(
    st.tuples(WORDS),
    st.tuples(OPTIONS),
    st.tuples(OPTIONS, WORDS),
    st.builds(lambda option, word: (f"{option}={word}",), OPTIONS, WORDS),
)
COMMAND = typer.main.get_command(app).commands["run"]  # type: ignore[attr-defined]


def typer_reads(arguments: list[str]) -> dict[str, Any]:
    with COMMAND.make_context("run", list(arguments)) as context:
        return {name: _as_given_to_run(value) for name, value in context.params.items()}


def _as_given_to_run(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return list(value) or None
    return value.value if isinstance(value, enum.Enum) else value


def plain(options: RunOptions) -> dict[str, Any]:
    return options._asdict()


@given(st.lists(ARGUMENTS, max_size=5))
def test_what_is_read_is_what_typer_reads(parts: list[tuple[str, ...]]) -> None:
    arguments = [argument for part in parts for argument in part]
    options = read_usual_options(["run", *arguments], {})
    if options is not None:
        assert plain(options) == typer_reads(arguments)


def test_options_are_those_of_the_command() -> None:
    assert {parameter.name for parameter in COMMAND.params} - {"help"} == set(RunOptions._fields)
    assert plain(RunOptions()) == typer_reads([])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["main.py"],
        ["main.py", "--input", "[1]", "--input=[2]", "--json"],
        ["--input", "-", "folder", "--repeat", "3", "--timeout", "1.5"],
        ["a.b", "--output", "o"],
        ["a.b", "-o", "o", "-q", "-e", "A=1", "--env", "B=a=b", "--env=C=1"],
        ["a.b", "--feed", "f", "--flow-input", "{}", "--extra-data", "@x", "--message", "1"],
        ["a", "--algorithms", "b", "--pipelines", "c", "--answers", "d", "--storage", "fs"],
        ["--watch", "--watch-also", "*.csv", "--watch-also", "x", "--port", "0", "--in-process"],
    ],
)
def test_usual_command_lines_need_no_typer(arguments: list[str]) -> None:
    options = read_usual_options(["run", *arguments], {})
    assert options is not None and plain(options) == typer_reads(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check", "main.py"],
        ["run", "--help"],
        ["run", "-h"],
        ["run", "a", "b"],
        ["run", "--port", "65536"],
        ["run", "--repeat", "0"],
        ["run", "--timeout", "-1"],
        ["run", "--timeout"],
        ["run", "--input", "--json"],
        ["run", "--inp", "[1]"],
        ["run", "--json=1"],
        ["run", "--storage", "s3"],
        ["run", "--", "a"],
        ["run", "--feed", "a", "--feed", "b"],
    ],
)
def test_typer_reads_all_others(arguments: list[str]) -> None:
    assert read_usual_options(arguments, {}) is None


def test_shell_completion_is_left_to_typer() -> None:
    assert read_usual_options(["run"], {"_HKUBE_WRAPPER_COMPLETE": "complete_bash"}) is None
