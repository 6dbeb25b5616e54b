"""What a person sees on a terminal: output with its control sequences carried out."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\x1b\[([0-?]*)[ -/]*([@-~])|(\r|\n)|([^\x1b\r\n]+)|\x1b.")


def visible_lines(output: str) -> list[str]:
    """Return the lines that are on a terminal after some output; it never scrolls or wraps.

    Supported are the line ends, cursor movements up, and erasing the line: what live displays use.
    """
    lines, row, column = [""], 0, 0
    for arguments, command, end, text in _PARTS.findall(output):
        if command == "A":
            row = max(0, row - int(arguments or 1))
        elif command == "K":
            lines[row] = ""
        elif end == "\r":
            column = 0
        elif end == "\n":
            row, column = row + 1, 0
            if row == len(lines):
                lines.append("")
        elif text:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip() for line in lines]
