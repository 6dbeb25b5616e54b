"""Exit codes: made from signals, and as a person reads them."""

from __future__ import annotations

import pytest

from wrapper.text.exit_codes import exit_code_of_status, exit_code_text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit code 0"),
        (128, "exit code 128"),
        (137, "exit code 137 (SIGKILL)"),
        (139, "exit code 139 (SIGSEGV)"),
        (255, "exit code 255"),
    ],
)
def test_signal_is_named(code: int, text: str) -> None:
    assert exit_code_text(code) == text


@pytest.mark.parametrize(("status", "code"), [(0, 0), (7 << 8, 7), (9, 137), (11 | 0x80, 139)])
def test_wait_status_becomes_a_container_exit_code(status: int, code: int) -> None:
    assert exit_code_of_status(status) == code
