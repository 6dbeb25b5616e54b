"""Secrets in URLs are hidden wherever URLs are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.text.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no URL: a@b?c=d", "no URL: a@b?c=d"),
        (
            "at ws://u:pa@ss@host:1/p?token=abc&storage=v1",
            "at ws://***@host:1/p?token=***&storage=v1",
        ),
        ("'https://u@h/x' and http://h?sig=1;k=2", "'https://***@h/x' and http://h?sig=***;k=***"),
        ("git+https://me:t0ken@host/repo.git@v1", "git+https://***@host/repo.git@v1"),
        ("http://h/a@b", "http://h/a@b"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


WORD = st.text("abcXYZ0189%.-_~!$*+,", min_size=8, max_size=12)


@given(user=WORD, password=WORD, name=WORD, value=WORD, scheme=st.sampled_from(["ws", "git+ssh"]))
def test_no_secret_survives(user: str, password: str, name: str, value: str, scheme: str) -> None:
    shown = redacted(f"x {scheme}://{user}:{password}@host:1/path?{name}={value} y")
    assert shown == f"x {scheme}://***@host:1/path?{name}=*** y"
    assert redacted(shown) == shown
