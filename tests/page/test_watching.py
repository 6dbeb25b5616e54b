"""What a run does meanwhile: a long log, spans, calls, processor and memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import DevCommand
from tests.page.node_packages import node_modules
from tests.page.steps import LIMIT, expect_status, run

Start = Callable[..., DevCommand]
Write = Callable[..., Path]

BUSY = """
import time

def start(args, hkubeApi):
    with hkubeApi.span("outer", {"size": 3}):
        with hkubeApi.span("inner"):
            end = time.monotonic() + 1.2
            while time.monotonic() < end:
                pass
    try:
        with hkubeApi.span("broken"):
            raise ValueError("no luck")
    except ValueError:
        pass
    return hkubeApi.start_algorithm("double", [21])
"""

DOUBLE = "def start(args):\n    return args['input'][0] * 2\n"


def test_spans_calls_and_usage_are_shown(
    page: Page, start: Start, write: Write, tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    (others / "double.py").write_text(DOUBLE)
    page.goto(start(write(BUSY), "--port", "0", "--algorithms", str(others)).link)
    run(page, "[]")
    expect_status(page, "done")

    spans = page.get_by_label("Spans", exact=True)
    expect(spans.locator("rect")).to_have_count(3)
    expect(spans.locator("g.failed")).to_contain_text("broken")
    spans.get_by_text("Tags and errors").click()
    expect(spans).to_contain_text("size = 3")
    expect(spans).to_contain_text("no luck")
    call = page.get_by_label("Calls", exact=True).locator("tbody tr")
    expect(call).to_contain_text("double")
    expect(call).to_contain_text("42")
    usage = page.get_by_label("Processor and memory")
    expect(usage.locator("canvas")).to_have_count(2)
    expect(usage).to_contain_text("MiB at most")


def test_hundred_thousand_lines_scroll_and_are_searched(
    page: Page, start: Start, write: Write
) -> None:
    code = "def start(args):\n    for i in range(100_000):\n        print('line number', i)\n"
    page.goto(start(write(code)).link)
    run(page, "[]")

    expect(page.locator("[data-test=status]")).to_have_text("done", timeout=2 * LIMIT)
    expect(page.locator("[data-test=log-count]")).to_have_text("100,000 lines", timeout=LIMIT)
    log = page.locator(".log")
    expect(log).to_contain_text("line number 99999")
    assert log.locator(".entry").count() < 100
    log.evaluate("each => { each.scrollTop = 0; }")
    expect(log).to_contain_text("line number 3")
    page.get_by_label("Search the log").fill("number 77777")
    expect(page.locator("[data-test=log-count]")).to_have_text("1 of 100,000 lines")
    expect(log.locator("mark")).to_have_text("number 77777")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_page_is_accessible(
    page: Page, start: Start, write: Write, scheme: str, width: int
) -> None:
    axe = (node_modules() / "axe-core" / "axe.min.js").read_text()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    path = write("def start(args):\n    print('hello')\n    return [{'a': 1 / args['input'][0]}]\n")
    page.goto(start(path).link)

    for text, status in (("[2]", "done"), ("[0]", "failed")):
        run(page, text)
        expect_status(page, status)
        expect(page.locator(".log")).to_contain_text("hello")
        # evaluate() is not subject to the page's Content-Security-Policy, a script element is.
        found = page.evaluate(axe + "; axe.run({resultTypes: ['violations']})")
        serious = [
            (each["id"], [node["html"][:200] for node in each["nodes"]])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
