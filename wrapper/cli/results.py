"""Prints results for a person or a program, or writes them to a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from ..text.printed_json import as_json, json_pieces
from .json_values import UsageError

MOST_LINES = 200
MOST_CHARACTERS = 20_000
_INDENT = 2
_ESCAPED = re.compile(r"[^\x00-\x7f]+")

Say = Callable[[str], None]


def print_result(value: Any, stream: TextIO, say: Say) -> None:
    """Print a result as JSON: in one line, or indented and not too long on a terminal.

    Args:
        value: the result.
        stream: where it goes.
        say: shows a note if it is cut.
    """
    if not stream.isatty():
        print_json(value, stream)
        return
    text, is_cut = excerpt(value)
    _print(text, stream)
    if is_cut:
        size = _size(len(as_json(value).encode(errors="surrogatepass")))
        say(
            f"note: the result is too long for a terminal: it has {size} of JSON. "
            "--output FILE keeps all of it"
        )


def print_json(value: Any, stream: TextIO) -> None:
    """Print a value as JSON in one line, escaped if the stream cannot show it."""
    _print(as_json(value), stream)


def excerpt(value: Any) -> tuple[str, bool]:
    """Return a value as indented JSON, and whether the end is cut off."""
    pieces: list[str] = []
    lines = size = 0
    for piece in json_pieces(value, _INDENT):
        pieces.append(piece)
        lines += piece.count("\n")
        size += len(piece)
        if lines >= MOST_LINES or size > MOST_CHARACTERS:
            return "".join(pieces)[:MOST_CHARACTERS].rstrip() + "…", True
    return "".join(pieces), False


def check_output(file: Path | None) -> None:
    """Check that a file can be written, before anything runs.

    Raises:
        UsageError: it cannot; the message says why.
    """
    if file is None:
        return
    if file.is_dir():
        raise UsageError(f"--output: {file} is a folder: name a file in it")
    if not file.parent.is_dir():
        raise UsageError(f"--output: the folder {file.parent} does not exist")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageError(f"--output: {file} cannot be written")


def write_result(value: Any, file: Path, say: Say) -> None:
    """Write a result to a file: bytes as they are, anything else as JSON.

    Raises:
        OSError: the file cannot be written.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
    else:
        content = f"{as_json(value)}\n".encode(errors="backslashreplace")
    file.write_bytes(content)
    say(f"the result is in {file} ({_size(len(content))})")


def _print(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # half of a surrogate pair, or a stream that is ASCII only
        text = _ESCAPED.sub(_escape, text)
    print(text, file=stream, flush=True)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _size(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1e6:,.2f} MB"
