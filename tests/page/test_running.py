"""Running an algorithm from the page: input, progress, log, stop, failures, saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.page.conftest import DevCommand
from tests.page.steps import LIMIT, expect_status, run

Start = Callable[..., DevCommand]
Write = Callable[[str], Path]

ADD = '''
def start(args, hkubeApi):
    """Add two numbers."""
    left, right = args["input"]
    print(f"adding {left} and {right}")
    return {"sum": left + right}
'''

WAIT = """
import threading

def start(args, hkubeApi):
    hkubeApi.progress(40, "waiting")
    print("\\x1b[31mred\\x1b[0m <b>not bold</b>")
    while not hkubeApi.stop_requested:
        threading.Event().wait(0.05)
    return "late"

def stop(args):
    print("stop was called")
"""


def test_result_is_drawn_after_run_is_pressed(page: Page, start: Start, write: Write) -> None:
    page.goto(start(write(ADD)).link)

    expect(page.get_by_text("Add two numbers.").last).to_be_visible()
    run(page, "[2, 3]")

    expect_status(page, "done")
    result = page.locator("[data-test=result]")
    expect(result.locator(".key")).to_have_text("sum")
    expect(result.locator(".line .text")).to_have_text("5")
    expect(page.locator(".log")).to_contain_text("adding 2 and 3")
    assert "token" not in page.url


def test_ctrl_enter_runs_and_mistakes_are_named_at_their_place(
    page: Page, start: Start, write: Write
) -> None:
    page.goto(start(write(ADD)).link)
    editor = page.locator("#input-editor")

    editor.fill("[2,\n 'a']")
    expect(page.locator("#input-mistake")).to_contain_text(
        "Line 2, column 2: Texts are in double quotes"
    )
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    editor.fill("[20, 3]")
    editor.press("Control+Enter")

    expect_status(page, "done")
    expect(page.locator("[data-test=result]")).to_contain_text("23")


def test_input_that_only_the_server_refuses_is_explained(
    page: Page, start: Start, write: Write
) -> None:
    page.goto(start(write(ADD)).link)
    editor = page.locator("#input-editor")

    editor.fill('{"a": 1}')

    expect(page.locator("#input-mistake")).to_contain_text("The input is a JSON array")


def test_progress_and_log_come_live_and_stop_stops(page: Page, start: Start, write: Write) -> None:
    page.goto(start(write(WAIT)).link)
    run(page, "[]")

    expect(page.locator("[data-test=progress]")).to_contain_text("40%")
    expect(page.locator(".log .c1")).to_have_text("red")
    expect(page.locator(".log")).to_contain_text("<b>not bold</b>")
    page.get_by_role("button", name="Stop", exact=True).click()

    expect_status(page, "stopped")
    expect(page.locator(".phases")).to_contain_text("asked to stop")
    expect(page.locator(".log")).to_contain_text("stop was called")


def test_failure_shows_the_sentence_and_the_code(page: Page, start: Start, write: Write) -> None:
    path = write("def start(args):\n    low = 0\n    return 1 / low\n")
    page.goto(start(path).link)
    run(page, "[]")

    expect_status(page, "failed")
    failure = page.locator("[data-test=failure]")
    expect(failure.locator(".sentence")).to_have_text(
        "ZeroDivisionError: division by zero (main.py:3, in start)"
    )
    lines = failure.locator("pre").inner_text().splitlines()
    assert lines[1] == '  File "main.py", line 3, in start'
    expect(failure.locator("pre .hit").first).to_contain_text("> 3 |     return 1 / low")
    expect(failure.get_by_role("link")).to_have_attribute("href", f"vscode://file/{path}:3")


def test_crash_is_reported_and_the_next_run_works(page: Page, start: Start, write: Write) -> None:
    code = """
import os, signal

def start(args):
    if args["input"]:
        os.kill(os.getpid(), signal.SIGSEGV)
    return "well"
"""
    page.goto(start(write(code)).link)
    run(page, "[1]")

    expect_status(page, "crashed", 1)
    expect(page.locator("[data-test=failure]")).to_contain_text("crashed")
    expect(page.locator(".log")).to_contain_text("SIGSEGV")
    run(page, "[]")

    expect_status(page, "done", 2)


def test_load_error_is_on_the_page_until_it_is_fixed(
    page: Page, start: Start, write: Write
) -> None:
    path = write("def start(args)\n    return 1\n")
    page.goto(start(path).link)

    error = page.locator("[data-test=load-error]")
    expect(error).to_contain_text("main.py:1 is not valid Python", timeout=LIMIT)
    expect(error.locator("pre")).to_contain_text("def start(args)")
    path.write_text("def start(args):\n    return 'fixed'\n")

    expect(error).to_have_count(0, timeout=LIMIT)
    expect(page.locator("[data-test=state]")).to_have_text("ready", timeout=LIMIT)
    run(page, "[]")
    expect(page.locator("[data-test=result]")).to_contain_text("fixed")


def test_save_during_a_run_is_loaded_after_it(page: Page, start: Start, write: Write) -> None:
    path = write(WAIT)
    page.goto(start(path).link)
    run(page, "[]")
    expect(page.locator("[data-test=progress]")).to_contain_text("40%")

    path.write_text("def start(args):\n    return 'new code'\n")

    expect(page.get_by_text("it is loaded after this run")).to_be_visible(timeout=LIMIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect_status(page, "stopped", 1)
    run(page, "[]")
    expect_status(page, "done", 2)
    expect(page.locator("[data-test=result]")).to_contain_text("new code")


def test_save_begins_a_run_if_that_is_chosen(page: Page, start: Start, write: Write) -> None:
    path = write("def start(args):\n    return {'value': 1, 'same': 2}\n")
    page.goto(start(path).link)
    run(page, "[7]")
    expect_status(page, "done", 1)

    page.get_by_label("Run after each save").check()
    path.write_text("def start(args):\n    return {'value': 5, 'same': 2}\n")

    expect_status(page, "done", 2)
    page.get_by_role("button", name="Compare with run 1").last.click()
    rows = page.locator("[data-test=comparison] tbody tr")
    expect(rows.filter(has_text="result['value']")).to_contain_text("1")
    expect(rows.filter(has_text="result['same']")).to_have_count(0)


def test_tabs_agree_and_a_reload_loses_nothing(page: Page, start: Start, write: Write) -> None:
    page.goto(start(write(WAIT)).link)
    other = page.context.new_page()
    other.goto(page.url)
    run(page, "[]")

    expect(other.locator("[data-test=status]")).to_have_text("running", timeout=LIMIT)
    page.reload()
    expect(page.locator("[data-test=progress]")).to_contain_text("40%")
    expect(page.locator(".log")).to_contain_text("not bold")
    other.get_by_role("button", name="Stop", exact=True).click()
    expect_status(page, "stopped")


def test_page_finds_its_server_again_after_a_restart(
    page: Page, start: Start, write: Write
) -> None:
    path = write(ADD)
    first = start(path)
    page.goto(first.link)
    run(page, "[2, 3]")
    expect_status(page, "done", 1)

    assert first.end() == "press Ctrl-C to end\nended\n"
    assert first.process.returncode == 0
    expect(page.locator("[data-test=state]")).to_contain_text("connection lost", timeout=LIMIT)
    start(path, "--port", str(first.port))

    expect(page.locator("[data-test=state]")).to_have_text("ready", timeout=LIMIT)
    run(page, "[4, 5]")
    expect_status(page, "done", 2)
