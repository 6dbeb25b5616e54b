"""What a person does on the page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

LIMIT = 60_000


def run(page: Page, text: str) -> None:
    """Type an input and press Run."""
    page.locator("#input-editor").fill(text)
    page.get_by_role("button", name="Run", exact=True).click()


def expect_status(page: Page, status: str, run: int | None = None) -> None:
    """Wait until the run on the page has a status."""
    if run is not None:
        expect(page.get_by_role("heading", name=f"Run {run}", exact=True)).to_be_visible(
            timeout=LIMIT
        )
    expect(page.locator("[data-test=status]")).to_have_text(status, timeout=LIMIT)


def part(page: Page, title: str) -> Locator:
    """Return a drawn part of the result."""
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.locator("[data-test=part]").filter(has=heading)
