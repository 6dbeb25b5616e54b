"""Exit codes in words."""

from __future__ import annotations

import pytest

from wrapper.text.exit_codes import exit_code_text


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
