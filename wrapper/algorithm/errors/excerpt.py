"""Shows lines of the user's source around the one that failed."""

from __future__ import annotations

import linecache
from itertools import islice

from .user_frames import UserFrame

LINES_AROUND = 2
MAX_LINE_LENGTH = 200


def code_frame(frame: UserFrame) -> list[str]:
    """Show a frame's line, marked ``>``, between its neighbours.

    ``^^^`` underlines the part that failed.

    Returns:
        The lines, numbered and indented; empty if the source is not available.
    """
    lines = _source(frame.path)
    if not 0 < frame.line <= len(lines):
        return []
    first = max(1, frame.line - LINES_AROUND)
    last = min(len(lines), frame.line + LINES_AROUND)
    width = len(str(last))
    shown = []
    for number in range(first, last + 1):
        marker = ">" if number == frame.line else " "
        gutter = f"    {marker} {number:>{width}} |"
        text = lines[number - 1].rstrip()
        shown.append(f"{gutter} {_cut(text)}".rstrip())
        underline = _underline(frame, text) if number == frame.line else ""
        if underline:
            shown.append(f"{' ' * (len(gutter) - 1)}| {underline}")
    return shown


def one_line(frame: UserFrame) -> list[str]:
    """Show a frame's line alone.

    Returns:
        One line, indented; empty if the source is not available.
    """
    lines = _source(frame.path)
    if not 0 < frame.line <= len(lines):
        return []
    text = lines[frame.line - 1].strip()
    return [f"        {_cut(text)}"] if text else []


def _source(path: str) -> list[str]:
    if not path:
        return []
    linecache.checkcache(path)  # the user may have edited the file since the last report
    return linecache.getlines(path)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE_LENGTH else text[: MAX_LINE_LENGTH - 3] + "..."


def _underline(frame: UserFrame, text: str) -> str:
    columns = _columns(frame)
    if columns is None or len(text) > MAX_LINE_LENGTH:
        return ""
    encoded = text.encode()
    start = len(encoded[: columns[0]].decode(errors="replace"))
    stop = len(encoded[: columns[1]].decode(errors="replace"))
    if stop <= start or text[start:stop].strip() == text.strip():
        return ""  # the whole line fails, which the ">" shows
    lead = "".join("\t" if character == "\t" else " " for character in text[:start])
    return lead + "^" * (stop - start)


def _columns(frame: UserFrame) -> tuple[int, int] | None:
    """Find the failing expression on its first line: its start and end, in bytes."""
    positions = getattr(frame.code, "co_positions", None)  # since Python 3.11
    if positions is None:
        return None
    nothing = (None, None, None, None)
    line, end_line, start, stop = next(islice(positions(), frame.instruction // 2, None), nothing)
    if line != frame.line or start is None or stop is None:
        return None
    return start, stop if end_line == line else MAX_LINE_LENGTH * 4
