"""The runs of an algorithm, kept in an SQLite file beside its code."""

from __future__ import annotations

import base64
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from ....errors import WrapperError
from ....text.printed_json import BASE64, as_json, printable
from .run_record import LogLine

FILE = "history.sqlite"
_MOST_RUNS = 1000
_MOST_LINES = 2000
"""Lines of a run that are kept: the last ones."""
LARGEST_KEPT = 8 * 1024**2
"""Characters of JSON of a result that is kept."""
_INTERRUPTED = "interrupted"

_TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    began REAL NOT NULL,
    algorithm TEXT NOT NULL,
    status TEXT NOT NULL,
    seconds REAL,
    input TEXT NOT NULL,
    facts TEXT,
    result TEXT,
    summary TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '[]'
)
"""
_LISTED = "id, began, algorithm, status, seconds, substr(input, 1, 200), substr(summary, 1, 200)"


class HistoryError(WrapperError):
    """The file of the history cannot be used."""

    code = "HistoryError"


@final
class History:
    """The newest thousand runs. Thread-safe. A context manager: it closes the file.

    Args:
        file: the SQLite file; None to keep the runs in memory.

    Raises:
        HistoryError: the file cannot be used.
    """

    def __init__(self, file: Path | None) -> None:
        self._lock = threading.Lock()
        try:
            self._base = sqlite3.connect(
                str(file or ":memory:"), check_same_thread=False, isolation_level=None
            )
        except sqlite3.Error as error:
            raise _unusable(file, error) from error
        try:
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(_TABLE)
            self._base.execute(
                "UPDATE runs SET status = ? WHERE seconds IS NULL AND status = 'running'",
                (_INTERRUPTED,),
            )
        except sqlite3.Error as error:
            self._base.close()
            raise _unusable(file, error) from error

    def __enter__(self) -> History:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._base.close()

    def begin(self, algorithm: str, input_text: str) -> int:
        """Add a run that has begun; return its id."""
        row = (time.time(), algorithm, "running", input_text)
        with self._lock:
            added = self._base.execute(
                "INSERT INTO runs (began, algorithm, status, input) VALUES (?, ?, ?, ?)", row
            )
            number = added.lastrowid
            assert number is not None
            self._base.execute("DELETE FROM runs WHERE id <= ?", (number - _MOST_RUNS,))
        return number

    def end(self, facts: dict[str, Any], result: str | None, lines: Sequence[LogLine]) -> None:
        """Add what came of a run.

        Args:
            facts: those of `RunRecord`.
            result: its result, from `kept_json`; None if there is none. One that is too large is
                not kept.
            lines: its output.
        """
        error = facts["error"]
        summary = error["message"] if error else facts["result"] or ""
        if result is not None and len(result) > LARGEST_KEPT:
            result = None
        row = (facts["status"], facts["seconds"], as_json(facts), result, summary)
        with self._lock:
            self._base.execute(
                "UPDATE runs SET status = ?, seconds = ?, facts = ?, result = ?, summary = ?, "
                "log = ? WHERE id = ?",
                (*row, as_json(lines[-_MOST_LINES:]), facts["id"]),
            )

    def search(self, text: str, status: str, start: int, limit: int) -> dict[str, Any]:
        """Return some runs, newest first, and how many there are.

        Args:
            text: what the input, the result, the error or the output contains; empty for any.
            status: how they ended; empty for any.
            start: how many to leave out.
            limit: how many at most.
        """
        where, values = ["1"], []
        if status:
            where.append("status = ?")
            values.append(status)
        if text:
            like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            columns = ("input", "summary", "result", "log")
            where.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in columns) + ")")
            values += [like] * len(columns)
        having = " AND ".join(where)
        with self._lock:
            (total,) = self._base.execute(
                f"SELECT count(*) FROM runs WHERE {having}", values
            ).fetchone()
            rows = self._base.execute(
                f"SELECT {_LISTED} FROM runs WHERE {having} ORDER BY id DESC LIMIT ? OFFSET ?",
                (*values, limit, start),
            ).fetchall()
        names = ("id", "began", "algorithm", "status", "seconds", "input", "summary")
        return {"total": total, "runs": [dict(zip(names, row, strict=True)) for row in rows]}

    def facts(self, number: int) -> dict[str, Any] | None:
        """Return the facts of a run; None if it is not kept, or has not ended."""
        found = self._column("facts", number)
        facts: dict[str, Any] | None = json.loads(found) if found else None
        return facts

    def input_text(self, number: int) -> str | None:
        """Return the input of a run, as it was typed."""
        return self._column("input", number)

    def result_json(self, number: int) -> str | None:
        """Return the result of a run, as `kept_json` made it."""
        return self._column("result", number)

    def lines(self, number: int) -> list[LogLine]:
        """Return the last lines of a run."""
        found = self._column("log", number)
        return [tuple(line) for line in json.loads(found)] if found else []

    def _column(self, name: str, number: int) -> str | None:
        with self._lock:
            row = self._base.execute(f"SELECT {name} FROM runs WHERE id = ?", (number,)).fetchone()
        return row[0] if row else None


def kept_json(value: Any) -> str:
    """Return a result as JSON that `restored` reads."""
    return json.dumps(value, ensure_ascii=False, default=printable)


def restored(text: str) -> Any:
    """Return the result that `kept_json` wrote."""
    return json.loads(text, object_hook=_unmarked)


def _unmarked(found: dict[str, Any]) -> Any:
    return base64.b64decode(found[BASE64]) if list(found) == [BASE64] else found


def _unusable(file: Path | None, error: sqlite3.Error) -> HistoryError:
    return HistoryError(
        f"cannot keep runs in {file}: {error}; use another file with --history FILE"
    )
