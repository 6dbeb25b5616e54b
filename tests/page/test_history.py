"""Runs that are over: found, shown, compared, exported."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import DevCommand
from tests.page.steps import expect_status, run

Start = Callable[..., DevCommand]
Write = Callable[[str], Path]

DIVIDE = """
def start(args):
    top, below = args["input"]
    print("dividing", top)
    return {"quotient": top / below, "top": top}
"""


def test_history_is_searched_and_a_link_shows_its_run(
    page: Page, start: Start, write: Write
) -> None:
    page.goto(start(write(DIVIDE)).link)
    for number, (text, status) in enumerate(
        [("[6, 3]", "done"), ("[5, 0]", "failed"), ("[8, 2]", "done")], start=1
    ):
        run(page, text)
        expect_status(page, status, number)
    rows = page.locator(".history li")

    expect(rows).to_have_count(3)
    expect(rows.locator(".state")).to_have_text(["done", "failed", "done"])
    page.get_by_label("Search the history").fill("division by zero")
    expect(rows).to_have_count(1)
    page.get_by_label("Search the history").fill("")
    page.get_by_label("Status").select_option("failed")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").click()

    expect_status(page, "failed", 2)
    assert page.url.endswith("/runs/2")
    page.reload()
    expect_status(page, "failed", 2)
    expect(page.locator(".log")).to_contain_text("dividing 5")
    page.get_by_role("button", name="Edit input").click()
    expect(page.locator("#input-editor")).to_have_value("[5, 0]")
    page.go_back()
    expect_status(page, "done", 3)


def test_two_runs_are_compared(page: Page, start: Start, write: Write) -> None:
    page.goto(start(write(DIVIDE)).link)
    run(page, "[6, 3]")
    expect_status(page, "done", 1)
    run(page, "[6, 4]")
    expect_status(page, "done", 2)

    page.get_by_role("button", name="Compare with run 1", exact=True).first.click()

    rows = page.locator("[data-test=comparison] tbody tr")
    expect(rows.filter(has_text="input[1]").locator("td")).to_have_text(["input[1]", "3", "4"])
    expect(rows.filter(has_text="quotient").locator("td")).to_have_text(
        ["result['quotient']", "2.0", "1.5"]
    )
    expect(rows.filter(has_text="'top'")).to_have_count(0)


def test_exported_test_passes(page: Page, start: Start, write: Write, tmp_path: Path) -> None:
    page.goto(start(write(DIVIDE), "--port", "0").link)
    run(page, "[6, 4]")
    expect_status(page, "done")

    page.get_by_role("button", name="As a test").click()
    text = page.locator("[data-test=exported]").inner_text()

    assert re.search(r"\.result == \{'quotient': 1\.5, 'top': 6\}", text)
    (tmp_path / "test_exported.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_exported.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_exported_command_prints_the_result(
    page: Page, start: Start, write: Write, tmp_path: Path
) -> None:
    page.goto(start(write(DIVIDE)).link)
    run(page, "[6, 4]")
    expect_status(page, "done")

    page.get_by_role("button", name="As a command").click()
    text = page.locator("[data-test=exported]").inner_text()

    program = f"{sys.executable} -m wrapper"
    command = text.replace("hkube-wrapper", program, 1)
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == '{"quotient": 1.5, "top": 6}', done.stderr
