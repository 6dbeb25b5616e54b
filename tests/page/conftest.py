"""A browser, and the command that serves the page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
LIMIT = 60_000  # milliseconds: the machine may be busy


class DevCommand:
    """`hkube-wrapper dev`, running.

    Args:
        path: the algorithm's path.
        options: more of the command line.
    """

    def __init__(self, path: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wrapper", "dev", str(path), "--no-open", *options],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=path.parent,
        )
        self.link = self._read_link(self.process.stderr)

    def _read_link(self, stderr: IO[str] | None) -> str:
        assert stderr is not None
        said = ""
        for line in stderr:
            said += line
            if match := re.search(r"http://\S+", line):
                return match[0]
        raise AssertionError(f"the command ended: {said}")

    @property
    def port(self) -> int:
        """The page's port."""
        match = re.search(r":(\d+)/", self.link)
        assert match is not None
        return int(match[1])

    def end(self) -> str:
        """End the command as Ctrl-C does; return what it said since the link. Again: nothing."""
        assert self.process.stderr is not None
        if self.process.stderr.closed:
            return ""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        said = self.process.stderr.read()
        self.process.wait(timeout=60)
        self.process.stderr.close()
        return said


def browser_path() -> str:
    """Return the browser's program; skip the test if there is none and none is required."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("HKUBE_BROWSER_TESTS") == "required":
            pytest.fail("no chromium on PATH, but HKUBE_BROWSER_TESTS=required")
        pytest.skip("no chromium on PATH (apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = browser_path()
    with sync_playwright() as playwright:
        opened = open_browser(playwright, path)
        yield opened
        opened.close()


def open_browser(playwright: Playwright, path: str) -> Browser:
    """Start the browser."""
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])


@pytest.fixture
def start() -> Iterator[Callable[..., DevCommand]]:
    """Start the command; it ends with the test."""
    with ExitStack() as stack:

        def started(path: Path, *options: str) -> DevCommand:
            command = DevCommand(path, *(options or ("--port", "0")))
            stack.callback(command.end)
            return command

        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new page, without anything that another one has kept. No script may fail in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(LIMIT)
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))

    def take_message(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            failures.append(message.text)

    opened.on("console", take_message)
    yield opened
    context.close()
    assert failures == []


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write an algorithm; return its path."""

    def written(code: str, name: str = "main.py") -> Path:
        path = tmp_path / name
        path.write_text(code)
        return path

    return written
