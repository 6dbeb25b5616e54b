"""Capturing what is printed and logged in the test's process."""

from __future__ import annotations

import logging
import sys
from threading import Thread

import pytest

from wrapper.testing.sessions.captured_output import CapturedLines, captured_output


def test_lines_are_assembled_from_pieces() -> None:
    lines = CapturedLines()
    for stream, text in [("out", "a"), ("err", "x\ny"), ("out", "b\n"), ("out", "end")]:
        lines.add(stream, text)
    assert lines.all_lines() == ["x", "ab", "end", "y"] or lines.all_lines() == [
        "x",
        "ab",
        "y",
        "end",
    ]


def test_printed_lines_are_captured_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with captured_output() as lines:
        print("one", "two")
        print("three", file=sys.stderr)
        sys.stdout.writelines(["four\n", "five"])
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
    print("not any more")
    assert lines.all_lines() == ["one two", "three", "four", "five"]
    out, err = capsys.readouterr()
    assert out == "one two\nfour\nfivenot any more\n"
    assert err == "three\n"


def test_kept_stream_still_writes(capsys: pytest.CaptureFixture[str]) -> None:
    with captured_output() as lines:
        kept = sys.stdout
    print("later", file=kept)
    assert capsys.readouterr().out == "later\n"
    assert lines.all_lines() == []


def test_log_records_are_captured_once() -> None:
    logger = logging.getLogger("test_testing_output")
    with captured_output() as lines:
        handler = logging.StreamHandler()
        logger.addHandler(handler)
        try:
            logger.error("written to stderr by the algorithm's own handler")
            logging.getLogger("test_testing_output.child").error("through its parent's")
            logging.warning("only %s", "logged")
        finally:
            logger.removeHandler(handler)
    assert lines.all_lines() == [
        "written to stderr by the algorithm's own handler",
        "through its parent's",
        "only logged",
    ]
    logging.warning("not any more")
    assert len(lines.all_lines()) == 3


def test_stream_set_by_a_debugger_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with captured_output():
        monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    assert sys.stdout is sys.__stdout__


def test_lines_of_threads_are_not_mixed() -> None:
    lines = CapturedLines()

    def add(name: str) -> None:
        for number in range(200):
            lines.add(name, f"{name}{number}\n")

    threads = [Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lines.all_lines()) == sorted(f"{n}{i}" for n in "abcd" for i in range(200))
