"""The result drawn as what it is, a part at a time."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import DevCommand
from tests.page.steps import LIMIT, expect_status, part, run

Start = Callable[..., DevCommand]
Write = Callable[[str], Path]

RESULT = """
import math
import numpy as np

def start(args):
    return {
        "rows": [{"name": f"item {i}", "score": (i * 37) % 101} for i in range(120)],
        "signal": np.sin(np.linspace(0, 6, 200)),
        "map": np.outer(np.arange(30), np.arange(40)) / 1000,
        "photo": np.stack([np.full((20, 30), 255), np.zeros((20, 30)), np.zeros((20, 30))], -1),
        "text": "line one\\nline <i>two</i>",
        "nan": float("nan"),
        "big": 2**60 + 1,
        "png": args["input"][0],
    }
"""


def png() -> bytes:
    """Return a PNG file of 2 × 2 green pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\0\xff\0" * 2) * 2
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def pixel(canvas: Locator, x: int, y: int) -> list[int]:
    """Return the colour of a pixel of a canvas."""
    script = "(each, [x, y]) => [...each.getContext('2d').getImageData(x, y, 1, 1).data]"
    found: list[int] = canvas.evaluate(script, [x, y])
    return found


def test_each_part_of_a_result_is_drawn_as_what_it_is(
    page: Page, start: Start, write: Write
) -> None:
    page.goto(start(write(RESULT)).link)
    run(page, json.dumps([base64.b64encode(png()).decode()]))
    expect_status(page, "done")

    table = part(page, "rows")
    expect(table.locator("tbody tr")).to_have_count(50)
    table.get_by_role("button", name="score").click()
    table.get_by_role("button", name="score").click()
    expect(table.locator("tbody tr").first).to_contain_text("100")
    table.get_by_role("button", name="Next").click()
    expect(table).to_contain_text("50–99 of 120")

    plot = part(page, "signal")
    expect(plot.locator("canvas")).to_be_visible()
    expect(plot).to_contain_text("200 numbers")
    plot.get_by_role("button", name="histogram").click()
    expect(plot.locator("canvas")).to_be_visible()

    assert pixel(part(page, "map").locator("canvas").first, 0, 0) == [68, 1, 84, 255]
    assert pixel(part(page, "map").locator("canvas").first, 39, 29) == [253, 231, 37, 255]
    assert pixel(part(page, "photo").locator("canvas"), 3, 3) == [255, 0, 0, 255]
    expect(part(page, "text").locator("pre")).to_have_text("line one\nline <i>two</i>")
    image = part(page, "png").locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 2


def test_tree_shows_values_exactly_and_what_was_changed(
    page: Page, start: Start, write: Write
) -> None:
    page.goto(start(write(RESULT)).link)
    run(page, "[null]")
    expect_status(page, "done")

    lines = page.locator(".tree .line")
    expect(lines.filter(has_text="big").locator(".text")).to_have_text(str(2**60 + 1))
    expect(lines.filter(has_text="nan").locator(".text")).to_have_text("null")
    expect(page.locator("[data-test=notes]")).to_contain_text("nan")
    page.get_by_role("button", name="Open rows").click()
    page.get_by_role("button", name="Show 20 more of 120").click()
    expect(page.get_by_role("button", name="Open 119", exact=True)).to_be_visible()


def test_result_of_90_megabytes_is_shown_page_by_page(
    page: Page, start: Start, write: Write
) -> None:
    code = """
def start(args):
    return {"rows": [{"text": "x" * 90, "n": i} for i in range(800_000)]}
"""
    page.goto(start(write(code)).link)
    received: list[int] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))),
    )
    page.reload()
    run(page, "[]")

    expect(page.locator("[data-test=status]")).to_have_text("done", timeout=4 * LIMIT)
    table = part(page, "rows")
    expect(table).to_contain_text("0–49 of 800,000", timeout=LIMIT)
    table.get_by_role("button", name="n", exact=True).click()
    table.get_by_role("button", name="n", exact=True).click()
    expect(table.locator("tbody tr").first).to_contain_text("799999", timeout=LIMIT)
    assert sum(received) < 2_000_000


def test_result_can_be_downloaded(page: Page, start: Start, write: Write) -> None:
    page.goto(start(write("def start(args):\n    return args['input']\n")).link)
    run(page, '[{"a": [1, 2]}, "text"]')
    expect_status(page, "done")

    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()

    assert download.value.suggested_filename == "run-1-result.json"
    assert json.loads(Path(download.value.path()).read_text()) == [{"a": [1, 2]}, "text"]
