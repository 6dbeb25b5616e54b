"""Patterns of .dockerignore and .hkubeignore."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.local.source.ignore_rules import (
    DOCKER_FILE,
    HKUBE_FILE,
    IgnoreError,
    as_git_pattern,
    read_ignore_rules,
)


def left_out(folder: Path, *paths: str) -> list[str]:
    rules = read_ignore_rules(folder)
    return [path for path in paths if rules.leaves_out(path)]


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("foo", "/foo"),
        ("/foo/", "/foo"),
        ("./foo/../bar", "/bar"),
        ("  **/*.pyc  ", "/**/*.pyc"),
        ("!/keep", "!/keep"),
        ("! keep", "!/keep"),
        ("#comment", None),
        (" #file", "/#file"),
        ("", None),
        (".", None),
        ("!", "!"),
    ],
)
def test_docker_line_as_git_pattern(line: str, pattern: str | None) -> None:
    assert as_git_pattern(line) == pattern


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("data", ["data", "data/a"], ["src/data"]),
        ("*.csv", ["a.csv"], ["sub/a.csv"]),
        ("**/*.csv", ["a.csv", "sub/deep/a.csv"], ["a.csv.py"]),
        ("*\n!src\n", ["main.py", "other/x.py"], ["src/main.py"]),
        ("src\n!src/keep.py\n", ["src/other.py"], ["src/keep.py"]),
        ("docs/*\n!docs/README*\ndocs/README-secret\n", ["docs/README-secret"], ["docs/README"]),
        ("temp?", ["tempa"], ["temp", "tempab"]),
        ("[ab].py", ["a.py", "b.py"], ["c.py"]),
    ],
)
def test_docker_patterns(tmp_path: Path, text: str, out: list[str], kept: list[str]) -> None:
    (tmp_path / DOCKER_FILE).write_text(text)
    assert left_out(tmp_path, *out, *kept) == out


def test_defaults_can_be_included_again(tmp_path: Path) -> None:
    paths = (".env", ".git/config", "sub/__pycache__/m.pyc", "sub/.venv/x", "Dockerfile")
    assert left_out(tmp_path, *paths, "main.py", "environment.py") == list(paths)
    (tmp_path / DOCKER_FILE).write_text("!.env\n")
    assert left_out(tmp_path, *paths) == list(paths[1:])


def test_secrets_and_tests_are_left_out(tmp_path: Path) -> None:
    secrets = [
        *("sub/.ssh/id_ed25519", ".aws/credentials", ".netrc", ".npmrc", ".pypirc", "tls/a.pem"),
        *("a.key", "kubeconfig", "credentials.json", ".envrc", ".env.local", ".hkuberc"),
        *("test_main.py", "sub/main_test.py", "tests/conftest.py"),
    ]
    assert left_out(tmp_path, *secrets, "main.py", "key.py", "tests/data.csv") == secrets
    (tmp_path / DOCKER_FILE).write_text("!test_main.py\n!**/*.pem\n")
    assert "test_main.py" not in left_out(tmp_path, *secrets)
    assert "tls/a.pem" not in left_out(tmp_path, *secrets)


def test_hkube_patterns_follow_git(tmp_path: Path) -> None:
    (tmp_path / HKUBE_FILE).write_text("*.csv\ndata/\n!keep.csv\n")
    rules = read_ignore_rules(tmp_path)
    assert left_out(tmp_path, "sub/a.csv", "keep.csv", "sub/data/x") == ["sub/a.csv", "sub/data/x"]
    assert rules.leaves_out("data", is_folder=True)
    assert not rules.leaves_out("data")
    assert not rules.hkube_leaves_out(".git")


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        (DOCKER_FILE, b"ok\n!\n", r"\.dockerignore:2 has an invalid pattern: !"),
        (HKUBE_FILE, b"!\n", r"\.hkubeignore:1 has an invalid pattern"),
        (DOCKER_FILE, b"\xff\xfe", r"\.dockerignore: it is not UTF-8 text"),
    ],
)
def test_invalid_files(tmp_path: Path, name: str, data: bytes, text: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(IgnoreError, match=text):
        read_ignore_rules(tmp_path)


@pytest.mark.parametrize("name", [DOCKER_FILE, HKUBE_FILE])
def test_fifo_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(IgnoreError, match=f"cannot read .*{name}: it is not a file"):
        read_ignore_rules(tmp_path)


def test_folder_named_like_an_ignore_file(tmp_path: Path) -> None:
    (tmp_path / DOCKER_FILE).mkdir()
    with pytest.raises(IgnoreError, match="cannot read"):
        read_ignore_rules(tmp_path)


PARTS = st.sampled_from(["a", "b", "*", "**", "?", "[a]", "[", "!", "\\", "#", " ", ".", "..", "/"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=20))
def test_any_line_is_accepted_or_refused(tmp_path: Path, text: str) -> None:
    for name in (DOCKER_FILE, HKUBE_FILE):
        (tmp_path / name).write_text(text, encoding="utf-8", errors="replace")
        said = name
        try:
            read_ignore_rules(tmp_path).leaves_out("a/b")
        except IgnoreError as error:
            said = str(error)
        assert name in said
        (tmp_path / name).unlink()
